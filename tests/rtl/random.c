/* SPDX-License-Identifier: BSD-2-Clause */
/* Random traffic, every shape and mode: nothing lost, nobody named who did not ask, only kept what is
 * counted. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "soak_cases.h"

enum {
    TLPS = 15000,
};

ParameterizedTestParameters(random, traffic)
{
    static unsigned index[64];
    for (unsigned i = 0; i < soak_cases_n; i++) {
        index[i] = i;
    }
    return cr_make_param_array(unsigned, index, soak_cases_n);
}

ParameterizedTest(unsigned *index, random, traffic)
{
    struct soak_options options = soak_cases[*index];
    options.seed = 1 + *index;
    options.tlps = TLPS;
    const struct soak_result r = soak(&options);
    cr_expect_eq(r.first[0], '\0', "case %u, after %llu TLPs: %s", *index, (unsigned long long)r.tlps,
                 r.first);
    cr_expect_eq(r.lost, 0);
    cr_expect_eq(r.misattributed, 0);
    cr_expect_geq(r.tlps, options.tlps);
    /* It did what it is for. */
    cr_expect_gt(r.interrupts, 1000);
    cr_expect_eq(r.events > 100, options.ring);
    cr_expect_eq(r.kept > 100 && r.resent > 10, options.acts);
    cr_expect_eq(r.forgotten > 10, options.forgets);
    cr_expect_eq(r.switched > 10, options.switches);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Random traffic, every shape and mode: nothing lost, nobody named who did not ask. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "soak.h"

enum {
    TLPS = 20000,
};

static struct soak_options cases[] = {
    {.shape = {4, 2, 32, false}, .seed = 1, .tlps = TLPS},
    {.shape = {4, 2, 32, false}, .seed = 2, .tlps = TLPS, .tap = true},
    {.shape = {4, 2, 32, false}, .seed = 3, .tlps = TLPS, .ring = true},
    {.shape = {4, 2, 32, false}, .seed = 4, .tlps = TLPS, .overflow = true},
    {.shape = {4, 2, 32, false}, .seed = 5, .tlps = TLPS, .links = true},
    {.shape = {4, 2, 32, false}, .seed = 6, .tlps = TLPS, .calm = true},
    {.shape = {7, 2, 32, false}, .seed = 7, .tlps = TLPS, .overflow = true},
    {.shape = {7, 2, 32, false}, .seed = 8, .tlps = TLPS, .tap = true, .overflow = true},
    {.shape = {4, 4, 32, false}, .seed = 9, .tlps = TLPS},
    {.shape = {4, 4, 32, false}, .seed = 10, .tlps = TLPS, .calm = true, .overflow = true},
    {.shape = {4, 4, 32, false}, .seed = 11, .tlps = TLPS, .tap = true},
    {.shape = {4, 4, 32, false}, .seed = 12, .tlps = TLPS, .ring = true},
    {.shape = {7, 4, 32, false}, .seed = 13, .tlps = TLPS, .ring = true, .overflow = true},
    {.shape = {1, 2, 32, false}, .seed = 14, .tlps = TLPS},
    {.shape = {1, 2, 32, false}, .seed = 15, .tlps = TLPS, .tap = true, .links = true},
};

ParameterizedTestParameters(random, traffic)
{
    return cr_make_param_array(struct soak_options, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct soak_options *options, random, traffic)
{
    const struct soak_result r = soak(options);
    cr_expect_eq(r.first[0], '\0', "seed %llu, after %llu TLPs: %s", (unsigned long long)options->seed,
                 (unsigned long long)r.tlps, r.first);
    cr_expect_eq(r.lost, 0);
    cr_expect_eq(r.misattributed, 0);
    cr_expect_geq(r.tlps, options->tlps);
}

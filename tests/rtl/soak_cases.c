/* SPDX-License-Identifier: BSD-2-Clause */
#include "soak_cases.h"

#include <string.h>

enum {
    SLICE = 200000, /* TLPs of one case at a time */
};

#define PORTS_4_DW_2 .shape = {4, 2, 32, false}
#define PORTS_4_DW_4 .shape = {4, 4, 32, false}
#define PORTS_7_DW_2 .shape = {7, 2, 32, false}
#define PORTS_7_DW_4 .shape = {7, 4, 32, false}
#define PORTS_1_DW_2 .shape = {1, 2, 32, false}
#define BUMP         .shape = {1, 2, 32, true}

const struct soak_options soak_cases[] = {
    {PORTS_4_DW_2},
    {PORTS_4_DW_2, .tap = true},
    {PORTS_4_DW_2, .ring = true},
    {PORTS_4_DW_2, .acts = true},
    {PORTS_4_DW_2, .acts = true, .ring = true},
    {PORTS_4_DW_2, .acts = true, .ring = true, .calm = true},
    {PORTS_4_DW_2, .links = true},
    {PORTS_4_DW_2, .links = true, .ring = true},
    {PORTS_4_DW_2, .links = true, .tap = true},
    {PORTS_4_DW_2, .overflow = true},
    {PORTS_4_DW_2, .calm = true},
    {PORTS_4_DW_2, .switches = true},
    {PORTS_4_DW_2, .switches = true, .acts = true},
    {PORTS_4_DW_2, .switches = true, .links = true},
    {PORTS_4_DW_2, .forgets = true},
    {PORTS_4_DW_2, .forgets = true, .switches = true, .ring = true},
    {PORTS_4_DW_4},
    {PORTS_4_DW_4, .tap = true},
    {PORTS_4_DW_4, .ring = true},
    {PORTS_4_DW_4, .acts = true},
    {PORTS_4_DW_4, .acts = true, .ring = true},
    {PORTS_4_DW_4, .links = true, .ring = true},
    {PORTS_4_DW_4, .overflow = true, .calm = true},
    {PORTS_4_DW_4, .switches = true, .acts = true, .ring = true},
    {PORTS_4_DW_4, .forgets = true, .switches = true},
    {PORTS_4_DW_4, .forgets = true, .ring = true},
    {PORTS_7_DW_2, .overflow = true, .ring = true},
    {PORTS_7_DW_2, .overflow = true, .tap = true},
    {PORTS_7_DW_4, .overflow = true},
    {PORTS_7_DW_4, .overflow = true, .ring = true, .calm = true},
    {PORTS_1_DW_2, .acts = true, .ring = true},
    {PORTS_1_DW_2, .links = true, .tap = true},
    {PORTS_1_DW_2, .forgets = true, .switches = true},
    {BUMP, .ring = true},
    {BUMP, .acts = true},
    {BUMP, .links = true},
    {BUMP, .forgets = true, .switches = true},
};
const unsigned soak_cases_n = sizeof soak_cases / sizeof soak_cases[0];

uint64_t soak_all(uint64_t tlps, uint64_t seed,
                  void (*each)(unsigned index, uint64_t seed, const struct soak_result *r),
                  struct soak_result *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned i = 0; sum->tlps < tlps; i = (i + 1) % soak_cases_n) {
        const uint64_t left = tlps - sum->tlps;
        struct soak_options options = soak_cases[i];
        options.seed = seed++;
        options.tlps = left < SLICE ? left : SLICE;
        const struct soak_result r = soak(&options);
        if (each != NULL) {
            each(i, options.seed, &r);
        }
        if (sum->first[0] == '\0') {
            memcpy(sum->first, r.first, sizeof sum->first);
        }
        sum->tlps += r.tlps;
        sum->interrupts += r.interrupts;
        sum->events += r.events;
        sum->kept += r.kept;
        sum->resent += r.resent;
        sum->forgotten += r.forgotten;
        sum->switched += r.switched;
        sum->lost += r.lost;
        sum->misattributed += r.misattributed;
        sum->cycles += r.cycles;
    }
    return sum->lost + sum->misattributed;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_soak TLPS [SEED]: random traffic through the relay until so many TLPs went in, over all shapes and
 * modes in turn. One JSON object a part, the sum last; exit status 1 when anything was lost or misattributed.
 * relay_soak TLPS SEED CASE: one part alone, as a run over all printed it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "soak_cases.h"

static void print(const struct soak_result *r)
{
    printf(
        "\"tlps\":%llu,\"interrupts\":%llu,\"events\":%llu,\"kept\":%llu,\"resent\":%llu,\"forgotten\":%llu,"
        "\"switched\":%llu,\"cycles\":%llu,"
        "\"lost\":%llu,\"misattributed\":%llu,\"first\":\"%s\"}\n",
        (unsigned long long)r->tlps, (unsigned long long)r->interrupts, (unsigned long long)r->events,
        (unsigned long long)r->kept, (unsigned long long)r->resent, (unsigned long long)r->forgotten,
        (unsigned long long)r->switched, (unsigned long long)r->cycles, (unsigned long long)r->lost,
        (unsigned long long)r->misattributed, r->first);
    fflush(stdout);
}

static void part(unsigned index, uint64_t seed, const struct soak_result *r)
{
    printf("{\"case\":%u,\"seed\":%llu,", index, (unsigned long long)seed);
    print(r);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    const uint64_t tlps = argc >= 2 ? strtoull(argv[1], &end, 0) : 0;
    const uint64_t seed = argc >= 3 ? strtoull(argv[2], NULL, 0) : 1;
    const unsigned long index = argc == 4 ? strtoul(argv[3], NULL, 0) : 0;
    if (tlps == 0 || *end != '\0' || argc > 4 || index >= soak_cases_n) {
        fprintf(stderr, "usage: relay_soak TLPS [SEED [CASE]]\n");
        return 64;
    }
    if (argc == 4) {
        struct soak_options options = soak_cases[index];
        options.seed = seed;
        options.tlps = tlps;
        const struct soak_result r = soak(&options);
        part((unsigned)index, seed, &r);
        return r.lost + r.misattributed != 0;
    }
    struct soak_result sum;
    const uint64_t bad = soak_all(tlps, seed, part, &sum);
    printf("{");
    print(&sum);
    return bad != 0;
}

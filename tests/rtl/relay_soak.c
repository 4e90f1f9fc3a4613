/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_soak TLPS [SEED]: random traffic through the relay until so many TLPs went in, over all shapes and
 * modes in turn. One JSON object a part, the sum last; exit status 1 when anything was lost or misattributed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "soak_cases.h"

static void print(const struct soak_result *r)
{
    printf(
        "\"tlps\":%llu,\"interrupts\":%llu,\"events\":%llu,\"kept\":%llu,\"resent\":%llu,\"cycles\":%llu,"
        "\"lost\":%llu,\"misattributed\":%llu,\"first\":\"%s\"}\n",
        (unsigned long long)r->tlps, (unsigned long long)r->interrupts, (unsigned long long)r->events,
        (unsigned long long)r->kept, (unsigned long long)r->resent, (unsigned long long)r->cycles,
        (unsigned long long)r->lost, (unsigned long long)r->misattributed, r->first);
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
    if (tlps == 0 || *end != '\0' || argc > 3) {
        fprintf(stderr, "usage: relay_soak TLPS [SEED]\n");
        return 64;
    }
    struct soak_result sum;
    const uint64_t bad = soak_all(tlps, argc == 3 ? strtoull(argv[2], NULL, 0) : 1, part, &sum);
    printf("{");
    print(&sum);
    return bad != 0;
}

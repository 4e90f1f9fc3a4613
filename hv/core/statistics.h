/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor counts for an LPAR: memory that the hypervisor writes and the LPAR reads, by a mapping
 * without the right to write. Counters are live; each is 64 bits wide and written by one CPU, so a reader
 * takes them as they are.
 *
 * A reader finds it by CPUID leaf 0x40000001 (EAX: STATISTICS_VERSION, EBX and ECX: guest-physical address,
 * low and high half, EDX: bytes), which leaf 0x40000000 announces beside the signature. It goes by the
 * offsets in the header, so that counters may be added at the ends; STATISTICS_VERSION changes when something
 * moves.
 */
#ifndef STATISTICS_H
#define STATISTICS_H

#include "exit.h"

#include <stdint.h>

#define STATISTICS_VERSION   1u
#define STATISTICS_MAGIC     0x53544253u   /* SBTS */
#define STATISTICS_GPA       0xfef00000ull /* in the hole below 4 GiB, behind the local APIC */
#define STATISTICS_LEAF      0x40000001u
#define STATISTICS_SIGNATURE "SignalboxHV" /* EBX, ECX, EDX of leaf 0x40000000, with the terminating 0 */
#define STATISTICS_NAME      16u           /* bytes of an exit kind's name, filled up with 0 */

struct statistics {
    uint32_t magic;
    uint16_t version, cpus;
    uint32_t kinds;            /* of exits */
    uint32_t names;            /* offset of their names */
    uint32_t cpu;              /* offset of the first CPU's counters */
    uint32_t stride;           /* to the next CPU's */
    uint32_t exits;            /* offset of the exit counters inside */
    uint32_t mechanisms;       /* bit per enum mechanism: switched on */
    uint64_t ticks_per_second; /* of the TSC */
    uint64_t starts, resets;
    char lpar[32];
    char kind[EXIT_KIND_COUNT][STATISTICS_NAME];
};

struct statistics_cpu {
    uint64_t injected;    /* events delivered */
    uint64_t reinjected;  /* deliveries that an exit interrupted */
    uint64_t emulated;    /* instructions run by the emulator */
    uint64_t state_reads; /* VMREADs; 0 on SVM, whose state lies in memory */
    uint64_t exits[EXIT_KIND_COUNT];
};

#endif

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
    uint32_t functions; /* offset of struct statistics_functions; 0: this is no service LPAR */
    uint32_t reserved;
    char kind[EXIT_KIND_COUNT][STATISTICS_NAME];
};

struct statistics_cpu {
    uint64_t injected;    /* events delivered */
    uint64_t reinjected;  /* deliveries that an exit interrupted */
    uint64_t emulated;    /* instructions run by the emulator */
    uint64_t state_reads; /* VMREADs; 0 on SVM, whose state lies in memory */
    uint64_t exits[EXIT_KIND_COUNT];
};

enum { STATISTICS_FUNCTIONS = 8 }; /* by port of the card */

/* How a function's interrupts come to its LPAR. */
#define STATISTICS_ROUTES(X)                                                                                 \
    X(NONE, none)                                                                                            \
    X(LINE_BY_RELAY, line_by_relay) /* the relay says whose it is */                                         \
    X(LINE_BY_SCAN, line_by_scan)   /* its status register does */                                           \
    X(MESSAGE_BY_RELAY, message_by_relay)                                                                    \
    X(MESSAGE_BY_VECTOR, message_by_vector)                                                                  \
    X(MESSAGE_DIRECT, message_direct) /* some go to the guest's CPU themselves, without the hypervisor */

enum statistics_route {
#define X(upper, lower) STATISTICS_ROUTE_##upper,
    STATISTICS_ROUTES(X)
#undef X
        STATISTICS_ROUTE_COUNT
};

struct statistics_function {
    char lpar[32]; /* owner; empty: nobody */
    uint16_t id;   /* bus 15:8, device 7:3, function 2:0 */
    uint16_t slot; /* in the owner */
    uint32_t route;
    uint64_t recorded;        /* interrupts, by the relay */
    uint64_t lines, messages; /* given to the owner */
    uint64_t exits;           /* for them: arrivals at the hypervisor, EOIs */
    uint64_t delays;          /* times that its line was put off */
    /* From the relay's record of the interrupt to its entry into the owner's virtual interrupt controllers,
     * of those whose record had a time. */
    uint64_t timed, waited_ns, waited_most_ns;
};

/* Of all LPARs' functions behind the relay; in a page of its own, which service LPARs read. */
struct statistics_functions {
    uint32_t count;          /* of entries */
    uint32_t first;          /* offset of the first */
    uint32_t stride;         /* to the next */
    uint32_t clock_error_ns; /* at most so far the hypervisor takes the relay's clock to be off */
    struct statistics_function function[STATISTICS_FUNCTIONS];
};

#endif

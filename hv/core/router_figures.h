/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the router counts of each function, in a page that service LPARs read, and how long interrupts wait.
 *
 * The wait: from the time in the relay's record, which is when the interrupt entered the circuit, to the
 * moment in which the router has given it to the owner's virtual interrupt controllers; a line's is reckoned
 * and shown when the guest ends it. The owner's CPU takes it at its next entry into the guest; that is not in
 * it. The relay's clock is read by registers, once a second at most; between, it is taken to go on as it has
 * since the first reading, by the CPU's ticks.
 */
#ifndef ROUTER_FIGURES_H
#define ROUTER_FIGURES_H

#include "machine.h"
#include "statistics.h"

#include <stdbool.h>
#include <stdint.h>

struct routed;

union router_page {
    struct statistics_functions figures;
    uint8_t frame[FRAME_SIZE];
};
extern union router_page router_page;

/* The relay's clock beside the CPU's. */
struct router_clock {
    bool known;
    uint64_t first_tick, first_ns;
    uint64_t tick, ns; /* the last reading that counts */
    uint64_t error;    /* of it, ns */
    uint64_t scale;    /* 2^-32 ns a tick */
    uint64_t tried;    /* tick of the last try */
    uint64_t interval; /* ticks from one try to the next */
};

/* Reckons what the function's interrupt that was given last had waited, and publishes its counters. @pre the
 * owner's device lock */
void router_waited(struct routed *r);

/* Counters of the function have changed. */
void router_publish(const struct routed *r);

/* The counters of functions of which something was recorded since they were published. */
void router_publish_stale(void);

/* What the function asked for and was not given is void. @pre the owner's device lock */
void router_void(const struct routed *r);

/* Reads the relay's clock, if that is due. @pre the router's lock is not held */
void router_clock(void);

#endif

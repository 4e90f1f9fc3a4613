/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traffic through the Verilated relay, from every side at once, with back-pressure on every side,
 * malformed TLPs and register accesses in between; each TLP that comes out is held against what went in, and
 * the indicator against an independent model.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

struct soak_options {
    struct model_shape shape;
    uint64_t seed;
    uint64_t tlps; /* stop after so many went in */
    bool tap;      /* CTRL.INDICATOR_FIRST off */
    bool switches; /* … and on again, in the middle of traffic */
    bool ring; /* with the event ring, that fills up, is stopped and started, and loses its bus mastering */
    bool overflow; /* more message sources than the table has entries; then no INTx */
    bool links;    /* links go down in the middle of traffic */
    bool acts; /* mask, limit, one-shot, inject, and changes of the table; not with tap, overflow or links */
    bool forgets; /* COMMAND.FORGET in the middle of traffic; not with acts, overflow or links */
    bool calm;    /* no back-pressure */
};

struct soak_result {
    uint64_t tlps;          /* that went in */
    uint64_t interrupts;    /* that came out */
    uint64_t events;        /* in the ring */
    uint64_t kept;          /* interrupts that were kept back, */
    uint64_t resent;        /* … or sent from the table */
    uint64_t forgotten;     /* entries that were dropped */
    uint64_t switched;      /* changes between tap and indicator first */
    uint64_t lost;          /* TLPs that did not come out, or came out wrong */
    uint64_t misattributed; /* interrupts the indicator has wrong */
    uint64_t cycles;
    char first[256]; /* the first thing that was wrong; empty: nothing */
};

struct soak_result soak(const struct soak_options *options);

#endif

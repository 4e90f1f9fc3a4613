/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay as the register map describes it, on paper: what a reader of the indicator sees of it, and no
 * TLPs. Writes to memory travel behind the caller's back, in order, and arrive when `deliver` lets them or a
 * register read pushes them, so that tests can put every interleaving there is.
 */
#ifndef PAPER_RELAY_H
#define PAPER_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "card.h"
#include "relay_regs.h"

enum { PAPER_SOURCES = 8, PAPER_FLIGHT = 4096, PAPER_LOG2_MAX = 6 };

struct paper_source {
    bool valid;
    uint32_t kind, port, requester;
    uint64_t address;
    uint32_t data, count, acked;
    bool level;
};

struct paper_write {
    bool is_status;
    uint32_t slot;
    struct relay_event event;
    struct relay_status status;
};

struct paper_relay {
    struct card card;
    bool has_ring;
    bool dead; /* all reads return ones */
    bool learn;
    uint32_t id, version;
    struct paper_source source[PAPER_SOURCES];
    uint32_t unlisted;
    struct paper_source last_unlisted;
    uint32_t ring_ctrl, head, tail, missed;
    uint64_t time;
    struct relay_event memory[1 << PAPER_LOG2_MAX];
    struct relay_status status;
    struct paper_write flight[PAPER_FLIGHT];
    unsigned first, last;
    unsigned reads, writes; /* of registers */
};

void paper_open(struct paper_relay *relay, bool has_ring);
/* A message arrives; wire changes arrive. */
void paper_message(struct paper_relay *relay, unsigned port, uint16_t requester, uint64_t address,
                   uint32_t data);
void paper_wire(struct paper_relay *relay, unsigned port, uint16_t requester, unsigned pin, bool level);
/* Lets up to n writes arrive in memory. */
void paper_deliver(struct paper_relay *relay, unsigned n);
/* As after a function-level reset: everything forgotten, what is under way arrives nevertheless. */
void paper_reset(struct paper_relay *relay);

#endif

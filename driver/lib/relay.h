/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A relay's registers as structures. Every function reads through a struct card and returns 0 or a
 * card_error.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "card.h"

enum {
    RELAY_PORTS_MAX = 7,
    RELAY_SOURCES_MAX = 128,
    RELAY_COUNTERS = 32,
};

enum relay_kind { RELAY_KIND_MSI, RELAY_KIND_INTX };

struct relay_identity {
    uint32_t id;
    unsigned map_major, map_minor;
    uint32_t caps;
    unsigned ports, width_bits, sources;
    unsigned trace_log2; /* 0: no trace */
    uint32_t build;
    uint32_t clock_khz; /* 0: simulated */
    uint32_t control;   /* CTRL */
    uint32_t status;    /* STATUS */
    uint32_t learn_act; /* LEARN_ACT; 0 where the circuit has none */
};

struct relay_port {
    bool up;
    unsigned pins;      /* INTx wires it asserts, bit 0 = INTA */
    uint16_t requester; /* 0: none yet */
};

struct relay_source {
    unsigned index;
    enum relay_kind kind;
    bool programmed;
    unsigned port;
    uint16_t requester;
    uint64_t address; /* INTx: the pin, 0 = INTA */
    uint32_t data;
    uint32_t count, acked, relayed, coalesced;
    uint32_t state; /* SRC_STATE */
    uint32_t act;   /* SRC_ACT */
    uint64_t first_ns, last_ns;
};

/*
 * CARD_GONE: nothing answers; CARD_FOREIGN: no relay, or another major map version: then only id, map_major
 * and map_minor are filled in.
 */
int relay_identify(struct card *card, struct relay_identity *identity);

/* @pre 1 <= port <= RELAY_PORTS_MAX */
int relay_read_port(struct card *card, unsigned port, struct relay_port *state);

/* Fills in *listed: whether the entry is in use. @pre index < RELAY_SOURCES_MAX */
int relay_read_source(struct card *card, unsigned index, struct relay_source *source, bool *listed);

int relay_read_counters(struct card *card, uint32_t counters[RELAY_COUNTERS]);

/* Name of a counter as the map has it, and what it counts; null where the map has none. */
const char *relay_counter_name(unsigned index);
const char *relay_counter_text(unsigned index);

/* Two halves of a 64-bit quantity that changes while it is read. */
int relay_read64(struct card *card, uint32_t low, uint32_t high, uint64_t *value);

/* Time of the circuit in ns. */
int relay_time(struct card *card, uint64_t *ns);

/* Whether software has not acknowledged all interrupts of a source. */
static inline bool relay_pending(const struct relay_source *source)
{
    return source->count != source->acked;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a relay lets a port ask of memory, and what a source's message becomes. Every function reads through a
 * struct card and returns 0 or a card_error. @pre the relay has CAPS.DMA_WINDOWS and CAPS.MSI_REWRITE
 */
#ifndef ISOLATION_H
#define ISOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "card.h"

enum { ISOLATION_WINDOWS = 2 };

struct isolation_window {
    bool open;
    uint64_t base, bound; /* bound: the first address behind it */
    uint64_t offset;      /* added to addresses, modulo 2^52 */
};

struct isolation_port {
    bool checked;
    struct isolation_window window[ISOLATION_WINDOWS];
    uint32_t blocked, refused;
    bool fault, more;   /* something was stopped; and more after it */
    unsigned reason;    /* as RELAY_DMA_FAULT_REASON_… */
    unsigned type;      /* Fmt and Type */
    uint16_t requester; /* as it said */
    uint64_t address;
};

struct isolation_rewrite {
    bool rewritten;
    uint32_t address, data;
};

/* @pre 1 <= port <= RELAY_PORTS_MAX */
int isolation_read_port(struct card *card, unsigned port, struct isolation_port *state);
/* @pre index < RELAY_SOURCES_MAX */
int isolation_read_rewrite(struct card *card, unsigned index, struct isolation_rewrite *rewrite);

/* In words: why it was stopped, and what it was. */
const char *isolation_reason(unsigned reason);
const char *isolation_kind(unsigned type);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the indicator must say: an independent model, written from the register map (rtl/relay_regs.txt), that
 * is told every interrupt in the order in which the relay let it through, and then compared with the
 * registers.
 */
#ifndef INDICATOR_MODEL_H
#define INDICATOR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    IM_SOURCES = 128,
    IM_PORTS = 7,
    IM_PINS = 4,
};

struct im_source {
    bool intx;
    unsigned port;
    uint16_t requester;
    uint64_t address; /* INTx: the pin */
    uint32_t data;
    uint32_t count; /* without those injected */
    uint32_t acked;
    uint32_t injected;     /* asked for */
    uint32_t kept;         /* messages kept back */
    uint32_t direct;       /* messages that came out as they were sent */
    uint32_t resent;       /* … that came out of the table */
    bool may_be_forgotten; /* its entry was dropped when count was acked, or never */
};

struct indicator_model {
    unsigned entries; /* of the relay's table */
    unsigned n;
    struct im_source source[IM_SOURCES];
    uint32_t unlisted;
    uint32_t messages, rises, falls, repeats, odd, poisoned;
    bool wire[IM_PORTS + 1][IM_PINS];   /* as the port asserts it */
    bool forced[IM_PORTS + 1][IM_PINS]; /* by INJECT */
};

/* A message-signalled interrupt went through or was kept back; odd and poisoned as in the register map. Its
 * source; null: it has none. */
struct im_source *im_message(struct indicator_model *im, unsigned port, uint16_t requester, uint64_t address,
                             uint32_t data, bool odd, bool poisoned);
/* An INTx message of a port arrived. */
void im_intx(struct indicator_model *im, unsigned port, unsigned pin, bool level);
/* INJECT with an INTx source that is listed. */
void im_force(struct indicator_model *im, unsigned port, unsigned pin, bool level);
/* FORGET: what is not pending may have been dropped, or have become pending just before. */
void im_may_forget(struct indicator_model *im);
/* The entry was dropped, when it was not pending; what came since took one anew. */
void im_forgotten(struct indicator_model *im, struct im_source *source);
/* The port's link went down. */
void im_down(struct indicator_model *im, unsigned port);
/* The wire is high. */
bool im_high(const struct indicator_model *im, unsigned port, unsigned pin);
/* The source with this identity, or null. */
struct im_source *im_find(struct indicator_model *im, bool intx, unsigned port, uint16_t requester,
                          uint64_t address, uint32_t data);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What windows and rewrite must make of a TLP: an independent model, written from the register map
 * (rtl/relay_regs.txt). It knows well-formed TLPs only.
 */
#ifndef ISOLATION_MODEL_H
#define ISOLATION_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

enum { ISO_PORTS = 8, ISO_WINDOWS = 2, ISO_SOURCES = 24 };

enum iso_verdict {
    ISO_PASSES,  /* as in `out` */
    ISO_BLOCKED, /* a request; a non-posted one is answered */
    ISO_REFUSED, /* an interrupt */
};

struct iso_window {
    bool open;
    uint64_t base;
    uint64_t bound;
    uint64_t offset;
};

/* A source that is listed. */
struct iso_source {
    unsigned port; /* 0: none */
    uint64_t address;
    uint32_t data;
    bool rewrite;
    uint32_t to_address;
    uint32_t to_data;
};

struct iso_model {
    bool checked[ISO_PORTS];
    struct iso_window window[ISO_PORTS][ISO_WINDOWS];
    struct iso_source source[ISO_SOURCES];
};

/* What a port sends. event: it is an interrupt that counts once it is let through; source: its entry, -1:
 * none. */
enum iso_verdict iso_judge(const struct iso_model *m, unsigned port, const struct tlp *in, struct tlp *out,
                           bool *event, int *source);
/* The relay's answer to a non-posted request that it stops. */
void iso_refusal(const struct tlp *request, struct tlp *out);

#endif

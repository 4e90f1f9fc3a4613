/* SPDX-License-Identifier: BSD-2-Clause */
#include "isolation_model.h"

#include "flow.h"

static bool four(const struct tlp *t)
{
    return (t->dw[0] >> 29 & 1) != 0;
}

static uint64_t address_of(const struct tlp *t)
{
    return four(t) ? (uint64_t)t->dw[2] << 32 | t->dw[3] : t->dw[2];
}

static uint32_t length_of(const struct tlp *t)
{
    return (t->dw[0] & 0x3ff) == 0 ? 1024 : t->dw[0] & 0x3ff;
}

/* PCI Local Bus 3.0, 6.8: a write of one DW to the window that the test leaves as it is after reset. */
static bool is_message(const struct tlp *t)
{
    return (t->dw[0] >> 24 & 0x5f) == 0x40 && length_of(t) == 1 && (t->dw[1] & 0xf) != 0 &&
           (t->dw[0] >> 10 & 3) != 1 && (address_of(t) & ~0xfffffull) == 0xfee00000;
}

/* The same request to another address, with the header that this takes. */
static void move(const struct tlp *in, uint64_t address, struct tlp *out)
{
    const size_t header = four(in) ? 4 : 3;
    out->dw[0] = (in->dw[0] & ~0x20000000u) | (address >> 32 != 0 ? 0x20000000u : 0);
    out->dw[1] = in->dw[1];
    out->n = 2;
    if (address >> 32 != 0) {
        out->dw[out->n++] = (uint32_t)(address >> 32);
    }
    out->dw[out->n++] = (uint32_t)address;
    for (size_t i = header; i < in->n; i++) {
        out->dw[out->n++] = in->dw[i];
    }
}

static enum iso_verdict judge_message(const struct iso_model *m, unsigned port, const struct tlp *in,
                                      struct tlp *out, bool *event, int *index)
{
    const uint32_t data = bench_swap(in->dw[four(in) ? 4 : 3]);
    const struct iso_source *source = NULL;
    for (unsigned i = 0; i < ISO_SOURCES; i++) {
        const struct iso_source *s = &m->source[i];
        if (s->port == port && in->dw[1] >> 16 == bench_id(port) && s->address == address_of(in) &&
            s->data == data) {
            source = s;
            *index = (int)i;
        }
    }
    const bool digest = (in->dw[0] >> 15 & 1) != 0;
    const bool rewrite = source != NULL && source->rewrite;
    if (rewrite ? digest : m->checked[port]) {
        return ISO_REFUSED;
    }
    *event = (in->dw[0] >> 14 & 1) == 0; /* poisoned */
    if (rewrite) {
        struct tlp rewritten = *in;
        rewritten.dw[four(in) ? 4 : 3] = bench_swap(source->to_data);
        move(&rewritten, source->to_address, out);
    }
    return ISO_PASSES;
}

enum iso_verdict iso_judge(const struct iso_model *m, unsigned port, const struct tlp *in, struct tlp *out,
                           bool *event, int *source)
{
    const uint32_t type = in->dw[0] >> 24 & 0x1f;
    *out = *in;
    *event = false;
    *source = -1;
    if (is_message(in)) {
        return judge_message(m, port, in, out, event, source);
    }
    if (!m->checked[port] || (type >> 1) == 5) { /* completions */
        return ISO_PASSES;
    }
    if (in->dw[1] >> 16 != bench_id(port)) {
        return ISO_BLOCKED;
    }
    if (type >> 3 == 2) { /* messages: to the root, local, gathered */
        return (type & 7) == 0 || (type & 7) == 4 || (type & 7) == 5 ? ISO_PASSES : ISO_BLOCKED;
    }
    if (type != 0 || (in->dw[0] >> 10 & 3) != 0 || (in->dw[0] >> 15 & 1) != 0) {
        return ISO_BLOCKED;
    }
    for (unsigned w = 0; w < ISO_WINDOWS; w++) {
        const struct iso_window *window = &m->window[port][w];
        const uint64_t first = address_of(in);
        const uint64_t last = first + 4ull * length_of(in) - 1;
        if (window->open && first >= window->base && last < window->bound && last >= first) {
            move(in, (first + window->offset) & 0xfffffffffffffull, out);
            return ISO_PASSES;
        }
    }
    return ISO_BLOCKED;
}

void iso_refusal(const struct tlp *request, struct tlp *out)
{
    const bool read = (request->dw[0] >> 24 & 0x5f) == 0;
    const uint32_t first = request->dw[1] & 0xf;
    const uint32_t last = length_of(request) == 1 ? first : request->dw[1] >> 4 & 0xf;
    uint32_t skipped = 0;
    uint32_t tail = 0;
    while (skipped < 3 && first != 0 && (first >> skipped & 1) == 0) {
        skipped++;
    }
    while (tail < 3 && (last >> (3 - tail) & 1) == 0) {
        tail++;
    }
    const uint32_t bytes = read ? (4 * length_of(request) - skipped - tail) & 0xfff : 4;
    const uint32_t low = read ? ((uint32_t)address_of(request) & 0x7c) | skipped : 0;
    out->n = 3;
    out->dw[0] = 0x0a000000u | (request->dw[0] & 0x00fc3000u);
    out->dw[1] = (uint32_t)bench_id(0) << 16 | 0x2000 | bytes;
    out->dw[2] = (request->dw[1] & 0xffffff00u) | low;
}

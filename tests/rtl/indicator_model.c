/* SPDX-License-Identifier: BSD-2-Clause */
#include "indicator_model.h"

#include <stddef.h>

struct im_source *im_find(struct indicator_model *im, bool intx, unsigned port, uint16_t requester,
                          uint64_t address, uint32_t data)
{
    for (unsigned i = 0; i < im->n; i++) {
        struct im_source *s = &im->source[i];
        if (s->intx == intx && s->port == port && s->address == address &&
            (intx || (s->requester == requester && s->data == data))) {
            return s;
        }
    }
    return NULL;
}

/* The source; a new one when there is room for it in the table. */
static struct im_source *learn(struct indicator_model *im, bool intx, unsigned port, uint16_t requester,
                               uint64_t address, uint32_t data)
{
    struct im_source *s = im_find(im, intx, port, requester, address, data);
    if (s != NULL || im->n == im->entries) {
        return s;
    }
    s = &im->source[im->n++];
    *s = (struct im_source){
        .intx = intx, .port = port, .requester = requester, .address = address, .data = data};
    return s;
}

struct im_source *im_message(struct indicator_model *im, unsigned port, uint16_t requester, uint64_t address,
                             uint32_t data, bool odd, bool poisoned)
{
    if (poisoned) {
        im->poisoned++;
        return NULL;
    }
    im->messages++;
    im->odd += odd;
    struct im_source *s = learn(im, false, port, requester, address, data);
    if (s != NULL) {
        s->count++;
    } else {
        im->unlisted++;
    }
    return s;
}

void im_may_forget(struct indicator_model *im)
{
    for (unsigned i = 0; i < im->n; i++) {
        im->source[i].may_be_forgotten |= im->source[i].count == im->source[i].acked;
    }
}

void im_forgotten(struct indicator_model *im, struct im_source *source)
{
    source->may_be_forgotten = false;
    source->count -= source->acked;
    if (!source->intx) {
        source->direct -= source->acked;
    }
    source->acked = 0;
    if (source->count == 0) {
        *source = im->source[--im->n];
    }
}

bool im_high(const struct indicator_model *im, unsigned port, unsigned pin)
{
    return im->wire[port][pin] || im->forced[port][pin];
}

static void changed(struct indicator_model *im, unsigned port, unsigned pin, bool was)
{
    const bool is = im_high(im, port, pin);
    if (was == is) {
        return;
    }
    if (!is) {
        im->falls++;
        return;
    }
    im->rises++;
    struct im_source *s = im_find(im, true, port, 0, pin, 0);
    if (s != NULL) {
        s->count++;
    } else {
        im->unlisted++;
    }
}

void im_intx(struct indicator_model *im, unsigned port, unsigned pin, bool level)
{
    if (level) {
        learn(im, true, port, 0, pin, 0);
    }
    if (im->wire[port][pin] == level) {
        im->repeats++;
        return;
    }
    const bool was = im_high(im, port, pin);
    im->wire[port][pin] = level;
    changed(im, port, pin, was);
}

void im_force(struct indicator_model *im, unsigned port, unsigned pin, bool level)
{
    const bool was = im_high(im, port, pin);
    im->forced[port][pin] = level;
    changed(im, port, pin, was);
}

void im_down(struct indicator_model *im, unsigned port)
{
    for (unsigned pin = 0; pin < IM_PINS; pin++) {
        if (im->wire[port][pin]) {
            im_intx(im, port, pin, false);
        }
    }
}

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

void im_message(struct indicator_model *im, unsigned port, uint16_t requester, uint64_t address,
                uint32_t data, bool odd, bool poisoned)
{
    if (poisoned) {
        im->poisoned++;
        return;
    }
    im->messages++;
    im->odd += odd;
    struct im_source *s = learn(im, false, port, requester, address, data);
    if (s != NULL) {
        s->count++;
    } else {
        im->unlisted++;
    }
}

void im_intx(struct indicator_model *im, unsigned port, unsigned pin, bool level, bool odd)
{
    struct im_source *s = level ? learn(im, true, port, 0, pin, 0) : NULL;
    if (im->wire[port][pin] == level) {
        im->repeats++;
        return;
    }
    im->wire[port][pin] = level;
    im->odd += odd;
    if (!level) {
        im->falls++;
        return;
    }
    im->rises++;
    if (s != NULL) {
        s->count++;
    } else {
        im->unlisted++;
    }
}

void im_down(struct indicator_model *im, unsigned port)
{
    for (unsigned pin = 0; pin < 4; pin++) {
        if (im->wire[port][pin]) {
            im_intx(im, port, pin, false, false);
        }
    }
}

bool im_line(const struct indicator_model *im, unsigned pin)
{
    bool up = false;
    for (unsigned port = 1; port <= IM_PORTS; port++) {
        up |= im->wire[port][pin];
    }
    return up;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dma.h"

#include <string.h>

enum { TLPS_AT_A_TIME = 128 };

void dma_init(struct dma *d, struct function *function, const struct config_space *config, const uint16_t *id,
              uint64_t timeout_ns)
{
    *d = (struct dma){.function = function, .config = config, .id = id, .timeout_ns = timeout_ns};
    d->last = &d->first;
}

void dma_submit(struct dma *d, struct dma_transfer *t)
{
    t->next = NULL;
    t->requested = 0;
    t->arrived = 0;
    t->outstanding = 0;
    t->result = DMA_DONE;
    *d->last = t;
    d->last = &t->next;
}

static void finish(struct dma *d, struct dma_transfer *t)
{
    struct dma_transfer **link = &d->first;
    while (*link != t) {
        link = &(*link)->next;
    }
    *link = t->next;
    if (d->last == &t->next) {
        d->last = link;
    }
    t->done(t, t->result);
}

/* A transfer is over when nothing of it is on its way and nothing will be sent any more. */
static void settle(struct dma *d, struct dma_transfer *t)
{
    bool all_sent = t->requested == t->count || t->result != DMA_DONE;
    if (all_sent && !t->outstanding) {
        finish(d, t);
    }
}

/* Bytes of the next request: neither over the limit nor over a line of that size (so not over 4 KiB). */
static size_t next_part(const struct dma_transfer *t, unsigned limit)
{
    size_t left = t->count - t->requested;
    size_t room = limit - (size_t)((t->address + t->requested) % limit);
    return left < room ? left : room;
}

static void send_write(struct dma *d, struct dma_transfer *t, size_t part)
{
    uint32_t payload[TLP_MAX_PAYLOAD_DW], dw[TLP_MAX_DW];
    struct tlp tlp = {.kind = TLP_MWR, .requester = *d->id, .payload = payload};
    tlp_set_range(&tlp, t->address + t->requested, part);
    payload[0] = payload[tlp.length - 1] = 0;
    tlp_put_bytes(payload, tlp_be_offset(&tlp), t->bytes + t->requested, part);
    function_send(d->function, dw, tlp_pack(&tlp, dw));
    t->requested += part;
    d->counters.bytes_written += part;
}

static void send_read(struct dma *d, struct dma_transfer *t, size_t part, unsigned tag)
{
    uint32_t dw[TLP_MAX_DW];
    struct tlp tlp = {.kind = TLP_MRD, .requester = *d->id, .tag = (uint16_t)tag};
    tlp_set_range(&tlp, t->address + t->requested, part);
    d->tags[tag].used = true;
    d->tags[tag].transfer = t;
    d->tags[tag].address = t->address + t->requested;
    d->tags[tag].bytes = t->bytes + t->requested;
    d->tags[tag].left = (unsigned)part;
    d->tags[tag].expires_ns = 0;
    d->tags_used++;
    t->requested += part;
    t->outstanding++;
    function_send(d->function, dw, tlp_pack(&tlp, dw));
}

static unsigned free_tag(const struct dma *d)
{
    unsigned tag = 0;
    while (d->tags[tag].used) {
        tag++;
    }
    return tag;
}

static void bypass(struct dma *d, struct dma_transfer *t)
{
    bool done =
        d->function->link.bypass(d->function->link.self, *d->id, t->write, t->address, t->bytes, t->count);
    t->requested = t->count;
    t->result = done ? DMA_DONE : DMA_REFUSED;
    *(t->write ? &d->counters.bytes_written : &d->counters.bytes_read) += t->count;
    d->counters.refused += !done;
}

/* The first transfer that has something to send; null: none. */
static struct dma_transfer *next_transfer(const struct dma *d)
{
    struct dma_transfer *t = d->first;
    while (t && (t->result != DMA_DONE || t->requested == t->count)) {
        t = t->next;
    }
    return t;
}

static bool start_requests(struct dma *d)
{
    bool moved = false;
    struct dma_transfer *t;
    for (unsigned budget = TLPS_AT_A_TIME; budget && (t = next_transfer(d)); budget--) {
        if (d->function->link.bypass) {
            bypass(d, t);
        } else if (t->write) {
            send_write(d, t, next_part(t, config_max_payload(d->config)));
        } else if (d->tags_used < DMA_TAGS) {
            send_read(d, t, next_part(t, config_max_read_request(d->config)), free_tag(d));
        } else {
            break;
        }
        moved = true;
        settle(d, t);
    }
    return moved;
}

static void release_tag(struct dma *d, unsigned tag, enum dma_result result)
{
    struct dma_transfer *t = d->tags[tag].transfer;
    d->tags[tag].used = false;
    d->tags[tag].transfer = NULL;
    d->tags_used--;
    if (t) {
        t->outstanding--;
        if (t->result == DMA_DONE) {
            t->result = result;
        }
        settle(d, t);
    }
}

static bool expire(struct dma *d, uint64_t now_ns)
{
    bool moved = false;
    for (unsigned tag = 0; tag < DMA_TAGS; tag++) {
        if (!d->tags[tag].used) {
            continue;
        }
        if (!d->tags[tag].expires_ns) {
            d->tags[tag].expires_ns = now_ns + d->timeout_ns;
        } else if (now_ns >= d->tags[tag].expires_ns) {
            d->counters.timeouts++;
            release_tag(d, tag, DMA_TIMEOUT);
            moved = true;
        }
    }
    return moved;
}

bool dma_work(struct dma *d, uint64_t now_ns, bool idle)
{
    bool moved = d->first && config_bus_master(d->config) && start_requests(d);
    if (idle && d->tags_used) {
        moved |= expire(d, now_ns);
    }
    return moved;
}

uint64_t dma_deadline(const struct dma *d)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned tag = 0; d->tags_used && tag < DMA_TAGS; tag++) {
        if (d->tags[tag].used && d->tags[tag].expires_ns && d->tags[tag].expires_ns < earliest) {
            earliest = d->tags[tag].expires_ns;
        }
    }
    return earliest;
}

bool dma_busy(const struct dma *d)
{
    return d->first;
}

void dma_complete(struct dma *d, const struct tlp *completion)
{
    unsigned tag = completion->tag;
    if (tag >= DMA_TAGS || !d->tags[tag].used || completion->requester != *d->id) {
        d->counters.unexpected++;
        return;
    }
    if (completion->status != TLP_SC || completion->ep) {
        d->counters.refused++;
        release_tag(d, tag, DMA_REFUSED);
        return;
    }
    unsigned left = d->tags[tag].left, skip = completion->lower_address & 3u;
    unsigned carried = completion->length * 4u - (completion->payload ? skip : 0);
    unsigned bytes = carried < left ? carried : left;
    bool fits = completion->payload && completion->byte_count == left &&
                completion->lower_address == (d->tags[tag].address & 0x7f) && carried - bytes < 4;
    if (!fits) {
        d->counters.garbled++;
        release_tag(d, tag, DMA_GARBLED);
        return;
    }
    if (d->tags[tag].transfer) {
        tlp_get_bytes(completion->payload, skip, d->tags[tag].bytes, bytes);
        d->counters.bytes_read += bytes;
    }
    d->tags[tag].address += bytes;
    d->tags[tag].bytes += bytes;
    d->tags[tag].left -= bytes;
    d->tags[tag].expires_ns = 0;
    if (!d->tags[tag].left) {
        release_tag(d, tag, DMA_DONE);
    }
}

void dma_cancel(struct dma *d)
{
    for (unsigned tag = 0; tag < DMA_TAGS; tag++) {
        d->tags[tag].transfer = NULL;
    }
    while (d->first) {
        d->first->result = DMA_CANCELLED;
        finish(d, d->first);
    }
}

void dma_reset(struct dma *d)
{
    dma_cancel(d);
    memset(d->tags, 0, sizeof d->tags);
    d->tags_used = 0;
}

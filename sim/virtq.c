/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtq.h"

enum { AVAILABLE_RING = 4, USED_RING = 4, USED_INDEX = 2 };

void virtq_init(struct virtq *q, struct dma *dma, void *owner, uint16_t size)
{
    *q = (struct virtq){.dma = dma, .owner = owner};
    virtq_reset(q, size);
}

void virtq_reset(struct virtq *q, uint16_t size)
{
    struct dma *dma = q->dma;
    void *owner = q->owner;
    *q = (struct virtq){.dma = dma, .owner = owner, .size = size, .vector = 0xffff};
}

/* ---- the chain ---------------------------------------------------------------------------------- */

uint64_t virtq_bytes(const struct virtq_chain *c, bool writable)
{
    uint64_t sum = 0;
    unsigned i = writable ? c->readable : 0, end = writable ? c->count : c->readable;
    for (; i < end; i++) {
        sum += c->segments[i].bytes;
    }
    return sum;
}

struct virtq_segment virtq_piece(const struct virtq_chain *c, bool writable, uint64_t offset, uint32_t n)
{
    unsigned i = writable ? c->readable : 0, end = writable ? c->count : c->readable;
    for (; i < end; i++) {
        uint32_t bytes = c->segments[i].bytes;
        if (offset < bytes) {
            uint32_t left = bytes - (uint32_t)offset;
            return (struct virtq_segment){c->segments[i].address + offset, left < n ? left : n};
        }
        offset -= bytes;
    }
    return (struct virtq_segment){0};
}

/* False: a chain that can't be. */
static bool add_segment(struct virtq *q, const struct vring_desc *d)
{
    struct virtq_chain *c = &q->chain;
    bool writable = d->flags & VRING_DESC_F_WRITE;
    if (c->count == VIRTQ_CHAIN || (q->written && !writable) || d->addr + d->len < d->addr) {
        return false;
    }
    c->segments[c->count++] = (struct virtq_segment){d->addr, d->len};
    q->written |= writable;
    c->readable += !writable;
    return true;
}

/* ---- steps -------------------------------------------------------------------------------------- */

static void finish(struct virtq *q, enum virtq_result result)
{
    q->done(q, result);
}

/* A step ended otherwise than well: true, and whoever waits was told. */
static bool failed(struct virtq *q, enum dma_result result)
{
    if (result == DMA_DONE) {
        return false;
    }
    finish(q, result == DMA_CANCELLED ? VIRTQ_CANCELLED : VIRTQ_BROKEN);
    return true;
}

static void transfer(struct virtq *q, bool write, uint64_t address, void *bytes, size_t n, dma_done *then)
{
    q->transfer = (struct dma_transfer){
        .write = write, .address = address, .bytes = bytes, .count = n, .done = then, .owner = q};
    dma_submit(q->dma, &q->transfer);
}

static void read_descriptor(struct virtq *q, unsigned index);

static void table_read(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (failed(q, result)) {
        return;
    }
    unsigned entries = (unsigned)(t->count / sizeof *q->table), at = 0;
    for (unsigned steps = 0; steps < entries; steps++) {
        const struct vring_desc *d = &q->table[at];
        if (d->flags & VRING_DESC_F_INDIRECT || !add_segment(q, d)) {
            break;
        }
        if (!(d->flags & VRING_DESC_F_NEXT)) {
            finish(q, VIRTQ_OK);
            return;
        }
        at = d->next;
        if (at >= entries) {
            break;
        }
    }
    finish(q, VIRTQ_BROKEN); /* a loop, or an index out of the table, or a table in a table */
}

static void read_table(struct virtq *q, const struct vring_desc *d)
{
    if (d->len == 0 || d->len % sizeof *q->table || d->len > sizeof q->table ||
        d->flags & VRING_DESC_F_NEXT) {
        finish(q, VIRTQ_BROKEN);
        return;
    }
    transfer(q, false, d->addr, q->table, d->len, table_read);
}

static void descriptor_read(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    const struct vring_desc d = q->buffer.descriptor;
    if (failed(q, result)) {
        return;
    }
    if (d.flags & VRING_DESC_F_INDIRECT) {
        read_table(q, &d);
    } else if (!add_segment(q, &d)) {
        finish(q, VIRTQ_BROKEN);
    } else if (d.flags & VRING_DESC_F_NEXT) {
        read_descriptor(q, d.next);
    } else {
        finish(q, VIRTQ_OK);
    }
}

static void read_descriptor(struct virtq *q, unsigned index)
{
    if (index >= q->size || q->steps++ >= q->size) {
        finish(q, VIRTQ_BROKEN); /* out of the ring, or a loop */
        return;
    }
    transfer(q, false, q->descriptors + index * sizeof(struct vring_desc), &q->buffer.descriptor,
             sizeof q->buffer.descriptor, descriptor_read);
}

static void head_read(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (failed(q, result)) {
        return;
    }
    q->next_available++;
    q->chain.head = q->buffer.words[0];
    q->chain.count = 0;
    q->chain.readable = 0;
    q->written = false;
    q->steps = 0;
    read_descriptor(q, q->chain.head);
}

static void index_read(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (failed(q, result)) {
        return;
    }
    uint16_t waiting = (uint16_t)(q->buffer.words[1] - q->next_available);
    if (waiting == 0) {
        finish(q, VIRTQ_EMPTY);
    } else if (waiting > q->size) {
        finish(q, VIRTQ_BROKEN);
    } else {
        uint64_t at = q->available + AVAILABLE_RING + 2u * (q->next_available % q->size);
        transfer(q, false, at, q->buffer.words, 2, head_read);
    }
}

void virtq_fetch(struct virtq *q, virtq_done *done)
{
    q->done = done;
    transfer(q, false, q->available, q->buffer.words, 4, index_read);
}

static void flags_read(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (failed(q, result)) {
        return;
    }
    q->suppress = q->buffer.words[0] & VRING_AVAIL_F_NO_INTERRUPT;
    finish(q, VIRTQ_OK);
}

static void used_index_written(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (!failed(q, result)) {
        transfer(q, false, q->available, q->buffer.words, 2, flags_read);
    }
}

static void element_written(struct dma_transfer *t, enum dma_result result)
{
    struct virtq *q = t->owner;
    if (!failed(q, result)) {
        q->buffer.words[0] = ++q->next_used;
        transfer(q, true, q->used + USED_INDEX, q->buffer.words, 2, used_index_written);
    }
}

void virtq_push(struct virtq *q, uint16_t head, uint32_t bytes, virtq_done *done)
{
    q->done = done;
    q->buffer.element = (struct vring_used_elem){.id = head, .len = bytes};
    uint64_t at = q->used + USED_RING + sizeof q->buffer.element * (q->next_used % q->size);
    transfer(q, true, at, &q->buffer.element, sizeof q->buffer.element, element_written);
}

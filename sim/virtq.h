/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue seen from the device (virtio 1.2, 2.7), walked by DMA step by step: whoever uses it gives
 * a callback, and one step is under way at a time.
 *
 * The driver's memory isn't trusted: an index or chain that can't be makes the queue broken.
 */
#ifndef VIRTQ_H
#define VIRTQ_H

#include "dma.h"

#include <linux/virtio_ring.h>

enum {
    VIRTQ_MAX_SIZE = 256,
    VIRTQ_CHAIN = 130, /* descriptors of a chain, at most */
};

enum virtq_result {
    VIRTQ_OK,
    VIRTQ_EMPTY,
    VIRTQ_BROKEN,   /* the driver's ring makes no sense, or can't be reached */
    VIRTQ_CANCELLED /* the device was reset: nothing may be started */
};

struct virtq_segment {
    uint64_t address;
    uint32_t bytes;
};

/* A buffer of the driver: what the device reads, then what it writes. */
struct virtq_chain {
    uint16_t head;
    unsigned readable; /* segments 0 to readable - 1 */
    unsigned count;
    struct virtq_segment segments[VIRTQ_CHAIN];
};

struct virtq;
typedef void virtq_done(struct virtq *q, enum virtq_result result);

struct virtq {
    struct dma *dma;
    void *owner;
    /* set by the driver through the transport: */
    uint16_t size;
    uint16_t vector;
    bool enabled;
    uint64_t descriptors;
    uint64_t available;
    uint64_t used;
    /* the walk's: */
    uint16_t next_available;
    uint16_t next_used;
    virtq_done *done;
    struct dma_transfer transfer;
    struct virtq_chain chain;
    bool written;  /* a writable descriptor has come */
    bool suppress; /* of the last push: the driver wants no interrupt */
    unsigned steps;
    union {
        uint16_t words[2];
        struct vring_desc descriptor;
        struct vring_used_elem element;
    } buffer;
    struct vring_desc table[VIRTQ_CHAIN];
};

/* @pre size is a power of two up to VIRTQ_MAX_SIZE */
void virtq_init(struct virtq *q, struct dma *dma, void *owner, uint16_t size);
/* Back to the state after virtio_init; a step under way has to be cancelled before (dma_cancel). */
void virtq_reset(struct virtq *q, uint16_t size);

/* Takes the next buffer that the driver made available into q->chain. @pre enabled; no step is under way */
void virtq_fetch(struct virtq *q, virtq_done *done);

/*
 * Gives a buffer back, bytes of it written; q->suppress then says whether the driver wants no interrupt.
 * @pre enabled; no step is under way
 */
void virtq_push(struct virtq *q, uint16_t head, uint32_t bytes, virtq_done *done);

/* A piece of a chain's readable or writable bytes from offset on, at most n; 0 bytes: the end. */
struct virtq_segment virtq_piece(const struct virtq_chain *c, bool writable, uint64_t offset, uint32_t n);
uint64_t virtq_bytes(const struct virtq_chain *c, bool writable);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA engine of a function: splits a transfer into requests as Max_Payload_Size and
 * Max_Read_Request_Size allow, gives out tags, and puts completions together.
 *
 * Transfers start in the order of submission. A write is done when its last TLP is sent (posted), a read when
 * its last byte is there. Without bus mastering transfers wait.
 */
#ifndef DMA_H
#define DMA_H

#include "config_space.h"
#include "function.h"
#include "tlp.h"

enum { DMA_TAGS = 32 };

enum dma_result {
    DMA_DONE,
    DMA_REFUSED,  /* a completion with another status than success, or poisoned */
    DMA_GARBLED,  /* a completion that doesn't fit its request */
    DMA_TIMEOUT,  /* a completion never came */
    DMA_CANCELLED /* the function was reset */
};

struct dma_transfer;
typedef void dma_done(struct dma_transfer *t, enum dma_result result);

/* Owned by the caller until done is called, which it is exactly once. */
struct dma_transfer {
    bool write;
    uint64_t address;
    uint8_t *bytes;
    size_t count;
    dma_done *done;
    void *owner;
    /* the engine's: */
    struct dma_transfer *next;
    size_t requested;
    size_t arrived;
    unsigned outstanding;
    enum dma_result result;
};

struct dma_counters {
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t refused;
    uint64_t garbled;
    uint64_t timeouts;
    uint64_t unexpected; /* completions that match no tag */
};

struct dma {
    struct function *function;
    const struct config_space *config;
    const uint16_t *id; /* the function's, as captured */
    uint64_t timeout_ns;
    struct dma_transfer *first;
    struct dma_transfer **last;
    struct {
        bool used;
        struct dma_transfer *transfer; /* null: cancelled, the tag waits for what still comes */
        uint64_t address;              /* of the next byte */
        uint8_t *bytes;
        unsigned left;
        uint64_t expires_ns; /* 0: not looked at yet */
    } tags[DMA_TAGS];
    unsigned tags_used;
    struct dma_counters counters;
};

/* @pre all pointers outlive the engine */
void dma_init(struct dma *d, struct function *function, const struct config_space *config, const uint16_t *id,
              uint64_t timeout_ns);

/* @pre t->bytes has t->count bytes and stays until done; 1 <= t->count */
void dma_submit(struct dma *d, struct dma_transfer *t);

/* Sends what can be sent; expires tags when idle. True when something was done. */
bool dma_work(struct dma *d, uint64_t now_ns, bool idle);
uint64_t dma_deadline(const struct dma *d);
bool dma_busy(const struct dma *d);

/* A completion that came to the function. */
void dma_complete(struct dma *d, const struct tlp *completion);

/*
 * Drops everything; each transfer is done with DMA_CANCELLED, on which nothing may be submitted. Tags of
 * reads under way are used again only when their completions have come or can't come any more.
 */
void dma_cancel(struct dma *d);
/* The same after a reset of the link: nothing comes any more. */
void dma_reset(struct dma *d);

#endif

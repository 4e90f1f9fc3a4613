/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio_blk.h"

#include "virtio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CLASS_SCSI_STORAGE = 0x010000, /* as QEMU's virtio-blk has it */
    SECTOR = 512,
    BOUNCE = 1 << 16,
    SEGMENTS = 126, /* of data; a header and a status byte come on top */
    QUEUE = 0,
};

/*
 * One request at a time: fetch, header, data piece by piece, status, give back, next.
 */
struct virtio_blk {
    struct virtio virtio;
    int file;
    bool read_only;
    uint64_t sectors;
    char serial[VIRTIO_BLK_ID_BYTES];

    bool busy;
    bool notified; /* since the last look into the ring */
    struct virtio_blk_outhdr header;
    uint8_t status;
    uint64_t done;  /* bytes of the header, then of the data */
    uint64_t total; /* bytes of data */
    uint64_t base;  /* of the data in the file */
    struct dma_transfer transfer;
    uint8_t bounce[BOUNCE];
};

static struct virtio_blk *blk_of(struct virtq *q)
{
    return q->owner;
}

static struct virtq *queue_of(struct virtio_blk *b)
{
    return &b->virtio.queues[QUEUE];
}

static void next_request(struct virtio_blk *b);

/* A step failed: true, and the request is over. */
static bool failed(struct virtio_blk *b, enum dma_result result)
{
    if (result == DMA_DONE) {
        return false;
    }
    b->busy = false;
    if (result != DMA_CANCELLED) {
        virtio_break(&b->virtio);
    }
    return true;
}

static void transfer(struct virtio_blk *b, bool write, struct virtq_segment piece, void *bytes,
                     dma_done *then)
{
    b->transfer = (struct dma_transfer){.write = write,
                                        .address = piece.address,
                                        .bytes = bytes,
                                        .count = piece.bytes,
                                        .done = then,
                                        .owner = b};
    dma_submit(&b->virtio.endpoint.dma, &b->transfer);
}

/* ---- the end of a request ----------------------------------------------------------------------- */

static void pushed(struct virtq *q, enum virtq_result result)
{
    struct virtio_blk *b = blk_of(q);
    if (result != VIRTQ_OK) {
        failed(b, result == VIRTQ_CANCELLED ? DMA_CANCELLED : DMA_REFUSED);
        return;
    }
    if (!q->suppress) {
        virtio_interrupt(&b->virtio, QUEUE);
    }
    next_request(b);
}

static void status_written(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_blk *b = t->owner;
    struct virtq *q = queue_of(b);
    if (!failed(b, result)) {
        bool in = b->header.type == VIRTIO_BLK_T_IN || b->header.type == VIRTIO_BLK_T_GET_ID;
        virtq_push(q, q->chain.head, (uint32_t)(in ? b->done : 0) + 1, pushed);
    }
}

static void finish(struct virtio_blk *b, uint8_t status)
{
    const struct virtq_chain *c = &queue_of(b)->chain;
    b->status = status;
    transfer(b, true, virtq_piece(c, true, virtq_bytes(c, true) - 1, 1), &b->status, status_written);
}

/* ---- data --------------------------------------------------------------------------------------- */

static void read_on(struct virtio_blk *b);
static void write_on(struct virtio_blk *b);

static bool read_file(int file, uint8_t *bytes, size_t n, uint64_t at)
{
    for (size_t got = 0; got < n;) {
        ssize_t part = pread(file, bytes + got, n - got, (off_t)(at + got));
        if (part <= 0 && !(part < 0 && errno == EINTR)) {
            return false;
        }
        got += part > 0 ? (size_t)part : 0;
    }
    return true;
}

static bool write_file(int file, const uint8_t *bytes, size_t n, uint64_t at)
{
    for (size_t put = 0; put < n;) {
        ssize_t part = pwrite(file, bytes + put, n - put, (off_t)(at + put));
        if (part < 0 && errno != EINTR) {
            return false;
        }
        put += part > 0 ? (size_t)part : 0;
    }
    return true;
}

static void data_sent(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_blk *b = t->owner;
    if (!failed(b, result)) {
        b->done += t->count;
        read_on(b);
    }
}

/* File to driver. */
static void read_on(struct virtio_blk *b)
{
    if (b->done == b->total) {
        finish(b, VIRTIO_BLK_S_OK);
        return;
    }
    uint64_t left = b->total - b->done;
    struct virtq_segment piece =
        virtq_piece(&queue_of(b)->chain, true, b->done, left < BOUNCE ? (uint32_t)left : BOUNCE);
    if (!read_file(b->file, b->bounce, piece.bytes, b->base + b->done)) {
        finish(b, VIRTIO_BLK_S_IOERR);
        return;
    }
    transfer(b, true, piece, b->bounce, data_sent);
}

static void data_arrived(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_blk *b = t->owner;
    if (failed(b, result)) {
        return;
    }
    if (!write_file(b->file, b->bounce, t->count, b->base + b->done)) {
        finish(b, VIRTIO_BLK_S_IOERR);
        return;
    }
    b->done += t->count;
    write_on(b);
}

/* Driver to file. */
static void write_on(struct virtio_blk *b)
{
    if (b->done == b->total) {
        finish(b, VIRTIO_BLK_S_OK);
        return;
    }
    struct virtq_segment piece = virtq_piece(&queue_of(b)->chain, false, sizeof b->header + b->done, BOUNCE);
    transfer(b, false, piece, b->bounce, data_arrived);
}

static void send_id(struct virtio_blk *b)
{
    struct virtq_segment piece = virtq_piece(&queue_of(b)->chain, true, 0, sizeof b->serial);
    b->total = piece.bytes;
    memcpy(b->bounce, b->serial, sizeof b->serial);
    transfer(b, true, piece, b->bounce, data_sent);
}

/* ---- a request ---------------------------------------------------------------------------------- */

/* Whether the data are whole sectors of the disk; sets base and total. */
static bool on_disk(struct virtio_blk *b, uint64_t bytes)
{
    uint64_t sectors = bytes / SECTOR;
    b->total = bytes;
    b->base = b->header.sector * SECTOR;
    return bytes % SECTOR == 0 && b->header.sector <= b->sectors && sectors <= b->sectors - b->header.sector;
}

static void execute(struct virtio_blk *b)
{
    const struct virtq_chain *c = &queue_of(b)->chain;
    uint64_t in = virtq_bytes(c, true) - 1, out = virtq_bytes(c, false) - sizeof b->header;
    b->done = 0;
    switch (b->header.type) {
    case VIRTIO_BLK_T_IN:
        on_disk(b, in) ? read_on(b) : finish(b, VIRTIO_BLK_S_IOERR);
        break;
    case VIRTIO_BLK_T_OUT:
        on_disk(b, out) && !b->read_only ? write_on(b) : finish(b, VIRTIO_BLK_S_IOERR);
        break;
    case VIRTIO_BLK_T_FLUSH:
        finish(b, fdatasync(b->file) == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
        break;
    case VIRTIO_BLK_T_GET_ID:
        in ? send_id(b) : finish(b, VIRTIO_BLK_S_IOERR);
        break;
    default:
        finish(b, VIRTIO_BLK_S_UNSUPP);
        break;
    }
}

static void read_header(struct virtio_blk *b);

static void header_arrived(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_blk *b = t->owner;
    if (!failed(b, result)) {
        b->done += t->count;
        read_header(b);
    }
}

/* The header may lie in several segments (2.7.4.1). */
static void read_header(struct virtio_blk *b)
{
    if (b->done == sizeof b->header) {
        execute(b);
        return;
    }
    uint32_t left = (uint32_t)(sizeof b->header - b->done);
    transfer(b, false, virtq_piece(&queue_of(b)->chain, false, b->done, left),
             (uint8_t *)&b->header + b->done, header_arrived);
}

static void fetched(struct virtq *q, enum virtq_result result)
{
    struct virtio_blk *b = blk_of(q);
    if (result == VIRTQ_EMPTY) {
        b->busy = false;
        if (b->notified) {
            next_request(b);
        }
    } else if (result != VIRTQ_OK) {
        failed(b, result == VIRTQ_CANCELLED ? DMA_CANCELLED : DMA_REFUSED);
    } else if (virtq_bytes(&q->chain, false) < sizeof b->header || virtq_bytes(&q->chain, true) < 1) {
        failed(b, DMA_REFUSED); /* no room for header or status */
    } else {
        b->done = 0;
        read_header(b);
    }
}

static void next_request(struct virtio_blk *b)
{
    b->busy = true;
    b->notified = false;
    virtq_fetch(queue_of(b), fetched);
}

static void notify(struct virtio *v, unsigned queue)
{
    struct virtio_blk *b = (struct virtio_blk *)v;
    (void)queue;
    b->notified = true;
    if (!b->busy) {
        next_request(b);
    }
}

static void reset(struct virtio *v)
{
    struct virtio_blk *b = (struct virtio_blk *)v;
    b->busy = false;
    b->notified = false;
}

static void close_blk(struct virtio *v)
{
    struct virtio_blk *b = (struct virtio_blk *)v;
    close(b->file);
    free(b);
}

static const struct virtio_ops ops = {
    .notify = notify,
    .reset = reset,
    .close = close_blk,
};

static void put(uint8_t *config, size_t offset, uint64_t value, size_t bytes)
{
    memcpy(config + offset, &value, bytes);
}

struct function *virtio_blk_open(const struct virtio_blk_options *options)
{
    struct virtio_blk *b = calloc(1, sizeof *b);
    if (!b) {
        return NULL;
    }
    b->read_only = options->read_only;
    b->file = open(options->file, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    off_t size = b->file < 0 ? -1 : lseek(b->file, 0, SEEK_END);
    if (size < SECTOR) {
        int error = size < 0 ? errno : EINVAL;
        if (b->file >= 0) {
            close(b->file);
        }
        free(b);
        errno = error;
        return NULL;
    }
    b->sectors = (uint64_t)size / SECTOR;
    strncpy(b->serial, options->serial ? options->serial : "signalbox", sizeof b->serial);
    uint64_t features = UINT64_C(1) << VIRTIO_BLK_F_SEG_MAX | UINT64_C(1) << VIRTIO_BLK_F_BLK_SIZE |
                        UINT64_C(1) << VIRTIO_BLK_F_FLUSH;
    virtio_init(&b->virtio, &ops,
                &(struct virtio_options){
                    .type = VIRTIO_ID_BLOCK,
                    .class_code = CLASS_SCSI_STORAGE,
                    .features = features | (uint64_t)options->read_only << VIRTIO_BLK_F_RO,
                    .queues = 1,
                    .pin = options->pin,
                    .msix = options->msix,
                });
    put(b->virtio.config, offsetof(struct virtio_blk_config, capacity), b->sectors, 8);
    put(b->virtio.config, offsetof(struct virtio_blk_config, seg_max), SEGMENTS, 4);
    put(b->virtio.config, offsetof(struct virtio_blk_config, blk_size), SECTOR, 4);
    return &b->virtio.endpoint.function;
}

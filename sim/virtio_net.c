/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio_net.h"

#include "virtio.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLASS_ETHERNET = 0x020000,
    RECEIVE = 0, /* queues (5.1.2) */
    TRANSMIT = 1,
    HEADER = 12, /* struct virtio_net_hdr_v1 */
    FRAME = 2048,
    SHORTEST = ETH_HLEN,
    LEAST_BUFFER = HEADER + ETH_FRAME_LEN, /* of the receive queue (5.1.6.3.1) */
    WAITING = 32,                          /* frames on the cable */
    LINK_NAME = 32,
};

struct frame {
    uint32_t bytes; /* with the header */
    uint8_t data[HEADER + FRAME];
};

/* One direction of a queue: a buffer is fetched, its data are moved piece by piece, and it is given back. */
struct way {
    bool busy;
    bool notified; /* since the last look into the ring */
    bool fetched;  /* receive: a buffer waits for a frame */
    uint32_t done; /* bytes moved */
    struct dma_transfer transfer;
    struct frame frame;
};

struct virtio_net {
    struct virtio virtio;
    struct virtio_net *peer;
    struct virtio_net *next; /* of all that are open */
    char link[LINK_NAME];
    struct way in;
    struct way out;
    bool held; /* a frame of ours waits for room at the peer's */
    struct frame waiting[WAITING];
    unsigned first;
    unsigned count;
};

static struct virtio_net *all;

static struct virtio_net *net_of(struct virtq *q)
{
    return q->owner;
}

static struct virtq *queue_of(struct virtio_net *n, unsigned queue)
{
    return &n->virtio.queues[queue];
}

static void next_sent(struct virtio_net *n);

/* There is room again where the sender's frame goes, or there never will be. */
static void let_on(struct virtio_net *sender)
{
    if (sender != NULL && sender->held) {
        sender->held = false;
        next_sent(sender);
    }
}

/* A step failed: true, and this way is at its end. */
static bool failed(struct virtio_net *n, struct way *w, enum dma_result result)
{
    if (result == DMA_DONE) {
        return false;
    }
    w->busy = false;
    if (result != DMA_CANCELLED) {
        virtio_break(&n->virtio);
        let_on(n->peer);
    }
    return true;
}

static enum dma_result result_of(enum virtq_result result)
{
    return result == VIRTQ_OK ? DMA_DONE : result == VIRTQ_CANCELLED ? DMA_CANCELLED : DMA_REFUSED;
}

static void transfer(struct virtio_net *n, struct way *w, bool write, struct virtq_segment piece,
                     dma_done *then)
{
    w->transfer = (struct dma_transfer){.write = write,
                                        .address = piece.address,
                                        .bytes = w->frame.data + w->done,
                                        .count = piece.bytes,
                                        .done = then,
                                        .owner = n};
    dma_submit(&n->virtio.endpoint.dma, &w->transfer);
}

/* ---- cable to driver -------------------------------------------------------------------------------------
 */

static void take_frame(struct virtio_net *n);

static void received(struct virtq *q, enum virtq_result result)
{
    struct virtio_net *n = net_of(q);
    if (failed(n, &n->in, result_of(result))) {
        return;
    }
    if (!q->suppress) {
        virtio_interrupt(&n->virtio, RECEIVE);
    }
    n->in.busy = false;
    take_frame(n);
}

static void write_on(struct virtio_net *n);

static void written(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_net *n = t->owner;
    if (!failed(n, &n->in, result)) {
        n->in.done += (uint32_t)t->count;
        write_on(n);
    }
}

static void write_on(struct virtio_net *n)
{
    struct virtq *q = queue_of(n, RECEIVE);
    if (n->in.done == n->in.frame.bytes) {
        n->in.fetched = false;
        virtq_push(q, q->chain.head, n->in.done, received);
    } else {
        transfer(n, &n->in, true, virtq_piece(&q->chain, true, n->in.done, n->in.frame.bytes - n->in.done),
                 written);
    }
}

static void room_found(struct virtq *q, enum virtq_result result)
{
    struct virtio_net *n = net_of(q);
    if (result == VIRTQ_EMPTY) {
        n->in.busy = false;
        if (n->in.notified) {
            take_frame(n);
        }
    } else if (!failed(n, &n->in, result_of(result))) {
        n->in.busy = false;
        n->in.fetched = true;
        take_frame(n);
    }
}

/* The next frame that the buffer has room for. False: none, or the buffer is too small. */
static bool next_waiting(struct virtio_net *n, uint64_t room)
{
    while (n->count > 0) {
        n->in.frame = n->waiting[n->first];
        n->first = (n->first + 1) % WAITING;
        n->count--;
        let_on(n->peer);
        if (n->in.frame.bytes <= room) {
            return true;
        }
        if (room < LEAST_BUFFER) {
            failed(n, &n->in, DMA_REFUSED);
            return false;
        }
        /* The sender's fault, not the receiver's: the frame is lost. */
    }
    return false;
}

/* A frame and a buffer are needed; whichever comes last starts it. */
static void take_frame(struct virtio_net *n)
{
    struct virtq *q = queue_of(n, RECEIVE);
    if (n->in.busy || n->count == 0 || !virtio_running(&n->virtio) || !q->enabled) {
        return;
    }
    n->in.busy = true;
    if (!n->in.fetched) {
        n->in.notified = false;
        virtq_fetch(q, room_found);
        return;
    }
    n->in.done = 0;
    n->in.busy = next_waiting(n, virtq_bytes(&q->chain, true));
    if (n->in.busy) {
        write_on(n);
    }
}

/* ---- driver to cable -------------------------------------------------------------------------------------
 */

static void next_buffer(struct virtio_net *n);

static void given_back(struct virtq *q, enum virtq_result result)
{
    struct virtio_net *n = net_of(q);
    if (failed(n, &n->out, result_of(result))) {
        return;
    }
    if (!q->suppress) {
        virtio_interrupt(&n->virtio, TRANSMIT);
    }
    next_buffer(n);
}

/* The frame that has been read goes onto the cable, when there is room. A function that has been broken while
 * the frame waited gives nothing back. */
static void next_sent(struct virtio_net *n)
{
    struct virtio_net *peer = n->peer;
    if (!virtio_running(&n->virtio)) {
        n->out.busy = false;
        return;
    }
    if (peer != NULL && virtio_running(&peer->virtio)) {
        if (peer->count == WAITING) {
            n->held = true;
            return;
        }
        struct frame *to = &peer->waiting[(peer->first + peer->count++) % WAITING];
        *to = n->out.frame;
        /* No offload is offered, so all of the header is 0 but the number of buffers (5.1.6.4). */
        memset(to->data, 0, HEADER);
        to->data[offsetof(struct virtio_net_hdr_v1, num_buffers)] = 1;
        take_frame(peer);
    }
    struct virtq *q = queue_of(n, TRANSMIT);
    virtq_push(q, q->chain.head, 0, given_back);
}

static void read_on(struct virtio_net *n);

static void arrived(struct dma_transfer *t, enum dma_result result)
{
    struct virtio_net *n = t->owner;
    if (!failed(n, &n->out, result)) {
        n->out.done += (uint32_t)t->count;
        read_on(n);
    }
}

static void read_on(struct virtio_net *n)
{
    if (n->out.done == n->out.frame.bytes) {
        next_sent(n);
    } else {
        transfer(
            n, &n->out, false,
            virtq_piece(&queue_of(n, TRANSMIT)->chain, false, n->out.done, n->out.frame.bytes - n->out.done),
            arrived);
    }
}

static void buffer_found(struct virtq *q, enum virtq_result result)
{
    struct virtio_net *n = net_of(q);
    if (result == VIRTQ_EMPTY) {
        n->out.busy = false;
        if (n->out.notified) {
            next_buffer(n);
        }
        return;
    }
    if (failed(n, &n->out, result_of(result))) {
        return;
    }
    const uint64_t bytes = virtq_bytes(&q->chain, false);
    if (bytes < HEADER + SHORTEST || bytes > HEADER + FRAME) {
        failed(n, &n->out, DMA_REFUSED); /* no frame */
        return;
    }
    n->out.done = 0;
    n->out.frame.bytes = (uint32_t)bytes;
    read_on(n);
}

static void next_buffer(struct virtio_net *n)
{
    n->out.busy = true;
    n->out.notified = false;
    virtq_fetch(queue_of(n, TRANSMIT), buffer_found);
}

/* ---- the function ----------------------------------------------------------------------------------------
 */

static void notify(struct virtio *v, unsigned queue)
{
    struct virtio_net *n = (struct virtio_net *)v;
    if (queue == RECEIVE) {
        n->in.notified = true;
        take_frame(n);
    } else {
        n->out.notified = true;
        if (!n->out.busy) {
            next_buffer(n);
        }
    }
}

static void reset(struct virtio *v)
{
    struct virtio_net *n = (struct virtio_net *)v;
    n->in.busy = n->in.notified = n->in.fetched = false;
    n->out.busy = n->out.notified = false;
    n->held = false;
    n->count = 0;
    let_on(n->peer); /* what it holds back for us is lost */
}

static void close_net(struct virtio *v)
{
    struct virtio_net *n = (struct virtio_net *)v;
    for (struct virtio_net **at = &all; *at != NULL; at = &(*at)->next) {
        if (*at == n) {
            *at = n->next;
            break;
        }
    }
    if (n->peer != NULL) {
        n->peer->peer = NULL;
        let_on(n->peer);
    }
    free(n);
}

static const struct virtio_ops ops = {
    .notify = notify,
    .reset = reset,
    .close = close_net,
};

/* The other end of the cable, or null; two: it has both already. */
static struct virtio_net *other_end(const char *link, bool *two)
{
    for (struct virtio_net *n = all; n != NULL; n = n->next) {
        if (strcmp(n->link, link) == 0) {
            *two = n->peer != NULL;
            return n;
        }
    }
    *two = false;
    return NULL;
}

struct function *virtio_net_open(const struct virtio_net_options *options)
{
    bool two;
    struct virtio_net *peer = other_end(options->link, &two);
    if (two || strlen(options->link) >= LINK_NAME) {
        errno = two ? EBUSY : ENAMETOOLONG;
        return NULL;
    }
    struct virtio_net *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return NULL;
    }
    strcpy(n->link, options->link);
    n->peer = peer;
    if (peer != NULL) {
        peer->peer = n;
    }
    n->next = all;
    all = n;
    virtio_init(&n->virtio, &ops,
                &(struct virtio_options){
                    .type = VIRTIO_ID_NET,
                    .class_code = CLASS_ETHERNET,
                    .features = UINT64_C(1) << VIRTIO_NET_F_MAC | UINT64_C(1) << VIRTIO_NET_F_STATUS,
                    .queues = 2,
                    .pin = options->pin,
                    .msix = options->msix,
                });
    const uint8_t mac[VIRTIO_NET_MAC] = {0x02, 0x53, 0x42, 0, 0, peer != NULL ? 2 : 1};
    memcpy(n->virtio.config + offsetof(struct virtio_net_config, mac),
           options->mac != NULL ? options->mac : mac, VIRTIO_NET_MAC);
    n->virtio.config[offsetof(struct virtio_net_config, status)] = VIRTIO_NET_S_LINK_UP;
    return &n->virtio.endpoint.function;
}

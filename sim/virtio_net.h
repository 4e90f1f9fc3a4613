/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net: a network function (virtio 1.2, 5.1). Two of them with the same link are joined back to back:
 * what one sends the other receives, in order. While the receiver has no room the sender waits; what is sent
 * to a function that no driver runs, or whose driver's rings made no sense, is lost, as on a cable that ends
 * nowhere. So is a frame that is longer than the receiver's buffer, where that has room for a frame of
 * Ethernet (1514 bytes): no sender breaks its peer.
 */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include "function.h"

#include <stdbool.h>

enum { VIRTIO_NET_MAC = 6 };

struct virtio_net_options {
    const char *link;   /* the cable's name */
    const uint8_t *mac; /* VIRTIO_NET_MAC bytes, or null: 02:53:42:00:00:01, the second end …:02 */
    unsigned pin;       /* INTx: 1 = A; 0 none */
    bool msix;
};

/* Null: errno says why; EBUSY: the cable has two ends already. */
struct function *virtio_net_open(const struct virtio_net_options *options);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-blk: a disk whose sectors are in a file (virtio 1.2, 5.2). */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "function.h"

#include <stdbool.h>

struct virtio_blk_options {
    const char *file;
    const char *serial; /* up to 20 bytes, or null */
    bool read_only;
    unsigned pin; /* INTx: 1 = A; 0 none */
    bool msix;
};

/* Null: errno says why; EINVAL: the file is smaller than a sector. */
struct function *virtio_blk_open(const struct virtio_blk_options *options);

#endif

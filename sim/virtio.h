/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device over PCI (virtio 1.2, 4.1, without the legacy interface): what every kind of device shares.
 * virtio_blk.c and virtio_net.c are two.
 *
 * BAR 0, 32 KiB: common configuration at 0, ISR at 0x1000, device configuration at 0x2000, notifications at
 * 0x3000, MSI-X table at 0x4000, pending bits at 0x5000.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "endpoint.h"
#include "virtq.h"

enum { VIRTIO_QUEUES = 8, VIRTIO_CONFIG_BYTES = 256, VIRTIO_VENDOR = 0x1af4, VIRTIO_DEVICE = 0x1040 };

struct virtio;

struct virtio_ops {
    /* The driver says that there are buffers in a queue. @pre the queue is enabled, the driver is up */
    void (*notify)(struct virtio *v, unsigned queue);
    /* All is back to the start; steps under way ended as cancelled. */
    void (*reset)(struct virtio *v);
    /* Frees what the device holds, itself included. */
    void (*close)(struct virtio *v);
};

struct virtio_options {
    unsigned type;       /* 2: block */
    uint32_t class_code; /* of PCI */
    uint64_t features;   /* beside VERSION_1 and INDIRECT_DESC, which are always offered */
    unsigned queues;
    unsigned pin; /* INTx: 1 = A; 0 none */
    bool msix;
};

struct virtio {
    struct endpoint endpoint;
    const struct virtio_ops *ops;
    uint64_t features;
    uint64_t driver_features;
    uint32_t feature_select;
    uint32_t driver_select;
    uint16_t config_vector;
    uint8_t status;
    uint8_t isr;
    uint16_t queue_select;
    unsigned queue_count;
    struct virtq queues[VIRTIO_QUEUES];
    uint8_t config[VIRTIO_CONFIG_BYTES]; /* the device's own configuration, little endian */
    uint64_t broken;                     /* times that the driver's rings made no sense */
};

/* @pre options->queues <= VIRTIO_QUEUES */
void virtio_init(struct virtio *v, const struct virtio_ops *ops, const struct virtio_options *options);

/* Interrupts for buffers given back in a queue. */
void virtio_interrupt(struct virtio *v, unsigned queue);

/* The rings make no sense: DEVICE_NEEDS_RESET, steps under way end as cancelled, and nothing more until the
 * driver resets. */
void virtio_break(struct virtio *v);

/* The driver is up, and the rings made sense so far. */
bool virtio_running(const struct virtio *v);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stddef.h>
#include <string.h>

enum {
    BAR = 0,
    BAR_BYTES = 0x8000,
    AT_COMMON = 0x0000,
    AT_ISR = 0x1000,
    AT_CONFIG = 0x2000,
    AT_NOTIFY = 0x3000,
    AT_MSIX_TABLE = 0x4000,
    AT_MSIX_PENDING = 0x5000,
    AREA_BYTES = 0x1000,
    NOTIFY_MULTIPLIER = 4,
    ISR_QUEUE = 1,
    ISR_CONFIG = 2,
    QUEUE_BYTES = 256,
};

static struct virtio *virtio_of(struct endpoint *e)
{
    return (struct virtio *)e;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void interrupt(struct virtio *v, uint16_t vector, uint8_t cause)
{
    if (msi_enabled(&v->endpoint.msi)) {
        if (vector != VIRTIO_MSI_NO_VECTOR) {
            endpoint_raise(&v->endpoint, vector);
        }
    } else {
        v->isr |= cause;
        endpoint_set_intx(&v->endpoint, true);
    }
}

void virtio_interrupt(struct virtio *v, unsigned queue)
{
    interrupt(v, v->queues[queue].vector, ISR_QUEUE);
}

void virtio_break(struct virtio *v)
{
    v->broken++;
    v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    dma_cancel(&v->endpoint.dma); /* of the other queues */
    if (v->status & VIRTIO_CONFIG_S_DRIVER_OK) {
        interrupt(v, v->config_vector, ISR_CONFIG);
    }
}

bool virtio_running(const struct virtio *v)
{
    return v->status & VIRTIO_CONFIG_S_DRIVER_OK && !(v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* ---- common configuration ----------------------------------------------------------------------- */

static void reset_device(struct virtio *v)
{
    dma_cancel(&v->endpoint.dma);
    v->status = 0;
    v->isr = 0;
    v->driver_features = 0;
    v->feature_select = v->driver_select = 0;
    v->config_vector = VIRTIO_MSI_NO_VECTOR;
    v->queue_select = 0;
    for (unsigned i = 0; i < v->queue_count; i++) {
        virtq_reset(&v->queues[i], VIRTQ_MAX_SIZE);
    }
    v->ops->reset(v);
}

static void set_status(struct virtio *v, uint8_t status)
{
    if (status == 0) {
        reset_device(v);
        endpoint_set_intx(&v->endpoint, false);
        return;
    }
    bool all_known = (v->driver_features & ~v->features) == 0;
    bool modern = v->driver_features & UINT64_C(1) << VIRTIO_F_VERSION_1;
    if (status & VIRTIO_CONFIG_S_FEATURES_OK && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
        !(all_known && modern)) {
        status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK; /* the driver reads it back (3.1.1) */
    }
    v->status = status | (v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/* The queue that is selected; null: none of that number. */
static struct virtq *selected(struct virtio *v)
{
    return v->queue_select < v->queue_count ? &v->queues[v->queue_select] : NULL;
}

static uint32_t read_queue(const struct virtq *q, unsigned number, uint32_t offset)
{
    switch (offset) {
    case VIRTIO_PCI_COMMON_Q_SIZE:
        return q->size;
    case VIRTIO_PCI_COMMON_Q_MSIX:
        return q->vector;
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        return q->enabled;
    case VIRTIO_PCI_COMMON_Q_NOFF:
        return number;
    case VIRTIO_PCI_COMMON_Q_DESCLO:
        return (uint32_t)q->descriptors;
    case VIRTIO_PCI_COMMON_Q_DESCHI:
        return (uint32_t)(q->descriptors >> 32);
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
        return (uint32_t)q->available;
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
        return (uint32_t)(q->available >> 32);
    case VIRTIO_PCI_COMMON_Q_USEDLO:
        return (uint32_t)q->used;
    case VIRTIO_PCI_COMMON_Q_USEDHI:
        return (uint32_t)(q->used >> 32);
    default:
        return 0;
    }
}

static uint32_t read_common(struct virtio *v, uint32_t offset)
{
    const struct virtq *q = selected(v);
    switch (offset) {
    case VIRTIO_PCI_COMMON_DFSELECT:
        return v->feature_select;
    case VIRTIO_PCI_COMMON_DF:
        return v->feature_select < 2 ? (uint32_t)(v->features >> 32 * v->feature_select) : 0;
    case VIRTIO_PCI_COMMON_GFSELECT:
        return v->driver_select;
    case VIRTIO_PCI_COMMON_GF:
        return v->driver_select < 2 ? (uint32_t)(v->driver_features >> 32 * v->driver_select) : 0;
    case VIRTIO_PCI_COMMON_MSIX:
        return v->config_vector;
    case VIRTIO_PCI_COMMON_NUMQ:
        return v->queue_count;
    case VIRTIO_PCI_COMMON_STATUS:
        return v->status;
    case VIRTIO_PCI_COMMON_Q_SELECT:
        return v->queue_select;
    default:
        return q ? read_queue(q, v->queue_select, offset) : 0;
    }
}

static void set_half(uint64_t *whole, bool high, uint32_t value)
{
    unsigned shift = high ? 32 : 0;
    *whole = (*whole & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)value << shift;
}

/* A vector that there is, or none: then the driver reads back none. */
static uint16_t vector_of(const struct virtio *v, uint32_t value)
{
    return value < v->endpoint.msi.msix_vectors ? (uint16_t)value : VIRTIO_MSI_NO_VECTOR;
}

static void write_queue(struct virtio *v, struct virtq *q, uint32_t offset, uint32_t value)
{
    if (offset == VIRTIO_PCI_COMMON_Q_MSIX) {
        q->vector = vector_of(v, value);
        return;
    }
    if (q->enabled) {
        return; /* the layout of a queue in use stays */
    }
    switch (offset) {
    case VIRTIO_PCI_COMMON_Q_SIZE:
        if (value >= 1 && value <= VIRTQ_MAX_SIZE && (value & (value - 1)) == 0) {
            q->size = (uint16_t)value;
        }
        break;
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        q->enabled = value == 1;
        break;
    case VIRTIO_PCI_COMMON_Q_DESCLO:
    case VIRTIO_PCI_COMMON_Q_DESCHI:
        set_half(&q->descriptors, offset == VIRTIO_PCI_COMMON_Q_DESCHI, value);
        break;
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
        set_half(&q->available, offset == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
        break;
    case VIRTIO_PCI_COMMON_Q_USEDLO:
    case VIRTIO_PCI_COMMON_Q_USEDHI:
        set_half(&q->used, offset == VIRTIO_PCI_COMMON_Q_USEDHI, value);
        break;
    default:
        break;
    }
}

static void write_common(struct virtio *v, uint32_t offset, uint32_t value)
{
    struct virtq *q = selected(v);
    switch (offset) {
    case VIRTIO_PCI_COMMON_DFSELECT:
        v->feature_select = value;
        break;
    case VIRTIO_PCI_COMMON_GFSELECT:
        v->driver_select = value;
        break;
    case VIRTIO_PCI_COMMON_GF:
        if (v->driver_select < 2 && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK)) {
            set_half(&v->driver_features, v->driver_select, value);
        }
        break;
    case VIRTIO_PCI_COMMON_MSIX:
        v->config_vector = vector_of(v, value);
        break;
    case VIRTIO_PCI_COMMON_STATUS:
        set_status(v, (uint8_t)value);
        break;
    case VIRTIO_PCI_COMMON_Q_SELECT:
        v->queue_select = (uint16_t)value;
        break;
    default:
        if (q) {
            write_queue(v, q, offset, value);
        }
        break;
    }
}

/* ---- BAR ---------------------------------------------------------------------------------------- */

static uint32_t bar_read(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size)
{
    struct virtio *v = virtio_of(e);
    uint32_t value = 0;
    (void)bar;
    if (offset < AT_COMMON + AREA_BYTES) {
        return read_common(v, offset);
    }
    if (offset == AT_ISR) {
        value = v->isr;
        v->isr = 0;
        endpoint_set_intx(e, false);
    } else if (offset >= AT_CONFIG && offset + size <= AT_CONFIG + sizeof v->config) {
        memcpy(&value, v->config + (offset - AT_CONFIG), size);
    }
    return value;
}

static void bar_write(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size, uint32_t value)
{
    struct virtio *v = virtio_of(e);
    (void)bar;
    (void)size;
    if (offset < AT_COMMON + AREA_BYTES) {
        write_common(v, offset, value);
    } else if (offset >= AT_NOTIFY && offset < AT_NOTIFY + AREA_BYTES) {
        unsigned queue = (offset - AT_NOTIFY) / NOTIFY_MULTIPLIER;
        if (queue < v->queue_count && v->queues[queue].enabled && virtio_running(v)) {
            v->ops->notify(v, queue);
        }
    }
}

static void reset(struct endpoint *e)
{
    reset_device(virtio_of(e));
}

static void close(struct endpoint *e)
{
    virtio_of(e)->ops->close(virtio_of(e));
}

static const struct endpoint_ops endpoint_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = reset,
    .close = close,
};

/* ---- start -------------------------------------------------------------------------------------- */

/* A capability that says where a structure is (4.1.4). */
static void add_structure(struct config_space *c, uint8_t type, uint32_t at, uint32_t bytes, unsigned more)
{
    unsigned size = (unsigned)sizeof(struct virtio_pci_cap) + more;
    uint16_t cap = config_add_capability(c, PCI_CAP_ID_VNDR, size);
    c->bytes[cap + VIRTIO_PCI_CAP_LEN] = (uint8_t)size;
    c->bytes[cap + VIRTIO_PCI_CAP_CFG_TYPE] = type;
    c->bytes[cap + VIRTIO_PCI_CAP_BAR] = BAR;
    config_put32(c, cap + VIRTIO_PCI_CAP_OFFSET, at);
    config_put32(c, cap + VIRTIO_PCI_CAP_LENGTH, bytes);
    if (type == VIRTIO_PCI_CAP_NOTIFY_CFG) {
        config_put32(c, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_MULTIPLIER);
    }
}

void virtio_init(struct virtio *v, const struct virtio_ops *ops, const struct virtio_options *options)
{
    struct endpoint *e = &v->endpoint;
    v->ops = ops;
    v->queue_count = options->queues;
    v->features =
        options->features | UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC;
    endpoint_init(e, &endpoint_ops,
                  &(struct config_identity){.vendor = VIRTIO_VENDOR,
                                            .device = (uint16_t)(VIRTIO_DEVICE + options->type),
                                            .subsystem_vendor = VIRTIO_VENDOR,
                                            .subsystem = (uint16_t)options->type,
                                            .class_code = options->class_code,
                                            .revision = 1,
                                            .interrupt_pin = (uint8_t)options->pin});
    config_add_bar(&e->config, BAR, BAR_BYTES, false, false);
    if (options->msix) {
        msix_add(&e->msi, options->queues + 1, BAR, AT_MSIX_TABLE, AT_MSIX_PENDING);
    }
    struct config_space *c = &e->config;
    add_structure(c, VIRTIO_PCI_CAP_COMMON_CFG, AT_COMMON, sizeof(struct virtio_pci_common_cfg), 0);
    add_structure(c, VIRTIO_PCI_CAP_ISR_CFG, AT_ISR, 1, 0);
    add_structure(c, VIRTIO_PCI_CAP_DEVICE_CFG, AT_CONFIG, VIRTIO_CONFIG_BYTES, 0);
    add_structure(c, VIRTIO_PCI_CAP_NOTIFY_CFG, AT_NOTIFY, options->queues * NOTIFY_MULTIPLIER,
                  sizeof(uint32_t));
    endpoint_ready(e);
    for (unsigned i = 0; i < v->queue_count; i++) {
        virtq_init(&v->queues[i], &e->dma, v, VIRTQ_MAX_SIZE);
    }
    v->config_vector = VIRTIO_MSI_NO_VECTOR;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "vfio_user.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

/* Bytes of the fixed part that follows the header of a request. 0: unknown command. */
static const struct {
    uint8_t fixed;
    uint8_t max_fds;
    bool known;
    bool data; /* more may follow */
} layouts[] = {
    [VU_VERSION] = {sizeof(struct vu_version), 0, true, true},
    [VU_DMA_MAP] = {sizeof(struct vu_dma_map), 1, true, false},
    [VU_DMA_UNMAP] = {sizeof(struct vu_dma_unmap), 0, true, true},
    [VU_DEVICE_GET_INFO] = {sizeof(struct vu_device_info), 0, true, false},
    [VU_GET_REGION_INFO] = {sizeof(struct vu_region_info), 0, true, false},
    [VU_GET_IRQ_INFO] = {sizeof(struct vu_irq_info), 0, true, false},
    [VU_SET_IRQS] = {20 /* struct vu_irq_set */, VU_MAX_FDS, true, true},
    [VU_REGION_READ] = {sizeof(struct vu_region_access), 0, true, false},
    [VU_REGION_WRITE] = {sizeof(struct vu_region_access), 0, true, true},
    [VU_DMA_READ] = {sizeof(struct vu_dma_access), 0, true, true},
    [VU_DMA_WRITE] = {sizeof(struct vu_dma_access), 0, true, true},
    [VU_DEVICE_RESET] = {0, 0, true, false},
};

enum vu_verdict vu_check_header(const struct vu_header *header)
{
    unsigned type = header->flags & VU_TYPE_MASK;
    bool size_ok = header->size >= VU_HEADER_BYTES && header->size <= VU_MAX_MESSAGE;
    return size_ok && (type == VU_REQUEST || type == VU_REPLY) ? VU_OK : VU_CLOSE;
}

static bool version_ok(const struct vu_message *m)
{
    /* The capabilities are text and end in NUL; there may be none at all. */
    return m->data_bytes == 0 || memchr(m->data, 0, m->data_bytes) == m->data + m->data_bytes - 1;
}

static bool irqs_ok(const struct vu_message *m, unsigned descriptors)
{
    unsigned data = m->irqs.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
    unsigned action = m->irqs.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    bool one_each = __builtin_popcount(data) == 1 && __builtin_popcount(action) == 1;
    const uint32_t all = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
    bool no_rest = (m->irqs.flags & ~all) == 0;
    bool bytes = data == VFIO_IRQ_SET_DATA_BOOL ? m->data_bytes == m->irqs.count : m->data_bytes == 0;
    /* Descriptors come for all interrupts of the message, or for none: then they are taken away. */
    bool fds = data == VFIO_IRQ_SET_DATA_EVENTFD ? descriptors == 0 || descriptors == m->irqs.count
                                                 : descriptors == 0;
    return one_each && no_rest && bytes && fds;
}

static bool body_ok(const struct vu_message *m, unsigned descriptors)
{
    switch (m->header.command) {
    case VU_VERSION:
        return version_ok(m);
    case VU_SET_IRQS:
        return irqs_ok(m, descriptors);
    case VU_REGION_READ:
        return m->access.count <= VU_MAX_TRANSFER;
    case VU_REGION_WRITE:
        return m->access.count <= VU_MAX_TRANSFER && m->data_bytes == m->access.count;
    case VU_DMA_UNMAP:
        return m->data_bytes == 0 && !(m->unmap.flags & ~(uint32_t)VFIO_DMA_UNMAP_FLAG_ALL);
    default:
        return true;
    }
}

enum vu_verdict vu_parse(const uint8_t *bytes, size_t n, unsigned descriptors, struct vu_message *m,
                         int *error)
{
    memset(m, 0, sizeof *m);
    *error = EINVAL;
    memcpy(&m->header, bytes, sizeof m->header);
    unsigned command = m->header.command;
    bool reply = (m->header.flags & VU_TYPE_MASK) == VU_REPLY;
    size_t body = n - VU_HEADER_BYTES;

    if (command >= sizeof layouts / sizeof *layouts || !layouts[command].known) {
        *error = ENOTSUP;
        return VU_REFUSE;
    }
    if (reply && m->header.flags & VU_ERROR && body == 0) {
        return VU_OK;
    }
    size_t fixed = layouts[command].fixed;
    if (body < fixed || (body > fixed && !layouts[command].data)) {
        return VU_REFUSE;
    }
    memcpy(&m->version, bytes + VU_HEADER_BYTES, fixed);
    m->data = bytes + VU_HEADER_BYTES + fixed;
    m->data_bytes = body - fixed;
    if (reply) {
        return descriptors ? VU_REFUSE : VU_OK;
    }
    if (descriptors > layouts[command].max_fds || !body_ok(m, descriptors)) {
        return VU_REFUSE;
    }
    return VU_OK;
}

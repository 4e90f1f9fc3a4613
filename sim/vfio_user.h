/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vfio-user messages: their layout, and the checks that make a byte string one (QEMU's docs/interop,
 * vfio-user specification 0.0 as QEMU 11 speaks it: DMA messages carry a 64-bit count).
 *
 * Little endian, without padding. Nothing here does I/O.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vu_command {
    VU_VERSION = 1,
    VU_DMA_MAP = 2,
    VU_DMA_UNMAP = 3,
    VU_DEVICE_GET_INFO = 4,
    VU_GET_REGION_INFO = 5,
    VU_GET_REGION_IO_FDS = 6,
    VU_GET_IRQ_INFO = 7,
    VU_SET_IRQS = 8,
    VU_REGION_READ = 9,
    VU_REGION_WRITE = 10,
    VU_DMA_READ = 11,
    VU_DMA_WRITE = 12,
    VU_DEVICE_RESET = 13,
};

enum vu_flags {
    VU_TYPE_MASK = 0xf,
    VU_REQUEST = 0,
    VU_REPLY = 1,
    VU_NO_REPLY = 0x10,
    VU_ERROR = 0x20,
};

enum {
    VU_HEADER_BYTES = 16,
    VU_MAX_TRANSFER = 1 << 16,
    VU_MAX_MESSAGE = VU_MAX_TRANSFER + 64,
    VU_MAX_FDS = 8,
};

struct vu_header {
    uint16_t id;
    uint16_t command;
    uint32_t size; /* of the whole message */
    uint32_t flags;
    uint32_t error;
};

struct vu_version {
    uint16_t major;
    uint16_t minor;
};

struct vu_dma_map {
    uint32_t argsz;
    uint32_t flags; /* 1 read, 2 write */
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

struct vu_dma_unmap {
    uint32_t argsz;
    uint32_t flags; /* 2: everything */
    uint64_t address;
    uint64_t size;
};

struct vu_device_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t num_regions;
    uint32_t num_irqs;
};

struct vu_region_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t cap_offset;
    uint64_t size;
    uint64_t offset;
};

struct vu_irq_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t count;
};

struct vu_irq_set {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t start;
    uint32_t count;
};

struct vu_region_access {
    uint64_t offset;
    uint32_t region;
    uint32_t count;
};

struct vu_dma_access {
    uint64_t address;
    uint64_t count;
};

/* A message whose parts are where they should be. */
struct vu_message {
    struct vu_header header;
    union {
        struct vu_version version;
        struct vu_dma_map map;
        struct vu_dma_unmap unmap;
        struct vu_device_info info;
        struct vu_region_info region;
        struct vu_irq_info irq;
        struct vu_irq_set irqs;
        struct vu_region_access access;
        struct vu_dma_access dma;
    };
    const uint8_t *data; /* what follows the fixed part */
    size_t data_bytes;
};

enum vu_verdict {
    VU_OK,
    VU_REFUSE, /* answer with the error number; the stream is still in step */
    VU_CLOSE   /* the stream can't be trusted any more */
};

/* Whether a header can begin a message. */
enum vu_verdict vu_check_header(const struct vu_header *header);

/*
 * Takes a message apart. bytes: the whole message, as long as its header says. descriptors: how many came
 * with it. error: set when refused.
 * @pre n >= VU_HEADER_BYTES; vu_check_header said yes
 */
enum vu_verdict vu_parse(const uint8_t *bytes, size_t n, unsigned descriptors, struct vu_message *m,
                         int *error);

#endif

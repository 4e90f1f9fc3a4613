/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function's configuration space: bytes, and which of their bits software may change.
 *
 * Built once (config_init, config_add_*, config_seal), then read and written by DW.
 */
#ifndef CONFIG_SPACE_H
#define CONFIG_SPACE_H

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_BYTES = PCI_CFG_SPACE_EXP_SIZE, CONFIG_BARS = 6 };

struct config_identity {
    uint16_t vendor;
    uint16_t device;
    uint16_t subsystem_vendor;
    uint16_t subsystem;
    uint32_t class_code; /* 24 bits */
    uint8_t revision;
    uint8_t interrupt_pin; /* 0: none, 1: INTA … 4: INTD */
};

struct config_space {
    uint8_t bytes[CONFIG_BYTES];
    uint8_t initial[CONFIG_BYTES];
    uint8_t writable[CONFIG_BYTES];
    uint8_t write_one_clears[CONFIG_BYTES];
    uint16_t free;     /* where the next capability goes */
    uint16_t previous; /* the byte that will point to it */
    uint16_t pcie;     /* offset of the PCI Express capability */
    uint64_t bar_size[CONFIG_BARS];
};

void config_init(struct config_space *c, const struct config_identity *identity);

/*
 * A memory BAR. A 64-bit one takes index and index + 1.
 * @pre size is a power of two, at least 16
 */
void config_add_bar(struct config_space *c, unsigned index, uint64_t size, bool is_64bit, bool prefetchable);

/* Room for a capability of so many bytes, chained; its offset. @pre it fits below 256 */
uint16_t config_add_capability(struct config_space *c, uint8_t id, unsigned bytes);

/* The PCI Express capability of an endpoint that can FLR. max_payload: 128, 256 or 512 bytes. */
void config_add_pcie(struct config_space *c, unsigned max_payload);

/* What is there now is what a reset restores. */
void config_seal(struct config_space *c);
void config_reset(struct config_space *c);

/* Values as the CPU sees them. @pre offset + width lies within the space */
uint16_t config_get16(const struct config_space *c, unsigned offset);
uint32_t config_get32(const struct config_space *c, unsigned offset);
void config_put16(struct config_space *c, unsigned offset, uint16_t value);
void config_put32(struct config_space *c, unsigned offset, uint32_t value);
void config_allow32(struct config_space *c, unsigned offset, uint32_t writable);

/* A write as software makes it: byte enables, and only the writable bits. @pre reg is a multiple of 4 */
void config_write(struct config_space *c, unsigned reg, uint32_t value, unsigned byte_enables);

/* The address a BAR decodes; false while it decodes none (memory space off, upper half of another). */
bool config_bar_base(const struct config_space *c, unsigned index, uint64_t *base);

/* Max_Payload_Size (within what the function can) and Max_Read_Request_Size as software set them, bytes. */
unsigned config_max_payload(const struct config_space *c);
unsigned config_max_read_request(const struct config_space *c);
bool config_bus_master(const struct config_space *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "config_space.h"

#include <string.h>

enum { HEADER_BYTES = 0x40, PCIE_BYTES = 0x3c };

uint16_t config_get16(const struct config_space *c, unsigned offset)
{
    return (uint16_t)(c->bytes[offset] | c->bytes[offset + 1] << 8);
}

uint32_t config_get32(const struct config_space *c, unsigned offset)
{
    return config_get16(c, offset) | (uint32_t)config_get16(c, offset + 2) << 16;
}

void config_put16(struct config_space *c, unsigned offset, uint16_t value)
{
    c->bytes[offset] = (uint8_t)value;
    c->bytes[offset + 1] = (uint8_t)(value >> 8);
}

void config_put32(struct config_space *c, unsigned offset, uint32_t value)
{
    config_put16(c, offset, (uint16_t)value);
    config_put16(c, offset + 2, (uint16_t)(value >> 16));
}

void config_allow32(struct config_space *c, unsigned offset, uint32_t writable)
{
    for (unsigned i = 0; i < 4; i++) {
        c->writable[offset + i] = (uint8_t)(writable >> 8 * i);
    }
}

void config_init(struct config_space *c, const struct config_identity *identity)
{
    memset(c, 0, sizeof *c);
    config_put16(c, PCI_VENDOR_ID, identity->vendor);
    config_put16(c, PCI_DEVICE_ID, identity->device);
    config_put32(c, PCI_CLASS_REVISION, identity->class_code << 8 | identity->revision);
    config_put16(c, PCI_SUBSYSTEM_VENDOR_ID, identity->subsystem_vendor);
    config_put16(c, PCI_SUBSYSTEM_ID, identity->subsystem);
    c->bytes[PCI_INTERRUPT_PIN] = identity->interrupt_pin;
    c->bytes[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_NORMAL | PCI_HEADER_TYPE_MFD;
    config_put16(c, PCI_STATUS, PCI_STATUS_CAP_LIST);
    /* SERR and parity response can be set, and do nothing here. */
    config_allow32(c, PCI_COMMAND,
                   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                       PCI_COMMAND_INTX_DISABLE);
    c->writable[PCI_CACHE_LINE_SIZE] = 0xff;
    c->writable[PCI_INTERRUPT_LINE] = 0xff;
    c->free = HEADER_BYTES;
    c->previous = PCI_CAPABILITY_LIST;
}

void config_add_bar(struct config_space *c, unsigned index, uint64_t size, bool is_64bit, bool prefetchable)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * index;
    uint64_t mask = ~(size - 1);
    config_put32(c, offset,
                 (is_64bit ? PCI_BASE_ADDRESS_MEM_TYPE_64 : PCI_BASE_ADDRESS_MEM_TYPE_32) |
                     (prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0u));
    config_allow32(c, offset, (uint32_t)mask);
    if (is_64bit) {
        config_allow32(c, offset + 4, (uint32_t)(mask >> 32));
    }
    c->bar_size[index] = size;
}

uint16_t config_add_capability(struct config_space *c, uint8_t id, unsigned bytes)
{
    uint16_t offset = c->free;
    c->bytes[c->previous] = (uint8_t)offset;
    c->bytes[offset + PCI_CAP_LIST_ID] = id;
    c->previous = offset + PCI_CAP_LIST_NEXT;
    c->free = (uint16_t)((offset + bytes + 3) & ~3u);
    return offset;
}

/* The codes of payload and read request sizes: 0 is 128 bytes, each more doubles. */
static unsigned size_code(unsigned bytes)
{
    return (unsigned)__builtin_ctz(bytes) - 7;
}

void config_add_pcie(struct config_space *c, unsigned max_payload)
{
    uint16_t at = config_add_capability(c, PCI_CAP_ID_EXP, PCIE_BYTES);
    c->pcie = at;
    config_put16(c, at + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
    config_put32(c, at + PCI_EXP_DEVCAP,
                 size_code(max_payload) | PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
    config_put16(c, at + PCI_EXP_DEVCTL, (uint16_t)(PCI_EXP_DEVCTL_RELAX_EN | size_code(512) << 12));
    config_allow32(c, at + PCI_EXP_DEVCTL,
                   PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
                       PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG |
                       PCI_EXP_DEVCTL_READRQ);
    config_put32(c, at + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1u << 4);
    config_put16(c, at + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1);
    config_allow32(c, at + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC);
    config_put32(c, at + PCI_EXP_LNKCAP2, PCI_EXP_LNKCAP2_SLS_2_5GB);
    config_put16(c, at + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS_2_5GT);
}

void config_seal(struct config_space *c)
{
    memcpy(c->initial, c->bytes, sizeof c->initial);
}

void config_reset(struct config_space *c)
{
    memcpy(c->bytes, c->initial, sizeof c->bytes);
}

void config_write(struct config_space *c, unsigned reg, uint32_t value, unsigned byte_enables)
{
    for (unsigned i = 0; i < 4; i++) {
        if (byte_enables >> i & 1) {
            uint8_t *byte = &c->bytes[reg + i], in = (uint8_t)(value >> 8 * i);
            uint8_t mask = c->writable[reg + i];
            *byte = (uint8_t)((*byte & ~mask) | (in & mask));
            *byte &= (uint8_t)~(in & c->write_one_clears[reg + i]);
        }
    }
}

bool config_bar_base(const struct config_space *c, unsigned index, uint64_t *base)
{
    if (!c->bar_size[index] || !(c->bytes[PCI_COMMAND] & PCI_COMMAND_MEMORY)) {
        return false;
    }
    uint32_t low = config_get32(c, PCI_BASE_ADDRESS_0 + 4 * index);
    *base = low & PCI_BASE_ADDRESS_MEM_MASK;
    if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64) {
        *base |= (uint64_t)config_get32(c, PCI_BASE_ADDRESS_0 + 4 * index + 4) << 32;
    }
    return true;
}

unsigned config_max_payload(const struct config_space *c)
{
    unsigned set = (config_get32(c, c->pcie + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_PAYLOAD) >> 5;
    unsigned can = config_get32(c, c->pcie + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_PAYLOAD;
    return 128u << (set < can ? set : can);
}

unsigned config_max_read_request(const struct config_space *c)
{
    unsigned set = (config_get32(c, c->pcie + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_READRQ) >> 12;
    return 128u << (set < 5 ? set : 5); /* 6 and 7 are reserved */
}

bool config_bus_master(const struct config_space *c)
{
    return c->bytes[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

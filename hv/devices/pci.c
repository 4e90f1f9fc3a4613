/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pci.h"

#define ADDRESS_ENABLE 0x80000000u

/* 1b36:0008, the generic host bridge that firmware and systems know; no BARs, nothing to write. */
static const uint8_t bridge_config[64] = {
    [0x00] = 0x36, 0x1b, 0x08, 0x00, /* vendor, device */
    [0x08] = 0x01, 0x00, 0x00, 0x06, /* revision; class: host bridge */
};

static uint32_t bridge_read(void *self, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    (void)self;
    if (offset + size <= sizeof bridge_config)
        memcpy(&value, bridge_config + offset, size);
    return value;
}

static void bridge_write(void *self, uint32_t offset, unsigned size, uint32_t value)
{
    (void)self;
    (void)offset;
    (void)size;
    (void)value;
}

static const struct pci_function bridge = {.read = bridge_read, .write = bridge_write};

/* Accesses that are not aligned to their size do not exist on the bus: they are taken apart into bytes. */
static uint32_t config_read(struct pci *pci, unsigned slot, unsigned function, uint32_t offset, unsigned size)
{
    const struct pci_function *f = function == 0 ? pci->slot[slot].function : 0;
    uint32_t value = 0;
    if (!f || offset + size > PCI_CONFIG_BYTES)
        return ~0u;
    if (!(offset & (size - 1)))
        return f->read(pci->slot[slot].self, offset, size);
    for (unsigned i = 0; i < size; i++)
        value |= (f->read(pci->slot[slot].self, offset + i, 1) & 0xff) << 8 * i;
    return value;
}

static void config_write(struct pci *pci, unsigned slot, unsigned function, uint32_t offset, unsigned size,
                         uint32_t value)
{
    const struct pci_function *f = function == 0 ? pci->slot[slot].function : 0;
    if (!f || offset + size > PCI_CONFIG_BYTES)
        return;
    if (!(offset & (size - 1))) {
        f->write(pci->slot[slot].self, offset, size, value);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        f->write(pci->slot[slot].self, offset + i, 1, value >> 8 * i & 0xff);
}

/* ---- ports: bus 23:16, slot 15:11, function 10:8, register 7:2 --------------------------------- */

/* Only a 32-bit access reaches the address register (PCI 3.0, 3.2.2.3.2); a byte at 0xcf9 is the reset
 * register. */
static uint64_t address_read(void *device, uint64_t offset, unsigned size)
{
    const struct pci *pci = device;
    if (offset == RESET_PORT - PCI_ADDRESS_PORT && size == 1 && pci->pc_reset)
        return pc_reset_control(pci->pc_reset);
    return offset == 0 && size == 4 ? pci->address : ~0ull;
}

static void address_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci *pci = device;
    if (offset == RESET_PORT - PCI_ADDRESS_PORT && size == 1 && pci->pc_reset)
        pc_reset_set_control(pci->pc_reset, (uint8_t)value);
    else if (offset == 0 && size == 4)
        pci->address = (uint32_t)value & 0x80fffffc;
}

static bool addressed(const struct pci *pci)
{
    return pci->address & ADDRESS_ENABLE && (pci->address >> 16 & 0xff) == 0;
}

static uint64_t data_read(void *device, uint64_t offset, unsigned size)
{
    struct pci *pci = device;
    const uint32_t at = pci->address;
    if (!addressed(pci))
        return ~0ull;
    return config_read(pci, at >> 11 & 31, at >> 8 & 7, (at & 0xfc) + (uint32_t)offset, size);
}

static void data_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci *pci = device;
    const uint32_t at = pci->address;
    if (addressed(pci))
        config_write(pci, at >> 11 & 31, at >> 8 & 7, (at & 0xfc) + (uint32_t)offset, size, (uint32_t)value);
}

/* ---- ECAM: slot 19:15, function 14:12, register 11:0 ------------------------------------------- */

static uint64_t ecam_read(void *device, uint64_t offset, unsigned size)
{
    const uint32_t at = (uint32_t)offset & (PCI_CONFIG_BYTES - 1);
    const unsigned slot = offset >> 15 & 31, function = offset >> 12 & 7;
    if (size < 8)
        return config_read(device, slot, function, at, size);
    return config_read(device, slot, function, at, 4) |
           (uint64_t)config_read(device, slot, function, at + 4, 4) << 32;
}

static void ecam_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    const uint32_t at = (uint32_t)offset & (PCI_CONFIG_BYTES - 1);
    const unsigned slot = offset >> 15 & 31, function = offset >> 12 & 7;
    config_write(device, slot, function, at, size < 8 ? size : 4, (uint32_t)value);
    if (size == 8)
        config_write(device, slot, function, at + 4, 4, (uint32_t)(value >> 32));
}

static void reset(void *device)
{
    struct pci *pci = device;
    pci->address = 0;
    for (unsigned i = 0; i < PCI_SLOTS; i++)
        if (pci->slot[i].function && pci->slot[i].function->reset)
            pci->slot[i].function->reset(pci->slot[i].self);
}

static const struct device_ops address_ops = {
    .name = "pci-address",
    .read = address_read,
    .write = address_write,
    .reset = reset,
};
static const struct device_ops data_ops = {.name = "pci-data", .read = data_read, .write = data_write};
static const struct device_ops ecam_ops = {.name = "pci-ecam", .read = ecam_read, .write = ecam_write};

int pci_add(struct pci *pci, struct pc_reset *pc_reset, struct bus *ports, struct bus *space)
{
    *pci = (struct pci){.pc_reset = pc_reset};
    pci_plug(pci, 0, &bridge, pci);
    int result = bus_add(ports, PCI_ADDRESS_PORT, 4, &address_ops, pci);
    if (!result)
        result = bus_add(ports, PCI_DATA_PORT, 4, &data_ops, pci);
    return result ? result : bus_add(space, PCI_ECAM, PCI_ECAM_BYTES, &ecam_ops, pci);
}

bool pci_plug(struct pci *pci, unsigned slot, const struct pci_function *function, void *self)
{
    if (slot >= PCI_SLOTS || pci->slot[slot].function)
        return false;
    pci->slot[slot].function = function;
    pci->slot[slot].self = self;
    return true;
}

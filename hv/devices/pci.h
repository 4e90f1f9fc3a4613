/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space of an LPAR: one segment, bus 0, a host bridge, and functions that others put into
 * slots; by ports 0xcf8/0xcfc and by ECAM. What is not there reads all ones, as on a bus where nobody
 * answers.
 */
#ifndef PCI_H
#define PCI_H

#include "device.h"
#include "pc_reset.h"

#define PCI_ADDRESS_PORT 0xcf8u
#define PCI_DATA_PORT    0xcfcu
#define PCI_SLOTS        32u
#define PCI_CONFIG_BYTES 4096u
#define PCI_ECAM         0xe0000000ull
#define PCI_ECAM_BYTES   (PCI_SLOTS * 8u * PCI_CONFIG_BYTES) /* bus 0 only */

/* A function: always function 0 of its slot. offset is aligned to size, size 1, 2 or 4. */
struct pci_function {
    uint32_t (*read)(void *self, uint32_t offset, unsigned size);
    void (*write)(void *self, uint32_t offset, unsigned size, uint32_t value);
    void (*reset)(void *self); /* may be null */
};

struct pci {
    struct pc_reset *pc_reset; /* 0xcf9, byte accesses; may be null */
    uint32_t address;          /* last write to 0xcf8 */
    struct {
        const struct pci_function *function;
        void *self;
    } slot[PCI_SLOTS];
};

int pci_add(struct pci *pci, struct pc_reset *pc_reset, struct bus *ports, struct bus *space);

/* False: the slot is taken or does not exist. Slot 0 is the host bridge's. */
bool pci_plug(struct pci *pci, unsigned slot, const struct pci_function *function, void *self);

#endif

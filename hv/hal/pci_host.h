/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's PCI functions: how configuration space and BARs are reached.
 *
 * On metal by ECAM; a test brings a machine of its own. Functions are named as requester IDs are: bus 15:8,
 * device 7:3, function 2:0, all of segment 0.
 */
#ifndef PCI_HOST_H
#define PCI_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Accesses are aligned to their size: 1, 2, 4; in BARs 8, too. Nobody there: reads all ones. */
struct pci_host {
    uint32_t (*read)(void *self, uint16_t id, uint32_t offset, unsigned size);
    void (*write)(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value);
    uint64_t (*load)(void *self, uint64_t address, unsigned size);
    void (*store)(void *self, uint64_t address, unsigned size, uint64_t value);
    void (*wait_us)(void *self, uint64_t us);
    void *self;
    uint8_t last_bus;
};

#define PCI_ID(bus, device, function)                                                                        \
    ((uint16_t)((unsigned)(bus) << 8 | (unsigned)(device) << 3 | (unsigned)(function)))
#define PCI_NO_ID 0xffffu /* of nobody: bus 255 has no such bridge above it */

enum { PCI_BARS = 6 };

struct pci_bar {
    uint64_t address, size; /* size 0: there is none, or it is of ports */
    bool wide, prefetchable;
};

struct pci_host_function {
    uint16_t id;
    uint16_t bridge; /* whose secondary bus it is on; PCI_NO_ID: none's */
    uint16_t vendor, device;
    uint32_t class_code;
    bool is_bridge;
    uint8_t pin;                    /* 0: none, 1: INTA */
    uint8_t msi, msix, pcie, power; /* where the capabilities are, 0: nowhere */
    struct pci_bar bar[PCI_BARS];   /* known after pci_tree_size() */
};

#endif

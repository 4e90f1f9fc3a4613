/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's functions as the firmware left them: buses behind bridges, BARs, capabilities. */
#ifndef PCI_TREE_H
#define PCI_TREE_H

#include "pci_host.h"

#define PCI_TREE_FUNCTIONS 128u

struct pci_tree {
    const struct pci_host *host;
    unsigned count;
    unsigned left_out; /* found, but no place here */
    struct pci_host_function function[PCI_TREE_FUNCTIONS];
};

/* Finds all that are on bus 0 and below its bridges. */
void pci_tree_read(struct pci_tree *tree, const struct pci_host *host);

/* Null: not there. */
struct pci_host_function *pci_tree_find(struct pci_tree *tree, uint16_t id);

/* Fills in the BARs, for which their decoding is off for a moment. @pre nobody uses the function */
void pci_tree_size(const struct pci_tree *tree, struct pci_host_function *function);

/*
 * Function-level reset, where the function has it; then all is as after power-on, but the BARs are where they
 * were. False: it has none, or does not come back.
 */
bool pci_function_reset(const struct pci_host *host, const struct pci_host_function *function);

/* Where a capability is, 0: it has none. */
uint8_t pci_find_capability(const struct pci_host *host, uint16_t id, uint8_t capability);

#endif

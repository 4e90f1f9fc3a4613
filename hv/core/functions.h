/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's PCI functions, and which of them an LPAR can have. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "partition.h"
#include "pci_tree.h"

struct functions {
    struct pci_tree tree;
    const struct pci_host_function *relay; /* null: there is none */
    /* Whether a range meets memory of the machine, where no BAR can be; null: not known. */
    bool (*is_memory)(void *owner, uint64_t start, uint64_t end);
    void *owner;
};

extern struct functions functions;

/* Finds all there are; host null: none can be reached. All but bridges are silenced: what no LPAR has, has
 * neither interrupts nor writes. */
void functions_read(const struct pci_host *host);

/* Why no LPAR can have it, or null. */
const char *functions_refusal(const struct partition_function *function);

/* The function, its BARs known. @pre functions_refusal() is null */
const struct pci_host_function *functions_take(const struct partition_function *function);

/* BB:DD.F; size of text at least 8 */
void functions_name(uint16_t id, char text[8]);

#endif

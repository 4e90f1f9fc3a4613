/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's PCI functions that an LPAR has. */
#ifndef LPAR_PCI_H
#define LPAR_PCI_H

#include "pci_pass.h"

struct lpar;

#define LPAR_FUNCTIONS 16u /* in slots 1 … 16 */

struct lpar_functions {
    unsigned count;
    const struct pci_host *host;
    const struct pci_host_function *function[LPAR_FUNCTIONS];
    bool dedicated[LPAR_FUNCTIONS];
};

struct lpar_pci {
    unsigned count;
    struct pci_pass *pass[LPAR_FUNCTIONS];
    uint64_t aperture; /* BARs are between this and PCI_ECAM; 0: there are none */
    uint32_t lines;    /* bit per slot: the function's virtual line is up */
    bool refused;      /* a function was to master the bus and may not, for a reason that holds for all */
};

/* 0, or negative with the reason on the log. @pre the devices are on their buses, nested tables have a root
 */
int lpar_pci_add(struct lpar *lpar, const struct lpar_functions *functions);

/* The virtual line of a function; functions that share an input are ORed. @pre device lock held */
void lpar_pci_line(struct lpar *lpar, const struct pci_pass *pass, bool high);

/* The input of the LPAR's I/O APIC that its line goes to. */
unsigned lpar_pci_gsi(const struct pci_pass *pass);

/* Bit per slot of a function with an interrupt pin. */
uint32_t lpar_pci_slots(const struct lpar *lpar);

#endif

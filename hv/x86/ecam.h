/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's PCI functions by ECAM (PCI Firmware 3.3, 4.1.2): segment 0. */
#ifndef ECAM_H
#define ECAM_H

#include "acpi.h"
#include "pci_host.h"

/* Null with the reason on the log: there is no ECAM. @pre paging_host_extend() */
const struct pci_host *ecam_init(const struct acpi *acpi);

#endif

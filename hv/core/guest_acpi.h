/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables that tell a guest what its LPAR is: RSDP, XSDT, FADT, FACS, DSDT, MADT, MCFG (ACPI 6.5 chapter
 * 5).
 *
 * No 8259: the MADT says so, and guests use the I/O APIC from the start.
 */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_ACPI_UARTS 4u
/* Where a guest that is not told looks for the RSDP: 0xe0000 … 0xfffff, at multiples of 16. */
#define GUEST_ACPI_GPA   0xe0000u
#define GUEST_ACPI_BYTES 0x10000u

struct guest_acpi {
    unsigned cpus;
    const uint32_t *apic_id; /* of each CPU */
    unsigned uarts;
    struct {
        uint16_t port;
        uint32_t gsi;
    } uart[GUEST_ACPI_UARTS];
    uint32_t pci_slots; /* bit per slot with a function that has an interrupt pin */
    uint32_t pci_first; /* first address for BARs, below the ECAM; 0: none */
};

#define GUEST_ACPI_PCI_GSI_FIRST 16u
#define GUEST_ACPI_PCI_GSIS      8u

/* GSI of pin 1 … 4 (INTA … INTD) of a slot of bus 0. */
static inline uint32_t guest_acpi_pci_gsi(unsigned slot, unsigned pin)
{
    return GUEST_ACPI_PCI_GSI_FIRST + (slot + pin - 1) % GUEST_ACPI_PCI_GSIS;
}

/*
 * Writes the tables to `memory`, which the guest sees at `gpa`; the RSDP comes first. Returns the bytes used,
 * 0 when size is too small. @pre gpa is a multiple of 64 below 4 GiB, cpus >= 1
 */
size_t guest_acpi_write(const struct guest_acpi *config, uint8_t *memory, size_t size, uint64_t gpa);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firmware's ACPI tables say about the machine. Tables are checked (length, checksum) before use. */
#ifndef ACPI_H
#define ACPI_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_CPUS      256u
#define ACPI_IOAPICS   16u
#define ACPI_OVERRIDES 24u
#define ACPI_ECAMS     8u

struct acpi_ioapic {
    uint8_t id;
    uint32_t address, gsi_base;
};

struct acpi_override {
    uint8_t irq;
    uint32_t gsi;
    bool active_low, level;
};

struct acpi_ecam {
    uint64_t address;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

struct acpi {
    char oem[7];
    unsigned cpus, ioapics, overrides, ecams;
    uint32_t cpu[ACPI_CPUS]; /* APIC ids of enabled CPUs */
    struct acpi_ioapic ioapic[ACPI_IOAPICS];
    struct acpi_override override[ACPI_OVERRIDES];
    struct acpi_ecam ecam[ACPI_ECAMS];
    uint16_t pm_timer; /* I/O port, 0: none */
    uint8_t pm_timer_bits;
    uint8_t nmi_lints; /* a bit for each of the LINT pins that bring NMIs to some CPU */
    bool has_dmar, has_ivrs, has_hpet;
};

/* rsdp: its address, or 0 to search for it where BIOSes put it. False: there is none, and *acpi is empty. */
bool acpi_read(struct acpi *acpi, uint64_t rsdp);

#endif

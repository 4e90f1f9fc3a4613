/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's I/O APICs: every input is masked, but those that the hypervisor itself needs. */
#ifndef IOAPIC_HOST_H
#define IOAPIC_HOST_H

#include "acpi.h"

#include <stdbool.h>
#include <stdint.h>

void ioapic_host_init(const struct acpi *acpi);

/* An ISA interrupt line goes to a CPU as the vector. False: no I/O APIC has that input, or the CPU cannot be
 * named. */
bool ioapic_host_route_isa(unsigned irq, uint32_t apic_id, uint8_t vector);

/*
 * An input of PCI's kind (level, active low) goes to a CPU; false as above. Masking is without effect on an
 * input that is not there.
 */
bool ioapic_host_route(unsigned gsi, uint32_t apic_id, uint8_t vector);
void ioapic_host_mask(unsigned gsi, bool masked);

#endif

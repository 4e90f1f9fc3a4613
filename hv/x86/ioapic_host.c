/* SPDX-License-Identifier: BSD-2-Clause */
#include "ioapic_host.h"

#include "lock.h"

/* Intel 82093AA: an index and a data register; entries of 64 bits from index 0x10 on. */
enum { SELECT = 0x00 / 4, WINDOW = 0x10 / 4, INDEX_VERSION = 0x01, INDEX_ENTRIES = 0x10 };
enum { ENTRY_ACTIVE_LOW = 1 << 13, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16 };

static const struct acpi *tables;
static struct lock lock; /* of the index registers, once CPUs mask inputs */

static uint32_t read(volatile uint32_t *base, uint32_t index)
{
    base[SELECT] = index;
    return base[WINDOW];
}

static void write(volatile uint32_t *base, uint32_t index, uint32_t value)
{
    base[SELECT] = index;
    base[WINDOW] = value;
}

static volatile uint32_t *base_of(const struct acpi_ioapic *ioapic)
{
    return (volatile uint32_t *)(uintptr_t)ioapic->address;
}

static unsigned inputs(const struct acpi_ioapic *ioapic)
{
    return (read(base_of(ioapic), INDEX_VERSION) >> 16 & 0xff) + 1;
}

void ioapic_host_init(const struct acpi *acpi)
{
    tables = acpi;
    for (unsigned i = 0; i < acpi->ioapics; i++)
        for (unsigned input = 0; input < inputs(&acpi->ioapic[i]); input++)
            write(base_of(&acpi->ioapic[i]), INDEX_ENTRIES + 2 * input, ENTRY_MASKED);
}

static const struct acpi_ioapic *ioapic_of(unsigned gsi)
{
    for (unsigned i = 0; i < tables->ioapics; i++)
        if (gsi - tables->ioapic[i].gsi_base < inputs(&tables->ioapic[i]))
            return &tables->ioapic[i];
    return 0;
}

static bool route(unsigned gsi, uint32_t apic_id, uint32_t low)
{
    const struct acpi_ioapic *ioapic = ioapic_of(gsi);
    uint32_t index;

    if (!ioapic)
        return false;
    index = INDEX_ENTRIES + 2 * (gsi - ioapic->gsi_base);
    write(base_of(ioapic), index, ENTRY_MASKED);
    write(base_of(ioapic), index + 1, apic_id << 24);
    write(base_of(ioapic), index, low);
    return true;
}

bool ioapic_host_route_isa(unsigned irq, uint32_t apic_id, uint8_t vector)
{
    uint32_t gsi = irq, flags = 0;

    if (apic_id > 0xff)
        return false; /* beyond what an entry can name without interrupt remapping */
    for (unsigned i = 0; i < tables->overrides; i++)
        if (tables->override[i].irq == irq) {
            gsi = tables->override[i].gsi;
            flags = (tables->override[i].active_low ? ENTRY_ACTIVE_LOW : 0u) |
                    (tables->override[i].level ? ENTRY_LEVEL : 0u);
        }
    return route(gsi, apic_id, flags | vector);
}

bool ioapic_host_route(unsigned gsi, uint32_t apic_id, uint8_t vector)
{
    return apic_id <= 0xff && route(gsi, apic_id, ENTRY_LEVEL | ENTRY_ACTIVE_LOW | vector);
}

void ioapic_host_mask(unsigned gsi, bool masked)
{
    const struct acpi_ioapic *ioapic = ioapic_of(gsi);
    uint32_t index;

    if (!ioapic)
        return;
    lock_take(&lock);
    index = INDEX_ENTRIES + 2 * (gsi - ioapic->gsi_base);
    write(base_of(ioapic), index,
          (read(base_of(ioapic), index) & ~(uint32_t)ENTRY_MASKED) | (masked ? (uint32_t)ENTRY_MASKED : 0));
    lock_release(&lock);
}

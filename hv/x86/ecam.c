/* SPDX-License-Identifier: BSD-2-Clause */
#include "ecam.h"

#include "log.h"
#include "paging_host.h"
#include "time_host.h"

static uint64_t base;
static struct pci_host host;

/* ---- accesses: all are volatile, uncached by the firmware's MTRRs ---- */

static uint64_t load(void *self, uint64_t address, unsigned size)
{
    const volatile void *at = (const volatile void *)address;

    (void)self;
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)at;
    case 2:
        return *(const volatile uint16_t *)at;
    case 4:
        return *(const volatile uint32_t *)at;
    default:
        return *(const volatile uint64_t *)at;
    }
}

static void store(void *self, uint64_t address, unsigned size, uint64_t value)
{
    volatile void *at = (volatile void *)address;

    (void)self;
    switch (size) {
    case 1:
        *(volatile uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(volatile uint64_t *)at = value;
    }
}

static uint32_t read(void *self, uint16_t id, uint32_t offset, unsigned size)
{
    return (uint32_t)load(self, base + ((uint64_t)id << 12) + offset, size);
}

static void write(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    store(self, base + ((uint64_t)id << 12) + offset, size, value);
}

static void wait_us(void *self, uint64_t us)
{
    (void)self;
    time_wait_us(us);
}

const struct pci_host *ecam_init(const struct acpi *acpi)
{
    for (unsigned i = 0; i < acpi->ecams; i++) {
        const struct acpi_ecam *ecam = &acpi->ecam[i];

        if (ecam->segment != 0 || ecam->first_bus != 0)
            continue;
        base = ecam->address;
        if (!paging_host_map(base, ((uint64_t)ecam->last_bus + 1) << 20)) {
            log_line("pci: the ECAM at %lx cannot be mapped", base);
            return 0;
        }
        host = (struct pci_host){.read = read,
                                 .write = write,
                                 .load = load,
                                 .store = store,
                                 .wait_us = wait_us,
                                 .last_bus = ecam->last_bus};
        return &host;
    }
    return 0;
}

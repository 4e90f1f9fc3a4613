/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi.h"

#include "log.h"
#include "paging_host.h"

#include <string.h>

/* ACPI 6.5: 5.2.5 RSDP, 5.2.6 header, 5.2.9 FADT, 5.2.12 MADT; PCI Firmware 3.3: 4.1.2 MCFG. */

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
};
enum { RSDP_V1_BYTES = 20 };

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
};

struct __attribute__((packed)) madt {
    struct table table;
    uint32_t lapic_address, flags;
};

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_NMI = 4,
    MADT_X2APIC = 9,
    MADT_X2APIC_NMI = 10
};
enum { MADT_CPU_ENABLED = 1 };

struct __attribute__((packed)) madt_entry {
    uint8_t type, length;
    union {
        struct __attribute__((packed)) {
            uint8_t acpi_id, apic_id;
            uint32_t flags;
        } lapic;
        struct __attribute__((packed)) {
            uint8_t id, reserved;
            uint32_t address, gsi_base;
        } ioapic;
        struct __attribute__((packed)) {
            uint8_t bus, irq;
            uint32_t gsi;
            uint16_t flags;
        } override;
        struct __attribute__((packed)) {
            uint16_t reserved;
            uint32_t apic_id, flags, acpi_id;
        } x2apic;
        struct __attribute__((packed)) {
            uint8_t acpi_id;
            uint16_t flags;
            uint8_t lint;
        } nmi;
        struct __attribute__((packed)) {
            uint16_t flags;
            uint32_t acpi_id;
            uint8_t lint;
        } x2apic_nmi;
    };
};

struct __attribute__((packed)) mcfg_entry {
    uint64_t address;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
enum { MCFG_HEADER = 44 };

enum { FADT_PM_TIMER = 76, FADT_FLAGS = 112, FADT_X_PM_TIMER = 208, FADT_FLAG_TIMER_32 = 1 << 8 };

static bool sums_up(const void *data, uint32_t length)
{
    const uint8_t *byte = data;
    uint8_t sum = 0;

    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + byte[i]);
    return sum == 0;
}

static const struct table *table_at(uint64_t address)
{
    const struct table *table = (const struct table *)address;

    if (!address || !paging_host_maps(address, sizeof *table) || table->length < sizeof *table ||
        table->length > 1 << 20 || !paging_host_maps(address, table->length)) {
        log_line("acpi: a table at %lx lies outside memory", address);
        return 0;
    }
    if (!sums_up(table, table->length)) {
        log_line("acpi: bad checksum of table %c%c%c%c", table->signature[0], table->signature[1],
                 table->signature[2], table->signature[3]);
        return 0;
    }
    return table;
}

static uint64_t search(uint64_t start, uint64_t end)
{
    for (; start + sizeof(struct rsdp) <= end; start += 16)
        if (memcmp((const void *)start, "RSD PTR ", 8) == 0 && sums_up((const void *)start, RSDP_V1_BYTES))
            return start;
    return 0;
}

static uint64_t search_rsdp(void)
{
    const volatile uint16_t *ebda_segment = (const volatile uint16_t *)(uintptr_t)0x40e;
    uint64_t ebda = (uint64_t)*ebda_segment << 4, found = 0;

    if (ebda >= 0x80000 && ebda < 0xa0000)
        found = search(ebda, ebda + 1024);
    return found ? found : search(0xe0000, 0x100000);
}

static void add_cpu(struct acpi *acpi, uint32_t apic_id, uint32_t flags)
{
    if (!(flags & MADT_CPU_ENABLED))
        return;
    for (unsigned i = 0; i < acpi->cpus; i++)
        if (acpi->cpu[i] == apic_id)
            return; /* firmware lists small ids twice, as LAPIC and as x2APIC */
    if (acpi->cpus < ACPI_CPUS)
        acpi->cpu[acpi->cpus++] = apic_id;
    else
        log_line("acpi: more than %u CPUs, APIC id %u is not used", ACPI_CPUS, apic_id);
}

static void read_madt(struct acpi *acpi, const struct table *table)
{
    for (uint32_t at = sizeof(struct madt); at + 2 <= table->length;) {
        const struct madt_entry *e = (const void *)((const uint8_t *)table + at);

        if (e->length < 2 || at + e->length > table->length)
            break;
        at += e->length;
        if (e->type == MADT_LAPIC && e->length >= 8) {
            add_cpu(acpi, e->lapic.apic_id, e->lapic.flags);
        } else if (e->type == MADT_X2APIC && e->length >= 16) {
            add_cpu(acpi, e->x2apic.apic_id, e->x2apic.flags);
        } else if (e->type == MADT_IOAPIC && e->length >= 12 && acpi->ioapics < ACPI_IOAPICS) {
            acpi->ioapic[acpi->ioapics++] = (struct acpi_ioapic){
                .id = e->ioapic.id, .address = e->ioapic.address, .gsi_base = e->ioapic.gsi_base};
        } else if (e->type == MADT_NMI && e->length >= 6) {
            acpi->nmi_lints |= (uint8_t)(1 << (e->nmi.lint & 1));
        } else if (e->type == MADT_X2APIC_NMI && e->length >= 9) {
            acpi->nmi_lints |= (uint8_t)(1 << (e->x2apic_nmi.lint & 1));
        } else if (e->type == MADT_OVERRIDE && e->length >= 10 && acpi->overrides < ACPI_OVERRIDES) {
            acpi->override[acpi->overrides++] =
                (struct acpi_override){.irq = e->override.irq,
                                       .gsi = e->override.gsi,
                                       .active_low = (e->override.flags & 3) == 3,
                                       .level = (e->override.flags >> 2 & 3) == 3};
        }
    }
}

static void read_mcfg(struct acpi *acpi, const struct table *table)
{
    const uint8_t *base = (const uint8_t *)table;

    for (uint32_t at = MCFG_HEADER;
         at + sizeof(struct mcfg_entry) <= table->length && acpi->ecams < ACPI_ECAMS;
         at += sizeof(struct mcfg_entry)) {
        const struct mcfg_entry *e = (const void *)(base + at);

        acpi->ecam[acpi->ecams++] = (struct acpi_ecam){
            .address = e->address, .segment = e->segment, .first_bus = e->first_bus, .last_bus = e->last_bus};
    }
}

static uint32_t read32(const struct table *table, uint32_t offset)
{
    uint32_t value = 0;

    if (offset + sizeof value <= table->length)
        memcpy(&value, (const uint8_t *)table + offset, sizeof value);
    return value;
}

static void read_fadt(struct acpi *acpi, const struct table *table)
{
    uint32_t port = read32(table, FADT_PM_TIMER);

    /* A generic address: space 1 is I/O, the address follows four bytes of description. */
    if (!port && (read32(table, FADT_X_PM_TIMER) & 0xff) == 1)
        port = read32(table, FADT_X_PM_TIMER + 4);
    if (port <= 0xfffc)
        acpi->pm_timer = (uint16_t)port;
    acpi->pm_timer_bits = read32(table, FADT_FLAGS) & FADT_FLAG_TIMER_32 ? 32 : 24;
}

static void read_table(struct acpi *acpi, uint64_t address)
{
    const struct table *table = table_at(address);

    if (!table)
        return;
    if (memcmp(table->signature, "APIC", 4) == 0)
        read_madt(acpi, table);
    else if (memcmp(table->signature, "MCFG", 4) == 0)
        read_mcfg(acpi, table);
    else if (memcmp(table->signature, "FACP", 4) == 0)
        read_fadt(acpi, table);
    acpi->has_dmar |= memcmp(table->signature, "DMAR", 4) == 0;
    acpi->has_ivrs |= memcmp(table->signature, "IVRS", 4) == 0;
    acpi->has_hpet |= memcmp(table->signature, "HPET", 4) == 0;
}

bool acpi_read(struct acpi *acpi, uint64_t rsdp_address)
{
    const struct rsdp *rsdp;
    const struct table *root;
    unsigned size = 4;

    if (!rsdp_address)
        rsdp_address = search_rsdp();
    if (!rsdp_address)
        return false;
    rsdp = (const struct rsdp *)rsdp_address;
    memcpy(acpi->oem, rsdp->oem, sizeof rsdp->oem);
    if (rsdp->revision >= 2 && rsdp->xsdt) {
        root = table_at(rsdp->xsdt);
        size = 8;
    } else {
        root = table_at(rsdp->rsdt);
    }
    if (!root)
        return false;
    for (uint32_t at = sizeof *root; at + size <= root->length; at += size) {
        uint64_t address = 0;

        memcpy(&address, (const uint8_t *)root + at, size);
        read_table(acpi, address);
    }
    return true;
}

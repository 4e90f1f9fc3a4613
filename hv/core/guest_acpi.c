/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <string.h>

#include "acpi_pm.h"
#include "aml.h"
#include "guest_acpi.h"
#include "ioapic.h"
#include "lapic.h"
#include "pc_reset.h"
#include "pci.h"
#include "pit.h"
#include "rtc.h"

#define HEADER_BYTES 36u
#define FADT_BYTES   276u
#define FACS_BYTES   64u
#define RSDP_BYTES   36u

struct tables {
    uint8_t *memory;
    size_t size, used;
    uint64_t gpa;
    bool overflow;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t checksum(const uint8_t *bytes, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    return (uint8_t)-sum;
}

/* Zeroed memory for a table, or null. */
static uint8_t *reserve(struct tables *t, size_t bytes, size_t align)
{
    const size_t start = (t->used + align - 1) & ~(align - 1);
    if (t->overflow || start + bytes > t->size) {
        t->overflow = true;
        return 0;
    }
    t->used = start + bytes;
    memset(t->memory + start, 0, bytes);
    return t->memory + start;
}

static uint64_t gpa_of(const struct tables *t, const uint8_t *table)
{
    return t->gpa + (uint64_t)(table - t->memory);
}

static void begin(uint8_t *table, const char *signature, size_t bytes, uint8_t revision)
{
    memcpy(table, signature, 4);
    put(table + 4, bytes, 4);
    table[8] = revision;
    memcpy(table + 10, "SIGNAL", 6);
    memcpy(table + 16, "SIGNALBX", 8);
    put(table + 24, 1, 4);
    memcpy(table + 28, "SGNL", 4);
    put(table + 32, 1, 4);
}

static void finish(uint8_t *table, size_t bytes)
{
    table[9] = 0;
    table[9] = checksum(table, bytes);
}

/* ---- DSDT ------------------------------------------------------------------------------------- */

static void describe_interrupts(struct aml *aml, uint32_t slots)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
        count += slots >> slot & 1;
    aml_name(aml, "_PRT");
    aml_mark all = aml_package(aml, (uint8_t)(4 * count));
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; slots >> slot & 1 && pin < 4; pin++) {
            aml_mark one = aml_package(aml, 4);
            aml_integer(aml, slot << 16 | 0xffff);
            aml_integer(aml, pin);
            aml_integer(aml, 0); /* no link device: the next is a GSI */
            aml_integer(aml, guest_acpi_pci_gsi(slot, pin + 1));
            aml_close(aml, one);
        }
    }
    aml_close(aml, all);
}

static void describe_pci(struct aml *aml, const struct guest_acpi *config)
{
    aml_mark device = aml_device(aml, "PCI0");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0A08");
    aml_name(aml, "_CID");
    aml_eisa_id(aml, "PNP0A03");
    aml_name(aml, "_SEG");
    aml_integer(aml, 0);
    aml_name(aml, "_BBN");
    aml_integer(aml, 0);
    aml_name(aml, "_UID");
    aml_integer(aml, 0);
    aml_name(aml, "_CRS");
    struct aml_resources r = aml_resources(aml);
    aml_bus_window(aml, 0, 0);
    aml_io(aml, PCI_ADDRESS_PORT, 8);
    aml_io_window(aml, 0x0d00, 0xffff);
    if (config->pci_first)
        aml_memory_window(aml, config->pci_first, (uint32_t)PCI_ECAM - 1);
    aml_resources_end(aml, r);
    if (config->pci_slots)
        describe_interrupts(aml, config->pci_slots);
    aml_close(aml, device);
}

static void describe_uart(struct aml *aml, unsigned number, uint16_t port, uint32_t gsi)
{
    const char name[] = {'C', 'O', 'M', (char)('1' + (int)number), 0};
    aml_mark device = aml_device(aml, name);
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0501");
    aml_name(aml, "_UID");
    aml_integer(aml, number + 1);
    aml_name(aml, "_CRS");
    struct aml_resources r = aml_resources(aml);
    aml_io(aml, port, 8);
    aml_interrupt(aml, gsi, false, false);
    aml_resources_end(aml, r);
    aml_close(aml, device);
}

static void describe_rtc(struct aml *aml)
{
    aml_mark device = aml_device(aml, "RTC0");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0B00");
    aml_name(aml, "_CRS");
    struct aml_resources r = aml_resources(aml);
    aml_io(aml, RTC_PORT, RTC_PORTS);
    aml_resources_end(aml, r);
    aml_close(aml, device);
}

/* What belongs to the board: systems take an ECAM only where it is claimed. */
static void describe_board(struct aml *aml)
{
    aml_mark device = aml_device(aml, "MBRD");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0C02");
    aml_name(aml, "_CRS");
    struct aml_resources r = aml_resources(aml);
    aml_memory(aml, (uint32_t)PCI_ECAM, PCI_ECAM_BYTES);
    aml_io(aml, ACPI_PM_EVENT, 16);
    aml_resources_end(aml, r);
    aml_close(aml, device);
}

static void describe_cpu(struct aml *aml, unsigned number)
{
    static const char digits[] = "0123456789ABCDEF";
    const char name[] = {'C', 'P', digits[number >> 4 & 15], digits[number & 15], 0};
    aml_mark device = aml_device(aml, name);
    aml_name(aml, "_HID");
    aml_string(aml, "ACPI0007");
    aml_name(aml, "_UID");
    aml_integer(aml, number);
    aml_close(aml, device);
}

static uint8_t *write_dsdt(struct tables *t, const struct guest_acpi *config)
{
    uint8_t *table = reserve(t, HEADER_BYTES, 16);
    if (!table)
        return 0;
    struct aml aml = {.bytes = t->memory + t->used, .size = t->size - t->used};

    aml_name(&aml, "\\_S5_");
    aml_mark s5 = aml_package(&aml, 4);
    for (unsigned i = 0; i < 4; i++)
        aml_integer(&aml, i < 2 ? ACPI_SLEEP_TYPE_S5 : 0u);
    aml_close(&aml, s5);
    aml_mark system = aml_scope(&aml, "\\_SB_");
    describe_pci(&aml, config);
    describe_board(&aml);
    describe_rtc(&aml);
    for (unsigned i = 0; i < config->uarts; i++)
        describe_uart(&aml, i, config->uart[i].port, config->uart[i].gsi);
    for (unsigned i = 0; i < config->cpus; i++)
        describe_cpu(&aml, i);
    aml_close(&aml, system);

    t->overflow |= aml.overflow;
    t->used += aml.used;
    begin(table, "DSDT", HEADER_BYTES + aml.used, 2);
    finish(table, HEADER_BYTES + aml.used);
    return table;
}

/* ---- FADT ------------------------------------------------------------------------------------- */

enum {
    FADT_WBINVD = 1 << 0,
    FADT_C1 = 1 << 2,
    FADT_NO_SLEEP_BUTTON = 1 << 5,
    FADT_NO_RTC_WAKE = 1 << 6,
    FADT_TIMER_32 = 1 << 8,
    FADT_RESET = 1 << 10,
};
enum { BOOT_NO_VGA = 1 << 2, BOOT_NO_ASPM = 1 << 4 };
enum { PROFILE_SERVER = 4 };

/* A generic address structure in I/O space. */
static void put_port(uint8_t *at, uint16_t port, unsigned bits, unsigned access_bits)
{
    at[0] = 1;
    at[1] = (uint8_t)bits;
    at[3] = access_bits == 8 ? 1 : access_bits == 16 ? 2 : 3;
    put(at + 4, port, 8);
}

static uint8_t *write_fadt(struct tables *t, uint64_t facs, uint64_t dsdt)
{
    uint8_t *f = reserve(t, FADT_BYTES, 16);
    if (!f)
        return 0;
    begin(f, "FACP", FADT_BYTES, 6);
    put(f + 36, facs, 4);
    put(f + 40, dsdt, 4);
    f[45] = PROFILE_SERVER;
    put(f + 46, ACPI_SCI_GSI, 2);
    /* SMI_CMD (48) stays 0: there is no legacy mode to leave. */
    put(f + 56, ACPI_PM_EVENT, 4);
    put(f + 64, ACPI_PM_CONTROL, 4);
    put(f + 76, ACPI_PM_TIMER, 4);
    f[88] = 4; /* lengths of these blocks */
    f[89] = 2;
    f[91] = 4;
    put(f + 96, 0x0fff, 2); /* no C2 … */
    put(f + 98, 0x0fff, 2); /* … and no C3 */
    f[108] = 0x32;          /* century in the CMOS */
    put(f + 109, BOOT_NO_VGA | BOOT_NO_ASPM, 2);
    put(f + 112, FADT_WBINVD | FADT_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE | FADT_TIMER_32 | FADT_RESET,
        4);
    put_port(f + 116, RESET_PORT, 8, 8);
    f[128] = RESET_VALUE;
    f[131] = 5; /* minor version */
    put(f + 132, facs, 8);
    put(f + 140, dsdt, 8);
    put_port(f + 148, ACPI_PM_EVENT, 32, 16);
    put_port(f + 172, ACPI_PM_CONTROL, 16, 16);
    put_port(f + 208, ACPI_PM_TIMER, 32, 32);
    finish(f, FADT_BYTES);
    return f;
}

/* ---- MADT, MCFG ------------------------------------------------------------------------------- */

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
enum { OVERRIDE_EDGE_HIGH = 0x5, OVERRIDE_LEVEL_HIGH = 0xd };

static void write_override(uint8_t *at, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    at[0] = MADT_OVERRIDE;
    at[1] = 10;
    at[3] = irq;
    put(at + 4, gsi, 4);
    put(at + 8, flags, 2);
}

static uint8_t *write_madt(struct tables *t, const struct guest_acpi *config)
{
    size_t bytes = HEADER_BYTES + 8 + 12 + 2 * 10;
    for (unsigned i = 0; i < config->cpus; i++)
        bytes += config->apic_id[i] < 255 ? 8 : 16;
    uint8_t *m = reserve(t, bytes, 16);
    if (!m)
        return 0;
    begin(m, "APIC", bytes, 5);
    put(m + 36, LAPIC_BASE, 4);
    uint8_t *at = m + 44;
    for (unsigned i = 0; i < config->cpus; i++) {
        const uint32_t id = config->apic_id[i];
        if (id < 255) {
            at[0] = MADT_LAPIC;
            at[1] = 8;
            at[2] = (uint8_t)i;
            at[3] = (uint8_t)id;
            put(at + 4, 1, 4);
        } else {
            at[0] = MADT_X2APIC;
            at[1] = 16;
            put(at + 4, id, 4);
            put(at + 8, 1, 4);
            put(at + 12, i, 4);
        }
        at += at[1];
    }
    at[0] = MADT_IOAPIC;
    at[1] = 12;
    put(at + 4, IOAPIC_BASE, 4);
    write_override(at + 12, 0, PIT_GSI, OVERRIDE_EDGE_HIGH);
    write_override(at + 22, ACPI_SCI_GSI, ACPI_SCI_GSI, OVERRIDE_LEVEL_HIGH);
    finish(m, bytes);
    return m;
}

static uint8_t *write_mcfg(struct tables *t)
{
    const size_t bytes = HEADER_BYTES + 8 + 16;
    uint8_t *m = reserve(t, bytes, 16);
    if (!m)
        return 0;
    begin(m, "MCFG", bytes, 1);
    put(m + 44, PCI_ECAM, 8); /* segment 0, buses 0 to 0 */
    finish(m, bytes);
    return m;
}

/* ---- roots ------------------------------------------------------------------------------------ */

static uint8_t *write_xsdt(struct tables *t, const uint64_t *entries, unsigned count)
{
    const size_t bytes = HEADER_BYTES + 8 * count;
    uint8_t *x = reserve(t, bytes, 16);
    if (!x)
        return 0;
    begin(x, "XSDT", bytes, 1);
    for (unsigned i = 0; i < count; i++)
        put(x + HEADER_BYTES + 8 * i, entries[i], 8);
    finish(x, bytes);
    return x;
}

static void write_rsdp(uint8_t *r, uint64_t xsdt)
{
    memcpy(r, "RSD PTR ", 8);
    memcpy(r + 9, "SIGNAL", 6);
    r[15] = 2;
    put(r + 20, RSDP_BYTES, 4);
    put(r + 24, xsdt, 8);
    r[8] = checksum(r, 20);
    r[32] = checksum(r, RSDP_BYTES);
}

size_t guest_acpi_write(const struct guest_acpi *config, uint8_t *memory, size_t size, uint64_t gpa)
{
    struct tables t = {.memory = memory, .size = size, .gpa = gpa};
    uint8_t *rsdp = reserve(&t, RSDP_BYTES, 16);
    uint8_t *facs = reserve(&t, FACS_BYTES, 64);
    const uint8_t *dsdt = write_dsdt(&t, config);
    if (t.overflow)
        return 0;
    memcpy(facs, "FACS", 4);
    put(facs + 4, FACS_BYTES, 4);
    facs[32] = 2; /* version */

    const uint8_t *fadt = write_fadt(&t, gpa_of(&t, facs), gpa_of(&t, dsdt));
    const uint8_t *madt = write_madt(&t, config), *mcfg = write_mcfg(&t);
    if (t.overflow)
        return 0;
    const uint64_t entries[] = {gpa_of(&t, fadt), gpa_of(&t, madt), gpa_of(&t, mcfg)};
    const uint8_t *xsdt = write_xsdt(&t, entries, sizeof entries / sizeof *entries);
    if (t.overflow)
        return 0;
    write_rsdp(rsdp, gpa_of(&t, xsdt));
    return t.used;
}

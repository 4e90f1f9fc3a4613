/* SPDX-License-Identifier: BSD-2-Clause */
/* guest_acpi FOLDER: writes an LPAR's ACPI tables there, one file each, after checking what links them. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_acpi.h"

#define CPUS 32u

static uint8_t memory[GUEST_ACPI_BYTES];
static size_t used;

static void fail(const char *what)
{
    fprintf(stderr, "guest_acpi: %s\n", what);
    exit(1);
}

static uint64_t value(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;
    memcpy(&v, at, bytes);
    return v;
}

static void check_sum(const uint8_t *table, size_t bytes, const char *what)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + table[i]);
    if (sum)
        fail(what);
}

static const uint8_t *at(uint64_t gpa, size_t bytes)
{
    if (gpa < GUEST_ACPI_GPA || gpa + bytes > GUEST_ACPI_GPA + used)
        fail("a pointer leads out of the tables");
    return memory + (gpa - GUEST_ACPI_GPA);
}

static void save(const char *folder, const uint8_t *table)
{
    char name[256];
    snprintf(name, sizeof name, "%s/%.4s.dat", folder, (const char *)table);
    FILE *file = fopen(name, "wb");
    size_t bytes = value(table + 4, 4);
    if (!file || fwrite(table, 1, bytes, file) != bytes || fclose(file))
        fail(name);
}

static const uint8_t *table_at(uint64_t gpa, const char *folder, bool sum)
{
    const uint8_t *table = at(gpa, 8);
    size_t bytes = value(table + 4, 4);
    at(gpa, bytes);
    if (sum)
        check_sum(table, bytes, "a table's checksum is wrong");
    save(folder, table);
    return table;
}

/* Too small a buffer is refused at every size, and nothing behind it is touched. */
static void check_sizes(const struct guest_acpi *config, size_t whole)
{
    for (size_t size = 0; size < whole; size++) {
        uint8_t *exact = malloc(size + 1);
        exact[size] = 0x5a;
        if (guest_acpi_write(config, exact, size, GUEST_ACPI_GPA) != 0 || exact[size] != 0x5a)
            fail("a buffer that is too small was overrun, or taken for enough");
        free(exact);
    }
}

int main(int argc, char **argv)
{
    uint32_t ids[CPUS];
    struct guest_acpi config = {
        .cpus = CPUS,
        .apic_id = ids,
        .uarts = 2,
        .uart = {{0x3f8, 4}, {0x2f8, 3}},
        .pci_slots = 1u << 3 | 1u << 31,
        .pci_first = 0xc0000000,
    };
    if (argc != 2)
        fail("usage: guest_acpi FOLDER");
    for (unsigned i = 0; i < CPUS; i++)
        ids[i] = i < 30 ? i : 1000 + i;
    used = guest_acpi_write(&config, memory, sizeof memory, GUEST_ACPI_GPA);
    if (!used)
        fail("the tables do not fit");
    check_sizes(&config, used);

    if (memcmp(memory, "RSD PTR ", 8))
        fail("the RSDP is not first");
    check_sum(memory, 20, "the RSDP's first checksum is wrong");
    check_sum(memory, 36, "the RSDP's second checksum is wrong");
    const uint8_t *xsdt = table_at(value(memory + 24, 8), argv[1], true);
    for (size_t i = 36; i < value(xsdt + 4, 4); i += 8) {
        const uint8_t *table = table_at(value(xsdt + i, 8), argv[1], true);
        if (memcmp(table, "FACP", 4))
            continue;
        table_at(value(table + 132, 8), argv[1], false);
        table_at(value(table + 140, 8), argv[1], true);
        if (value(table + 36, 4) != value(table + 132, 8) || value(table + 40, 4) != value(table + 140, 8))
            fail("the FADT's pointers differ");
        if (value(table + 132, 8) % 64)
            fail("the FACS is not aligned");
    }
    return 0;
}

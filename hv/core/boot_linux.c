/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot_linux.h"

#include "format.h"
#include "guest_acpi.h"
#include "log.h"
#include "lpar.h"
#include "pci.h"
#include "x86_bits.h"

#include <string.h>

/* Where things go, all in the RAM below 0x9f000 that the map names. */
#define GDT_ADDRESS    0x6000u
#define PARAMS_ADDRESS 0x7000u
#define TABLES_ADDRESS 0x9000u /* PML4, PDPT, four PDs */
#define LINE_ADDRESS   0x20000u
#define LOW_END        0x9f000u
#define HIGH_START     0x100000u

enum { SELECTOR_CODE = 0x10, SELECTOR_DATA = 0x18 };

/* struct boot_params: offsets (zero-page.rst). */
enum {
    PARAMS_RSDP = 0x070,
    PARAMS_E820_COUNT = 0x1e8,
    PARAMS_HEADER = 0x1f1,
    PARAMS_E820 = 0x2d0,
    PARAMS_BYTES = 4096,
};

/* The setup header: offsets in the image, and in boot_params. */
enum {
    HEADER_SECTORS = 0x1f1,
    HEADER_JUMP = 0x201, /* its distance tells where the header ends */
    HEADER_MAGIC = 0x202,
    HEADER_VERSION = 0x206,
    HEADER_LOADER = 0x210,
    HEADER_FLAGS = 0x211,
    HEADER_INITRD = 0x218,
    HEADER_INITRD_SIZE = 0x21c,
    HEADER_LINE = 0x228,
    HEADER_INITRD_MAX = 0x22c,
    HEADER_XFLAGS = 0x236,
    HEADER_LINE_MAX = 0x238,
    HEADER_ADDRESS = 0x258,
    HEADER_INIT_SIZE = 0x260,
    HEADER_END = 0x264,
};
enum { VERSION_64_BIT = 0x20c, XFLAG_64_BIT = 1, LOADER_UNKNOWN = 0xff, ENTRY_64_BIT = 0x200 };

enum { E820_RAM = 1, E820_RESERVED = 2, E820_MAX = 128 };

struct __attribute__((packed)) e820 {
    uint64_t start, size;
    uint32_t type;
};

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

bool boot_linux_is(const struct boot_image *image)
{
    return image->size > HEADER_END && get32(image->data + HEADER_MAGIC) == 0x53726448; /* HdrS */
}

static void put_e820(uint8_t *params, const struct lpar *lpar)
{
    struct e820 map[4 + MEMORY_RANGES] = {
        {.start = 0, .size = LOW_END, .type = E820_RAM},
        {.start = LOW_END, .size = HIGH_START - LOW_END, .type = E820_RESERVED},
        {.start = PCI_ECAM, .size = PCI_ECAM_BYTES, .type = E820_RESERVED},
    };
    unsigned count = 3;

    for (unsigned i = 0; i < lpar->memory.count; i++) {
        const struct memory_range *range = &lpar->memory.range[i];
        uint64_t start = range->gpa < HIGH_START ? HIGH_START : range->gpa;

        if (range->gpa + range->size > start)
            map[count++] =
                (struct e820){.start = start, .size = range->gpa + range->size - start, .type = E820_RAM};
    }
    params[PARAMS_E820_COUNT] = (uint8_t)count;
    memcpy(params + PARAMS_E820, map, count * sizeof *map);
}

/* 4 GiB mapped onto themselves, and flat segments: what the 64-bit entry asks for. */
static void put_tables(const struct memory *memory)
{
    static const uint64_t gdt[] = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};
    uint64_t entry = TABLES_ADDRESS + 0x1000 + 3;

    memory_write(memory, GDT_ADDRESS, gdt, sizeof gdt);
    memory_write(memory, TABLES_ADDRESS, &entry, sizeof entry);
    for (unsigned i = 0; i < 4; i++) {
        entry = TABLES_ADDRESS + 0x2000 + i * 0x1000 + 3;
        memory_write(memory, TABLES_ADDRESS + 0x1000 + i * 8, &entry, sizeof entry);
    }
    for (unsigned i = 0; i < 4 * 512; i++) {
        entry = (uint64_t)i << 21 | 0x83;
        memory_write(memory, TABLES_ADDRESS + 0x2000 + i * 8, &entry, sizeof entry);
    }
}

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (text && text[length])
        length++;
    return length;
}

static int put_initrd(struct lpar *lpar, uint8_t *params, uint64_t kernel_end)
{
    const struct boot_image *initrd = &lpar->boot.modules[0];
    uint64_t end = lpar->memory.range[0].size, limit = (uint64_t)get32(params + HEADER_INITRD_MAX) + 1, start;

    if (lpar->boot.module_count == 0)
        return 0;
    if (end > limit)
        end = limit;
    start = (end - initrd->size) & ~(uint64_t)(FRAME_SIZE - 1);
    if (initrd->size > end || start < kernel_end)
        return trace_error(-1, "%s: its initrd does not fit into its memory", lpar->name);
    memory_write(&lpar->memory, start, initrd->data, initrd->size);
    put32(params + HEADER_INITRD, (uint32_t)start);
    put32(params + HEADER_INITRD_SIZE, (uint32_t)initrd->size);
    return 0;
}

/*
 * Linux finds the TSC's frequency in CPUID on Intel's CPUs alone. Elsewhere it would measure it against the
 * PM timer, which fails when reading that takes too long, as in an emulator; and without it no timer ticks at
 * all.
 */
static const char *clock_option(const struct lpar *lpar, char *text, size_t size)
{
    uint32_t r[4];

    lpar->map.machine->cpuid(0, 0, r);
    if (r[1] == 0x756e6547) /* Genu… */
        return "";
    format(text, size, " tsc_early_khz=%lu", lpar->map.machine->ticks_per_second() / 1000);
    return text;
}

int boot_linux_load(struct lpar *lpar)
{
    uint8_t params[PARAMS_BYTES];
    const struct boot_image *kernel = &lpar->boot.kernel;
    const struct memory *memory = &lpar->memory;
    const uint8_t *image = kernel->data;
    char clock[40];
    const char *option = clock_option(lpar, clock, sizeof clock);
    size_t own = length_of(lpar->boot.command_line), line = own + length_of(option), setup,
           header_end = (size_t)HEADER_MAGIC + image[HEADER_JUMP];
    uint64_t address = get64(image + HEADER_ADDRESS), init_size = get32(image + HEADER_INIT_SIZE);

    setup = ((image[HEADER_SECTORS] ? image[HEADER_SECTORS] : 4u) + 1) * 512u;
    if ((image[HEADER_VERSION] | image[HEADER_VERSION + 1] << 8) < VERSION_64_BIT ||
        !(image[HEADER_XFLAGS] & XFLAG_64_BIT) || setup >= kernel->size || header_end > setup)
        return trace_error(-1, "%s: its kernel has no 64-bit entry", lpar->name);
    if (address + init_size > memory->range[0].size || kernel->size - setup > init_size)
        return trace_error(-1, "%s: its kernel needs %lu MiB of memory", lpar->name,
                           (address + init_size) >> 20);
    if (line > get32(image + HEADER_LINE_MAX) || LINE_ADDRESS + line >= LOW_END)
        return trace_error(-1, "%s: its command line is too long", lpar->name);

    memset(params, 0, sizeof params);
    memcpy(params + PARAMS_HEADER, image + PARAMS_HEADER, header_end - PARAMS_HEADER);
    params[HEADER_LOADER] = LOADER_UNKNOWN;
    put32(params + HEADER_LINE, LINE_ADDRESS);
    put32(params + PARAMS_RSDP, GUEST_ACPI_GPA);
    put_e820(params, lpar);
    if (put_initrd(lpar, params, address + init_size))
        return -1;
    memory_write(memory, PARAMS_ADDRESS, params, sizeof params);
    memory_write(memory, LINE_ADDRESS, lpar->boot.command_line, own);
    memory_write(memory, LINE_ADDRESS + own, option, line - own + 1);
    put_tables(memory);
    memory_write(memory, address, image + setup, kernel->size - setup);
    lpar->boot.entry = address + ENTRY_64_BIT;
    return 0;
}

void boot_linux_enter(struct vcpu *vcpu)
{
    static const struct segment data = {.limit = ~0u, .selector = SELECTOR_DATA, .attributes = 0xc93};
    struct context *context = &vcpu->context;

    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
        context_set_segment(context, seg, &data);
    context_set_segment(context, SEG_CS,
                        &(struct segment){.limit = ~0u, .selector = SELECTOR_CODE, .attributes = 0xa9b});
    context_set_segment(context, SEG_GDTR, &(struct segment){.base = GDT_ADDRESS, .limit = 4 * 8 - 1});
    context_set(context, REG_CR3, TABLES_ADDRESS);
    context_set(context, REG_CR4, CR4_PAE);
    context_set(context, REG_EFER, EFER_LME | EFER_LMA);
    context_set(context, REG_CR0, CR0_PE | CR0_ET | CR0_NE | (uint64_t)CR0_PG);
    context_set(context, REG_RIP, vcpu->lpar->boot.entry);
    context_set(context, REG_RSI, PARAMS_ADDRESS);
}

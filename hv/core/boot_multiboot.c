/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot_multiboot.h"

#include "log.h"
#include "lpar.h"

#include <string.h>

enum { HEADER_MAGIC = 0x1badb002, LOADER_MAGIC = 0x2badb002, SEARCH = 8192 };
enum { HEADER_ADDRESSES = 1 << 16 };
enum {
    INFO_MEMORY = 1 << 0,
    INFO_COMMAND_LINE = 1 << 2,
    INFO_MODULES = 1 << 3,
    INFO_MAP = 1 << 6,
    INFO_NAME = 1 << 9
};

/* The information and what it points to lie here, below the image and out of the way of real-mode vectors. */
#define INFO_ADDRESS   0x7000u
#define MAP_ADDRESS    0x7100u
#define MODULE_ADDRESS 0x7400u
#define NAME_ADDRESS   0x7600u
#define TEXT_ADDRESS   0x7800u /* command line, then the modules' strings, LPAR_TEXT bytes each */

struct header {
    uint32_t magic, flags, checksum, header_address, load_address, load_end, bss_end, entry;
};

struct info {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line, modules, module_address, syms[4];
    uint32_t map_length, map_address, drives_length, drives_address, config_table, loader_name, apm_table;
};

struct module {
    uint32_t start, end, text, reserved;
};

struct __attribute__((packed)) region {
    uint32_t size;
    uint64_t base, length;
    uint32_t type;
};

struct elf32 {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum;
};

struct elf32_segment {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

static const struct header *find(const struct boot_image *image)
{
    for (size_t at = 0; at + 12 <= image->size && at < SEARCH; at += 4) {
        const struct header *header = (const void *)(image->data + at);

        if (header->magic == HEADER_MAGIC && header->magic + header->flags + header->checksum == 0)
            return header;
    }
    return 0;
}

bool boot_multiboot_is(const struct boot_image *image)
{
    return find(image);
}

static bool clear(const struct memory *memory, uint64_t gpa, uint64_t size)
{
    while (size > 0) {
        uint64_t available;
        void *at = memory_at(memory, gpa, &available);

        if (!at)
            return false;
        if (available > size)
            available = size;
        memset(at, 0, available);
        gpa += available;
        size -= available;
    }
    return true;
}

/* One piece of the image at its place; *end is moved behind it. */
static int place(struct lpar *lpar, uint64_t gpa, size_t offset, size_t bytes, size_t room, uint64_t *end)
{
    const struct boot_image *kernel = &lpar->boot.kernel;

    if (offset > kernel->size || bytes > kernel->size - offset)
        return trace_error(-1, "%s: its kernel is cut short", lpar->name);
    if (!memory_write(&lpar->memory, gpa, kernel->data + offset, bytes) ||
        (room > bytes && !clear(&lpar->memory, gpa + bytes, room - bytes)))
        return trace_error(-1, "%s: its kernel does not fit into its memory", lpar->name);
    if (gpa + room > *end)
        *end = gpa + room;
    return 0;
}

static int load_elf(struct lpar *lpar, uint32_t *entry, uint64_t *end)
{
    const struct boot_image *kernel = &lpar->boot.kernel;
    const struct elf32 *elf = (const void *)kernel->data;

    if (kernel->size < sizeof *elf || memcmp(elf->ident, "\177ELF\1\1", 6) != 0 ||
        elf->phentsize != sizeof(struct elf32_segment) || elf->phoff > kernel->size ||
        (size_t)elf->phnum * sizeof(struct elf32_segment) > kernel->size - elf->phoff)
        return trace_error(-1, "%s: its multiboot kernel is no 32-bit ELF file", lpar->name);
    for (unsigned i = 0; i < elf->phnum; i++) {
        const struct elf32_segment *s =
            (const struct elf32_segment *)(const void *)(kernel->data + elf->phoff) + i;

        if (s->type != 1 || s->memsz == 0)
            continue;
        if (place(lpar, s->paddr, s->offset, s->filesz, s->memsz > s->filesz ? s->memsz : s->filesz, end))
            return -1;
    }
    *entry = elf->entry;
    return 0;
}

static int load_flat(struct lpar *lpar, const struct header *h, uint32_t *entry, uint64_t *end)
{
    const struct boot_image *kernel = &lpar->boot.kernel;
    size_t before = (size_t)((const uint8_t *)h - kernel->data),
           skipped = h->header_address - h->load_address, bytes;

    if (h->header_address < h->load_address || skipped > before)
        return trace_error(-1, "%s: its multiboot header has wrong addresses", lpar->name);
    bytes = h->load_end ? h->load_end - h->load_address : kernel->size - (before - skipped);
    *entry = h->entry;
    return place(lpar, h->load_address, before - skipped, bytes,
                 h->bss_end > h->load_address + bytes ? h->bss_end - h->load_address : bytes, end);
}

static uint32_t put_text(struct lpar *lpar, unsigned slot, const char *text)
{
    uint32_t gpa = TEXT_ADDRESS + slot * LPAR_TEXT;
    size_t length = 0;

    while (text && text[length] && length < LPAR_TEXT - 1)
        length++;
    memory_write(&lpar->memory, gpa, text, length);
    memory_write(&lpar->memory, gpa + length, "", 1);
    return gpa;
}

static uint32_t put_map(struct lpar *lpar)
{
    struct region map[2 + MEMORY_RANGES] = {
        {.size = 20, .base = 0, .length = 0x9f000, .type = 1},
        {.size = 20, .base = 0x9f000, .length = 0x100000 - 0x9f000, .type = 2},
    };
    unsigned count = 2;

    for (unsigned i = 0; i < lpar->memory.count; i++) {
        const struct memory_range *range = &lpar->memory.range[i];
        uint64_t start = range->gpa < 0x100000 ? 0x100000 : range->gpa;

        if (range->gpa + range->size > start)
            map[count++] = (struct region){
                .size = 20, .base = start, .length = range->gpa + range->size - start, .type = 1};
    }
    memory_write(&lpar->memory, MAP_ADDRESS, map, count * sizeof *map);
    return count * (uint32_t)sizeof *map;
}

int boot_multiboot_load(struct lpar *lpar)
{
    const struct boot_guest *boot = &lpar->boot;
    const struct header *header = find(&boot->kernel);
    struct module modules[BOOT_GUEST_MODULES];
    struct info info = {.flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MAP | INFO_NAME,
                        .mem_lower = 0x9f000 / 1024,
                        .map_address = MAP_ADDRESS,
                        .loader_name = NAME_ADDRESS};
    uint64_t end = 0;
    uint32_t entry;

    if (lpar->memory.size < 2 << 20)
        return trace_error(-1, "%s: too little memory", lpar->name);
    if (header->flags & HEADER_ADDRESSES ? load_flat(lpar, header, &entry, &end)
                                         : load_elf(lpar, &entry, &end))
        return -1;
    lpar->boot.entry = entry;
    for (unsigned i = 0; i < boot->module_count; i++) {
        const struct boot_image *module = &boot->modules[i];

        end = (end + FRAME_SIZE - 1) & ~(uint64_t)(FRAME_SIZE - 1);
        if (end + module->size > 4ull << 30 || !memory_write(&lpar->memory, end, module->data, module->size))
            return trace_error(-1, "%s: module %u does not fit into its memory", lpar->name, i);
        modules[i] = (struct module){.start = (uint32_t)end,
                                     .end = (uint32_t)(end + module->size),
                                     .text = put_text(lpar, 1 + i, module->text)};
        end += module->size;
    }
    if (boot->module_count) {
        info.flags |= INFO_MODULES;
        info.modules = boot->module_count;
        info.module_address = MODULE_ADDRESS;
        memory_write(&lpar->memory, MODULE_ADDRESS, modules, boot->module_count * sizeof *modules);
    }
    info.mem_upper = (uint32_t)((lpar->memory.range[0].size - 0x100000) / 1024);
    info.command_line = put_text(lpar, 0, boot->command_line);
    info.map_length = put_map(lpar);
    memory_write(&lpar->memory, NAME_ADDRESS, "signalbox", 10);
    memory_write(&lpar->memory, INFO_ADDRESS, &info, sizeof info);
    return 0;
}

void boot_multiboot_enter(struct vcpu *vcpu)
{
    static const struct segment data = {.limit = ~0u, .selector = 0x10, .attributes = 0xc93};
    struct context *context = &vcpu->context;

    context_set_segment(context, SEG_CS,
                        &(struct segment){.limit = ~0u, .selector = 0x08, .attributes = 0xc9b});
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
        if (seg != SEG_CS)
            context_set_segment(context, seg, &data);
    context_set(context, REG_CR0, 0x11);
    context_set(context, REG_RIP, vcpu->lpar->boot.entry);
    context_set(context, REG_RAX, LOADER_MAGIC);
    context_set(context, REG_RBX, INFO_ADDRESS);
}

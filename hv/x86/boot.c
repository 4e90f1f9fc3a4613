/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot.h"

#include "log.h"
#include "text.h"

#include <string.h>

enum { MULTIBOOT1_MAGIC = 0x2badb002, MULTIBOOT2_MAGIC = 0x36d76289 };

extern const uint8_t image_start[], image_end[];

/* ---- multiboot 1 (specification 0.6.96, 3.3) ---- */

struct multiboot1 {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line, modules, module_address, syms[4];
    uint32_t map_length, map_address, drives_length, drives_address, config_table, loader_name;
};
enum { MB1_COMMAND_LINE = 1 << 2, MB1_MODULES = 1 << 3, MB1_MAP = 1 << 6, MB1_LOADER = 1 << 9 };

struct multiboot1_module {
    uint32_t start, end, text, reserved;
};

struct __attribute__((packed)) multiboot1_region {
    uint32_t size; /* of what follows */
    uint64_t base, length;
    uint32_t type;
};

/* ---- multiboot 2 (specification 2.0, 3.6) ---- */

enum multiboot2_tag_type {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
};

struct multiboot2_tag {
    uint32_t type, size;
};

struct multiboot2_module {
    struct multiboot2_tag tag;
    uint32_t start, end;
    char text[];
};

struct multiboot2_map {
    struct multiboot2_tag tag;
    uint32_t entry_size, entry_version;
};

struct multiboot2_region {
    uint64_t base, length;
    uint32_t type, zero;
};

struct __attribute__((packed)) multiboot2_framebuffer {
    struct multiboot2_tag tag;
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits, type;
};
enum { FRAMEBUFFER_DIRECT = 1 }; /* the others: colours by a palette, or a text mode */

static void add_region(struct boot *boot, uint64_t base, uint64_t length, uint32_t type)
{
    if (length == 0 || base + length < base)
        return;
    if (boot->regions == BOOT_REGIONS) {
        log_line("boot: more than %u memory regions: %lx-%lx is not used", BOOT_REGIONS, base, base + length);
        return;
    }
    boot->region[boot->regions++] = (struct boot_region){.start = base, .end = base + length, .type = type};
}

static void add_module(struct boot *boot, uint64_t start, uint64_t end, const char *text, size_t length)
{
    struct boot_module *module = &boot->module[boot->modules];

    if (boot->modules == BOOT_MODULES) {
        log_line("boot: more than %u modules: the rest is not used", BOOT_MODULES);
        return;
    }
    boot->modules++;
    module->start = start;
    module->end = end;
    text_copy(module->args, sizeof module->args, text, length);
}

static void read1(struct boot *boot, const struct multiboot1 *info)
{
    boot->protocol = "multiboot 1";
    if (info->flags & MB1_LOADER)
        text_copy(boot->loader, sizeof boot->loader, (const char *)(uintptr_t)info->loader_name, BOOT_TEXT);
    if (info->flags & MB1_COMMAND_LINE)
        text_copy(boot->command_line, BOOT_TEXT, (const char *)(uintptr_t)info->command_line, BOOT_TEXT);
    if (info->flags & MB1_MODULES) {
        const struct multiboot1_module *module = (const void *)(uintptr_t)info->module_address;

        for (unsigned i = 0; i < info->modules; i++)
            add_module(boot, module[i].start, module[i].end, (const char *)(uintptr_t)module[i].text,
                       BOOT_TEXT);
    }
    if (info->flags & MB1_MAP) {
        uintptr_t at = info->map_address;

        while (at + sizeof(struct multiboot1_region) <= info->map_address + (uintptr_t)info->map_length) {
            const struct multiboot1_region *region = (const void *)at;

            add_region(boot, region->base, region->length, region->type);
            at += region->size + sizeof region->size;
        }
    }
}

static void read2(struct boot *boot, const uint8_t *info)
{
    uint32_t total = *(const uint32_t *)info;
    const struct multiboot2_tag *tag;

    boot->protocol = "multiboot 2";
    for (uint32_t at = 8; at + sizeof *tag <= total; at += (tag->size + 7) & ~7u) {
        tag = (const void *)(info + at);
        if (tag->type == TAG_END || tag->size < sizeof *tag)
            break;
        switch (tag->type) {
        case TAG_COMMAND_LINE:
            text_copy(boot->command_line, BOOT_TEXT, (const char *)(tag + 1), tag->size - sizeof *tag);
            break;
        case TAG_LOADER:
            text_copy(boot->loader, sizeof boot->loader, (const char *)(tag + 1), tag->size - sizeof *tag);
            break;
        case TAG_MODULE: {
            const struct multiboot2_module *module = (const void *)tag;

            add_module(boot, module->start, module->end, module->text, tag->size - sizeof *module);
            break;
        }
        case TAG_MAP: {
            const struct multiboot2_map *map = (const void *)tag;

            for (uint32_t r = sizeof *map; map->entry_size && r + map->entry_size <= tag->size;
                 r += map->entry_size) {
                const struct multiboot2_region *region = (const void *)((const uint8_t *)map + r);

                add_region(boot, region->base, region->length, region->type);
            }
            break;
        }
        case TAG_FRAMEBUFFER: {
            const struct multiboot2_framebuffer *fb = (const void *)tag;

            if (fb->type == FRAMEBUFFER_DIRECT &&
                fb->address + (uint64_t)fb->pitch * fb->height > fb->address)
                boot->framebuffer = (struct framebuffer){.address = fb->address,
                                                         .pitch = fb->pitch,
                                                         .width = fb->width,
                                                         .height = fb->height,
                                                         .bits = fb->bits};
            break;
        }
        case TAG_ACPI_NEW:
        case TAG_ACPI_OLD:
            /* The tag holds a copy of the RSDP itself; the new one wins, whichever comes first. */
            if (tag->type == TAG_ACPI_OLD && boot->rsdp)
                break;
            memset(boot->rsdp_copy, 0, sizeof boot->rsdp_copy);
            for (uint32_t i = 0; i < sizeof boot->rsdp_copy && i < tag->size - sizeof *tag; i++)
                boot->rsdp_copy[i] = ((const uint8_t *)(tag + 1))[i];
            boot->rsdp = (uintptr_t)boot->rsdp_copy;
            break;
        default:
            break;
        }
    }
}

const char *boot_read(struct boot *boot, uint32_t magic, uint32_t information)
{
    boot->protocol = "?";
    if (magic == MULTIBOOT1_MAGIC)
        read1(boot, (const void *)(uintptr_t)information);
    else if (magic == MULTIBOOT2_MAGIC)
        read2(boot, (const void *)(uintptr_t)information);
    else
        return "the boot loader speaks neither multiboot 1 nor 2";
    return boot->regions ? 0 : "the boot loader gave no memory map";
}

uint64_t framebuffer_bytes(const struct framebuffer *framebuffer)
{
    return (uint64_t)framebuffer->pitch * framebuffer->height;
}

/* What lies at or above `start` and below `end` and is taken; its start, or 0 when the range is free. */
static uint64_t taken_in(const struct boot *boot, uint64_t start, uint64_t end)
{
    if ((uintptr_t)image_start < end && start < (uintptr_t)image_end)
        return (uintptr_t)image_start;
    for (unsigned i = 0; i < boot->modules; i++)
        if (boot->module[i].start < end && start < boot->module[i].end)
            return boot->module[i].start;
    for (unsigned i = 0; i < boot->regions; i++)
        if (boot->region[i].type != REGION_RAM && boot->region[i].start < end && start < boot->region[i].end)
            return boot->region[i].start ? boot->region[i].start : 1;
    return 0;
}

uint64_t boot_find_memory(const struct boot *boot, uint64_t bytes, uint64_t limit)
{
    const uint64_t align = 2ull << 20, lowest = 1ull << 20;
    uint64_t best = 0;

    for (unsigned i = 0; i < boot->regions; i++) {
        const struct boot_region *region = &boot->region[i];
        uint64_t end = region->end < limit ? region->end : limit, start, taken;

        if (region->type != REGION_RAM)
            continue;
        while (end >= region->start + bytes && end > bytes) {
            start = (end - bytes) & ~(align - 1);
            if (start < region->start || start < lowest)
                break;
            taken = taken_in(boot, start, start + bytes);
            if (!taken) {
                if (start > best)
                    best = start;
                break;
            }
            end = taken;
        }
    }
    return best;
}

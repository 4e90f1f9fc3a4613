/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader tells, whichever it was, copied out of its memory. */
#ifndef BOOT_H
#define BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_REGIONS 128u
#define BOOT_MODULES 32u
#define BOOT_TEXT    512u

enum region_type { REGION_RAM = 1, REGION_RESERVED = 2, REGION_ACPI = 3, REGION_NVS = 4, REGION_BAD = 5 };

struct boot_region {
    uint64_t start, end;
    uint32_t type;
};

struct boot_module {
    uint64_t start, end;
    char args[BOOT_TEXT];
};

/* Of direct colour; no height: there is none. */
struct framebuffer {
    uint64_t address;
    uint32_t pitch, width, height;
    uint8_t bits;
};

struct boot {
    const char *protocol;
    char loader[64];
    char command_line[BOOT_TEXT];
    unsigned regions, modules;
    struct boot_region region[BOOT_REGIONS];
    struct boot_module module[BOOT_MODULES];
    uint64_t rsdp; /* address, or 0: to be searched for */
    uint8_t rsdp_copy[36];
    struct framebuffer framebuffer;
};

/* Reads what a multiboot 1 or 2 loader left. Null, or why that is not enough to go on with. */
const char *boot_read(struct boot *boot, uint32_t magic, uint32_t information);

uint64_t framebuffer_bytes(const struct framebuffer *framebuffer);

/*
 * The highest free RAM of that size, 2-MiB aligned, that ends at or below the limit and meets neither the
 * image nor a module nor the first MiB; 0 when there is none.
 */
uint64_t boot_find_memory(const struct boot *boot, uint64_t bytes, uint64_t limit);

#endif

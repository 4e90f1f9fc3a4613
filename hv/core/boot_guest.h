/* SPDX-License-Identifier: BSD-2-Clause */
/* Putting a kernel into an LPAR's memory, and its first CPU at its entry. */
#ifndef BOOT_GUEST_H
#define BOOT_GUEST_H

#include <stddef.h>
#include <stdint.h>

struct lpar;
struct vcpu;

#define BOOT_GUEST_MODULES 9u /* an initrd and eight more */

struct boot_image {
    const uint8_t *data; /* null: none */
    size_t size;
    const char *text; /* multiboot: its module string */
};

struct boot_guest {
    struct boot_image kernel;
    struct boot_image modules[BOOT_GUEST_MODULES]; /* Linux: the first one is the initrd */
    unsigned module_count;
    const char *command_line;
    uint64_t entry; /* boot_guest_load() sets it */
};

/* Writes kernel, modules, tables into memory. 0, or negative with the reason on the log. */
int boot_guest_load(struct lpar *lpar);

/* After vcpu_reset(): registers of the boot CPU as the kernel's protocol wants them. */
void boot_guest_enter(struct vcpu *vcpu);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests by multiboot 1 (specification 0.6.96): ELF32 images, or the header's own load addresses. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include <stdbool.h>

struct boot_image;
struct lpar;
struct vcpu;

bool boot_multiboot_is(const struct boot_image *image);
int boot_multiboot_load(struct lpar *lpar);
void boot_multiboot_enter(struct vcpu *vcpu);

#endif

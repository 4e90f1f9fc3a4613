/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests by Linux's 64-bit boot protocol (Documentation/arch/x86/boot.rst of Linux): bzImage, initrd, command
 * line. */
#ifndef BOOT_LINUX_H
#define BOOT_LINUX_H

#include <stdbool.h>

struct boot_image;
struct lpar;
struct vcpu;

bool boot_linux_is(const struct boot_image *image);
int boot_linux_load(struct lpar *lpar);
void boot_linux_enter(struct vcpu *vcpu);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot_guest.h"

#include "boot_multiboot.h"
#include "log.h"
#include "lpar.h"

int boot_guest_load(struct lpar *lpar)
{
    const struct boot_image *kernel = &lpar->boot.kernel;

    if (!kernel->data)
        return trace_error(-1, "%s: it has no kernel", lpar->name);
    if (boot_multiboot_is(kernel))
        return boot_multiboot_load(lpar);
    return trace_error(-1, "%s: its kernel is no multiboot 1 image", lpar->name);
}

void boot_guest_enter(struct vcpu *vcpu)
{
    boot_multiboot_enter(vcpu);
}

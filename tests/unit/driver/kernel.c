/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read out of /proc/interrupts. */
#include "kernel.h"

#include <criterion/criterion.h>
#include <string.h>

static const char text[] =
    "            CPU0       CPU1       \n"
    "   1:          9          0   IO-APIC   1-edge      i8042\n"
    "  21:     100000          7   IO-APIC  21-fasteoi   xhci-hcd:usb1, edu\n"
    " 121:          5          6  PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n"
    " 122:          5          6  PCI-MSI 16384-edge\n"
    " NMI:          1          2   Non-maskable interrupts\n"
    " ERR:          0\n";

static bool find(const char *from, unsigned number, struct kernel_irq *irq)
{
    FILE *file = fmemopen((void *)(uintptr_t)from, strlen(from), "r");
    cr_assert_not_null(file);
    bool found = kernel_parse_interrupts(file, number, irq);
    fclose(file);
    return found;
}

Test(kernel, interrupts_are_found_by_number)
{
    struct kernel_irq irq;
    cr_assert(find(text, 21, &irq));
    cr_assert_eq(irq.count, 100007);
    cr_assert_str_eq(irq.chip, "IO-APIC");
    cr_assert_str_eq(irq.actions, "xhci-hcd:usb1, edu");
    cr_assert(find(text, 121, &irq));
    cr_assert_eq(irq.count, 11);
    cr_assert_str_eq(irq.chip, "PCI-MSIX-0000:00:02.0");
    cr_assert_str_eq(irq.actions, "virtio1-req.0");
    cr_assert(find(text, 122, &irq));
    cr_assert_str_eq(irq.actions, "", "nobody handles it");
    cr_assert_not(find(text, 2, &irq));
    cr_assert_not(find(text, 0, &irq), "NMI is no number");
    cr_assert_eq(irq.count, 0);
}

Test(kernel, odd_texts_do_no_harm)
{
    struct kernel_irq irq;
    const char *const texts[] = {"\n", "CPU0 CPU1\n", "CPU0 CPU1\n 5:", "CPU0 CPU1\n 5: x y z\n",
                                 "CPU0\n5:99999999999999999999 a"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        (void)find(texts[i], 5, &irq);
}

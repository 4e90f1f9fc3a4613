/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot_guest.h"

#include "boot_linux.h"
#include "boot_multiboot.h"
#include "guest_acpi.h"
#include "log.h"
#include "lpar.h"

/* Where guests look for them who are not told; Linux is. */
static int put_acpi(struct lpar *lpar)
{
    uint32_t apic_ids[LPAR_CPUS];
    struct guest_acpi config = {.cpus = lpar->cpus,
                                .apic_id = apic_ids,
                                .uarts = lpar->console ? 1 : 0,
                                .uart = {{.port = LPAR_UART_PORT, .gsi = LPAR_UART_GSI}},
                                .pci_slots = lpar_pci_slots(lpar),
                                .pci_first = (uint32_t)lpar->pci.aperture};
    uint64_t available = 0;
    uint8_t *at = memory_at(&lpar->memory, GUEST_ACPI_GPA, &available);

    for (unsigned i = 0; i < lpar->cpus; i++)
        apic_ids[i] = lpar->vcpu[i]->apic_id;
    if (available < GUEST_ACPI_BYTES || guest_acpi_write(&config, at, GUEST_ACPI_BYTES, GUEST_ACPI_GPA) == 0)
        return trace_error(-1, "%s: no room for its ACPI tables", lpar->name);
    return 0;
}

int boot_guest_load(struct lpar *lpar)
{
    const struct boot_image *kernel = &lpar->boot.kernel;

    if (!kernel->data)
        return trace_error(-1, "%s: it has no kernel", lpar->name);
    if (put_acpi(lpar))
        return -1;
    if (boot_linux_is(kernel))
        return boot_linux_load(lpar);
    if (boot_multiboot_is(kernel))
        return boot_multiboot_load(lpar);
    return trace_error(-1, "%s: its kernel is neither a bzImage nor a multiboot 1 image", lpar->name);
}

void boot_guest_enter(struct vcpu *vcpu)
{
    if (boot_linux_is(&vcpu->lpar->boot.kernel))
        boot_linux_enter(vcpu);
    else
        boot_multiboot_enter(vcpu);
}

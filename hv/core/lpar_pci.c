/* SPDX-License-Identifier: BSD-2-Clause */
#include "lpar_pci.h"

#include "guest_acpi.h"
#include "log.h"
#include "lpar.h"
#include "router.h"

enum { APERTURE_STEP = 2 << 20 };

/* ---- what functions ask of their LPAR, device lock held ---- */

static void env_map(void *owner, uint64_t gpa, uint64_t address, uint64_t bytes, bool on)
{
    struct lpar *lpar = owner;

    gpmap_set(&lpar->map, gpa, address, bytes, on ? RIGHT_READ | RIGHT_WRITE : 0u, MEMORY_UC);
    /* A CPU that has not flushed yet reaches a BAR of its own LPAR where it was, and nothing else. */
    for (unsigned i = 0; i < lpar->cpus; i++)
        vcpu_request(lpar->vcpu[i], REQUEST_FLUSH);
}

static bool env_message(void *owner, struct pci_pass *pass, unsigned index, bool on, struct pci_message *host)
{
    (void)owner;
    if (!on || !router_message_of(pass, index, host))
        return false;
    router_steer(pass, index);
    return true;
}

static bool env_master(void *owner, struct pci_pass *pass, bool on)
{
    struct lpar *lpar = owner;

    if (on && lpar->pci.refused)
        return false; /* it was said once why */
    if (router_dma(lpar, pass, on))
        return true;
    lpar->pci.refused |= on;
    return false;
}

static bool env_confined(void *owner)
{
    (void)owner;
    return router_still_confines();
}

static void env_reset(void *owner, struct pci_pass *pass)
{
    (void)owner;
    router_forget(pass);
}

static const struct pci_pass_env env = {.map = env_map,
                                        .message = env_message,
                                        .master = env_master,
                                        .confined = env_confined,
                                        .reset = env_reset};

/* ---- the aperture ---- */

static uint64_t aperture_read(void *device, uint64_t offset, unsigned size)
{
    struct lpar_pci *pci = device;
    uint64_t value = ~0ull;

    for (unsigned i = 0; i < pci->count && !pci_pass_load(pci->pass[i], pci->aperture + offset, size, &value);
         i++)
        ;
    return value;
}

static void aperture_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct lpar_pci *pci = device;

    for (unsigned i = 0; i < pci->count && !pci_pass_store(pci->pass[i], pci->aperture + offset, size, value);
         i++)
        ;
}

static const struct device_ops aperture_ops = {
    .name = "pci-aperture", .read = aperture_read, .write = aperture_write};

/*
 * Places downward from the ECAM, the largest BARs first, so that each is aligned to its size. Returns the
 * lowest address used, 0 when they do not fit.
 */
static uint64_t place(const struct lpar_functions *functions, uint64_t gpa[][PCI_BARS])
{
    uint64_t at = PCI_ECAM;

    for (uint64_t size = 1ull << 63; size; size >>= 1)
        for (unsigned f = 0; f < functions->count; f++)
            for (unsigned bar = 0; bar < PCI_BARS; bar++) {
                if (functions->function[f]->bar[bar].size != size)
                    continue;
                if (size > at - MEMORY_LOW_END)
                    return 0;
                at = (at - size) & ~(size - 1);
                gpa[f][bar] = at;
            }
    return at;
}

static int add_aperture(struct lpar *lpar, uint64_t lowest)
{
    struct lpar_pci *pci = &lpar->pci;

    /* As much again, so that the guest can move them. */
    const uint64_t bytes = (2 * (PCI_ECAM - lowest) + APERTURE_STEP - 1) & ~(uint64_t)(APERTURE_STEP - 1);

    pci->aperture = bytes < PCI_ECAM - MEMORY_LOW_END ? PCI_ECAM - bytes : MEMORY_LOW_END;
    if (gpmap_reserve(&lpar->map, pci->aperture, PCI_ECAM - pci->aperture))
        return -1;
    if (bus_add(&lpar->space, pci->aperture, PCI_ECAM - pci->aperture, &aperture_ops, pci))
        return trace_error(-1, "%s: no room for its functions' BARs", lpar->name);
    return 0;
}

int lpar_pci_add(struct lpar *lpar, const struct lpar_functions *functions)
{
    struct lpar_pci *pci = &lpar->pci;
    uint64_t gpa[LPAR_FUNCTIONS][PCI_BARS] = {0}, lowest = place(functions, gpa);

    if (functions->count == 0)
        return 0;
    if (lowest == 0)
        return trace_error(-1, "%s: its functions' BARs are larger than %lu MiB", lpar->name,
                           (uint64_t)(PCI_ECAM - MEMORY_LOW_END) >> 20);
    if (add_aperture(lpar, lowest))
        return -1;
    for (unsigned i = 0; i < functions->count; i++) {
        struct pci_pass *pass = lpar->map.machine->frames(sizeof *pass);

        if (!pass)
            return trace_error(-1, "%s: no memory for its functions", lpar->name);
        pci_pass_init(pass, functions->host, functions->function[i], i + 1, router.quota, pci->aperture,
                      PCI_ECAM, gpa[i], &env, lpar);
        if (!pci_plug(&lpar->set.pci, i + 1, &pci_pass_function, pass))
            return trace_error(-1, "%s: no slot for a function", lpar->name);
        pci->pass[pci->count++] = pass;
        router_add(lpar, pass, functions->dedicated[i]);
    }
    return 0;
}

unsigned lpar_pci_gsi(const struct pci_pass *pass)
{
    return guest_acpi_pci_gsi(pass->slot, pass->function->pin);
}

void lpar_pci_line(struct lpar *lpar, const struct pci_pass *pass, bool high)
{
    struct lpar_pci *pci = &lpar->pci;
    const unsigned gsi = lpar_pci_gsi(pass);
    bool any = false;

    if (high) {
        pci->lines |= 1u << pass->slot;
        ioapic_line(&lpar->set.ioapic, gsi, true);
        return;
    }
    pci->lines &= ~(1u << pass->slot);
    for (unsigned i = 0; i < pci->count && !any; i++)
        any = pci->lines >> pci->pass[i]->slot & 1 && lpar_pci_gsi(pci->pass[i]) == gsi;
    ioapic_line(&lpar->set.ioapic, gsi, any);
}

uint32_t lpar_pci_slots(const struct lpar *lpar)
{
    uint32_t slots = 0;

    for (unsigned i = 0; i < lpar->pci.count; i++)
        if (lpar->pci.pass[i]->function->pin)
            slots |= 1u << (i + 1);
    return slots;
}

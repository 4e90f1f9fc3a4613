/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay_host.h"

#include "card_mmio.h"
#include "cpu.h"
#include "functions.h"
#include "insn.h"
#include "ioapic_host.h"
#include "lapic_host.h"
#include "log.h"
#include "lpar.h"
#include "paging_host.h"
#include "pci_config.h"
#include "router.h"
#include "time_host.h"

/* ISA lines end below; what PCI shares begins here, wherever firmware put it (ACPI 6.5 5.2.13). */
enum { FIRST_GSI = 16, GSIS = 128, SETTLE_US = 2000, WAIT_US = 200, WAITS = 1000 };

static struct card card;
static unsigned gsi_of[ROUTER_PINS]; /* 0: not known */

/* While a pin is searched for: inputs have vectors of their own, and say here that they moved. */
static volatile bool probing;
static volatile bool moved[GSIS];

static uint32_t apic_id(unsigned cpu)
{
    return cpus[cpu]->apic_id;
}

static void line_on(unsigned pin, bool on)
{
    if (gsi_of[pin])
        ioapic_host_mask(gsi_of[pin], !on);
}

static const struct router_host host = {
    .apic_id = apic_id, .line_on = line_on, .is_requested = lapic_host_requested};

void relay_host_open(unsigned count)
{
    const struct pci_host *pci = functions.tree.host;
    struct pci_host_function *relay = pci ? pci_tree_find(&functions.tree, functions.relay->id) : 0;

    pci_tree_size(&functions.tree, relay);
    if (!relay->bar[0].size || !relay->bar[0].address ||
        !paging_host_map(relay->bar[0].address, relay->bar[0].size)) {
        log_line("relay: its registers have no address");
        return;
    }
    pci->write(pci->self, relay->id, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
    card_mmio_open(&card, relay->bar[0].address);
    router_open(&card, &host, count);
}

/* ---- where a pin arrives ---- */

static void probe_on(void)
{
    for (unsigned i = 0; i < GSIS; i++) {
        moved[i] = false;
        if (ROUTER_VECTOR + i < ROUTER_LINE_VECTOR)
            ioapic_host_route(FIRST_GSI + i, this_cpu()->apic_id, (uint8_t)(ROUTER_VECTOR + i));
    }
    probing = true;
}

static void probe_off(void)
{
    for (unsigned i = 0; i < GSIS; i++)
        ioapic_host_mask(FIRST_GSI + i, true);
    irq_window();
    probing = false;
}

static unsigned first_moved(const bool *before)
{
    for (unsigned i = 0; i < GSIS; i++)
        if (moved[i] && !before[i])
            return FIRST_GSI + i;
    return 0;
}

static unsigned find_gsi(unsigned pin)
{
    bool before[GSIS];
    unsigned gsi = 0;

    probe_on();
    time_wait_us(SETTLE_US);
    irq_window();
    for (unsigned i = 0; i < GSIS; i++)
        before[i] = moved[i];
    router_force(pin, true);
    for (unsigned i = 0; i < WAITS && !gsi; i++) {
        time_wait_us(WAIT_US);
        irq_window();
        gsi = first_moved(before);
    }
    router_force(pin, false);
    probe_off();
    return gsi;
}

/* The first LPAR's that has a function with the pin; null: nobody has. */
static struct vcpu *vcpu_for(unsigned pin)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        const struct routed *r = &router.port[port];

        if (r->lpar && r->pass->function->pin == pin + 1)
            return r->lpar->vcpu[0];
    }
    return 0;
}

static void route(unsigned pin, struct vcpu *vcpu)
{
    const unsigned cpu = vcpu->context.cpu;

    router_handle(pin, vcpu);
    ioapic_host_route(gsi_of[pin], cpus[cpu]->apic_id, (uint8_t)(ROUTER_LINE_VECTOR + pin));
    log_line("relay: INT%c is input %u, handled by CPU %u", 'A' + pin, gsi_of[pin], cpu);
}

/* All are found before the first is routed: the search takes every input. */
void relay_host_lines(void)
{
    for (unsigned pin = 0; pin < ROUTER_PINS && router.present; pin++)
        if (vcpu_for(pin))
            gsi_of[pin] = find_gsi(pin);
    for (unsigned pin = 0; pin < ROUTER_PINS && router.present; pin++) {
        if (gsi_of[pin])
            route(pin, vcpu_for(pin));
        else if (vcpu_for(pin))
            log_line("relay: INT%c arrives at no I/O APIC: functions that use it get no interrupts",
                     'A' + pin);
    }
    router_begin();
}

void relay_host_interrupt(unsigned vector)
{
    if (probing && vector < ROUTER_LINE_VECTOR) {
        ioapic_host_mask(FIRST_GSI + vector - ROUTER_VECTOR, true);
        moved[vector - ROUTER_VECTOR] = true;
    } else if (vector >= ROUTER_LINE_VECTOR) {
        router_line(vector - ROUTER_LINE_VECTOR);
    } else {
        router_message(vector - ROUTER_VECTOR);
    }
}

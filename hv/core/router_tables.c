/* SPDX-License-Identifier: BSD-2-Clause */
/* What the relay is told: sources, what is done to them, DMA windows. */
#include "functions.h"
#include "log.h"
#include "relay_regs.h"
#include "router_internal.h"

struct routed *router_find(const struct pci_pass *pass)
{
    struct routed *r = &router.port[pass->function->id & 7];

    return r->pass == pass ? r : 0;
}

void router_write(uint32_t offset, uint32_t value)
{
    (void)card_write(router.card, offset, value);
}

static uint32_t read(uint32_t offset)
{
    uint32_t value = 0;

    (void)card_read(router.card, offset, &value);
    return value;
}

bool router_message_of(const struct pci_pass *pass, unsigned index, struct pci_message *message)
{
    const struct routed *r = router_find(pass);
    uint32_t id;

    if (!router.present || !r || index >= router.quota)
        return false;
    id = router.host->apic_id(r->lpar->vcpu[0]->context.cpu);
    if (id > 0xff)
        return false; /* a message names 8 bits of it without interrupt remapping */
    *message = (struct pci_message){
        .address = 0xfee00000u | id << 12,
        .data = ROUTER_VECTOR + r->first + 1 + index,
    };
    return true;
}

bool router_confines(void)
{
    const uint32_t both = RELAY_CAPS_DMA_WINDOWS | RELAY_CAPS_MSI_REWRITE;

    return router.present && (router.indicator.caps & both) == both;
}

static void program(unsigned source, unsigned port, uint16_t id, uint32_t kind, uint32_t address,
                    uint32_t data)
{
    router_write(RELAY_SRC_ADDR_LO(source), address);
    router_write(RELAY_SRC_ADDR_HI(source), 0);
    router_write(RELAY_SRC_DATA(source), data);
    router_write(RELAY_SRC_KEY(source),
                 RELAY_SRC_KEY_VALID | RELAY_SRC_KEY_PROGRAMMED | RELAY_PUT(RELAY_SRC_KEY_KIND, kind) |
                     RELAY_PUT(RELAY_SRC_KEY_PORT, port) | RELAY_PUT(RELAY_SRC_KEY_REQUESTER, id));
}

/* What becomes of a message, from the second write on as a whole. @pre the router's lock */
static void send_to(unsigned source, const struct pci_message *to)
{
    router_write(RELAY_SRC_MSG_DATA(source), to->data);
    router_write(RELAY_SRC_MSG_ADDR(source), (uint32_t)to->address | RELAY_SRC_MSG_ADDR_REWRITE);
}

void router_set_act(const struct routed *r)
{
    router_write(RELAY_SRC_ACT(r->first),
                 (by_relay(r) ? RELAY_SRC_ACT_ONE_SHOT : 0u) | (r->masked ? RELAY_SRC_ACT_MASK : 0u));
}

/* ---- messages that go straight to the guest ---- */

/* The vCPU that the guest has aimed the message at, when it may have it without the hypervisor. */
static const struct vcpu *direct_target(const struct routed *r, unsigned index, struct apic_message *message)
{
    struct pci_message guest;
    const struct lapic *lapic;
    const struct vcpu *vcpu;

    if (!r->dedicated || !router_confines() || !pci_pass_message(r->pass, index, &guest) ||
        !apic_message_from_msi(guest.address, guest.data, message) ||
        (message->delivery != APIC_FIXED && message->delivery != APIC_LOWEST) || message->level ||
        message->vector < DIRECT_FIRST || message->vector > DIRECT_LAST)
        return 0;
    lapic = lapic_only(&r->lpar->set.lapics, message);
    vcpu = lapic ? lapic->owner : 0;
    return vcpu && vcpu->direct.wanted && router.host->apic_id(vcpu->context.cpu) <= 0xff ? vcpu : 0;
}

void router_steer(struct pci_pass *pass, unsigned index)
{
    struct routed *r = router_find(pass);
    struct apic_message message;
    struct pci_message to;
    const struct vcpu *vcpu;
    uint32_t flushed;

    if (!r || !router_message_of(pass, index, &to))
        return;
    vcpu = direct_target(r, index, &message);
    if (vcpu) {
        to.address = 0xfee00000u | router.host->apic_id(vcpu->context.cpu) << 12;
        to.data = message.vector;
    }
    if (to.address == r->to[index].address && to.data == r->to[index].data)
        return;
    lock_take(&router.lock);
    r->to[index] = to;
    r->direct = vcpu ? r->direct | 1u << index : r->direct & ~(1u << index);
    send_to(r->first + 1 + index, &to);
    (void)card_read(router.card, RELAY_STATUS, &flushed); /* what went the old way has arrived */
    lock_release(&router.lock);
}

void router_steer_all(struct lpar *lpar)
{
    for (unsigned i = 0; router.present && i < lpar->pci.count; i++)
        for (unsigned index = 0; index < lpar->pci.pass[i]->messages; index++)
            router_steer(lpar->pci.pass[i], index);
}

static bool is_aimed_well(const struct routed *r, unsigned index, uint32_t address, uint32_t data)
{
    struct pci_message own;

    if (!(r->direct >> index & 1))
        return router_message_of(r->pass, index, &own) && data == own.data &&
               address == ((uint32_t)own.address | RELAY_SRC_MSG_ADDR_REWRITE);
    for (unsigned i = 1; i < r->lpar->cpus; i++)
        if (address == (0xfee00000u | router.host->apic_id(r->lpar->vcpu[i]->context.cpu) << 12 |
                        RELAY_SRC_MSG_ADDR_REWRITE))
            return data >= DIRECT_FIRST && data <= DIRECT_LAST;
    return false;
}

const char *router_audit(void)
{
    const char *found = 0;

    if (!router_confines())
        return 0;
    lock_take(&router.lock);
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        const struct routed *r = &router.port[port];

        for (unsigned i = 0; r->lpar && i < r->pass->messages; i++)
            if (!is_aimed_well(r, i, read(RELAY_SRC_MSG_ADDR(r->first + 1 + i)),
                               read(RELAY_SRC_MSG_DATA(r->first + 1 + i))))
                found = "a message of a function is aimed at what is not its LPAR's";
    }
    for (unsigned pin = 0; pin < ROUTER_PINS; pin++)
        if (router.vcpu[pin] && router.vcpu[pin]->lapic.direct)
            found = "a line is handled on a direct CPU";
    lock_release(&router.lock);
    return found;
}

/* ---- DMA windows: guest-physical addresses to the LPAR's memory, and to nothing else ---- */

enum { WINDOWS = 2 };

static void close_windows(unsigned port)
{
    for (unsigned w = 0; w < WINDOWS; w++)
        router_write(RELAY_DMA_BASE_LO(WINDOWS * port + w), 0);
}

static void open_windows(unsigned port)
{
    const struct memory *memory = &router.port[port].lpar->memory;

    for (unsigned w = 0; w < memory->count; w++) {
        const struct memory_range *range = &memory->range[w];
        const uint64_t bound = range->gpa + range->size,
                       offset = (uint64_t)(uintptr_t)range->host - range->gpa;
        const unsigned window = WINDOWS * port + w;

        router_write(RELAY_DMA_BASE_HI(window), (uint32_t)(range->gpa >> 32));
        router_write(RELAY_DMA_BOUND_LO(window), (uint32_t)bound);
        router_write(RELAY_DMA_BOUND_HI(window), (uint32_t)(bound >> 32));
        router_write(RELAY_DMA_OFFSET_LO(window), (uint32_t)offset);
        router_write(RELAY_DMA_OFFSET_HI(window), (uint32_t)(offset >> 32) & 0xfffff);
        router_write(RELAY_DMA_BASE_LO(window), (uint32_t)range->gpa | RELAY_DMA_BASE_LO_OPEN);
    }
}

/* With windows in the circuit every port is checked, whether an LPAR has its function or not. */
static void confine(void)
{
    for (unsigned port = 1; router_confines() && port <= router.indicator.ports; port++) {
        close_windows(port);
        router_write(RELAY_DMA_CTRL(port), RELAY_DMA_CTRL_ENABLE);
    }
}

bool router_dma(struct lpar *lpar, struct pci_pass *pass, bool on)
{
    struct routed *r = router_find(pass);
    uint32_t flushed;
    char name[8];

    functions_name(pass->function->id, name);
    if (!r || !router_confines())
        return on ? trace_error(false, "%s: %s may not master the bus: nothing confines its DMA", lpar->name,
                                name)
                  : false;
    if (on && lpar->memory.count > WINDOWS)
        return trace_error(false,
                           "%s: %s may not master the bus: memory in %u pieces, the relay has %u windows",
                           lpar->name, name, lpar->memory.count, WINDOWS);
    lock_take(&router.lock);
    close_windows(pass->function->id & 7);
    if (on)
        open_windows(pass->function->id & 7);
    else
        (void)card_read(router.card, RELAY_STATUS, &flushed);
    r->open = on;
    lock_release(&router.lock);
    return on;
}

void router_fault(unsigned port, struct router_fault *fault)
{
    uint32_t first;

    *fault = (struct router_fault){0};
    if (!router_confines() || port > router.indicator.ports)
        return;
    lock_take(&router.lock);
    first = read(RELAY_DMA_FAULT(port));
    fault->dma = read(RELAY_DMA_BLOCKED(port));
    fault->messages = read(RELAY_MSI_REFUSED(port));
    fault->valid = first & RELAY_DMA_FAULT_VALID;
    fault->reason = RELAY_GET(first, RELAY_DMA_FAULT_REASON);
    fault->requester = (uint16_t)RELAY_GET(first, RELAY_DMA_FAULT_REQUESTER);
    fault->address =
        (uint64_t)read(RELAY_DMA_FAULT_ADDR_HI(port)) << 32 | read(RELAY_DMA_FAULT_ADDR_LO(port));
    lock_release(&router.lock);
}

void router_program(unsigned port)
{
    const struct routed *r = &router.port[port];
    const uint16_t id = r->pass->function->id;
    struct pci_message message;

    if (r->pass->function->pin) {
        program(r->first, port, id, RELAY_SRC_KEY_KIND_INTX, pin_of(r), 0);
        router_set_act(r);
    }
    for (unsigned i = 0; i < r->pass->messages; i++) {
        if (router_message_of(r->pass, i, &message))
            program(r->first + 1 + i, port, id, RELAY_SRC_KEY_KIND_MSI, (uint32_t)message.address,
                    message.data);
        if (router_confines())
            send_to(r->first + 1 + i, &r->to[i]);
    }
}

void router_program_all(void)
{
    confine();
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        if (router.port[port].lpar)
            router_program(port);
        if (router.port[port].open)
            open_windows(port);
    }
}

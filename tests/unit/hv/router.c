/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts and DMA of functions behind the Verilated relay, to their LPARs on the hosted machine: the
 * circuit, the indicator's reader, the router, configuration space, I/O APIC and local APIC, all as they are.
 * Played here are the functions, the root port with one CPU's interrupts, and what guests do.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "card_sim.h"
#include "create.h"
#include "hosted.h"
#include "mechanism.h"
#include "relay_regs.h"
#include "router.h"
#include "tlp.h"

enum { FUNCTIONS = 4, OWNED = 3, AT_MSIX = 0x40, TABLE = 0x1000, BAR_BYTES = 0x2000, MSIX_VECTORS = 4 };
enum { BAR = (int)0xfd000000, LINE_VECTOR = 0x50, MESSAGE_VECTOR = 0x60, MIB_2 = 2 << 20 };
enum { LAPIC_EOI_OFFSET = 0xb0, LAPIC_SPURIOUS_OFFSET = 0xf0, LAPIC_ON = 0x1ff };

static struct model *model;
static struct card_sim *sim;
static uint64_t now_ns;
static struct lpar *red, *blue; /* functions 1 and 3; function 2. Nobody has 4 */

/* ---- the root port, and the CPU that interrupts come to ---- */

static struct {
    bool level, input_on;
    bool due; /* the I/O APIC has sent it: also if the line has fallen since */
    unsigned messages;
    uint64_t address[64];
    uint32_t data[64];
    unsigned writes, reads; /* DMA that got out */
    uint64_t last;
} root;

static void sink(void *context, const uint32_t *dw, size_t n)
{
    struct tlp t;
    (void)context;
    cr_assert_eq(tlp_unpack(&t, dw, n), TLP_OK);
    if (t.kind == TLP_MSG) {
        cr_assert(t.code == TLP_ASSERT_INTA || t.code == TLP_DEASSERT_INTA);
        root.level = t.code == TLP_ASSERT_INTA;
        root.due |= root.level && root.input_on;
    } else if (t.kind == TLP_MWR && t.address >> 20 == 0xfee) {
        if (root.messages < 64) {
            root.address[root.messages] = t.address;
            tlp_get_bytes(t.payload, 0, &root.data[root.messages], 4);
        }
        root.messages++;
    } else if (t.kind == TLP_MWR || t.kind == TLP_MRD) {
        *(t.kind == TLP_MWR ? &root.writes : &root.reads) += 1;
        root.last = t.address;
    }
}

static uint32_t apic_id(unsigned cpu)
{
    return cpu;
}

static void line_on(unsigned pin, bool on)
{
    cr_assert_eq(pin, 0);
    root.input_on = on;
    root.due |= root.level && on;
}

static const struct router_host host = {.apic_id = apic_id, .line_on = line_on};

/* Takes the interrupts that are due; a pause of the line is over at once, as often as it takes. */
static void interrupts(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        if (root.messages) {
            const uint32_t data = root.data[0];
            root.messages--;
            memmove(root.data, root.data + 1, sizeof root.data - sizeof *root.data);
            memmove(root.address, root.address + 1, sizeof root.address - sizeof *root.address);
            cr_assert(data >= ROUTER_VECTOR && data < ROUTER_VECTOR + 32, "vector %x", data);
            router_message(data - ROUTER_VECTOR);
        } else if (!root.input_on) {
            router_resume(red->vcpu[0]);
        } else if (root.due) {
            root.due = false;
            router_line(0);
            root.due |= root.level && root.input_on;
        } else {
            return;
        }
    }
    cr_assert_fail("interrupts without end");
}

/* ---- functions ---- */

static struct {
    uint8_t config[256];
    uint8_t bar[BAR_BYTES];
    bool wants, told; /* its wire, and as the relay was last told */
} device[FUNCTIONS + 1];

static uint16_t id_of(unsigned f)
{
    return PCI_ID(CARD_SIM_BUS, 0, f);
}

static void send(unsigned f, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    cr_assert(model_send(model, f, dw, tlp_pack(t, dw)));
    card_sim_time(sim, now_ns += 8);
    card_sim_pump(sim);
}

static uint32_t get(unsigned f, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    memcpy(&value, device[f].config + offset, size);
    return value;
}

static void put(unsigned f, uint32_t offset, unsigned size, uint32_t value)
{
    memcpy(device[f].config + offset, &value, size);
}

static void update_wire(unsigned f)
{
    const bool high = device[f].wants && !(get(f, CONFIG_COMMAND, 2) & COMMAND_NO_INTX);

    put(f, CONFIG_STATUS, 2, STATUS_CAPABILITIES | (device[f].wants ? (uint32_t)STATUS_INTERRUPT : 0));
    if (high == device[f].told)
        return;
    device[f].told = high;
    send(f, &(struct tlp){.kind = TLP_MSG,
                          .requester = id_of(0),
                          .routing = TLP_LOCAL,
                          .code = high ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA});
}

static void want(unsigned f, bool high)
{
    device[f].wants = high;
    update_wire(f);
}

static void dma_write(unsigned f, uint64_t address, uint32_t data, unsigned as)
{
    uint32_t payload;
    struct tlp t = {.kind = TLP_MWR, .requester = id_of(as), .payload = &payload};

    tlp_put_bytes(&payload, 0, &data, 4);
    tlp_set_range(&t, address, 4);
    send(f, &t);
}

static void dma_read(unsigned f, uint64_t address)
{
    struct tlp t = {.kind = TLP_MRD, .requester = id_of(f), .tag = 1};

    tlp_set_range(&t, address, 4);
    send(f, &t);
}

/* Message `entry`, as its table says. */
static void message(unsigned f, unsigned entry)
{
    uint32_t word[4];

    memcpy(word, device[f].bar + TABLE + sizeof word * entry, sizeof word);
    cr_assert_not(word[3] & 1);
    dma_write(f, word[0], word[2], f);
}

static uint32_t host_read(void *self, uint16_t id, uint32_t offset, unsigned size)
{
    (void)self;
    return get(id & 7, offset, size);
}

static void host_write(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    (void)self;
    put(id & 7, offset, size, value);
    update_wire(id & 7);
}

static uint64_t host_load(void *self, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    (void)self;
    memcpy(&value, device[(address - (uint32_t)BAR) / BAR_BYTES].bar + address % BAR_BYTES, size);
    return value;
}

static void host_store(void *self, uint64_t address, unsigned size, uint64_t value)
{
    (void)self;
    memcpy(device[(address - (uint32_t)BAR) / BAR_BYTES].bar + address % BAR_BYTES, &value, size);
}

static void host_wait(void *self, uint64_t us)
{
    (void)self;
    (void)us;
}

static const struct pci_host pci = {
    .read = host_read, .write = host_write, .load = host_load, .store = host_store, .wait_us = host_wait};
static struct pci_host_function described[FUNCTIONS + 1];

static void make_functions(void)
{
    memset(device, 0, sizeof device);
    for (unsigned f = 1; f <= FUNCTIONS; f++) {
        put(f, CONFIG_VENDOR, 4, 0x51611209);
        put(f, CONFIG_STATUS, 2, STATUS_CAPABILITIES);
        put(f, CONFIG_CAPABILITIES, 1, AT_MSIX);
        put(f, AT_MSIX, 1, CAPABILITY_MSIX);
        put(f, AT_MSIX + MSIX_CONTROL, 2, MSIX_VECTORS - 1);
        put(f, AT_MSIX + MSIX_TABLE, 4, TABLE);
        put(f, AT_MSIX + MSIX_PENDING, 4, TABLE + 0x800);
        described[f] = (struct pci_host_function){
            .id = id_of(f),
            .vendor = 0x1209,
            .device = 0x5161,
            .pin = 1,
            .msix = AT_MSIX,
            .bar = {{.address = (uint32_t)BAR + (uint64_t)f * BAR_BYTES, .size = BAR_BYTES}}};
    }
}

/* ---- LPARs, and what their guests do ---- */

static unsigned handled[FUNCTIONS + 1], messages[FUNCTIONS + 1], in_vain;

static struct pci_pass *pass_of(unsigned f)
{
    return router.port[f].pass;
}

static void config(unsigned f, uint32_t offset, unsigned size, uint32_t value)
{
    struct lpar *lpar = router.port[f].lpar;

    lock_take(&lpar->devices);
    pci_pass_function.write(pass_of(f), offset, size, value);
    lock_release(&lpar->devices);
}

static void space(struct lpar *lpar, uint64_t address, uint32_t value)
{
    lock_take(&lpar->devices);
    cr_assert(bus_write(&lpar->space, address, 4, value), "%lx", address);
    lock_release(&lpar->devices);
}

static void set_entry(struct lpar *lpar, unsigned gsi, uint32_t low)
{
    space(lpar, IOAPIC_BASE, 0x10 + 2 * gsi);
    space(lpar, IOAPIC_BASE + 0x10, low);
}

static struct lpar *make(const char *name, unsigned cpu, const unsigned *functions, unsigned count)
{
    static struct carve carve;
    struct lpar_plan plan = {
        .name = name, .cpus = 1, .cpu = {cpu}, .bytes = MIB_2, .mechanisms = 1u << MECHANISM_RELAY};
    uint8_t *memory = aligned_alloc(MIB_2, MIB_2);
    struct lpar *lpar;

    cr_assert_not_null(memory);
    carve_add(&carve, (uintptr_t)memory, (uintptr_t)memory + MIB_2);
    plan.functions.host = &pci;
    for (unsigned i = 0; i < count; i++)
        plan.functions.function[plan.functions.count++] = &described[functions[i]];
    lpar = lpar_create(&plan, &hosted_ops, &carve);
    cr_assert_not_null(lpar);
    lapic_mmio_write(&lpar->vcpu[0]->lapic, LAPIC_SPURIOUS_OFFSET, 4, LAPIC_ON);
    for (unsigned i = 0; i < count; i++) {
        set_entry(lpar, lpar_pci_gsi(pass_of(functions[i])), (LINE_VECTOR + functions[i]) | 1u << 15);
        config(functions[i], CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    }
    return lpar;
}

/* A handler of the function: serves it if it asks, by taking its wire down. */
static void handle(unsigned f)
{
    if (!device[f].wants) {
        in_vain++;
        return;
    }
    handled[f]++;
    want(f, false);
}

static void run_guest(struct lpar *lpar)
{
    struct lapic *lapic = &lpar->vcpu[0]->lapic;
    int vector;

    lapic_sync(lapic);
    while ((vector = lapic_pending(lapic)) != LAPIC_NO_VECTOR) {
        const unsigned f = (unsigned)vector & 0xf;

        lapic_take(lapic, (unsigned)vector);
        cr_assert(f >= 1 && f <= OWNED && router.port[f].lpar == lpar, "vector %x in %s", vector, lpar->name);
        if (vector >= MESSAGE_VECTOR)
            messages[f]++;
        else
            handle(f);
        lapic_mmio_write(lapic, LAPIC_EOI_OFFSET, 4, 0);
        lapic_sync(lapic);
    }
}

static void use_messages(unsigned f)
{
    const uint64_t table = pass_of(f)->placed[0] + TABLE;

    for (unsigned entry = 0; entry < 2; entry++) {
        space(router.port[f].lpar, table + 16 * entry, 0xfee00000);
        space(router.port[f].lpar, table + 16 * entry + 8, MESSAGE_VECTOR + f);
        space(router.port[f].lpar, table + 16 * entry + 12, 0);
    }
    config(f, AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE);
}

static void settle(void)
{
    for (unsigned i = 0; i < 8; i++) {
        interrupts();
        run_guest(red);
        run_guest(blue);
    }
}

static void set_up(void)
{
    const struct model_shape shape = {.ports = 4, .width_dw = 2, .sources = 32};

    make_functions();
    model = model_open(&shape, NULL);
    cr_assert_not_null(model);
    sim = card_sim_open(model, sink, NULL);
    cr_assert_not_null(sim);
    root.input_on = true;
    cr_assert_eq(router_open(card_sim_card(sim), &host, OWNED), 0);
    cr_assert(router_confines());
    red = make("red", 0, (const unsigned[]){1, 3}, 2);
    blue = make("blue", 1, (const unsigned[]){2}, 1);
    router_handle(0, red->vcpu[0]);
    router_begin();
}

TestSuite(router, .init = set_up, .timeout = 60);

/* ---- tests ---- */

Test(router, a_line_reaches_its_owner_and_no_status_register_is_read)
{
    for (unsigned i = 0; i < 20; i++) {
        want(2, true);
        interrupts();
        run_guest(red);
        cr_assert_eq(handled[2], i);
        run_guest(blue);
        cr_assert_eq(handled[2], i + 1);
    }
    settle();
    cr_assert_eq(in_vain, 0);
    cr_assert_eq(handled[1] + handled[3], 0);
    cr_assert_eq(router.stats.scan_reads, 0);
    cr_assert_eq(router.stats.spurious, 0);
    cr_assert_eq(router.indicator.stats.bus_reads, 0, "not one bus read for 20 interrupts");
}

Test(router, a_wire_that_joins_a_line_in_service_is_served_too)
{
    want(2, true);
    interrupts();
    want(1, true);
    interrupts();
    want(3, true);
    settle();
    cr_assert_eq(handled[1], 1);
    cr_assert_eq(handled[2], 1);
    cr_assert_eq(handled[3], 1);
    cr_assert_eq(in_vain, 0);
    cr_assert_not(root.level);
}

Test(router, a_function_that_asks_again_before_the_end_is_told_again)
{
    want(1, true);
    interrupts();
    want(1, false);
    want(1, true);
    settle();
    cr_assert_geq(handled[1], 1);
    cr_assert_not(device[1].wants);
    cr_assert_eq(in_vain, 0);
}

static void soak(unsigned seed, unsigned steps, unsigned switches)
{
    unsigned asked[FUNCTIONS + 1] = {0};

    srand(seed);
    for (unsigned step = 0; step < steps; step++) {
        const unsigned f = 1 + (unsigned)(rand() % OWNED);

        switch (rand() % 4) {
        case 0:
            if (!device[f].wants) {
                asked[f]++;
                want(f, true);
            }
            break;
        case 1:
            interrupts();
            break;
        case 2:
            run_guest(red);
            break;
        default:
            run_guest(blue);
        }
        if (switches && rand() % (int)switches == 0) {
            struct lpar *lpar = rand() % 2 ? red : blue;
            lock_take(&lpar->devices);
            router_switch(lpar, rand() % 2);
            lock_release(&lpar->devices);
        }
    }
    settle();
    for (unsigned f = 1; f <= OWNED; f++) {
        cr_assert_eq(handled[f], asked[f], "function %u asked %u times, was served %u times (seed %u)", f,
                     asked[f], handled[f], seed);
        cr_assert_gt(asked[f], steps / 100);
    }
    cr_assert_eq(in_vain, 0, "%u handlers ran in vain (seed %u)", in_vain, seed);
}

Test(router, three_functions_of_two_lpars_on_a_line)
{
    soak(1, 4000, 0);
    cr_assert_eq(router.stats.scan_reads, 0);
}

Test(router, the_same_by_status_registers)
{
    lock_take(&red->devices);
    router_switch(red, false);
    lock_release(&red->devices);
    lock_take(&blue->devices);
    router_switch(blue, false);
    lock_release(&blue->devices);
    soak(2, 4000, 0);
    cr_assert_gt(router.stats.scan_reads, 500);
}

Test(router, the_same_with_switches_under_load)
{
    soak(3, 6000, 20);
}

Test(router, messages_reach_their_owner_rewritten)
{
    use_messages(1);
    use_messages(2);
    for (unsigned i = 0; i < 10; i++) {
        message(1, i & 1);
        settle();
        cr_assert_eq(messages[1], i + 1);
        cr_assert_eq(messages[2], i);
        message(2, i & 1);
        settle();
        cr_assert_eq(messages[2], i + 1);
    }
    cr_assert_eq(router.stats.spurious, 0);
    /* Its CPU, and the vector of its source. */
    message(2, 1);
    cr_assert_eq(root.messages, 1);
    cr_assert_eq(root.address[0], 0xfee01000);
    cr_assert_eq(root.data[0], ROUTER_VECTOR + router.port[2].first + 2);
}

Test(router, forged_messages_do_not_get_out)
{
    struct router_fault fault;

    use_messages(1);
    use_messages(2);
    dma_write(2, 0xfee00000, ROUTER_VECTOR + router.port[1].first + 1, 2); /* its neighbour's vector */
    dma_write(2, 0xfee00000, 0xf1, 2);                                     /* the hypervisor's timer */
    dma_write(2, 0xfee01000, 0x400, 2);                                    /* an NMI */
    dma_write(2, 0xfee00000, ROUTER_VECTOR + router.port[1].first + 1, 1); /* in its name */
    cr_assert_eq(root.messages, 0);
    settle();
    cr_assert_eq(messages[1] + messages[2], 0);
    router_fault(2, &fault);
    cr_assert(fault.valid);
    cr_assert_eq(fault.messages, 4);
    cr_assert_eq(fault.reason, RELAY_DMA_FAULT_REASON_MESSAGE);
    message(2, 0);
    settle();
    cr_assert_eq(messages[2], 1, "its own still do");
}

Test(router, dma_reaches_the_lpars_memory_and_nothing_else)
{
    const uint64_t at = (uintptr_t)blue->memory.range[0].host;
    struct router_fault fault;

    dma_write(2, 0x1000, 1, 2);
    cr_assert_eq(root.writes, 1);
    cr_assert_eq(root.last, at + 0x1000);
    dma_read(2, MIB_2 - 4);
    cr_assert_eq(root.reads, 1);
    cr_assert_eq(root.last, at + MIB_2 - 4);
    dma_write(2, MIB_2, 1, 2);
    dma_read(2, at); /* where it lies in the machine */
    dma_write(2, (uintptr_t)red->memory.range[0].host, 1, 2);
    dma_write(2, 0x1000, 1, 1); /* in its neighbour's name */
    dma_write(4, 0x1000, 1, 4); /* nobody's function */
    cr_assert_eq(root.writes + root.reads, 2);
    router_fault(2, &fault);
    cr_assert_eq(fault.dma, 4);
    cr_assert_eq(fault.address, MIB_2);
    cr_assert_eq(fault.reason, RELAY_DMA_FAULT_REASON_OUTSIDE);
    cr_assert_eq(fault.requester, id_of(2));
}

Test(router, nothing_lands_after_a_reset)
{
    config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY);
    dma_write(2, 0x1000, 1, 2);
    cr_assert_eq(root.writes, 0);
    config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    dma_write(2, 0x1000, 1, 2);
    cr_assert_eq(root.writes, 1);
    use_messages(2);
    want(2, true);
    interrupts();
    lpar_devices_reset(blue);
    dma_write(2, 0x1000, 1, 2);
    cr_assert_eq(root.writes, 1);
    cr_assert_not(router.port[2].in_service);
    cr_assert_not(blue->set.ioapic.lines >> lpar_pci_gsi(pass_of(2)) & 1);
    dma_write(1, 0x1000, 1, 1);
    cr_assert_eq(root.writes, 2, "the neighbour goes on");
}

Test(router, what_asks_while_the_line_is_paused_is_not_lost)
{
    router_line(0);
    router_line(0);
    cr_assert_eq(router.stats.spurious, 2);
    cr_assert_eq(router.stats.pauses, 1);
    cr_assert_not(root.input_on);
    want(1, true);
    cr_assert_not(root.level, "a one-shot: it came and went");
    settle();
    cr_assert(root.input_on);
    cr_assert_eq(handled[1], 1);
}

Test(router, a_function_of_nobody_is_not_heard)
{
    want(4, true);
    interrupts();
    cr_assert_eq(router.stats.strangers, 1);
    cr_assert_not(root.level, "its wire is masked");
    want(1, true);
    settle();
    cr_assert_eq(handled[1], 1);
    cr_assert_eq(in_vain, 0);
    want(4, false);
    want(4, true);
    settle();
    cr_assert_not(root.level);
}

Test(router, an_overflow_of_the_ring_loses_nobody)
{
    use_messages(1);
    use_messages(2);
    for (unsigned i = 0; i < 300; i++)
        message(1, 0);
    message(2, 1);
    want(3, true);
    root.messages = 1; /* the CPU takes the last vector of each only; one will do */
    interrupts();
    settle();
    cr_assert_geq(messages[1], 1);
    cr_assert_geq(messages[2], 1);
    cr_assert_eq(handled[3], 1);
    cr_assert_gt(router.indicator.stats.missed, 0);
    cr_assert_eq(in_vain, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "card_rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "create.h"
#include "mechanism.h"
#include "pci_config.h"
#include "relay_regs.h"
#include "timers.h"

enum { BAR = (int)0xfd000000, LINE_VECTOR = 0x50, MESSAGE_VECTOR = 0x60, MESSAGE_VECTORS = 0x10 };
enum { LAPIC_EOI_OFFSET = 0xb0, LAPIC_SPURIOUS_OFFSET = 0xf0, LAPIC_ON = 0x1ff };
enum { TLP_NS = 8, TICK_NS = 10, BEGIN_NS = 1000, MANY = 100000 };

struct rig rig;
static struct machine_ops machine;

void rig_fail(const char *file, int line, const char *what, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: %s: ", file, line, what);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* ---- the root port, and the CPUs that interrupts come to ---- */

/* SDM 3A 11.11: to one CPU, fixed, edge. What else gets out is a fault of the circuit or the router. */
static void take_message(uint64_t address, uint32_t data)
{
    const unsigned cpu = address >> 12 & 0xff;

    RIG_CHECK(cpu < RIG_CPUS && (address & 0xfff) == 0, "message to %lx", (unsigned long)address);
    RIG_CHECK(data >= ROUTER_VECTOR && data < ROUTER_LINE_VECTOR, "message %x", data);
    paper_set(paper[cpu].irr, data, true);
    rig.straight += paper[cpu].begun;
    rig.messages++;
    rig.address = address;
    rig.data = data;
}

static void sink(void *context, const uint32_t *dw, size_t n)
{
    struct tlp t;
    uint32_t data;

    (void)context;
    RIG_CHECK(tlp_unpack(&t, dw, n) == TLP_OK, "the circuit sends what is no TLP");
    if (t.kind == TLP_MSG) {
        RIG_CHECK(t.code == TLP_ASSERT_INTA || t.code == TLP_DEASSERT_INTA, "message code %x", t.code);
        rig.level = t.code == TLP_ASSERT_INTA;
        rig.due |= rig.level && rig.input_on;
    } else if (t.kind == TLP_MWR && t.address >> 20 == 0xfee) {
        tlp_get_bytes(t.payload, 0, &data, 4);
        take_message(t.address, data);
    } else if (t.kind == TLP_MWR || t.kind == TLP_MRD) {
        *(t.kind == TLP_MWR ? &rig.writes : &rig.reads) += 1;
        rig.last = t.address;
    } else {
        rig.completions += tlp_class(t.kind) == TLP_COMPLETION;
    }
}

static uint32_t apic_id(unsigned cpu)
{
    return cpu;
}

static void line_on(unsigned pin, bool on)
{
    RIG_CHECK(pin == 0, "pin %u", pin);
    rig.input_on = on;
    rig.due |= rig.level && on;
}

static bool is_requested(unsigned vector)
{
    return paper[paper_cpu].irr[vector / 32] >> vector % 32 & 1;
}

static const struct router_host host = {.apic_id = apic_id, .line_on = line_on, .is_requested = is_requested};

static uint64_t ticks(void)
{
    return rig.now_ns / TICK_NS;
}

static void deadline(uint64_t at)
{
    RIG_CHECK(!paper[paper_cpu].begun, "the hypervisor's timer on a direct CPU, at %lu", (unsigned long)at);
    rig.deadline[paper_cpu] = at;
}

void rig_pass(uint64_t ns)
{
    card_sim_time(rig.sim, rig.now_ns += ns);
    card_sim_pump(rig.sim);
}

static bool take_line(unsigned cpu)
{
    if (!rig.due || !router.vcpu[0] || router.vcpu[0]->context.cpu != cpu)
        return false;
    rig.due = false;
    router_line(0);
    rig.due |= rig.level && rig.input_on;
    return true;
}

void rig_stray_line(void)
{
    paper_cpu = router.vcpu[0]->context.cpu;
    router_line(0);
}

bool rig_interrupt(unsigned cpu)
{
    int vector;

    paper_cpu = cpu;
    if (take_line(cpu))
        return true;
    vector = paper_interrupt(cpu);
    if (vector < 0)
        return false;
    if (paper[cpu].vcpu)
        direct_late(paper[cpu].vcpu, (unsigned)vector);
    else
        router_message((unsigned)vector - ROUTER_VECTOR);
    return true;
}

/* ---- functions ---- */

uint16_t rig_id(unsigned f)
{
    return PCI_ID(CARD_SIM_BUS, 0, f);
}

/* What came down to functions: completions are counted, nothing else is of use here. */
static void receive(void)
{
    uint32_t dw[MODEL_MAX_DW];
    struct tlp t;
    size_t n;

    for (unsigned f = 1; f <= model_ports(rig.model); f++)
        while ((n = model_receive(rig.model, f, dw)) > 0)
            rig.answers[f] += tlp_unpack(&t, dw, n) == TLP_OK && tlp_class(t.kind) == TLP_COMPLETION;
}

void rig_send(unsigned f, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];

    RIG_CHECK(model_send(rig.model, f, dw, tlp_pack(t, dw)), "port %u", f);
    rig_pass(TLP_NS);
    receive();
}

uint32_t rig_config(unsigned f, uint32_t offset, unsigned size)
{
    uint32_t value = 0;

    memcpy(&value, rig.device[f].config + offset, size);
    return value;
}

static void put(unsigned f, uint32_t offset, unsigned size, uint32_t value)
{
    memcpy(rig.device[f].config + offset, &value, size);
}

static bool by_message(unsigned f)
{
    return rig_config(f, RIG_AT_MSIX + MSIX_CONTROL, 2) & MSIX_ENABLE ||
           rig_config(f, RIG_AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE;
}

static void update_wire(unsigned f)
{
    struct rig_device *d = &rig.device[f];
    const bool high = d->wants && !(rig_config(f, CONFIG_COMMAND, 2) & COMMAND_NO_INTX) && !by_message(f);

    put(f, CONFIG_STATUS, 2, STATUS_CAPABILITIES | (d->wants ? (uint32_t)STATUS_INTERRUPT : 0));
    if (high == d->told || rig.still)
        return;
    d->told = high;
    rig_send(f, &(struct tlp){.kind = TLP_MSG,
                              .requester = rig_id(0),
                              .routing = TLP_LOCAL,
                              .code = high ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA});
}

void rig_want(unsigned f, bool high)
{
    rig.device[f].wants = high;
    update_wire(f);
}

void rig_write(unsigned f, uint64_t address, uint32_t data, unsigned as)
{
    uint32_t payload;
    struct tlp t = {.kind = TLP_MWR, .requester = rig_id(as), .payload = &payload};

    tlp_put_bytes(&payload, 0, &data, 4);
    tlp_set_range(&t, address, 4);
    rig_send(f, &t);
}

void rig_read(unsigned f, uint64_t address)
{
    struct tlp t = {.kind = TLP_MRD, .requester = rig_id(f), .tag = 1};

    tlp_set_range(&t, address, 4);
    rig_send(f, &t);
}

/* Where the message goes as the function has it. */
static bool message_of(unsigned f, unsigned entry, uint64_t *address, uint32_t *data)
{
    uint32_t word[4];

    if (rig_config(f, RIG_AT_MSIX + MSIX_CONTROL, 2) & MSIX_ENABLE) {
        memcpy(word, rig.device[f].bar + RIG_TABLE + sizeof word * entry, sizeof word);
        *address = (uint64_t)word[1] << 32 | word[0];
        *data = word[2];
        return !(word[3] & 1) && !(rig_config(f, RIG_AT_MSIX + MSIX_CONTROL, 2) & MSIX_MASK_ALL);
    }
    *address = rig_config(f, RIG_AT_MSI + MSI_ADDRESS, 4);
    *data = rig_config(f, RIG_AT_MSI + MSI_ADDRESS + 4, 2);
    return entry == 0 && rig_config(f, RIG_AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE;
}

bool rig_message(unsigned f, unsigned entry)
{
    uint64_t address;
    uint32_t data;

    if (!message_of(f, entry, &address, &data))
        return false;
    rig.device[f].owed[entry]++;
    rig.device[f].unmet[entry]++;
    rig_write(f, address, data, f);
    return true;
}

static uint32_t host_read(void *self, uint16_t id, uint32_t offset, unsigned size)
{
    (void)self;
    return rig_config(id & 7, offset, size);
}

static void host_write(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    const unsigned f = id & 7;

    (void)self;
    put(f, offset, size, value);
    if (offset == RIG_AT_PCIE + PCIE_DEVICE_CONTROL && value & PCIE_FLR) {
        put(f, offset, size, value & ~(uint32_t)PCIE_FLR);
        put(f, CONFIG_COMMAND, 2, 0);
        put(f, RIG_AT_MSIX + MSIX_CONTROL, 2, RIG_MSIX_ENTRIES - 1);
        put(f, RIG_AT_MSI + MSI_CONTROL, 2, 0);
        rig.device[f].resets++;
        rig.device[f].wants = false;
    }
    update_wire(f);
}

static uint64_t host_load(void *self, uint64_t address, unsigned size)
{
    const uint64_t at = address - (uint32_t)BAR;
    uint64_t value = 0;

    (void)self;
    RIG_CHECK(at / RIG_BAR_BYTES <= RIG_FUNCTIONS, "load of %lx", (unsigned long)address);
    memcpy(&value, rig.device[at / RIG_BAR_BYTES].bar + at % RIG_BAR_BYTES, size);
    return value;
}

static void host_store(void *self, uint64_t address, unsigned size, uint64_t value)
{
    const uint64_t at = address - (uint32_t)BAR;

    (void)self;
    RIG_CHECK(at / RIG_BAR_BYTES <= RIG_FUNCTIONS, "store to %lx", (unsigned long)address);
    memcpy(rig.device[at / RIG_BAR_BYTES].bar + at % RIG_BAR_BYTES, &value, size);
}

static void host_wait(void *self, uint64_t us)
{
    (void)self;
    (void)us;
}

static const struct pci_host pci = {
    .read = host_read, .write = host_write, .load = host_load, .store = host_store, .wait_us = host_wait};

static void make_function(unsigned f)
{
    put(f, CONFIG_VENDOR, 4, 0x51611209);
    put(f, CONFIG_STATUS, 2, STATUS_CAPABILITIES);
    put(f, CONFIG_CAPABILITIES, 1, RIG_AT_MSIX);
    put(f, RIG_AT_MSIX, 2, CAPABILITY_MSIX | RIG_AT_MSI << 8);
    put(f, RIG_AT_MSIX + MSIX_CONTROL, 2, RIG_MSIX_ENTRIES - 1);
    put(f, RIG_AT_MSIX + MSIX_TABLE, 4, RIG_TABLE);
    put(f, RIG_AT_MSIX + MSIX_PENDING, 4, RIG_TABLE + 0x800);
    put(f, RIG_AT_MSI, 2, CAPABILITY_MSI | RIG_AT_PCIE << 8);
    put(f, RIG_AT_PCIE, 2, CAPABILITY_PCIE);
    put(f, RIG_AT_PCIE + PCIE_DEVICE, 4, PCIE_FLR_ABLE);
    rig.described[f] = (struct pci_host_function){
        .id = rig_id(f),
        .vendor = 0x1209,
        .device = 0x5161,
        .pin = 1,
        .msix = RIG_AT_MSIX,
        .msi = RIG_AT_MSI,
        .pcie = RIG_AT_PCIE,
        .bar = {{.address = (uint32_t)BAR + (uint64_t)f * RIG_BAR_BYTES, .size = RIG_BAR_BYTES}}};
}

/* ---- LPARs, and what their guests do ---- */

struct pci_pass *rig_pass_of(unsigned f)
{
    return router.port[f].pass;
}

uint32_t rig_guest_config(unsigned f, uint32_t offset, unsigned size)
{
    struct lpar *lpar = router.port[f].lpar;
    uint32_t value;

    lock_take(&lpar->devices);
    value = pci_pass_function.read(rig_pass_of(f), offset, size);
    lock_release(&lpar->devices);
    return value;
}

void rig_guest_set_config(unsigned f, uint32_t offset, unsigned size, uint32_t value)
{
    struct lpar *lpar = router.port[f].lpar;

    lock_take(&lpar->devices);
    pci_pass_function.write(rig_pass_of(f), offset, size, value);
    lock_release(&lpar->devices);
}

void rig_guest_store(struct lpar *lpar, uint64_t gpa, unsigned size, uint64_t value)
{
    lock_take(&lpar->devices);
    RIG_CHECK(bus_write(&lpar->space, gpa, size, value), "nothing at %lx", (unsigned long)gpa);
    lock_release(&lpar->devices);
}

static void set_entry(struct lpar *lpar, unsigned gsi, uint32_t low)
{
    rig_guest_store(lpar, IOAPIC_BASE, 4, 0x10 + 2 * gsi);
    rig_guest_store(lpar, IOAPIC_BASE + 0x10, 4, low);
}

static void set_destination(struct lpar *lpar, unsigned gsi, unsigned vcpu)
{
    rig_guest_store(lpar, IOAPIC_BASE, 4, 0x11 + 2 * gsi);
    rig_guest_store(lpar, IOAPIC_BASE + 0x10, 4, vcpu << 24);
}

static struct lpar *make(const struct rig_plan *rig_plan, unsigned owner, const char *name)
{
    static struct carve carve;
    struct lpar_plan plan = {.name = name,
                             .cpus = rig_plan->dedicated ? 2 : 1,
                             .cpu = {owner - 1, owner + 1},
                             .x2apic = rig_plan->dedicated != 0,
                             .bytes = RIG_MEMORY,
                             .mechanisms = 1u << MECHANISM_RELAY};
    uint8_t *memory = aligned_alloc(RIG_MEMORY, RIG_MEMORY);
    struct lpar *lpar;

    RIG_CHECK(memory, "no memory");
    carve_add(&carve, (uintptr_t)memory, (uintptr_t)memory + RIG_MEMORY);
    plan.functions.host = &pci;
    for (unsigned f = 1; f <= rig_plan->ports; f++)
        if (rig_plan->owner[f] == owner) {
            plan.functions.dedicated[plan.functions.count] = rig_plan->dedicated >> f & 1;
            plan.functions.function[plan.functions.count++] = &rig.described[f];
        }
    lpar = lpar_create(&plan, &machine, &carve);
    RIG_CHECK(lpar, "%s cannot be made", name);
    paper_cpu = owner - 1;
    timers_stop(lpar->vcpu[0]);
    lapic_mmio_write(&lpar->vcpu[0]->lapic, LAPIC_SPURIOUS_OFFSET, 4, LAPIC_ON);
    if (lpar->cpus > 1)
        paper_guest_start(lpar->vcpu[1]);
    for (unsigned f = 1; f <= rig_plan->ports; f++) {
        if (rig_plan->owner[f] != owner)
            continue;
        set_entry(lpar, lpar_pci_gsi(rig_pass_of(f)), (LINE_VECTOR + f) | 1u << 15);
        rig_guest_set_config(f, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    }
    return lpar;
}

/* A handler serves its function if it asks, by taking its wire down, or what its messages told of. */
static void handle(struct lpar *lpar, unsigned vector)
{
    const unsigned f = vector & 0xf, entry = (vector - MESSAGE_VECTOR) / MESSAGE_VECTORS;
    struct rig_device *d = &rig.device[f];

    RIG_CHECK(vector > LINE_VECTOR && vector < MESSAGE_VECTOR + RIG_ENTRIES * MESSAGE_VECTORS && f >= 1 &&
                  f <= RIG_FUNCTIONS,
              "vector %x in %s", vector, lpar->name);
    if (router.port[f].lpar != lpar) {
        rig.wrong_lpar++;
    } else if (vector < MESSAGE_VECTOR) {
        d->lines++;
        d->in_vain += !d->wants;
        if (d->wants)
            rig_want(f, false);
    } else {
        d->messages++;
        d->in_vain += d->unmet[entry] == 0;
        d->unmet[entry] -= d->unmet[entry] != 0;
        d->owed[entry] = 0;
    }
}

static void run_requests(struct vcpu *vcpu)
{
    uint32_t requests;

    if (rig.deadline[paper_cpu] <= ticks()) {
        rig.deadline[paper_cpu] = ~0ull;
        vcpu_request(vcpu, REQUEST_TIMER);
    }
    requests = __atomic_exchange_n(&vcpu->context.requests, 0, __ATOMIC_SEQ_CST);
    if (requests & (REQUEST_TIMER | REQUEST_DEADLINE))
        timers_run(vcpu);
    if (requests & REQUEST_DIRECT)
        direct_look(vcpu);
    lapic_sync(&vcpu->lapic);
}

static void serve(struct lpar *lpar, unsigned vector)
{
    handle(lpar, vector);
    lapic_mmio_write(&lpar->vcpu[0]->lapic, LAPIC_EOI_OFFSET, 4, 0);
}

void rig_end(struct lpar *lpar, unsigned f)
{
    paper_cpu = lpar->vcpu[0]->context.cpu;
    update_wire(f);
    serve(lpar, LINE_VECTOR + f);
}

void rig_guest(struct lpar *lpar, unsigned handlers)
{
    struct vcpu *vcpu = lpar->vcpu[0];
    struct lapic *lapic = &vcpu->lapic;
    int vector;

    paper_cpu = vcpu->context.cpu;
    run_requests(vcpu);
    while (handlers-- && (vector = lapic_pending(lapic)) != LAPIC_NO_VECTOR) {
        lapic_take(lapic, (unsigned)vector);
        serve(lpar, (unsigned)vector);
        lapic_sync(lapic);
    }
}

bool rig_begin_handler(struct lpar *lpar)
{
    struct vcpu *vcpu = lpar->vcpu[1];
    int vector;

    paper_cpu = vcpu->context.cpu;
    run_requests(vcpu);
    vector = paper_guest_take(vcpu);
    if (vector == LAPIC_NO_VECTOR)
        return false;
    handle(lpar, (unsigned)vector);
    rig.handling[vcpu->context.cpu]++;
    return true;
}

bool rig_end_handler(struct lpar *lpar)
{
    struct vcpu *vcpu = lpar->vcpu[1];

    if (!rig.handling[vcpu->context.cpu])
        return false;
    rig.handling[vcpu->context.cpu]--;
    paper_cpu = vcpu->context.cpu;
    paper_guest_end(vcpu);
    return true;
}

static bool has_work(const struct vcpu *vcpu)
{
    return vcpu->context.requests || vcpu->lapic.requests.any ||
           lapic_pending(&vcpu->lapic) != LAPIC_NO_VECTOR || rig.handling[vcpu->context.cpu];
}

static bool lpar_has_work(const struct lpar *lpar)
{
    bool any = false;

    for (unsigned i = 0; i < lpar->cpus; i++)
        any |= has_work(lpar->vcpu[i]);
    return any;
}

static bool run_all(struct lpar *lpar)
{
    bool any = false;

    rig_guest(lpar, 1);
    if (lpar->cpus > 1) {
        any = rig_begin_handler(lpar);
        any |= rig_end_handler(lpar);
    }
    return any;
}

static uint64_t next_deadline(void)
{
    uint64_t next = ~0ull;

    for (unsigned cpu = 0; cpu < RIG_CPUS; cpu++)
        if (rig.deadline[cpu] < next)
            next = rig.deadline[cpu];
    return next;
}

void rig_settle(void)
{
    for (unsigned i = 0; i < MANY; i++) {
        bool any = run_all(rig.red);

        any |= run_all(rig.blue);
        for (unsigned cpu = 0; cpu < RIG_CPUS; cpu++)
            any |= rig_interrupt(cpu);
        if (any || lpar_has_work(rig.red) || lpar_has_work(rig.blue))
            continue;
        if (next_deadline() == ~0ull)
            return;
        if (next_deadline() > ticks())
            rig_pass((next_deadline() - ticks()) * TICK_NS);
    }
    rig_fail(__FILE__, __LINE__, "rig_settle()", "work without end");
}

static uint32_t address_of(unsigned f)
{
    return 0xfee00000u | rig.device[f].aim << 12;
}

void rig_use_msix(unsigned f)
{
    const uint64_t table = rig_pass_of(f)->placed[0] + RIG_TABLE;

    for (unsigned entry = 0; entry < RIG_ENTRIES; entry++) {
        rig_guest_store(router.port[f].lpar, table + 16 * entry, 4, address_of(f));
        rig_guest_store(router.port[f].lpar, table + 16 * entry + 8, 4,
                        MESSAGE_VECTOR + entry * MESSAGE_VECTORS + f);
        rig_guest_store(router.port[f].lpar, table + 16 * entry + 12, 4, 0);
    }
    rig_guest_set_config(f, RIG_AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE);
    update_wire(f);
}

void rig_use_msi(unsigned f)
{
    rig_guest_set_config(f, RIG_AT_MSI + MSI_ADDRESS, 4, address_of(f));
    rig_guest_set_config(f, RIG_AT_MSI + MSI_ADDRESS + 4, 2, MESSAGE_VECTOR + f);
    rig_guest_set_config(f, RIG_AT_MSI + MSI_CONTROL, 2, MSI_ENABLE);
    update_wire(f);
}

void rig_use_line(unsigned f)
{
    rig_guest_set_config(f, RIG_AT_MSIX + MSIX_CONTROL, 2, 0);
    rig_guest_set_config(f, RIG_AT_MSI + MSI_CONTROL, 2, 0);
    update_wire(f);
}

void rig_aim(unsigned f, unsigned vcpu)
{
    rig.device[f].aim = vcpu;
    set_destination(router.port[f].lpar, lpar_pci_gsi(rig_pass_of(f)), vcpu);
}

void rig_switch(struct lpar *lpar, bool on)
{
    lock_take(&lpar->devices);
    router_switch(lpar, on);
    lock_release(&lpar->devices);
}

void rig_switch_direct(struct lpar *lpar, bool on)
{
    lock_take(&lpar->devices);
    direct_switch(lpar, on);
    lock_release(&lpar->devices);
    RIG_CHECK(!router_audit(), "%s", router_audit());
    RIG_CHECK(!direct_audit(lpar), "%s", direct_audit(lpar));
}

unsigned long rig_handled(void)
{
    unsigned long sum = 0;

    for (unsigned f = 1; f <= RIG_FUNCTIONS; f++)
        sum += rig.device[f].lines + rig.device[f].messages;
    return sum;
}

unsigned long rig_in_vain(void)
{
    unsigned long sum = 0;

    for (unsigned f = 1; f <= RIG_FUNCTIONS; f++)
        sum += rig.device[f].in_vain;
    return sum;
}

/* ---- power ---- */

static unsigned ports;

static struct model *power_on(void)
{
    struct model *model =
        model_open(&(struct model_shape){.ports = ports, .width_dw = 2, .sources = 32}, NULL);

    RIG_CHECK(model, "no circuit with %u ports", ports);
    return model;
}

void rig_open(const struct rig_plan *plan)
{
    unsigned owned = 0;

    memset(&router, 0, sizeof router);
    memset(lpars, 0, sizeof lpars);
    lpar_count = 0;
    paper_reset();
    rig = (struct rig){.input_on = true, .deadline = {~0ull, ~0ull, ~0ull, ~0ull}};
    ports = plan->ports;
    for (unsigned f = 1; f <= ports; f++) {
        make_function(f);
        owned += plan->owner[f] != 0;
    }
    machine = hosted_ops;
    machine.ticks = ticks;
    machine.deadline = deadline;
    machine.apic = &paper_apic;
    machine.direct = paper_direct;
    rig.model = power_on();
    rig.sim = card_sim_open(rig.model, sink, NULL);
    RIG_CHECK(rig.sim, "no memory");
    rig_pass(BEGIN_NS);
    RIG_CHECK(router_open(card_sim_card(rig.sim), &host, owned) == 0, "no router");
    RIG_CHECK(router_confines(), "the circuit has no windows");
    rig.red = make(plan, 1, "red");
    rig.blue = make(plan, 2, "blue");
    router_handle(0, rig.red->vcpu[0]);
    router_begin();
}

void rig_reset_card(void)
{
    struct model *before = rig.model;

    rig.model = power_on();
    card_sim_attach(rig.sim, rig.model);
    model_close(before);
    rig.level = false; /* a link that goes down releases its wires (PCIe 5.0 2.2.8.1) */
    for (unsigned f = 1; f <= ports; f++) {
        rig.device[f].told = false;
        update_wire(f);
    }
}

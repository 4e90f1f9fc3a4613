/* SPDX-License-Identifier: BSD-2-Clause */
#include "router.h"

#include "functions.h"
#include "log.h"
#include "lpar.h"
#include "relay_regs.h"
#include "timers.h"

/*
 * Interrupts in a row in which nothing was found. A line may stay up for a moment after the relay has taken
 * its wire down, as that message is still on its way; one that stays up for good must not keep its CPU.
 */
enum { FRUITLESS_PAUSE = 2, FRUITLESS_TELL = 20, PAUSES_PER_SECOND = 20000, PAUSE_DOUBLINGS = 8 };
/* A function has a tenth of each 10 ms of another's CPU. */
enum { PERIODS_PER_SECOND = 100, PERIOD_SHARE = 10 };
/* Entries of the source table that stay free for functions of nobody. */
enum { FREE_SOURCES = 2 };

struct router router;

static bool by_relay(const struct routed *r)
{
    return r->lpar->mechanisms >> MECHANISM_RELAY & 1;
}

static unsigned pin_of(const struct routed *r)
{
    return r->pass->function->pin - 1u; /* none: beyond all pins */
}

static struct routed *routed_of(const struct pci_pass *pass)
{
    struct routed *r = &router.port[pass->function->id & 7];

    return r->pass == pass ? r : 0;
}

static void write(uint32_t offset, uint32_t value)
{
    (void)card_write(router.card, offset, value);
}

/* ---- the relay's tables ---- */

bool router_confines(void)
{
    const uint32_t both = RELAY_CAPS_DMA_WINDOWS | RELAY_CAPS_MSI_REWRITE;

    return router.present && (router.indicator.caps & both) == both;
}

static void program(unsigned source, unsigned port, uint16_t id, uint32_t kind, uint32_t address,
                    uint32_t data)
{
    write(RELAY_SRC_ADDR_LO(source), address);
    write(RELAY_SRC_ADDR_HI(source), 0);
    write(RELAY_SRC_DATA(source), data);
    write(RELAY_SRC_KEY(source),
          RELAY_SRC_KEY_VALID | RELAY_SRC_KEY_PROGRAMMED | RELAY_PUT(RELAY_SRC_KEY_KIND, kind) |
              RELAY_PUT(RELAY_SRC_KEY_PORT, port) | RELAY_PUT(RELAY_SRC_KEY_REQUESTER, id));
    if (kind == RELAY_SRC_KEY_KIND_MSI && router_confines()) {
        write(RELAY_SRC_MSG_DATA(source), data);
        write(RELAY_SRC_MSG_ADDR(source), address | RELAY_SRC_MSG_ADDR_REWRITE);
    }
}

static void set_act(const struct routed *r)
{
    write(RELAY_SRC_ACT(r->first),
          (by_relay(r) ? RELAY_SRC_ACT_ONE_SHOT : 0u) | (r->masked ? RELAY_SRC_ACT_MASK : 0u));
}

/* ---- DMA windows: guest-physical addresses to the LPAR's memory, and to nothing else ---- */

enum { WINDOWS = 2 };

static void close_windows(unsigned port)
{
    for (unsigned w = 0; w < WINDOWS; w++)
        write(RELAY_DMA_BASE_LO(WINDOWS * port + w), 0);
}

static void open_windows(unsigned port)
{
    const struct memory *memory = &router.port[port].lpar->memory;

    for (unsigned w = 0; w < memory->count; w++) {
        const struct memory_range *range = &memory->range[w];
        const uint64_t bound = range->gpa + range->size,
                       offset = (uint64_t)(uintptr_t)range->host - range->gpa;
        const unsigned window = WINDOWS * port + w;

        write(RELAY_DMA_BASE_HI(window), (uint32_t)(range->gpa >> 32));
        write(RELAY_DMA_BOUND_LO(window), (uint32_t)bound);
        write(RELAY_DMA_BOUND_HI(window), (uint32_t)(bound >> 32));
        write(RELAY_DMA_OFFSET_LO(window), (uint32_t)offset);
        write(RELAY_DMA_OFFSET_HI(window), (uint32_t)(offset >> 32) & 0xfffff);
        write(RELAY_DMA_BASE_LO(window), (uint32_t)range->gpa | RELAY_DMA_BASE_LO_OPEN);
    }
}

/* With windows in the circuit every port is checked, whether an LPAR has its function or not. */
static void confine(void)
{
    for (unsigned port = 1; router_confines() && port <= router.indicator.ports; port++) {
        close_windows(port);
        write(RELAY_DMA_CTRL(port), RELAY_DMA_CTRL_ENABLE);
    }
}

bool router_dma(struct lpar *lpar, struct pci_pass *pass, bool on)
{
    struct routed *r = routed_of(pass);
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

static uint32_t read(uint32_t offset)
{
    uint32_t value = 0;

    (void)card_read(router.card, offset, &value);
    return value;
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

static void program_port(unsigned port)
{
    const struct routed *r = &router.port[port];
    const uint16_t id = r->pass->function->id;
    struct pci_message message;

    if (r->pass->function->pin) {
        program(r->first, port, id, RELAY_SRC_KEY_KIND_INTX, pin_of(r), 0);
        set_act(r);
    }
    for (unsigned i = 0; i < r->pass->messages; i++) {
        if (router_message_of(r->pass, i, &message))
            program(r->first + 1 + i, port, id, RELAY_SRC_KEY_KIND_MSI, (uint32_t)message.address,
                    message.data);
    }
}

/* ---- events ---- */

/* A requester that belongs to nobody: it is named once, and its source masked. */
static void listen(void *context, const struct indicator_event *event)
{
    (void)context;
    if (event->fresh == 0 || (event->source < INDICATOR_SOURCES && router.port_of[event->source]))
        return;
    if (router.stats.strangers++ == 0)
        log_line("relay: an interrupt of nobody: requester %02x:%02x.%x, port %u, %s %lx %x",
                 event->requester >> 8, event->requester >> 3 & 31, event->requester & 7, event->port,
                 event->kind == RELAY_SRC_KEY_KIND_INTX ? "pin" : "message", event->address, event->data);
    if (event->source < router.indicator.sources)
        write(RELAY_SRC_ACT(event->source), RELAY_SRC_ACT_MASK);
}

/* @pre the router's lock. A card that was reset has lost its tables; the reader has found that out. */
static void drain(enum indicator_hint hint)
{
    const uint64_t resets = router.indicator.stats.resets;

    (void)indicator_drain(&router.indicator, hint);
    if (router.indicator.stats.resets == resets)
        return;
    confine();
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        if (router.port[port].lpar)
            program_port(port);
        if (router.port[port].open)
            open_windows(port);
    }
    log_line("relay: the card was reset, and is set up again");
}

/* ---- to the owner ---- */

/* Device lock held. */
static void raise(struct routed *r)
{
    r->in_service = true;
    r->lines++;
    router.last[pin_of(r)] = r;
    lpar_pci_line(r->lpar, r->pass, true);
}

static void send(struct routed *r, unsigned index)
{
    struct lpar *lpar = r->lpar;
    struct pci_message guest;

    lock_take(&lpar->devices);
    if (pci_pass_message(r->pass, index, &guest)) {
        r->messages++;
        lpar->set.env.message(lpar, guest.address, guest.data);
    } else {
        router.stats.dropped++;
    }
    lock_release(&lpar->devices);
}

/* Whose wire is high, by what the relay said, and whom nobody has told yet. */
static bool is_due(const struct routed *r)
{
    return r->lpar && by_relay(r) && pin_of(r) < ROUTER_PINS && router.indicator.source[r->first].known &&
           router.indicator.source[r->first].level && !r->in_service && !r->delayed;
}

static bool deliver_messages(void)
{
    bool found = false;

    for (unsigned word = 0; word < (router.indicator.sources + 31) / 32; word++) {
        uint32_t bits = __atomic_load_n(&router.indicator.pending[word], __ATOMIC_ACQUIRE);

        for (; bits; bits &= bits - 1) {
            const unsigned source = 32 * word + (unsigned)__builtin_ctz(bits);
            struct routed *r = &router.port[router.port_of[source]];

            if (!r->lpar || source == r->first || !indicator_take(&router.indicator, source) || !by_relay(r))
                continue;
            send(r, source - r->first - 1);
            found = true;
        }
    }
    return found;
}

static bool deliver_lines(void)
{
    bool found = false;

    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (!is_due(r))
            continue;
        lock_take(&r->lpar->devices);
        if (is_due(r)) {
            indicator_take(&router.indicator, r->first);
            raise(r);
            found = true;
        }
        lock_release(&r->lpar->devices);
    }
    return found;
}

/*
 * All that the bits say, of any line and any message: an interrupt may bring another's events along. Each bit
 * is taken by one CPU. Not under the router's lock, which comes after the LPARs'.
 */
static bool deliver(void)
{
    const bool messages = deliver_messages();

    return deliver_lines() || messages;
}

/* ---- the baseline: status registers ---- */

static bool scan(unsigned pin)
{
    bool found = false, scanned = false;

    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (!r->lpar || by_relay(r) || pin_of(r) != pin)
            continue;
        scanned = true;
        lock_take(&r->lpar->devices);
        if (!r->in_service && !r->delayed && !by_relay(r)) {
            router.stats.scan_reads++;
            if (pci_pass_asks(r->pass)) {
                pci_pass_hold_line(r->pass, true);
                raise(r);
                found = true;
            }
        }
        lock_release(&r->lpar->devices);
    }
    router.stats.scans += scanned;
    return found;
}

/* ---- lines that stay up ---- */

/* A wire that joined a line which was up is no one-shot (docs/mechanisms/relay.md): it is masked instead. */
static void mask_in_service(unsigned pin)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (r->lpar && by_relay(r) && pin_of(r) == pin && r->in_service && !r->masked) {
            r->masked = true;
            set_act(r);
        }
    }
}

/* The input is masked for a while, longer each time; what asks meanwhile is let in at its end. */
static void pause(unsigned pin)
{
    struct vcpu *vcpu = router.vcpu[pin];
    const struct machine_ops *machine;
    unsigned doublings = router.fruitless[pin] - FRUITLESS_PAUSE;

    if (!vcpu)
        return;
    machine = vcpu->context.machine;
    router.stats.pauses++;
    router.paused[pin] = true;
    router.host->line_on(pin, false);
    timers_set_line(vcpu,
                    machine->ticks() + (machine->ticks_per_second() / PAUSES_PER_SECOND
                                        << (doublings < PAUSE_DOUBLINGS ? doublings : PAUSE_DOUBLINGS)));
}

/* @pre the router's lock */
static void count_fruitless(unsigned pin, bool found)
{
    if (found) {
        router.fruitless[pin] = 0;
        return;
    }
    router.stats.spurious++;
    if (++router.fruitless[pin] < FRUITLESS_PAUSE)
        return;
    if (router.fruitless[pin] == FRUITLESS_TELL)
        log_line("relay: INT%c stays up, and nobody says why", 'A' + pin);
    mask_in_service(pin);
    pause(pin);
}

void router_handle(unsigned pin, struct vcpu *vcpu)
{
    router.vcpu[pin] = vcpu;
}

/* A wire that is a one-shot may have come and gone while the input was masked: then no interrupt comes any
 * more. */
void router_resume(const struct vcpu *vcpu)
{
    bool any = false;

    lock_take(&router.lock);
    for (unsigned pin = 0; pin < ROUTER_PINS; pin++)
        if (router.paused[pin] && router.vcpu[pin] == vcpu) {
            router.paused[pin] = false;
            router.host->line_on(pin, true);
            any = true;
        }
    if (any)
        drain(INDICATOR_CONFIRM);
    lock_release(&router.lock);
    if (any)
        deliver();
}

/* ---- entries ---- */

/* ---- what a line costs the CPU of another LPAR ---- */

static uint64_t ticks(const struct lpar *lpar)
{
    return lpar->map.machine->ticks();
}

static uint64_t period(const struct lpar *lpar)
{
    return lpar->map.machine->ticks_per_second() / PERIODS_PER_SECOND;
}

static void charge(unsigned pin, uint64_t spent)
{
    struct routed *r = router.last[pin];

    if (!r || !router.vcpu[pin] || router.vcpu[pin]->lpar == r->lpar)
        return;
    if (ticks(r->lpar) - r->period > period(r->lpar)) {
        r->period = ticks(r->lpar);
        r->spent = 0;
    }
    r->spent += spent;
}

/* Puts the function off to the end of its period, if it has had its share of this one. Device lock held. */
static bool delay(struct routed *r)
{
    const uint64_t length = period(r->lpar), now = ticks(r->lpar);

    if (now - r->period > length || r->spent < length / PERIOD_SHARE)
        return false;
    r->delayed = true;
    r->delays++;
    timers_set_device(r->lpar, TIMER_LINES, r->lpar->set.env.now(r->lpar) + 1000000000u / PERIODS_PER_SECOND);
    return true;
}

static void note_least(uint64_t *least, uint64_t ticks)
{
    if (*least == 0 || ticks < *least)
        *least = ticks;
}

void router_line(unsigned pin)
{
    uint64_t begin, told;
    bool found, scanned;

    if (!router.present || !router.vcpu[pin])
        return;
    begin = ticks(router.vcpu[pin]->lpar);
    lock_take(&router.lock);
    router.stats.interrupts++;
    drain(INDICATOR_CONFIRM);
    lock_release(&router.lock);
    found = deliver();
    scanned = scan(pin);
    told = ticks(router.vcpu[pin]->lpar) - begin;
    lock_take(&router.lock);
    if (found != scanned)
        note_least(scanned ? &router.stats.least.line_scanned : &router.stats.least.line, told);
    count_fruitless(pin, found || scanned);
    charge(pin, ticks(router.vcpu[pin]->lpar) - begin);
    lock_release(&router.lock);
}

void router_message(unsigned source)
{
    struct routed *r;
    uint64_t begin;
    bool found;

    if (!router.present || source >= INDICATOR_SOURCES || !router.port_of[source])
        return;
    r = &router.port[router.port_of[source]];
    if (source == r->first)
        return;
    begin = ticks(r->lpar);
    lock_take(&router.lock);
    router.stats.interrupts++;
    if (by_relay(r))
        drain(INDICATOR_POLL);
    lock_release(&router.lock);
    if (!by_relay(r)) {
        send(r, source - r->first - 1);
        note_least(&router.stats.least.message_by_vector, ticks(r->lpar) - begin);
        return;
    }
    found = deliver();
    router.stats.spurious += !found;
    if (found)
        note_least(&router.stats.least.message, ticks(r->lpar) - begin);
}

/* The function may ask again: the relay looks at its wire, or its command register lets the wire up. */
static void release(struct routed *r)
{
    if (r->pass->line_held)
        pci_pass_hold_line(r->pass, false);
    lock_take(&router.lock);
    if (r->masked) {
        r->masked = false;
        set_act(r);
    }
    if (by_relay(r)) {
        (void)indicator_ack(&router.indicator, r->first);
        write(RELAY_REARM, r->first);
    }
    lock_release(&router.lock);
}

void router_end(struct lpar *lpar, unsigned gsi)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (r->lpar != lpar || !r->in_service || lpar_pci_gsi(r->pass) != gsi)
            continue;
        r->in_service = false;
        lpar_pci_line(lpar, r->pass, false);
        if (!delay(r))
            release(r);
    }
}

void router_release(struct lpar *lpar)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (r->lpar != lpar || !r->delayed)
            continue;
        r->delayed = false;
        release(r);
    }
}

void router_forget(struct pci_pass *pass)
{
    struct routed *r = routed_of(pass);

    if (!r || !(r->in_service || r->delayed))
        return;
    r->in_service = r->delayed = false;
    lpar_pci_line(r->lpar, pass, false);
    lock_take(&router.lock);
    r->masked = false;
    set_act(r);
    write(RELAY_REARM, r->first);
    lock_release(&router.lock);
}

/*
 * What the relay has recorded until now was told already, by vector or by status; what is high and was not
 * told is found by its wire. A message that is on its way to a CPU just now may be told twice, never lost.
 */
void router_switch(struct lpar *lpar, bool on)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (r->lpar != lpar)
            continue;
        lock_take(&router.lock);
        drain(INDICATOR_CONFIRM);
        for (unsigned i = 0; on && i < r->pass->messages; i++)
            indicator_take(&router.indicator, r->first + 1 + i);
        if (on)
            lpar->mechanisms |= 1u << MECHANISM_RELAY;
        else
            lpar->mechanisms &= ~(1u << MECHANISM_RELAY);
        r->masked = false;
        if (r->pass->function->pin) {
            set_act(r);
            write(RELAY_REARM, r->first);
        }
        lock_release(&router.lock);
        if (r->pass->line_held)
            pci_pass_hold_line(r->pass, false);
        if (r->in_service)
            lpar_pci_line(lpar, r->pass, false);
        r->in_service = r->delayed = false;
    }
}

void router_force(unsigned pin, bool high)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        const struct routed *r = &router.port[port];
        uint32_t flushed;

        if (!r->lpar || pin_of(r) != pin)
            continue;
        lock_take(&router.lock);
        write(RELAY_SRC_ACT(r->first), 0);
        write(RELAY_INJECT, RELAY_PUT(RELAY_INJECT_SOURCE, r->first) | (high ? RELAY_INJECT_LEVEL : 0u));
        (void)card_read(router.card, RELAY_WIRES_UP, &flushed);
        if (!high) {
            set_act(r);
            drain(INDICATOR_CONFIRM);
            indicator_take(&router.indicator, r->first);
        }
        lock_release(&router.lock);
        return;
    }
}

/* ---- start ---- */

bool router_message_of(const struct pci_pass *pass, unsigned index, struct pci_message *message)
{
    const struct routed *r = routed_of(pass);

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

int router_open(struct card *card, const struct router_host *host, unsigned count)
{
    int error;

    router.card = card;
    router.host = host;
    error = indicator_open(&router.indicator, card, ROUTER_RING_LOG2, listen, 0);
    if (error)
        return trace_error(error, "relay: it cannot be used (%d)", error);
    if (!(router.indicator.caps & RELAY_CAPS_ONE_SHOT) || router.indicator.sources <= count + FREE_SOURCES)
        return trace_error(CARD_FOREIGN, "relay: %u sources and capabilities %x are too little",
                           router.indicator.sources, router.indicator.caps);
    router.quota = count ? (router.indicator.sources - FREE_SOURCES - count) / count : 0;
    if (router.quota > PCI_PASS_MESSAGES)
        router.quota = PCI_PASS_MESSAGES;
    router.present = true;
    confine();
    log_line("relay: %u sources, %u messages a function, events %s, DMA %s", router.indicator.sources,
             router.quota, router.indicator.ring_on ? "in memory" : "by registers",
             router_confines() ? "in windows" : "refused");
    return 0;
}

void router_add(struct lpar *lpar, struct pci_pass *pass)
{
    const unsigned port = pass->function->id & 7;
    struct routed *r = &router.port[port];

    if (!router.present)
        return;
    *r = (struct routed){.lpar = lpar, .pass = pass, .first = router.count++ * (router.quota + 1)};
    /* What it does not use of its part the relay may give to whom it learns of: that is nobody's. */
    for (unsigned i = pass->function->pin ? 0 : 1; i <= pass->messages; i++)
        router.port_of[r->first + i] = (uint8_t)port;
    lock_take(&router.lock);
    program_port(port);
    lock_release(&router.lock);
}

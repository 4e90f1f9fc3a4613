/* SPDX-License-Identifier: BSD-2-Clause */
#include "router.h"

#include "log.h"
#include "relay_regs.h"
#include "router_internal.h"

/* Entries of the source table that stay free for functions of nobody. */
enum { FREE_SOURCES = 2 };

struct router router;

/* ---- events ---- */

/*
 * Counts. A requester that belongs to nobody is named once, and its source masked. An entry that another port
 * holds is of a card that was reset.
 */
static void listen(void *context, const struct indicator_event *event)
{
    const unsigned owner = event->source < INDICATOR_SOURCES ? router.port_of[event->source] : 0;

    (void)context;
    if (owner == event->port && owner) {
        struct routed *r = &router.port[owner];

        r->recorded += event->fresh;
        if (event->fresh) {
            router_asked(r, event->source, event->time_ns);
            __atomic_fetch_or(&router.stale, 1u << owner, __ATOMIC_RELAXED);
        } else if (event->source == r->first && !event->level) {
            router_gone(r);
        }
    }
    if (owner || event->fresh == 0)
        return;
    if (router.stats.strangers++ == 0)
        log_line("relay: an interrupt of nobody: requester %02x:%02x.%x, port %u, %s %lx %x",
                 event->requester >> 8, event->requester >> 3 & 31, event->requester & 7, event->port,
                 event->kind == RELAY_SRC_KEY_KIND_INTX ? "pin" : "message", event->address, event->data);
    if (event->source < router.indicator.sources)
        router_write(RELAY_SRC_ACT(event->source), RELAY_SRC_ACT_MASK);
}

/* @pre the router's lock. A card that was reset has lost its tables; the reader has found that out. */
void router_drain(enum indicator_hint hint)
{
    const uint64_t resets = router.indicator.stats.resets;

    (void)indicator_drain(&router.indicator, hint);
    if (router.indicator.stats.resets == resets)
        return;
    router_recover();
    log_line("relay: the card was reset, and is set up again");
}

/* ---- to the owner ---- */

static uint64_t ticks(const struct lpar *lpar)
{
    return lpar->map.machine->ticks();
}

/* What it waited is reckoned when it ends: not while the guest waits. Device lock held. */
static void raise(struct routed *r, unsigned pin)
{
    r->in_service = true;
    r->lines++;
    router.last[pin] = r;
    r->asked_ns = __atomic_exchange_n(&router.asked_ns[r->first], 0, __ATOMIC_RELAXED);
    lpar_pci_line(r->lpar, r->pass, true);
    r->given = ticks(r->lpar);
}

void router_send(struct routed *r, unsigned index)
{
    struct pci_message guest;

    if (pci_pass_message(r->pass, index, &guest)) {
        r->messages++;
        r->exits++; /* the EOI: a virtual local APIC's always exits */
        r->asked_ns = __atomic_exchange_n(&router.asked_ns[r->first + 1 + index], 0, __ATOMIC_RELAXED);
        r->given = ticks(r->lpar);
        r->lpar->set.env.message(r->lpar, guest.address, guest.data);
        router_waited(r);
    } else {
        router.stats.dropped++;
        __atomic_store_n(&router.asked_ns[r->first + 1 + index], 0, __ATOMIC_RELAXED);
    }
}

static void send(struct routed *r, unsigned index)
{
    lock_take(&r->lpar->devices);
    router_send(r, index);
    lock_release(&r->lpar->devices);
}

static bool has_bit(const uint32_t *bits, unsigned index)
{
    return __atomic_load_n(bits, __ATOMIC_ACQUIRE) >> index & 1;
}

/*
 * `vectors` of the source's messages are being handled just now; more that were recorded are told ahead of
 * theirs. A message that is not to be told by its record any more is left alone. Device lock held.
 */
static bool send_recorded(struct routed *r, unsigned source, unsigned vectors)
{
    const unsigned index = source - r->first - 1;
    uint32_t recorded;

    if (has_bit(&r->by_vector, index) || has_bit(&r->turning, index))
        return false;
    recorded = indicator_take(&router.indicator, source);
    if (recorded > vectors)
        __atomic_fetch_or(&r->ahead, 1u << index, __ATOMIC_RELAXED);
    if (recorded)
        router_send(r, index);
    return recorded;
}

/* Whose wire is high, by what the relay said, and whom nobody has told yet. @pre it has a pin */
static bool is_due(const struct routed *r)
{
    return !r->in_service && !r->delayed && by_relay(r) &&
           __atomic_load_n(&router.indicator.high[r->first / 32], __ATOMIC_ACQUIRE) >> r->first % 32 & 1;
}

static bool deliver_messages(unsigned word, uint32_t bits)
{
    bool found = false;

    for (; bits; bits &= bits - 1) {
        const unsigned source = 32 * word + (unsigned)__builtin_ctz(bits);
        struct routed *r = &router.port[router.port_of[source]];

        if (!r->lpar || source == r->first || has_bit(&r->by_vector, source - r->first - 1))
            continue;
        lock_take(&r->lpar->devices);
        found |= send_recorded(r, source, 0);
        lock_release(&r->lpar->devices);
    }
    return found;
}

static bool tell_line(struct routed *r)
{
    bool due;

    if (r->in_service || r->delayed)
        return false;
    lock_take(&r->lpar->devices);
    due = is_due(r);
    if (due) {
        indicator_take(&router.indicator, r->first);
        raise(r, pin_of(r));
    }
    lock_release(&r->lpar->devices);
    return due;
}

/*
 * All that the bits say, of any line and any message: an interrupt may bring another's events along. Each bit
 * is taken by one CPU. Not under the router's lock, which comes after the LPARs'.
 */
bool router_deliver(void)
{
    bool found = false;

    for (unsigned word = 0; 32 * word < router.indicator.sources; word++) {
        const uint32_t lines = router.lines[word];
        const uint32_t messages = __atomic_load_n(&router.indicator.pending[word], __ATOMIC_ACQUIRE) & ~lines;
        uint32_t high = __atomic_load_n(&router.indicator.high[word], __ATOMIC_ACQUIRE) & lines;

        if (messages)
            found |= deliver_messages(word, messages);
        for (; high; high &= high - 1)
            found |= tell_line(&router.port[router.port_of[32 * word + (unsigned)__builtin_ctz(high)]]);
    }
    if (__atomic_load_n(&router.recovered, __ATOMIC_RELAXED))
        router_after_recovery();
    return found;
}

/* ---- the baseline: status registers ---- */

static bool scan_one(struct routed *r)
{
    bool asks = false;

    lock_take(&r->lpar->devices);
    if (!r->in_service && !r->delayed && !by_relay(r)) {
        router.stats.scan_reads++;
        asks = pci_pass_asks(r->pass);
        if (asks) {
            pci_pass_hold_line(r->pass, true);
            raise(r, pin_of(r));
        }
    }
    lock_release(&r->lpar->devices);
    return asks;
}

static bool scan(unsigned pin)
{
    uint32_t ports = __atomic_load_n(&router.by_status[pin], __ATOMIC_RELAXED);
    bool found = false;

    router.stats.scans += ports != 0;
    for (; ports; ports &= ports - 1)
        found |= scan_one(&router.port[__builtin_ctz(ports)]);
    return found;
}

void router_note_way(const struct routed *r)
{
    const unsigned pin = pin_of(r);
    const uint32_t bit = 1u << (r - router.port);

    if (pin >= ROUTER_PINS)
        return;
    if (by_relay(r))
        __atomic_fetch_and(&router.by_status[pin], ~bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_or(&router.by_status[pin], bit, __ATOMIC_RELAXED);
}

/* ---- entries ---- */

static void note_least(uint64_t *least, uint64_t ticks)
{
    if (*least == 0 || ticks < *least)
        *least = ticks;
}

void router_line(unsigned pin)
{
    const struct vcpu *vcpu = router.vcpu[pin];
    const struct routed *last;
    uint64_t begin, told;
    bool found, scanned;

    if (!router.present || !vcpu)
        return;
    begin = ticks(vcpu->lpar);
    __atomic_fetch_add(&router.stats.interrupts, 1, __ATOMIC_RELAXED);
    lock_take(&router.lock);
    router_drain(INDICATOR_CONFIRM);
    lock_release(&router.lock);
    found = router_deliver();
    scanned = __atomic_load_n(&router.by_status[pin], __ATOMIC_RELAXED) && scan(pin);
    last = router.last[pin];
    told = last && last->given >= begin ? last->given : ticks(vcpu->lpar);
    if (found != scanned)
        note_least(scanned ? &router.stats.least.line_scanned : &router.stats.least.line, told - begin);
    router_account(pin, vcpu, begin, told);
    if (found || scanned)
        router.fruitless[pin] = 0;
    else
        router_fruitless(pin);
    if (told - router.clock.tried >= router.clock.interval)
        router_clock();
}

/* Whether the source itself was told. */
static bool drain_and_deliver(struct routed *r, unsigned source, enum indicator_hint hint)
{
    bool own;

    lock_take(&router.lock);
    router_drain(hint);
    lock_release(&router.lock);
    lock_take(&r->lpar->devices);
    own = send_recorded(r, source, 1);
    lock_release(&r->lpar->devices);
    router_deliver();
    return own;
}

/*
 * The record is in memory before the message comes, and with it perhaps others': all are given to their
 * owners. It may have been found already, with another's interrupt; else the card is asked what has become of
 * it.
 */
static void message_by_relay(struct routed *r, unsigned index)
{
    const unsigned source = r->first + 1 + index;
    const uint64_t begin = ticks(r->lpar);
    const bool ahead = has_bit(&r->ahead, index);

    __atomic_fetch_and(&r->ahead, ~(1u << index), __ATOMIC_RELAXED);
    if (drain_and_deliver(r, source, INDICATOR_POLL) ||
        (!ahead && drain_and_deliver(r, source, INDICATOR_CONFIRM)))
        note_least(&router.stats.least.message, ticks(r->lpar) - begin);
    else
        router.stats.spurious++;
    router_clock();
}

static void message_by_vector(struct routed *r, unsigned index)
{
    const uint64_t begin = ticks(r->lpar);

    send(r, index);
    note_least(&router.stats.least.message_by_vector, ticks(r->lpar) - begin);
}

void router_message(unsigned source)
{
    struct routed *r;
    unsigned index;

    if (!router.present || source >= INDICATOR_SOURCES || !router.port_of[source])
        return;
    r = &router.port[router.port_of[source]];
    if (source == r->first)
        return;
    index = source - r->first - 1;
    __atomic_fetch_add(&router.stats.interrupts, 1, __ATOMIC_RELAXED);
    r->exits++;
    if (!has_bit(&r->by_vector, index))
        message_by_relay(r, index);
    /* Also where that has found the card reset: the record is lost, and the vector is what is left. */
    if (has_bit(&r->by_vector, index))
        message_by_vector(r, index);
    if (has_bit(&r->turning, index))
        router_turned(r, index);
}

/* The function may ask again: the relay looks at its wire, or its command register lets the wire up. */
static void release(struct routed *r)
{
    if (r->pass->line_held)
        pci_pass_hold_line(r->pass, false);
    lock_take(&router.lock);
    if (r->masked) {
        r->masked = false;
        router_set_act(r);
    }
    if (by_relay(r)) {
        indicator_settle(&router.indicator);
        (void)indicator_ack(&router.indicator, r->first);
        router_write(RELAY_REARM, r->first);
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
        r->exits++;
        lpar_pci_line(lpar, r->pass, false);
        if (!router_delay(r))
            release(r);
        router_waited(r);
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
    router_turn(lpar);
}

void router_forget(struct pci_pass *pass)
{
    struct routed *r = router_find(pass);

    if (!r)
        return;
    lock_take(&router.lock);
    router_drain(INDICATOR_POLL);
    for (unsigned i = 0; i < pass->messages; i++)
        (void)indicator_take(&router.indicator, r->first + 1 + i);
    router_turn_at_once(r);
    lock_release(&router.lock);
    router_void(r);
    if (!(r->in_service || r->delayed))
        return;
    if (r->in_service)
        router_waited(r);
    r->in_service = r->delayed = false;
    lpar_pci_line(r->lpar, pass, false);
    lock_take(&router.lock);
    r->masked = false;
    router_set_act(r);
    router_write(RELAY_REARM, r->first);
    lock_release(&router.lock);
}

void router_refresh(void)
{
    if (!router.present)
        return;
    lock_take(&router.lock);
    router_drain(INDICATOR_POLL);
    lock_release(&router.lock);
    router_deliver();
    router_publish_stale();
}

void router_force(unsigned pin, bool high)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        const struct routed *r = &router.port[port];
        uint32_t flushed;

        if (!r->lpar || pin_of(r) != pin)
            continue;
        lock_take(&router.lock);
        router_write(RELAY_SRC_ACT(r->first), 0);
        router_write(RELAY_INJECT,
                     RELAY_PUT(RELAY_INJECT_SOURCE, r->first) | (high ? RELAY_INJECT_LEVEL : 0u));
        (void)card_read(router.card, RELAY_WIRES_UP, &flushed);
        if (!high) {
            router_set_act(r);
            router_drain(INDICATOR_CONFIRM);
            indicator_take(&router.indicator, r->first);
        }
        lock_release(&router.lock);
        return;
    }
}

/* ---- start ---- */

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
    router_program_all();
    log_line("relay: %u sources, %u messages a function, events %s, DMA %s", router.indicator.sources,
             router.quota, router.indicator.ring_on ? "in memory" : "by registers",
             router_confines() ? "in windows" : "refused");
    return 0;
}

void router_add(struct lpar *lpar, struct pci_pass *pass, bool dedicated)
{
    const unsigned port = pass->function->id & 7;
    struct routed *r = &router.port[port];

    if (!router.present)
        return;
    *r = (struct routed){
        .lpar = lpar,
        .pass = pass,
        .first = router.count++ * (router.quota + 1),
        .dedicated = dedicated,
        .period_ticks = router_period(lpar),
    };
    router_turn_at_once(r);
    for (unsigned i = 0; i < pass->messages; i++)
        (void)router_message_of(pass, i, &r->to[i]);
    /* What it does not use of its part the relay may give to whom it learns of: that is nobody's. */
    for (unsigned i = pass->function->pin ? 0 : 1; i <= pass->messages; i++)
        router.port_of[r->first + i] = (uint8_t)port;
    if (pass->function->pin)
        router.lines[r->first / 32] |= 1u << r->first % 32;
    router_note_way(r);
    lock_take(&router.lock);
    router_program(port);
    lock_release(&router.lock);
}

void router_begin(void)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++)
        if (router.port[port].lpar) {
            router.port[port].recorded = 0;
            router_publish(&router.port[port]);
        }
    router_clock();
    router.stats = (struct router_stats){0};
    router.indicator.stats = (struct indicator_stats){0};
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An LPAR's mechanism `relay` goes on or off while its functions ask.
 *
 * A line is a level: what is high and was not told is found by its wire, whichever way it was told before. A
 * message is an edge, and both ways must agree on which of them was told. So a source goes over alone, at a
 * moment when none of its messages is between the relay and the handler:
 *
 *     the owner's CPU                                     the relay
 *     1 masks the source, reads a register       ──▶      keeps what comes from now on
 *       what was sent before is recorded, and in this CPU's local APIC (posted writes stay before the read's
 *       answer); by the record, it is told now
 *     2 its vector is not requested here: all that was sent has been handled. Else: when it has been
 *     3 what is recorded was told, unless the relay keeps one: the other way begins with that one
 *     4 unmasks the source                       ──▶      sends one message for all that it kept
 *
 * From 1 to 4 what is recorded of the source is told by nobody else (`turning`). The messages of an LPAR come
 * to the CPU of its first vCPU, and only there can 2 be seen.
 */
#include "relay_regs.h"
#include "router_internal.h"
#include "timers.h"

static uint32_t wanted(const struct routed *r)
{
    return messages_by_relay(r) ? 0 : ~0u;
}

static unsigned source_of(const struct routed *r, unsigned index)
{
    return r->first + 1 + index;
}

static void set_way(struct routed *r, unsigned index)
{
    const uint32_t bit = 1u << index;

    __atomic_store_n(&r->by_vector, (r->by_vector & ~bit) | (wanted(r) & bit), __ATOMIC_RELEASE);
    __atomic_fetch_and(&r->turning, ~bit, __ATOMIC_RELEASE);
}

/* Whether the relay keeps one. Drained before it is asked: what comes in between is kept, and seen. */
static bool keeps_one(unsigned source)
{
    uint32_t state = 0;

    router_drain(INDICATOR_POLL);
    (void)card_read(router.card, RELAY_SRC_STATE(source), &state);
    return state & RELAY_SRC_STATE_DEFERRED;
}

/* 3 and 4. The switch may have been taken back meanwhile. @pre device lock held */
static void go_over(struct routed *r, unsigned index)
{
    const unsigned source = source_of(r, index);
    const bool changes = (r->by_vector ^ wanted(r)) >> index & 1;

    lock_take(&router.lock);
    if (!keeps_one(source) ? r->by_vector >> index & 1 : changes && !messages_by_relay(r))
        (void)indicator_take(&router.indicator, source);
    set_way(r, index);
    router_write(RELAY_SRC_ACT(source), 0);
    lock_release(&router.lock);
}

static bool is_requested(const struct routed *r, unsigned index)
{
    return router.host->is_requested(ROUTER_VECTOR + source_of(r, index));
}

void router_turned(struct routed *r, unsigned index)
{
    lock_take(&r->lpar->devices);
    if (r->turning >> index & 1 && !is_requested(r, index))
        go_over(r, index);
    lock_release(&r->lpar->devices);
}

/* 1 and 2, for one message. @pre device lock held */
static void turn(struct routed *r, unsigned index)
{
    const unsigned source = source_of(r, index);
    uint32_t untold = 0;

    __atomic_fetch_or(&r->turning, 1u << index, __ATOMIC_RELEASE);
    lock_take(&router.lock);
    router_write(RELAY_SRC_ACT(source), RELAY_SRC_ACT_MASK);
    /* The first read pushes the records that the drain is to find. */
    if (!keeps_one(source) && !keeps_one(source) && !(r->by_vector >> index & 1))
        untold = indicator_take(&router.indicator, source);
    lock_release(&router.lock);
    if (untold)
        router_send(r, index);
    if (!is_requested(r, index))
        go_over(r, index);
}

void router_turn(struct lpar *lpar)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        for (unsigned i = 0; r->lpar == lpar && i < r->pass->messages; i++)
            if ((r->by_vector ^ wanted(r)) >> i & ~(r->turning >> i) & 1)
                turn(r, i);
    }
}

void router_turn_at_once(struct routed *r)
{
    for (unsigned i = 0; i < r->pass->messages; i++) {
        if (r->turning >> i & 1)
            router_write(RELAY_SRC_ACT(source_of(r, i)), 0);
        set_way(r, i);
    }
}

static void switch_line(struct routed *r)
{
    if (r->pass->function->pin) {
        lock_take(&router.lock);
        r->masked = false;
        router_set_act(r);
        router_write(RELAY_REARM, r->first);
        lock_release(&router.lock);
    }
    if (r->pass->line_held)
        pci_pass_hold_line(r->pass, false);
    if (r->in_service) {
        lpar_pci_line(r->lpar, r->pass, false);
        router_waited(r);
    }
    r->in_service = r->delayed = false;
}

const char *router_refusal(void)
{
    return router.present ? 0 : "this machine has no relay";
}

void router_switch(struct lpar *lpar, bool on)
{
    const uint32_t bit = 1u << MECHANISM_RELAY;

    lock_take(&router.lock);
    lpar->mechanisms = on ? lpar->mechanisms | bit : lpar->mechanisms & ~bit;
    if (!router.present) {
        lock_release(&router.lock);
        return;
    }
    router_drain(INDICATOR_CONFIRM);
    lock_release(&router.lock);
    for (unsigned port = 1; port < ROUTER_PORTS; port++)
        if (router.port[port].lpar == lpar) {
            router_note_way(&router.port[port]);
            switch_line(&router.port[port]);
        }
    /* At once, on the CPU where its messages come. */
    timers_set_device(lpar, TIMER_LINES, 0);
}

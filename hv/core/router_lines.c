/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that stay up though nobody says why, and what a line costs the CPU of another LPAR. */
#include "log.h"
#include "router_internal.h"
#include "timers.h"

/*
 * Interrupts in a row in which nothing was found. A line may stay up for a moment after the relay has taken
 * its wire down, as that message is still on its way; one that stays up for good must not keep its CPU.
 */
enum { FRUITLESS_PAUSE = 2, FRUITLESS_TELL = 20, PAUSES_PER_SECOND = 20000, PAUSE_DOUBLINGS = 8 };
/* A function has a tenth of each 10 ms of another's CPU. */
enum { PERIODS_PER_SECOND = 100, PERIOD_SHARE = 10 };

/* ---- lines that stay up ---- */

/* A wire that joined a line which was up is no one-shot (docs/mechanisms/relay.md): it is masked instead. */
static void mask_in_service(unsigned pin)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        if (r->lpar && by_relay(r) && pin_of(r) == pin && r->in_service && !r->masked) {
            r->masked = true;
            router_set_act(r);
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

void router_fruitless(unsigned pin)
{
    lock_take(&router.lock);
    router.stats.spurious++;
    if (++router.fruitless[pin] == FRUITLESS_TELL)
        log_line("relay: INT%c stays up, and nobody says why", 'A' + pin);
    if (router.fruitless[pin] >= FRUITLESS_PAUSE) {
        mask_in_service(pin);
        pause(pin);
    }
    lock_release(&router.lock);
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
        router_drain(INDICATOR_CONFIRM);
    lock_release(&router.lock);
    if (any)
        router_deliver();
}

/* ---- what a line costs the CPU of another LPAR ---- */

static uint64_t ticks(const struct lpar *lpar)
{
    return lpar->map.machine->ticks();
}

uint64_t router_period(const struct lpar *lpar)
{
    return lpar->map.machine->ticks_per_second() / PERIODS_PER_SECOND;
}

void router_account(unsigned pin, const struct vcpu *vcpu, uint64_t begin, uint64_t end)
{
    struct routed *r = router.last[pin];

    if (!r)
        return;
    r->exits++;
    if (vcpu->lpar == r->lpar)
        return;
    if (end - r->period > r->period_ticks) {
        r->period = end;
        r->spent = 0;
    }
    r->spent += end - begin;
    r->taken += end - begin;
}

/* Puts the function off to the end of its period, if it has had its share of this one. Device lock held. */
bool router_delay(struct routed *r)
{
    const uint64_t length = r->period_ticks, now = ticks(r->lpar);

    if (router.unlimited || now - r->period > length || r->spent < length / PERIOD_SHARE)
        return false;
    r->delayed = true;
    r->delays++;
    timers_set_device(r->lpar, TIMER_LINES, r->lpar->set.env.now(r->lpar) + 1000000000u / PERIODS_PER_SECOND);
    return true;
}

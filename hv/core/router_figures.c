/* SPDX-License-Identifier: BSD-2-Clause */
#include "router_figures.h"

#include "relay_regs.h"
#include "router_internal.h"
#include "text.h"

/* Ticks of a CPU and a card's clock drift apart by less than this. */
enum { DRIFT_PPM = 200, FIRST_TRIES = 8, NS_PER_SECOND = 1000000000 };

union router_page router_page __attribute__((aligned(FRAME_SIZE))) = {
    .figures = {.count = STATISTICS_FUNCTIONS,
                .first = offsetof(struct statistics_functions, function),
                .stride = sizeof(struct statistics_function)}};

/* ---- the relay's clock ---- */

static const struct machine_ops *machine(void)
{
    for (unsigned port = 1; port < ROUTER_PORTS; port++)
        if (router.port[port].lpar)
            return router.port[port].lpar->map.machine;
    return 0;
}

static uint64_t scaled(uint64_t ticks, uint64_t scale)
{
    return (uint64_t)((unsigned __int128)ticks * scale >> 32);
}

static uint64_t error_at(const struct router_clock *clock, uint64_t tick)
{
    return clock->error + scaled(tick - clock->tick, clock->scale) * DRIFT_PPM / 1000000;
}

/* High, low, high until both highs agree (docs/manual/registers.md). False: the card is gone. */
static bool read_time(uint64_t *ns)
{
    uint32_t high, low, again;

    if (card_read(router.card, RELAY_TIME_HI, &again))
        return false;
    do {
        high = again;
        if (card_read(router.card, RELAY_TIME_LO, &low) || card_read(router.card, RELAY_TIME_HI, &again))
            return false;
    } while (high != again);
    *ns = (uint64_t)high << 32 | low;
    return true;
}

/* A reading is as good as it was quick; a worse one than what the last has become is dropped. */
static void try(struct router_clock *clock, const struct machine_ops *m)
{
    const uint64_t before = m->ticks();
    uint64_t ns, after, tick, error;

    clock->tried = before;
    clock->interval = m->ticks_per_second();
    if (!read_time(&ns))
        return;
    after = m->ticks();
    tick = before + (after - before) / 2;
    error = scaled(after - before, clock->scale) / 2;
    if (clock->known && error > error_at(clock, tick))
        return;
    if (!clock->known) {
        clock->first_tick = tick;
        clock->first_ns = ns;
    } else if (tick - clock->first_tick > m->ticks_per_second() && ns > clock->first_ns) {
        /* Shifted so that the quotient has its 32 bits behind the point for days. */
        clock->scale = ((ns - clock->first_ns) << 12) / ((tick - clock->first_tick) >> 20);
    }
    clock->known = true;
    clock->tick = tick;
    clock->ns = ns;
    clock->error = error;
}

void router_clock(void)
{
    struct router_clock *clock = &router.clock;
    const struct machine_ops *m = machine();
    unsigned tries = 1;

    if (!m || (clock->tried && m->ticks() - clock->tried < m->ticks_per_second()))
        return;
    if (!clock->scale) {
        clock->scale = ((uint64_t)NS_PER_SECOND << 32) / m->ticks_per_second();
        tries = FIRST_TRIES;
    }
    lock_take(&router.lock);
    while (tries--)
        try(clock, m);
    lock_release(&router.lock);
    router_page.figures.clock_error_ns = (uint32_t)error_at(clock, m->ticks());
    router_publish_stale();
}

/* ---- waiting ---- */

void router_void(const struct routed *r)
{
    for (unsigned i = 0; i <= r->pass->messages; i++)
        __atomic_store_n(&router.asked_ns[r->first + i], 0, __ATOMIC_RELAXED);
}

/* By the relay's clock, which may have been read since. */
static uint64_t ns_at(const struct router_clock *clock, uint64_t tick)
{
    return tick >= clock->tick ? clock->ns + scaled(tick - clock->tick, clock->scale)
                               : clock->ns - scaled(clock->tick - tick, clock->scale);
}

void router_waited(struct routed *r)
{
    const struct router_clock *clock = &router.clock;
    const uint64_t asked = r->asked_ns;

    r->asked_ns = 0;
    if (asked && clock->known) {
        const uint64_t given = ns_at(clock, r->given), wait = given > asked ? given - asked : 0;

        r->timed++;
        r->waited_ns += wait;
        if (wait > r->waited_most_ns)
            r->waited_most_ns = wait;
    }
    router_publish(r);
}

/* ---- the page ---- */

static enum statistics_route route_of(const struct routed *r)
{
    if (pci_pass_by_message(r->pass) && r->direct)
        return STATISTICS_ROUTE_MESSAGE_DIRECT;
    if (pci_pass_by_message(r->pass))
        return by_relay(r) ? STATISTICS_ROUTE_MESSAGE_BY_RELAY : STATISTICS_ROUTE_MESSAGE_BY_VECTOR;
    if (pin_of(r) < ROUTER_PINS)
        return by_relay(r) ? STATISTICS_ROUTE_LINE_BY_RELAY : STATISTICS_ROUTE_LINE_BY_SCAN;
    return STATISTICS_ROUTE_NONE;
}

void router_publish(const struct routed *r)
{
    struct statistics_function *f = &router_page.figures.function[r - router.port];

    if (!f->lpar[0])
        text_copy(f->lpar, sizeof f->lpar, r->lpar->name, sizeof f->lpar);
    f->id = r->pass->function->id;
    f->slot = (uint16_t)r->pass->slot;
    f->route = route_of(r);
    f->recorded = r->recorded;
    f->lines = r->lines;
    f->messages = r->messages;
    f->exits = r->exits;
    f->delays = r->delays;
    f->timed = r->timed;
    f->waited_ns = r->waited_ns;
    f->waited_most_ns = r->waited_most_ns;
}

void router_publish_stale(void)
{
    uint32_t ports = __atomic_exchange_n(&router.stale, 0, __ATOMIC_RELAXED);

    for (; ports; ports &= ports - 1)
        router_publish(&router.port[__builtin_ctz(ports)]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card was reset: its tables are empty, the ring is off, nothing is confined.
 *
 * Until that is found out the relay learns who asks, and takes any entry for it: an entry's number says
 * nothing any more. And what it recorded before is gone. So entries are all freed before the first is
 * programmed, what was moved by their numbers is dropped, and each interrupt is told by what does not depend
 * on the record: a line by its wire, a message by its vector, until its source goes over (router_switch.c).
 * Nobody is told for another and nobody is forgotten; a message that was told by its record while its vector
 * waited is told twice.
 */
#include "relay_regs.h"
#include "router_internal.h"
#include "timers.h"

/* Masks of strangers go with their entries. */
static void free_entries(void)
{
    for (unsigned i = 0; i < router.indicator.sources; i++) {
        router_write(RELAY_SRC_ACT(i), 0);
        router_write(RELAY_SRC_KEY(i), 0);
    }
}

/* Records may still name entries of before: the scan's reads push them, the drain takes them. */
static void drop_records(void)
{
    (void)indicator_scan(&router.indicator);
    (void)indicator_drain(&router.indicator, INDICATOR_POLL);
    for (unsigned i = 0; i < router.indicator.sources; i++)
        (void)indicator_take(&router.indicator, i);
}

void router_recover(void)
{
    free_entries();
    router_program_all();
    drop_records();
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct routed *r = &router.port[port];

        for (unsigned i = 0; r->lpar && i < r->pass->messages; i++)
            __atomic_fetch_or(&r->by_vector, 1u << i, __ATOMIC_RELEASE);
        __atomic_store_n(&r->turning, 0, __ATOMIC_RELEASE);
    }
    /* Wires that are high, and what has come to the new entries. */
    (void)indicator_scan(&router.indicator);
    __atomic_store_n(&router.recovered, true, __ATOMIC_RELEASE);
}

void router_after_recovery(void)
{
    if (!__atomic_exchange_n(&router.recovered, false, __ATOMIC_ACQ_REL))
        return;
    for (unsigned port = 1; port < ROUTER_PORTS; port++) {
        struct lpar *lpar = router.port[port].lpar;

        if (!lpar)
            continue;
        lock_take(&lpar->devices);
        timers_set_device(lpar, TIMER_LINES, 0);
        lock_release(&lpar->devices);
    }
}

bool router_still_confines(void)
{
    uint32_t control = 0;
    bool confined;

    if (!router_confines())
        return false;
    lock_take(&router.lock);
    confined = card_read(router.card, RELAY_DMA_CTRL(1), &control) == 0 && control == RELAY_DMA_CTRL_ENABLE;
    if (!confined)
        router_drain(INDICATOR_CONFIRM);
    confined = confined ||
               (card_read(router.card, RELAY_DMA_CTRL(1), &control) == 0 && control == RELAY_DMA_CTRL_ENABLE);
    lock_release(&router.lock);
    return confined;
}

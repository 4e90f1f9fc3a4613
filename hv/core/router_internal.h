/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the router's files; what others may use is in router.h. */
#ifndef ROUTER_INTERNAL_H
#define ROUTER_INTERNAL_H

#include "lpar.h"
#include "mechanism.h"
#include "router.h"

static inline bool by_relay(const struct routed *r)
{
    return r->lpar->mechanisms >> MECHANISM_RELAY & 1;
}

/* Messages of a dedicated function are known by their vector. */
static inline bool messages_by_relay(const struct routed *r)
{
    return by_relay(r) && !r->dedicated;
}

static inline unsigned pin_of(const struct routed *r)
{
    return r->pass->function->pin - 1u; /* none: beyond all pins */
}

/* ---- since when functions wait. @pre the router's lock ---- */

/* What comes by status or by vector is given whether its record was seen or not. */
static inline bool is_given_by_record(const struct routed *r, unsigned source)
{
    return source == r->first ? by_relay(r) : !(r->by_vector >> (source - r->first - 1) & 1);
}

/* An interrupt of the function's was recorded. */
static inline void router_asked(const struct routed *r, unsigned source, uint64_t time_ns)
{
    if (router.asked_ns[source] == 0 && is_given_by_record(r, source))
        router.asked_ns[source] = time_ns;
}

/* Its wire has fallen: if it was not served for the rise, it will not be. */
static inline void router_gone(const struct routed *r)
{
    __atomic_store_n(&router.asked_ns[r->first], 0, __ATOMIC_RELAXED);
}

/* ---- router_tables.c: what the relay is told. @pre the router's lock ---- */

void router_write(uint32_t offset, uint32_t value);

/* Null: the router does not know it (yet). */
struct routed *router_find(const struct pci_pass *pass);

/* What is done to the function's wire. */
void router_set_act(const struct routed *r);

/* The function's entries of the source table. */
void router_program(unsigned port);

/* All of it: windows, and every function's entries. */
void router_program_all(void);

/* ---- router_lines.c: lines that stay up, and what they cost ---- */

/* The line interrupt was for nobody. @pre no lock held */
void router_fruitless(unsigned pin);

/* What the pin's last function cost the vCPU's CPU, in ticks. On that CPU. */
void router_account(unsigned pin, const struct vcpu *vcpu, uint64_t begin, uint64_t end);

/* Ticks of a period in which each function has its share. */
uint64_t router_period(const struct lpar *lpar);

/* Puts the function off to the end of its period, if it has had its share of this one. @pre device lock held
 */
bool router_delay(struct routed *r);

/* ---- router_switch.c: the mechanism goes on or off ---- */

/* The LPAR's messages begin to go over. On the CPU where they come. @pre device lock held */
void router_turn(struct lpar *lpar);

/* A message that is going over has been handled. On the CPU where it came. @pre no lock held */
void router_turned(struct routed *r, unsigned index);

/* Nothing of the function is under way. @pre the router's lock, or the function is new */
void router_turn_at_once(struct routed *r);

/* ---- router_recover.c ---- */

/* The reader has found the card reset, and has begun anew: so does all else. @pre the router's lock */
void router_recover(void);

/* What follows and needs the LPARs' locks. @pre no lock held */
void router_after_recovery(void);

/* ---- router.c ---- */

/* Whether its line is found by its status register from now on. */
void router_note_way(const struct routed *r);

/* Gives the owner a message, if it is in force. @pre device lock held */
void router_send(struct routed *r, unsigned index);

/* Moves the relay's events into the sources' bits. @pre the router's lock */
void router_drain(enum indicator_hint hint);

/* Gives owners what the bits say. False: nothing was there. @pre no lock held */
bool router_deliver(void);

#endif

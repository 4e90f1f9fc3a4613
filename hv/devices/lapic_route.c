/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a message, and how it gets there. Runs on any CPU: see lapic.h. */
#include "lapic_state.h"

static uint32_t peek(const uint32_t *value)
{
    return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* SDM 3A 11.6.2.2 (xAPIC), 11.12.10.2 (x2APIC) */
static bool matches_logical(const struct lapic *l, const struct apic_message *m)
{
    const uint32_t d = m->destination;
    if (lapic_is_x2apic(l)) {
        if (m->wide && d == ~0u)
            return true;
        return d >> 16 == l->id >> 4 && d & 1u << (l->id & 15);
    }
    const uint32_t ldr = peek(&l->ldr) >> 24;
    if (d > 0xff)
        return d == ~0u;
    if (d == 0xff)
        return true;
    if (peek(&l->dfr) >> 28 == 0xf)
        return d & ldr;
    return (d >> 4 == 0xf || d >> 4 == ldr >> 4) && d & ldr & 0xf;
}

static bool matches_physical(const struct lapic *l, const struct apic_message *m)
{
    const uint32_t id = lapic_is_x2apic(l) ? l->id : peek(&l->xapic_id);
    if (m->destination == (m->wide ? ~0u : 0xffu))
        return true;
    return m->destination == id;
}

static inline __attribute__((always_inline)) bool matches(const struct lapic *l, const struct apic_message *m)
{
    /* A local APIC that is globally disabled is not on the bus. */
    if (!(__atomic_load_n(&l->base, __ATOMIC_RELAXED) & BASE_ENABLE))
        return false;
    return m->logical ? matches_logical(l, m) : matches_physical(l, m);
}

static inline __attribute__((always_inline)) void request(struct lapic *l, unsigned vector, bool level)
{
    const uint32_t bit = 1u << (vector & 31);
    if (level)
        __atomic_fetch_or(&l->requests.level[vector / 32], bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&l->requests.level[vector / 32], ~bit, __ATOMIC_RELAXED);
    __atomic_fetch_or(&l->requests.vector[vector / 32], bit, __ATOMIC_RELEASE);
    __atomic_fetch_or(&l->requests.any, 1u << vector / 32, __ATOMIC_RELEASE);
    l->env->notify(l->owner);
}

void lapic_request(struct lapic *l, unsigned vector, bool level)
{
    request(l, vector, level);
}

/* self: the local APIC of the CPU this runs on, where it is known. */
static bool deliver_vector(struct lapic *l, const struct apic_message *m, const struct lapic *self)
{
    if (l == self)
        return lapic_put(l, m->vector, m->level);
    if (m->vector < 16 || !(peek(&l->spurious) & SPURIOUS_ENABLE))
        return false;
    if (!l->direct || m->level || !l->env->send(l->owner, m->vector))
        request(l, m->vector, m->level);
    return true;
}

static inline __attribute__((always_inline)) bool deliver(struct lapic *l, const struct apic_message *m,
                                                          const struct lapic *self)
{
    if (m->delivery == APIC_FIXED || m->delivery == APIC_LOWEST)
        return deliver_vector(l, m, self);
    switch (m->delivery) {
    case APIC_NMI:
        l->env->nmi(l->owner);
        return true;
    case APIC_INIT:
        l->env->init(l->owner);
        return true;
    case APIC_SIPI:
        l->env->sipi(l->owner, m->vector);
        return true;
    default:
        return false;
    }
}

/* The one of the destination with the lowest task priority; among equals, in turn. */
static struct lapic *lowest(struct lapic_set *set, const struct apic_message *m)
{
    struct lapic *best = 0;
    const uint32_t first = __atomic_fetch_add(&set->turn, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < set->count; i++) {
        struct lapic *l = set->lapic[(first + i) % set->count];
        if (!matches(l, m) || !(peek(&l->spurious) & SPURIOUS_ENABLE))
            continue;
        if (!best || peek(&l->tpr) >> 4 < peek(&best->tpr) >> 4)
            best = l;
    }
    return best;
}

static unsigned route(struct lapic_set *set, const struct apic_message *m, const struct lapic *self)
{
    unsigned taken = 0;
    if (m->delivery == APIC_LOWEST) {
        struct lapic *l = lowest(set, m);
        return l && deliver(l, m, self);
    }
    for (unsigned i = 0; i < set->count; i++)
        if (matches(set->lapic[i], m))
            taken += deliver(set->lapic[i], m, self);
    return taken;
}

struct lapic *lapic_only(struct lapic_set *set, const struct apic_message *m)
{
    struct lapic *only = 0;
    for (unsigned i = 0; i < set->count; i++) {
        if (!matches(set->lapic[i], m))
            continue;
        if (only)
            return 0;
        only = set->lapic[i];
    }
    return only;
}

unsigned lapic_route(struct lapic_set *set, const struct apic_message *m)
{
    return route(set, m, 0);
}

/* ---- interprocessor interrupts ---------------------------------------------------------------- */

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };
enum { ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };

void lapic_send_self(struct lapic *lapic, uint8_t vector)
{
    if (vector < 16)
        lapic_error(lapic, ERROR_SEND_VECTOR | ERROR_RECEIVED_VECTOR);
    else
        lapic_put(lapic, vector, false);
}

static void broadcast(struct lapic *lapic, const struct apic_message *m, bool self)
{
    for (unsigned i = 0; i < lapic->set->count; i++) {
        struct lapic *other = lapic->set->lapic[i];
        if (other == lapic ? self : __atomic_load_n(&other->base, __ATOMIC_RELAXED) & BASE_ENABLE)
            deliver(other, m, lapic);
    }
}

void lapic_send(struct lapic *lapic)
{
    const uint32_t icr = lapic->icr[0];
    const bool x2apic = lapic_is_x2apic(lapic);
    const struct apic_message m = {
        .destination = x2apic ? lapic->icr[1] : lapic->icr[1] >> 24,
        .vector = (uint8_t)icr,
        .delivery = icr >> 8 & 7,
        .logical = icr & ICR_LOGICAL,
        .wide = x2apic,
    };
    const bool vectored = m.delivery == APIC_FIXED || m.delivery == APIC_LOWEST;

    if (vectored && m.vector < 16) {
        lapic_error(lapic, ERROR_SEND_VECTOR);
        return;
    }
    /* INIT level de-assert only sets arbitration identifiers, which no CPU since the Pentium 4 has. */
    if (m.delivery == APIC_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
        return;
    if (m.delivery == APIC_SMI || m.delivery == APIC_EXTINT) {
        lapic->stats.refused++;
        return;
    }
    switch (icr >> 18 & 3) {
    case SHORTHAND_SELF:
        /* Valid with fixed delivery only (SDM 3A table 11-3). */
        if (vectored)
            lapic_send_self(lapic, m.vector);
        else if (m.delivery == APIC_NMI)
            lapic->env->nmi(lapic->owner);
        break;
    case SHORTHAND_ALL:
        broadcast(lapic, &m, true);
        break;
    case SHORTHAND_OTHERS:
        broadcast(lapic, &m, false);
        break;
    default:
        if (!route(lapic->set, &m, lapic))
            lapic->stats.nowhere++;
        break;
    }
}

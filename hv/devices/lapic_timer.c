/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's timer (SDM 3A 11.5.4). Counts are computed from the clock when somebody looks. */
#include "lapic_state.h"

#define NEVER (~0ull)

static bool in_deadline_mode(const struct lapic *lapic)
{
    return lapic->lvt[LVT_TIMER] & LVT_DEADLINE;
}

static bool is_periodic(const struct lapic *lapic)
{
    return lapic->lvt[LVT_TIMER] & LVT_PERIODIC;
}

/* Bits 3, 1, 0: divide by 2, 4 … 128, and 111 by 1. */
static unsigned shift_of(uint32_t divide)
{
    unsigned code = (divide & 3) | (divide >> 1 & 4);
    return code == 7 ? 0 : code + 1;
}

static uint64_t now(const struct lapic *lapic)
{
    return lapic->env->ticks(lapic->owner);
}

uint32_t lapic_timer_count(struct lapic *lapic)
{
    const uint32_t initial = lapic->initial_count;
    if (!lapic->running || in_deadline_mode(lapic) || !initial)
        return 0;
    uint64_t elapsed = (now(lapic) - lapic->started) >> shift_of(lapic->divide);
    if (elapsed < initial)
        return initial - (uint32_t)elapsed;
    return is_periodic(lapic) ? initial - (uint32_t)(elapsed % initial) : 0;
}

/* The tick of the next interrupt, seen from tick `at`; one that is due may read as `at`. */
static uint64_t next_tick(const struct lapic *lapic, uint64_t at)
{
    const uint64_t period = (uint64_t)lapic->initial_count << shift_of(lapic->divide);
    if (in_deadline_mode(lapic)) {
        const uint64_t tsc = at + lapic->env->tsc_offset(lapic->owner), left = lapic->deadline - tsc;
        if (!lapic->deadline)
            return NEVER;
        if (lapic->deadline <= tsc)
            return at;
        return at + left < at ? NEVER : at + left;
    }
    return lapic->running && period ? lapic->started + period : NEVER;
}

/* Masked, the timer runs on but nobody needs to be woken. */
static void arm(struct lapic *lapic)
{
    bool masked = lapic->lvt[LVT_TIMER] & LVT_MASKED;
    lapic->env->timer(lapic->owner, masked ? NEVER : next_tick(lapic, now(lapic)));
}

void lapic_rearm(struct lapic *lapic)
{
    arm(lapic);
}

uint64_t lapic_period(const struct lapic *lapic)
{
    if (in_deadline_mode(lapic) || !is_periodic(lapic) || !lapic->running)
        return 0;
    return (uint64_t)lapic->initial_count << shift_of(lapic->divide);
}

void lapic_set_left(struct lapic *lapic, uint64_t left)
{
    const uint64_t period = (uint64_t)lapic->initial_count << shift_of(lapic->divide);
    if (left == 0 && !is_periodic(lapic)) {
        lapic->running = false;
        lapic->deadline = 0;
    } else if (!in_deadline_mode(lapic) && lapic->running) {
        lapic->started = now(lapic) - period + (left < period ? left : period);
    }
}

/* Of a timer that is due: ticks to the next time; 0: there is none. */
static uint64_t next_left(const struct lapic *lapic, uint64_t at)
{
    const uint64_t period = lapic_period(lapic);
    return period ? period - (at - lapic->started) % period : 0;
}

/* What is due happens before the registers change, though its expire() is still to come. */
static void catch_up(struct lapic *lapic)
{
    const uint64_t at = now(lapic);
    if (next_tick(lapic, at) > at)
        return;
    if (lapic->direct)
        lapic_set_left(lapic, next_left(lapic, at)); /* the physical timer has fired */
    else
        lapic_expire(lapic);
}

void lapic_timer_stop(struct lapic *lapic)
{
    lapic->running = false;
    lapic->initial_count = 0;
    lapic->deadline = 0;
    lapic->env->timer(lapic->owner, NEVER);
}

/* Moves `started` so that the count stands where it is, whatever mode and divider become. */
static void rebase(struct lapic *lapic, uint32_t count, uint32_t divide)
{
    if (count == 0)
        lapic->running = false;
    lapic->started = now(lapic) - ((uint64_t)(lapic->initial_count - count) << shift_of(divide));
}

void lapic_timer_set_mode(struct lapic *lapic, uint32_t lvt)
{
    const uint32_t changed = lapic->lvt[LVT_TIMER] ^ lvt;
    catch_up(lapic);
    const uint32_t count = lapic_timer_count(lapic);

    lapic->lvt[LVT_TIMER] = lvt;
    if (changed & LVT_DEADLINE) {
        /* Either way the timer is disarmed (SDM 3A 11.5.4.1). */
        lapic->running = false;
        lapic->initial_count = 0;
        lapic->deadline = 0;
    } else if (!in_deadline_mode(lapic) && lapic->running) {
        rebase(lapic, count, lapic->divide);
    }
    arm(lapic);
}

void lapic_timer_set_divide(struct lapic *lapic, uint32_t divide)
{
    catch_up(lapic);
    const uint32_t count = lapic_timer_count(lapic);
    if (lapic->running)
        rebase(lapic, count, divide);
    lapic->divide = divide & 0xb;
    arm(lapic);
}

void lapic_timer_start(struct lapic *lapic, uint32_t count)
{
    if (in_deadline_mode(lapic))
        return;
    catch_up(lapic);
    lapic->initial_count = count;
    lapic->running = count != 0;
    lapic->started = now(lapic);
    arm(lapic);
}

void lapic_timer_set_deadline(struct lapic *lapic, uint64_t tsc)
{
    if (!in_deadline_mode(lapic))
        return;
    catch_up(lapic);
    lapic->deadline = tsc;
    /* One that has passed comes at once, without asking for a timer that would be late. */
    if (!lapic->direct)
        catch_up(lapic);
    if (lapic->deadline || !tsc)
        arm(lapic);
}

void lapic_tsc_changed(struct lapic *lapic)
{
    catch_up(lapic);
    if (in_deadline_mode(lapic))
        arm(lapic);
}

static void fire(struct lapic *lapic)
{
    const uint32_t lvt = lapic->lvt[LVT_TIMER];
    if (lvt & LVT_MASKED)
        return;
    if ((lvt & LVT_VECTOR) < 16)
        lapic_error(lapic, ERROR_RECEIVED_VECTOR);
    else
        lapic_accept(lapic, lvt & LVT_VECTOR, false);
}

void lapic_expire(struct lapic *lapic)
{
    const uint64_t at = now(lapic), due = next_tick(lapic, at);
    if (due > at) { /* too early: a stale one, or none at all */
        arm(lapic);
        return;
    }
    if (in_deadline_mode(lapic)) {
        lapic->deadline = 0;
    } else if (is_periodic(lapic)) {
        /* Periods that went by unseen make one interrupt: the IRR would have merged them. */
        const uint64_t period = (uint64_t)lapic->initial_count << shift_of(lapic->divide);
        lapic->started += (at - lapic->started) / period * period;
        fire(lapic);
        arm(lapic);
        return;
    } else {
        lapic->running = false;
    }
    fire(lapic);
    lapic->env->timer(lapic->owner, NEVER);
}

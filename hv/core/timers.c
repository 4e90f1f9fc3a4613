/* SPDX-License-Identifier: BSD-2-Clause */
#include "timers.h"

#include "clock_rate.h"
#include "lpar.h"
#include "pit.h"
#include "router.h"

#define NEVER (~0ull)

/* 2^-32 ns a tick, so that time is a multiplication: off by less than one part in 2^30 above 1 MHz. */
static uint64_t ticks_to_time(const struct lpar *lpar, uint64_t ticks)
{
    return (uint64_t)((unsigned __int128)ticks * lpar->ns_per_tick >> 32);
}

static uint64_t time_to_ticks(const struct lpar *lpar, uint64_t ns)
{
    return ns_to_ticks(ns, lpar->vcpu[0]->context.machine->ticks_per_second());
}

uint64_t timers_now(const struct lpar *lpar)
{
    return ticks_to_time(lpar, lpar->vcpu[0]->context.machine->ticks() - lpar->started);
}

static uint64_t next_of(const struct vcpu *vcpu)
{
    uint64_t next = vcpu->lapic_at < vcpu->line_at ? vcpu->lapic_at : vcpu->line_at;

    if (vcpu->index == 0 && vcpu->lpar->device_next < next)
        next = vcpu->lpar->device_next;
    return next;
}

/* @pre the lock of the LPAR's devices */
static void set_device(struct lpar *lpar, enum device_timer timer, uint64_t at)
{
    uint64_t next = NEVER;

    lpar->device_at[timer] = at;
    for (unsigned i = 0; i < DEVICE_TIMERS; i++)
        if (lpar->device_at[i] < next)
            next = lpar->device_at[i];
    __atomic_store_n(&lpar->device_next, next, __ATOMIC_RELAXED);
}

static void program(struct vcpu *vcpu)
{
    uint64_t next = next_of(vcpu);

    if (next != vcpu->deadline) {
        vcpu->deadline = next;
        vcpu->context.machine->deadline(next);
    }
}

void timers_set_lapic(struct vcpu *vcpu, uint64_t at)
{
    vcpu->lapic_at = at;
    program(vcpu);
}

void timers_set_line(struct vcpu *vcpu, uint64_t at)
{
    vcpu->line_at = at;
    program(vcpu);
}

void timers_clear_devices(struct lpar *lpar)
{
    for (unsigned i = 0; i < DEVICE_TIMERS; i++)
        set_device(lpar, i, NEVER);
}

void timers_set_device(struct lpar *lpar, enum device_timer timer, uint64_t at_ns)
{
    uint64_t at = NEVER;

    if (lpar->cpus == 0)
        return; /* it is being put together */
    /* One tick later than the rounded-down time, so that it is not before. */
    if (at_ns != NEVER)
        at = lpar->started + time_to_ticks(lpar, at_ns) + 1;
    set_device(lpar, timer, at);
    vcpu_request(lpar->vcpu[0], REQUEST_DEADLINE);
}

/* Apart, so that a timer of the local APIC keeps fewer registers. */
static __attribute__((noinline)) void run_devices(struct lpar *lpar, uint64_t now)
{
    lock_take(&lpar->devices);
    if (lpar->device_at[TIMER_PIT] <= now) {
        set_device(lpar, TIMER_PIT, NEVER);
        pit_expire(&lpar->set.pit);
    }
    if (lpar->device_at[TIMER_LINES] <= now) {
        set_device(lpar, TIMER_LINES, NEVER);
        router_release(lpar);
    }
    lock_release(&lpar->devices);
}

void timers_run(struct vcpu *vcpu)
{
    uint64_t now = vcpu->context.machine->ticks();

    /* The machine's deadline has fired, or is set anew below; one that is left over does no harm. */
    vcpu->deadline = NEVER;
    if (vcpu->lapic_at <= now) {
        vcpu->lapic_at = NEVER;
        lapic_expire(&vcpu->lapic);
        vcpu->look = true;
    }
    if (vcpu->line_at <= now) {
        vcpu->line_at = NEVER;
        router_resume(vcpu);
    }
    if (vcpu->index == 0 && __atomic_load_n(&vcpu->lpar->device_next, __ATOMIC_RELAXED) <= now)
        run_devices(vcpu->lpar, now);
    program(vcpu);
}

void timers_stop(struct vcpu *vcpu)
{
    vcpu->lapic_at = vcpu->deadline = NEVER;
    vcpu->context.machine->deadline(NEVER);
    program(vcpu);
}

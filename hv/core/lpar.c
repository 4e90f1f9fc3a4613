/* SPDX-License-Identifier: BSD-2-Clause */
#include "lpar.h"

#include "format.h"
#include "log.h"
#include "mux.h"
#include "policy.h"
#include "timers.h"

struct lpar lpars[LPARS];
unsigned lpar_count;

static bool all_ready(const struct lpar *lpar)
{
    for (unsigned i = 0; i < lpar->cpus; i++)
        if (!lpar->vcpu[i]->ready)
            return trace_error(false, "%s: its CPU %u cannot run guests", lpar->name, i);
    return true;
}

bool lpar_start(struct lpar *lpar)
{
    bool good;

    lock_take(&lpar->lock);
    good = lpar->state != LPAR_STARTING && lpar->state != LPAR_RUNNING && all_ready(lpar);
    if (good)
        lpar->state = LPAR_STARTING;
    lock_release(&lpar->lock);
    if (good)
        vcpu_request(lpar->vcpu[0], REQUEST_EVENT);
    return good;
}

/* On the boot CPU of an LPAR that is starting. */
static void start(struct lpar *lpar)
{
    bool loaded = boot_guest_load(lpar) == 0;

    lock_take(&lpar->lock);
    if (loaded) {
        lpar->wanted = WANT_NOTHING;
        lpar->inside = lpar->cpus;
        lpar->started = lpar->vcpu[0]->context.machine->ticks();
        lpar->set.rtc.start =
            lpar->clock + (int64_t)(lpar->started / lpar->vcpu[0]->context.machine->ticks_per_second());
        lpar->statistics->starts = ++lpar->starts;
    } else {
        format(lpar->failure, sizeof lpar->failure, "it cannot be loaded");
    }
    /* The vCPUs look at the state; what was written for them is seen before it. */
    __atomic_store_n(&lpar->state, loaded ? LPAR_RUNNING : LPAR_FAILED, __ATOMIC_RELEASE);
    lock_release(&lpar->lock);
    if (loaded)
        log_line("%s: started at tick %lu", lpar->name, lpar->started);
    for (unsigned i = 1; loaded && i < lpar->cpus; i++)
        vcpu_request(lpar->vcpu[i], REQUEST_EVENT);
}

bool lpar_stop(struct lpar *lpar, enum lpar_wanted wanted)
{
    bool good;

    lock_take(&lpar->lock);
    good = lpar->state == LPAR_RUNNING && lpar->wanted == WANT_NOTHING;
    if (good)
        lpar->wanted = wanted;
    lock_release(&lpar->lock);
    if (good)
        for (unsigned i = 0; i < lpar->cpus; i++)
            vcpu_request(lpar->vcpu[i], REQUEST_STOP);
    return good;
}

static void dump(struct vcpu *vcpu)
{
    struct context *c = &vcpu->context;
    char text[LOG_LINE];

    log_line("%s: cpu %u: rip %lx rflags %lx cs %x cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx",
             vcpu->lpar->name, vcpu->index, context_get(c, REG_RIP), context_get(c, REG_RFLAGS),
             context_segment(c, SEG_CS)->selector, context_get(c, REG_CR0), context_get(c, REG_CR2),
             context_get(c, REG_CR3), context_get(c, REG_CR4), context_get(c, REG_EFER));
    for (unsigned r = 0; r < 16; r += 4)
        log_line("%s: r%u-%u: %lx %lx %lx %lx", vcpu->lpar->name, r, r + 3, context_get(c, r),
                 context_get(c, r + 1), context_get(c, r + 2), context_get(c, r + 3));
    c->machine->describe(c, text, sizeof text);
    log_line("%s: %s", vcpu->lpar->name, text);
}

void lpar_fail(struct lpar *lpar, struct vcpu *vcpu, const char *why)
{
    if (!lpar_stop(lpar, WANT_FAILED))
        return; /* it is stopping already */
    format(lpar->failure, sizeof lpar->failure, "cpu %u: %s", vcpu->index, why);
    log_line("%s: stopped: %s", lpar->name, lpar->failure);
    dump(vcpu);
}

/* A vCPU is out of its guest; the last one completes the stop. */
static void left(struct lpar *lpar)
{
    enum lpar_wanted wanted = WANT_NOTHING;

    lock_take(&lpar->lock);
    if (--lpar->inside == 0) {
        wanted = lpar->wanted;
        __atomic_store_n(&lpar->state, wanted == WANT_FAILED ? LPAR_FAILED : LPAR_OFF, __ATOMIC_RELEASE);
    }
    lock_release(&lpar->lock);
    if (wanted == WANT_NOTHING)
        return;
    mux_flush(lpar->index);
    lpar_devices_reset(lpar);
    if (wanted == WANT_RESET) {
        lpar->statistics->resets++;
        log_line("%s: reset", lpar->name);
        lpar_start(lpar);
    } else if (wanted == WANT_OFF) {
        log_line("%s: off", lpar->name);
    }
}

void lpar_cpu(struct vcpu *vcpu)
{
    struct lpar *lpar = vcpu->lpar;
    struct context *context = &vcpu->context;
    uint64_t seen = 0; /* starts that this CPU has taken part in */

    for (;;) {
        if (__atomic_exchange_n(&context->requests, 0, __ATOMIC_SEQ_CST) & REQUEST_TIMER)
            timers_run(vcpu);
        if (vcpu->index == 0 && __atomic_load_n(&lpar->state, __ATOMIC_ACQUIRE) == LPAR_STARTING)
            start(lpar);
        if (__atomic_load_n(&lpar->state, __ATOMIC_ACQUIRE) != LPAR_RUNNING || lpar->starts == seen) {
            context->machine->wait(context);
            continue;
        }
        seen = lpar->starts;
        context->machine->root_load(context, (uintptr_t)lpar->map.root, context->tag);
        context->machine->flush(context, context->tag);
        context->cr4_allowed = policy_cr4(vcpu);
        timers_stop(vcpu);
        vcpu_reset(vcpu);
        vcpu_power_on(vcpu);
        lapic_reset(&vcpu->lapic, false);
        if (vcpu->index == 0) {
            boot_guest_enter(vcpu);
            vcpu->state = VCPU_RUNNING;
        } else {
            vcpu->state = VCPU_WAIT_SIPI;
        }
        /* A stop that was requested before the requests were cleared above is in `wanted`. */
        if (lpar->wanted == WANT_NOTHING)
            vcpu_run(vcpu);
        vcpu->state = VCPU_OFF;
        left(lpar);
    }
}

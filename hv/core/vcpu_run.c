/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of a vCPU: requests of others, events for the guest, a run, an exit. */
#include "exit.h"
#include "lpar.h"
#include "mux.h"
#include "timers.h"
#include "vcpu.h"
#include "x86_bits.h"

static void inject(struct vcpu *vcpu, const struct event *event)
{
    vcpu->context.machine->inject(&vcpu->context, event);
    vcpu->armed = *event;
    vcpu->stats->injected++;
}

/* What the local APIC has to deliver; asked again only when something may have changed it. Each exit comes by
 * here, a call would cost it a dozen instructions. */
static inline __attribute__((always_inline)) int interrupt_due(struct vcpu *vcpu)
{
    if (vcpu->look) {
        vcpu->look = false;
        lapic_sync(&vcpu->lapic);
        vcpu->interrupt = lapic_pending(&vcpu->lapic);
        /* A PIC's interrupt passes a local APIC that is off, as after reset (SDM 3A 11.4.7.2). */
        if (vcpu->interrupt == LAPIC_NO_VECTOR && vcpu->legacy && lapic_is_off(&vcpu->lapic))
            vcpu->interrupt = vcpu->legacy;
    }
    return vcpu->interrupt;
}

static bool can_interrupt(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;

    return context_get(context, REG_RFLAGS) & RFLAGS_IF &&
           !(context->machine->blocking(context) & (BLOCK_STI | BLOCK_MOV_SS));
}

/*
 * At most one event goes with an entry; the window asked for tells when the next can follow. Order: what was
 * begun, then NMI, then interrupt (SDM 3A table 6-2).
 */
static void deliver(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;
    int vector = interrupt_due(vcpu);
    unsigned windows = 0;
    bool taken = false;

    if (vcpu->pending.valid) {
        inject(vcpu, &vcpu->pending);
        vcpu->pending.valid = false;
        taken = true;
    }
    if (vcpu->nmis) {
        if (!taken && !context->machine->blocking(context)) {
            inject(vcpu, &(struct event){.valid = true, .kind = EVENT_NMI, .vector = 2});
            vcpu->nmis--;
            taken = true;
        }
        if (vcpu->nmis)
            windows |= WINDOW_NMI;
    }
    if (vector != LAPIC_NO_VECTOR && !taken && can_interrupt(vcpu)) {
        if (lapic_is_off(&vcpu->lapic))
            vcpu->legacy = 0;
        else
            lapic_take(&vcpu->lapic, (unsigned)vector);
        inject(vcpu, &(struct event){.valid = true, .kind = EVENT_INTERRUPT, .vector = (uint8_t)vector});
        vcpu->look = true;
        vector = interrupt_due(vcpu);
    }
    if (vector != LAPIC_NO_VECTOR)
        windows |= WINDOW_INTERRUPT;
    if (windows != vcpu->windows) {
        context->machine->window(context, windows);
        vcpu->windows = windows;
    }
}

/* Whether an event ends HLT. */
static bool awake(struct vcpu *vcpu)
{
    if (vcpu->pending.valid)
        return true;
    if (vcpu->nmis && !(vcpu->context.machine->blocking(&vcpu->context) & BLOCK_NMI))
        return true;
    return interrupt_due(vcpu) != LAPIC_NO_VECTOR && context_get(&vcpu->context, REG_RFLAGS) & RFLAGS_IF;
}

static void start_at(struct vcpu *vcpu, uint8_t page)
{
    struct segment cs = *context_segment(&vcpu->context, SEG_CS);

    cs.selector = (uint16_t)(page << 8);
    cs.base = (uint64_t)page << 12;
    context_set_segment(&vcpu->context, SEG_CS, &cs);
    context_set(&vcpu->context, REG_RIP, 0);
    vcpu->state = VCPU_RUNNING;
}

/* INIT: the boot CPU would start at the reset vector, in firmware that an LPAR has not: that is a reset of
 * the LPAR. */
static void handle_init(struct vcpu *vcpu)
{
    if (vcpu->index == 0) {
        lpar_stop(vcpu->lpar, WANT_RESET);
        return;
    }
    vcpu_reset(vcpu);
    lapic_reset(&vcpu->lapic, true);
    vcpu->state = VCPU_WAIT_SIPI;
}

/* One that can be taken, and behind it one that is latched; while the guest handles one, only the latch. */
static void latch_nmi(struct vcpu *vcpu)
{
    unsigned most = vcpu->context.machine->blocking(&vcpu->context) & BLOCK_NMI ? 1 : 2;

    if (vcpu->nmis < most)
        vcpu->nmis++;
}

enum { RARE = ~(uint32_t)(REQUEST_TIMER | REQUEST_DEADLINE | REQUEST_EVENT) };

/* False: the LPAR stops. */
static __attribute__((noinline)) bool handle_rare(struct vcpu *vcpu, uint32_t requests)
{
    if (requests & (REQUEST_STOP | REQUEST_INIT))
        direct_leave(vcpu);
    if (requests & REQUEST_STOP)
        return false;
    if (requests & REQUEST_FLUSH)
        vcpu->context.machine->flush(&vcpu->context, vcpu->context.tag);
    if (requests & REQUEST_INIT)
        handle_init(vcpu);
    if (requests & REQUEST_SIPI && vcpu->state == VCPU_WAIT_SIPI)
        start_at(vcpu, vcpu->sipi_vector);
    if (requests & REQUEST_NMI)
        latch_nmi(vcpu);
    if (requests & REQUEST_DIRECT)
        direct_look(vcpu);
    return true;
}

/* False: the LPAR stops. */
static bool handle_requests(struct vcpu *vcpu)
{
    uint32_t requests = __atomic_exchange_n(&vcpu->context.requests, 0, __ATOMIC_SEQ_CST);

    if (requests & RARE && !handle_rare(vcpu, requests))
        return false;
    if (requests & (REQUEST_TIMER | REQUEST_DEADLINE))
        timers_run(vcpu);
    if (requests & REQUEST_EVENT)
        vcpu->look = true;
    return true;
}

/* An event that run() was to deliver: delivered, interrupted, or never begun. */
static void settle(struct vcpu *vcpu, const struct exit *exit)
{
    struct context *context = &vcpu->context;

    if (exit->kind == EXIT_KICK) {
        if (vcpu->armed.valid) {
            context->machine->retract(context);
            vcpu->pending = vcpu->armed;
        }
    } else if (context->vectoring.valid) {
        vcpu->pending = context->vectoring;
        vcpu->stats->reinjected++;
    }
    vcpu->armed.valid = false;
}

/*
 * What an LPAR has written without an end of line is a prompt when nobody there has anything left to do. As
 * long as another vCPU works, it may be in the middle of that line. A state that changes just now is seen the
 * next time. Apart, so that the loop below keeps its registers.
 */
static __attribute__((noinline)) void show_prompt(const struct lpar *lpar)
{
    if (!mux_waits(lpar->index))
        return;
    for (unsigned i = 0; i < lpar->cpus; i++)
        if (lpar->vcpu[i]->state == VCPU_RUNNING)
            return;
    mux_flush(lpar->index);
}

void vcpu_run(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;
    struct exit exit;

    for (;;) {
        if (context->requests && !handle_requests(vcpu))
            return;
        if (vcpu->state == VCPU_HALTED && awake(vcpu))
            vcpu->state = VCPU_RUNNING;
        if (vcpu->state != VCPU_RUNNING) {
            if (vcpu->state == VCPU_HALTED)
                show_prompt(vcpu->lpar);
            context->machine->wait(context);
            continue;
        }
        deliver(vcpu);
        context->machine->run(context, &exit);
        vcpu->stats->exits[exit.kind]++;
        settle(vcpu, &exit);
        if (exit.kind != EXIT_KICK)
            vcpu_exit(vcpu, &exit);
        vcpu->stats->state_reads = context->state_reads;
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of a vCPU: requests of others, events for the guest, a run, an exit. */
#include "exit.h"
#include "lpar.h"
#include "vcpu.h"

static void inject(struct vcpu *vcpu, const struct event *event)
{
    vcpu->context.machine->inject(&vcpu->context, event);
    vcpu->armed = *event;
    vcpu->stats.injected++;
}

/*
 * At most one event goes with an entry; the window asked for tells when the next can follow. Order: what was
 * begun, then NMI, then interrupt (SDM 3A table 6-2).
 */
static void deliver(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;
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
        }
        if (vcpu->nmis)
            windows |= WINDOW_NMI;
    }
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
    return false;
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

/* False: the LPAR stops. */
static bool handle_requests(struct vcpu *vcpu)
{
    uint32_t requests = __atomic_exchange_n(&vcpu->context.requests, 0, __ATOMIC_SEQ_CST);

    if (requests & REQUEST_STOP)
        return false;
    if (requests & REQUEST_FLUSH)
        vcpu->context.machine->flush(&vcpu->context, vcpu->context.tag);
    if (requests & REQUEST_INIT) {
        vcpu_reset(vcpu);
        /* INIT makes the boot CPU start again at the reset vector; the others wait (SDM 3A 9.1). */
        vcpu->state = VCPU_WAIT_SIPI;
    }
    if (requests & REQUEST_SIPI && vcpu->state == VCPU_WAIT_SIPI)
        start_at(vcpu, vcpu->sipi_vector);
    if (requests & REQUEST_NMI && vcpu->nmis < 2)
        vcpu->nmis++;
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
        vcpu->stats.reinjected++;
    }
    vcpu->armed.valid = false;
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
            context->machine->wait(context);
            continue;
        }
        deliver(vcpu);
        context->machine->run(context, &exit);
        vcpu->stats.exits[exit.kind]++;
        settle(vcpu, &exit);
        if (exit.kind != EXIT_KICK)
            vcpu_exit(vcpu, &exit);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "vcpu.h"

#include "exceptions.h"
#include "lpar.h"
#include "policy.h"
#include "vcpu_emulate.h"
#include "x86_bits.h"

void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
    __atomic_fetch_or(&vcpu->context.requests, bits, __ATOMIC_SEQ_CST);
    vcpu->context.machine->kick(vcpu->context.cpu, bits & REQUEST_URGENT);
}

enum exception_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum exception_class class_of(unsigned vector)
{
    switch (vector) {
    case EXCEPTION_DE:
    case EXCEPTION_TS:
    case EXCEPTION_NP:
    case EXCEPTION_SS:
    case EXCEPTION_GP:
        return CONTRIBUTORY;
    case EXCEPTION_PF:
        return PAGE_FAULT;
    default:
        return BENIGN;
    }
}

/* Whether the second exception, met while the first was being delivered, makes a double fault (SDM 3A table
 * 6-5). */
static bool doubles(unsigned first, unsigned second)
{
    enum exception_class a = class_of(first), b = class_of(second);

    return (a == CONTRIBUTORY && b == CONTRIBUTORY) || (a == PAGE_FAULT && b != BENIGN);
}

/* Faults are met before the instruction: run again, it is not to meet the same instruction breakpoint again.
 * #DB is raised here as a trap only (SDM 3B 18.3.1.1). */
static bool is_fault(unsigned vector)
{
    return vector != EXCEPTION_DB && vector != EXCEPTION_DF;
}

static void raise(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
    struct event *pending = &vcpu->pending;

    if (pending->valid && pending->kind == EVENT_EXCEPTION) {
        if (pending->vector == EXCEPTION_DF) {
            lpar_fail(vcpu->lpar, vcpu, "triple fault");
            return;
        }
        if (doubles(pending->vector, vector)) {
            vector = EXCEPTION_DF;
            has_error = true;
            error = 0;
        }
    }
    if (pending->valid && pending->kind == EVENT_NMI && vcpu->nmis < 2)
        vcpu->nmis++;
    *pending = (struct event){.valid = true,
                              .kind = EVENT_EXCEPTION,
                              .vector = (uint8_t)vector,
                              .has_error = has_error,
                              .error = error};
    if (is_fault(vector))
        context_set(&vcpu->context, REG_RFLAGS, context_get(&vcpu->context, REG_RFLAGS) | RFLAGS_RF);
}

void vcpu_raise(struct vcpu *vcpu, unsigned vector)
{
    raise(vcpu, vector, false, 0);
}

void vcpu_raise_error(struct vcpu *vcpu, unsigned vector, uint32_t error)
{
    raise(vcpu, vector, true, error);
}

void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t address, uint32_t error)
{
    context_set(&vcpu->context, REG_CR2, address);
    raise(vcpu, EXCEPTION_PF, true, error);
}

void vcpu_retire(struct vcpu *vcpu)
{
    if (vcpu->context.machine->retire(&vcpu->context))
        vcpu_raise(vcpu, EXCEPTION_DB);
}

void vcpu_skip(struct vcpu *vcpu, const struct exit *exit)
{
    struct context *context = &vcpu->context;
    uint64_t next;

    if (!exit->decode && !exit->length && context->machine->skip) {
        if (context->machine->skip(context))
            vcpu_raise(vcpu, EXCEPTION_DB);
        return;
    }
    if (exit->decode || exit->length) {
        struct insn insn = {.length = exit->length};

        if (!exit->length && !vcpu_decode(vcpu, &insn))
            return;
        next = context_get(context, REG_RIP) + insn.length;
        if (!vcpu_in_64_bit_code(vcpu))
            next = (uint32_t)next;
    } else {
        next = context->machine->next_rip(context);
    }
    context_set(context, REG_RIP, next);
    vcpu_retire(vcpu);
}

void vcpu_power_on(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;

    vcpu->tsc_offset = vcpu->tsc_adjust = 0;
    context->machine->tsc_offset(context, 0);
    vcpu->misc_enable = 1; /* fast strings */
    vcpu->legacy = 0;
    if (policy_xcr0(vcpu))
        context->machine->xcr_write(context, 0, 1);
    vcpu->xcr0 = 1;
}

void vcpu_reset(struct vcpu *vcpu)
{
    vcpu->pending.valid = vcpu->armed.valid = false;
    vcpu->nmis = 0;
    vcpu->windows = 0;
    vcpu->look = true;
    vcpu->direct.barred = false;
    vcpu->direct.active = vcpu->direct.wanted;
    vcpu->context.machine->context_reset(&vcpu->context);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of each exit. */
#include "exit.h"

#include "control.h"
#include "exceptions.h"
#include "format.h"
#include "lost_rip.h"
#include "lpar.h"
#include "policy.h"
#include "vcpu_emulate.h"
#include "x86_bits.h"

/* Linux's and KVM's convention: an unknown hypercall returns -KVM_ENOSYS. */
#define HYPERCALL_UNKNOWN (~999ull)

static void skip_or_fault(struct vcpu *vcpu, struct exit *exit, bool good)
{
    if (good)
        vcpu_skip(vcpu, exit);
    else
        vcpu_raise_error(vcpu, EXCEPTION_GP, 0);
}

static void exit_nothing(struct vcpu *vcpu, struct exit *exit)
{
    (void)vcpu;
    (void)exit;
}

static void exit_host(struct vcpu *vcpu, struct exit *exit)
{
    const struct machine_ops *machine = vcpu->context.machine;

    (void)exit; /* its handler has run */
    if (machine->loses_rip && machine->loses_rip())
        lost_rip_mend(vcpu);
}

static void exit_window(struct vcpu *vcpu, struct exit *exit)
{
    (void)exit;
    vcpu->windows = 0; /* the machine takes the request for a window back when it comes */
}

static void exit_hlt(struct vcpu *vcpu, struct exit *exit)
{
    vcpu_skip(vcpu, exit);
    vcpu->state = VCPU_HALTED;
}

static void exit_undefined(struct vcpu *vcpu, struct exit *exit)
{
    (void)exit;
    vcpu_raise(vcpu, EXCEPTION_UD);
}

static void exit_protected(struct vcpu *vcpu, struct exit *exit)
{
    (void)exit;
    vcpu_raise_error(vcpu, EXCEPTION_GP, 0);
}

/* Nothing of the guest bypasses the cache, so there is nothing to write back. */
static void exit_cache(struct vcpu *vcpu, struct exit *exit)
{
    vcpu_skip(vcpu, exit);
}

static void exit_hypercall(struct vcpu *vcpu, struct exit *exit)
{
    vcpu->context.reg[REG_RAX] = HYPERCALL_UNKNOWN;
    vcpu_skip(vcpu, exit);
}

static void exit_cpuid(struct vcpu *vcpu, struct exit *exit)
{
    uint64_t *reg = vcpu->context.reg;
    uint32_t out[4];

    policy_cpuid(vcpu, (uint32_t)reg[REG_RAX], (uint32_t)reg[REG_RCX], out);
    reg[REG_RAX] = out[0];
    reg[REG_RBX] = out[1];
    reg[REG_RCX] = out[2];
    reg[REG_RDX] = out[3];
    vcpu_skip(vcpu, exit);
}

static uint64_t edx_eax(const struct vcpu *vcpu)
{
    return vcpu->context.reg[REG_RDX] << 32 | (uint32_t)vcpu->context.reg[REG_RAX];
}

static void exit_msr(struct vcpu *vcpu, struct exit *exit)
{
    uint64_t *reg = vcpu->context.reg, value;
    uint32_t msr = (uint32_t)reg[REG_RCX];
    bool good;

    if (exit->msr.write) {
        good = policy_msr_write(vcpu, msr, edx_eax(vcpu));
    } else {
        good = policy_msr_read(vcpu, msr, &value);
        if (good) {
            reg[REG_RAX] = (uint32_t)value;
            reg[REG_RDX] = value >> 32;
        }
    }
    skip_or_fault(vcpu, exit, good);
}

/* Some CPUs exit before they look whether the instruction may be run at all. */
static void exit_xsetbv(struct vcpu *vcpu, struct exit *exit)
{
    if (!(context_get(&vcpu->context, REG_CR4) & CR4_OSXSAVE)) {
        vcpu_raise(vcpu, EXCEPTION_UD);
        return;
    }
    if (vcpu_in_user_mode(vcpu)) {
        vcpu_raise_error(vcpu, EXCEPTION_GP, 0);
        return;
    }
    skip_or_fault(vcpu, exit, control_write_xcr(vcpu, (uint32_t)vcpu->context.reg[REG_RCX], edx_eax(vcpu)));
}

/*
 * #DB and #AC are taken from the guest and given back, so that an endless delivery (CVE-2015-8104, -5307)
 * comes by here at every turn. A #DB brings what DR6 is to hold, where the CPU has not written it. DR7.GD
 * goes with the delivery, which the guest's #DB has not come to (SDM 3C 28.1).
 */
static void exit_exception(struct vcpu *vcpu, struct exit *exit)
{
    struct context *context = &vcpu->context;
    const struct exit_exception *e = &exit->exception;

    if (e->vector != EXCEPTION_DB) {
        if (e->has_error)
            vcpu_raise_error(vcpu, e->vector, e->error);
        else
            vcpu_raise(vcpu, e->vector);
        return;
    }
    if (e->soft) {
        context_set(context, REG_RIP, context->machine->next_rip(context)); /* INT1 is a trap */
    } else if (e->address) {
        uint64_t dr6 = context->machine->dr_read(context, 6);

        context->machine->dr_write(context, 6,
                                   ((dr6 & ~0xfull) | DR6_FIXED | e->address) ^ (e->address & DR6_FIXED));
    }
    if (context_get(context, REG_DR7) & DR7_GD)
        context_set(context, REG_DR7, context_get(context, REG_DR7) & ~(uint64_t)DR7_GD);
    vcpu_raise(vcpu, EXCEPTION_DB);
}

static void exit_io(struct vcpu *vcpu, struct exit *exit)
{
    const struct exit_io *io = &exit->io;
    struct lpar *lpar = vcpu->lpar;
    uint64_t *rax = &vcpu->context.reg[REG_RAX], value, mask = ~0ull >> (64 - 8 * io->size);

    if (io->string) {
        vcpu_emulate(vcpu, 0);
        return;
    }
    lock_take(&lpar->devices);
    if (io->in) {
        bus_read(&lpar->ports, io->port, io->size, &value);
        *rax = io->size == 4 ? value : (*rax & ~mask) | value;
    } else {
        bus_write(&lpar->ports, io->port, io->size, *rax & mask);
    }
    lock_release(&lpar->devices);
    vcpu_skip(vcpu, exit);
}

static void exit_mmio(struct vcpu *vcpu, struct exit *exit)
{
    char why[64];

    if (exit->mmio.walk || exit->mmio.execute) {
        format(why, sizeof why, "%s guest-physical %lx, which is no memory",
               exit->mmio.walk ? "its page tables lie at" : "it runs code at", exit->mmio.gpa);
        lpar_fail(vcpu->lpar, vcpu, why);
        return;
    }
    vcpu_emulate(vcpu, exit);
}

/* Fills in what the back end could not tell. False: nothing more is to be done, a fault is queued or the LPAR
 * stops. */
static bool decode_cr(struct vcpu *vcpu, struct exit *exit)
{
    struct exit_cr *cr = &exit->cr;
    struct insn insn;

    if (!vcpu_decode(vcpu, &insn))
        return false;
    exit->length = insn.length;
    cr->decoded = true;
    if (insn.op == INSN_MOV && insn.operand[0].kind == OPERAND_CONTROL) {
        cr->access = CR_WRITE;
        cr->number = insn.operand[0].number;
        cr->gpr = insn.operand[1].number;
    } else if (insn.op == INSN_MOV && insn.operand[1].kind == OPERAND_CONTROL) {
        cr->access = CR_READ;
        cr->number = insn.operand[1].number;
        cr->gpr = insn.operand[0].number;
    } else if (insn.op == INSN_CLTS) {
        cr->access = CR_CLTS;
    } else if (insn.op == INSN_LMSW && insn.operand[0].kind == OPERAND_REGISTER) {
        cr->access = CR_LMSW;
        cr->source = (uint16_t)context_get(&vcpu->context, insn.operand[0].number);
    } else if (insn.op == INSN_SMSW && insn.operand[0].kind == OPERAND_REGISTER) {
        cr->access = CR_SMSW;
        cr->gpr = insn.operand[0].number;
        cr->size = insn.operand[0].size;
    } else { /* LMSW or SMSW with memory */
        vcpu_emulate(vcpu, 0);
        return false;
    }
    return true;
}

/* SMSW stores as many bits as its operand has; 32 clear the upper half. */
static void store_msw(struct vcpu *vcpu, const struct exit_cr *cr)
{
    uint64_t old = context_get(&vcpu->context, cr->gpr), cr0 = control_read(vcpu, 0);

    context_set(&vcpu->context, cr->gpr,
                cr->size == 2   ? (old & ~0xffffull) | (cr0 & 0xffff)
                : cr->size == 4 ? (uint32_t)cr0
                                : cr0);
}

static void exit_cr(struct vcpu *vcpu, struct exit *exit)
{
    const struct exit_cr *cr = &exit->cr;
    struct context *context = &vcpu->context;
    uint64_t cr0;
    bool good = true;

    if (!cr->decoded && !decode_cr(vcpu, exit))
        return;
    switch (cr->access) {
    case CR_WRITE:
        good = control_write(vcpu, cr->number, context_get(context, cr->gpr));
        break;
    case CR_READ:
        context_set(context, cr->gpr, control_read(vcpu, cr->number));
        break;
    case CR_CLTS:
        context_set(context, REG_CR0, context_get(context, REG_CR0) & ~(uint64_t)CR0_TS);
        break;
    case CR_SMSW:
        store_msw(vcpu, cr);
        break;
    default: /* LMSW sets but never clears PE */
        cr0 = context_get(context, REG_CR0);
        good = control_write(vcpu, 0, (cr0 & ~0xeull) | (cr->source & 0xf));
    }
    skip_or_fault(vcpu, exit, good);
}

static void exit_fatal(struct vcpu *vcpu, struct exit *exit)
{
    static const char *const why[EXIT_KIND_COUNT] = {
        [EXIT_TASK] = "hardware task switch",
        [EXIT_SHUTDOWN] = "triple fault",
        [EXIT_INVALID] = "the CPU refuses the guest's state",
    };
    char text[64];

    if (!why[exit->kind])
        format(text, sizeof text, "unexpected exit (%s)", exit_name(exit->kind));
    lpar_fail(vcpu->lpar, vcpu, why[exit->kind] ? why[exit->kind] : text);
}

void vcpu_exit(struct vcpu *vcpu, struct exit *exit)
{
    static void (*const handlers[EXIT_KIND_COUNT])(struct vcpu *vcpu, struct exit *exit) = {
        [EXIT_KICK] = exit_nothing,
        [EXIT_IRQ] = exit_host,
        [EXIT_NMI] = exit_host,
        [EXIT_WINDOW] = exit_window,
        [EXIT_EXCEPTION] = exit_exception,
        [EXIT_IO] = exit_io,
        [EXIT_MMIO] = exit_mmio,
        [EXIT_CR] = exit_cr,
        [EXIT_DR] = exit_fatal,
        [EXIT_MSR] = exit_msr,
        [EXIT_CPUID] = exit_cpuid,
        [EXIT_HLT] = exit_hlt,
        [EXIT_PAUSE] = exit_nothing,
        [EXIT_MONITOR] = exit_undefined,
        [EXIT_HYPERCALL] = exit_hypercall,
        [EXIT_INVLPG] = exit_fatal,
        [EXIT_CACHE] = exit_cache,
        [EXIT_XSETBV] = exit_xsetbv,
        [EXIT_RDTSC] = exit_fatal,
        [EXIT_RDPMC] = exit_protected,
        [EXIT_DESCRIPTOR] = exit_fatal,
        [EXIT_TASK] = exit_fatal,
        [EXIT_VIRT] = exit_undefined,
        [EXIT_INIT] = exit_nothing,
        [EXIT_SIPI] = exit_nothing,
        [EXIT_TIMER] = exit_nothing,
        [EXIT_STEP] = exit_nothing,
        [EXIT_SHUTDOWN] = exit_fatal,
        [EXIT_INVALID] = exit_fatal,
        [EXIT_OTHER] = exit_fatal,
    };
    handlers[exit->kind](vcpu, exit);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest state between struct context and the VMCB. */
#include "svm.h"

#include "context.h"
#include "cpu.h"
#include "exception.h"
#include "insn.h"
#include "lapic_host.h"
#include "x86_bits.h"

#define CR0_CD_NW ((unsigned)(CR0_CD | CR0_NW))

void svm_fetch(struct context *context, enum reg which)
{
    const struct svm *svm = context->backend;
    const struct vmcb *vmcb = &svm->vmcb;

    switch (which) {
    case REG_RSP:
        context->reg[REG_RSP] = vmcb->rsp;
        break;
    case REG_RIP:
        context->reg[REG_RIP] = vmcb->rip;
        break;
    case REG_RFLAGS:
        context->reg[REG_RFLAGS] = vmcb->rflags;
        break;
    case REG_CR2:
        context->reg[REG_CR2] = vmcb->cr2;
        break;
    case REG_CR3:
        context->reg[REG_CR3] = vmcb->cr3;
        break;
    case REG_CR0: /* writes exit, so reg[] is what the guest wrote last, not what hardware needs */
    case REG_CR4:
        break;
    case REG_EFER:
        /* LMA is LME and CR0.PG; Bochs 3.0 stores another value of it in some exits. */
        context->reg[REG_EFER] = vmcb->efer & ~(uint64_t)(EFER_SVME | EFER_LMA);
        if (vmcb->efer & EFER_LME && context->reg[REG_CR0] & CR0_PG)
            context->reg[REG_EFER] |= EFER_LMA;
        break;
    case REG_DR7:
        context->reg[REG_DR7] = vmcb->dr7;
        break;
    default:
        break;
    }
    context->known |= 1u << which;
}

static struct vmcb_segment *place(struct vmcb *vmcb, unsigned which)
{
    struct vmcb_segment *const places[SEG_COUNT] = {
        [SEG_ES] = &vmcb->es,     [SEG_CS] = &vmcb->cs,     [SEG_SS] = &vmcb->ss,     [SEG_DS] = &vmcb->ds,
        [SEG_FS] = &vmcb->fs,     [SEG_GS] = &vmcb->gs,     [SEG_LDTR] = &vmcb->ldtr, [SEG_TR] = &vmcb->tr,
        [SEG_GDTR] = &vmcb->gdtr, [SEG_IDTR] = &vmcb->idtr,
    };
    return places[which];
}

void svm_fetch_segment(struct context *context, enum seg which)
{
    struct svm *svm = context->backend;
    const struct vmcb_segment *from = place(&svm->vmcb, which);
    uint16_t attributes = from->attributes & 0xfff;

    /* SVM has no "unusable": a null data segment is one that is not present. */
    if (!(attributes & SEG_PRESENT))
        attributes |= SEG_UNUSABLE;
    context->seg[which] = (struct segment){
        .base = from->base, .limit = from->limit, .selector = from->selector, .attributes = attributes};
    context->seg_known |= 1u << which;
}

/*
 * Reads exit while the guest believes another value than hardware has. QEMU 11 asks the bit of CR0 for a read
 * of any control register, and names CR0 in the exit: so both bits go together, and hv/core takes the
 * register from the instruction.
 */
static void choose_reads(struct context *context)
{
    struct svm *svm = context->backend;
    const struct vmcb *vmcb = &svm->vmcb;
    bool differ = vmcb->cr0 != context->reg[REG_CR0] || vmcb->cr4 != context->reg[REG_CR4];

    svm->vmcb.cr_reads = (uint16_t)((vmcb->cr_reads & ~0x11u) | (differ ? 0x11u : 0));
    svm->clean &= ~(uint32_t)(CLEAN_CR | CLEAN_INTERCEPTS);
}

static void flush_cr0(struct context *context)
{
    struct svm *svm = context->backend;

    svm->vmcb.cr0 = context->reg[REG_CR0] & ~(uint64_t)CR0_CD_NW;
    choose_reads(context);
}

static void flush_cr4(struct context *context)
{
    struct svm *svm = context->backend;

    /* Without MCE a machine check would shut the CPU down. */
    svm->vmcb.cr4 = context->reg[REG_CR4] | CR4_MCE;
    choose_reads(context);
}

static void flush_register(struct context *context, unsigned which)
{
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;
    uint64_t value = context->reg[which];

    switch (which) {
    case REG_RSP:
        vmcb->rsp = value;
        break;
    case REG_RIP:
        vmcb->rip = value;
        break;
    case REG_RFLAGS:
        vmcb->rflags = value;
        break;
    case REG_CR0:
        flush_cr0(context);
        break;
    case REG_CR2:
        vmcb->cr2 = value;
        svm->clean &= ~(uint32_t)CLEAN_CR2;
        break;
    case REG_CR3:
        vmcb->cr3 = value;
        svm->clean &= ~(uint32_t)CLEAN_CR;
        break;
    case REG_CR4:
        flush_cr4(context);
        break;
    case REG_EFER:
        vmcb->efer = value | EFER_SVME;
        svm->clean &= ~(uint32_t)CLEAN_CR;
        break;
    case REG_DR7:
        vmcb->dr7 = value;
        svm->clean &= ~(uint32_t)CLEAN_DR;
        break;
    default:
        break;
    }
}

static void flush_segment(struct context *context, unsigned which)
{
    struct svm *svm = context->backend;
    const struct segment *from = &context->seg[which];
    uint16_t attributes = from->attributes & 0xfff;

    if (from->attributes & SEG_UNUSABLE)
        attributes = 0;
    *place(&svm->vmcb, which) = (struct vmcb_segment){
        .base = from->base, .limit = from->limit, .selector = from->selector, .attributes = attributes};
    if (which == SEG_SS)
        svm->vmcb.cpl = attributes >> SEG_DPL_SHIFT & 3;
    svm->clean &= ~(uint32_t)(which >= SEG_GDTR ? CLEAN_TABLES : CLEAN_SEGMENTS);
}

void svm_flush_registers(struct context *context)
{
    struct svm *svm = context->backend;
    uint32_t dirty = context->dirty & (~0xffffu | 1u << REG_RSP), segments = context->seg_dirty;

    svm->vmcb.rax = context->reg[REG_RAX];
    for (; dirty; dirty &= dirty - 1)
        flush_register(context, (unsigned)__builtin_ctz(dirty));
    for (; segments; segments &= segments - 1)
        flush_segment(context, (unsigned)__builtin_ctz(segments));
    context->dirty = 0;
    context->seg_dirty = 0;
}

void svm_inject(struct context *context, const struct event *event)
{
    struct svm *svm = context->backend;

    svm->vmcb.event = SVM_EVENT_VALID | (uint32_t)event->kind << 8 | event->vector |
                      (event->has_error ? SVM_EVENT_HAS_ERROR | (uint64_t)event->error << 32 : 0);
    if (event->kind == EVENT_NMI) {
        svm->nmi_blocked = true;
        svm->nmi_iret = false;
        svm->vmcb.intercepts |= INTERCEPT_IRET;
        svm->clean &= ~(uint32_t)CLEAN_INTERCEPTS;
    }
}

void svm_retract(struct context *context)
{
    struct svm *svm = context->backend;

    svm->vmcb.event = 0;
}

void svm_window_request(struct context *context, unsigned windows)
{
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;
    uint32_t intercepts = vmcb->intercepts & ~(uint32_t)INTERCEPT_VINTR;

    vmcb->virtual_interrupt = svm->masking;
    if (windows & WINDOW_INTERRUPT) {
        /* A virtual interrupt that is never taken: its intercept tells that it could be. */
        vmcb->virtual_interrupt |= VINTR_IRQ | VINTR_PRIORITY_15 | VINTR_IGNORE_TPR;
        intercepts |= INTERCEPT_VINTR;
    }
    svm->nmi_wanted = windows & WINDOW_NMI;
    if (intercepts != vmcb->intercepts) {
        vmcb->intercepts = intercepts;
        svm->clean &= ~(uint32_t)CLEAN_INTERCEPTS;
    }
    svm->clean &= ~(uint32_t)CLEAN_TPR;
}

/* SVM has no window for NMIs: while one waits, sees to it that this run ends as soon as it could be taken. */
void svm_await_nmi(struct context *context)
{
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;
    unsigned blocking;

    if (!svm->nmi_wanted)
        return;
    blocking = svm_blocking(context);
    if (blocking & BLOCK_NMI && !svm->nmi_iret)
        return; /* IRET exits */
    if (vmcb->event & SVM_EVENT_VALID) {
        /* What is injected goes first. An interrupt of our own waits until it is delivered, and no longer. */
        if (svm->masking) {
            lapic_host_ipi(this_cpu()->apic_id, VECTOR_KICK);
        } else {
            this_cpu()->nmi_kicked = true;
            lapic_host_nmi(this_cpu()->apic_id);
        }
    } else if (blocking) {
        svm->stepping = true;
        svm->own_step = vmcb->rflags & RFLAGS_TF;
        svm->step_dr6 = vmcb->dr6;
        vmcb->dr6 &= ~(uint64_t)(DR6_BS | DR6_BREAKPOINTS);
        vmcb->rflags |= RFLAGS_TF;
        svm->clean &= ~(uint32_t)CLEAN_DR;
    }
}

unsigned svm_blocking(struct context *context)
{
    struct svm *svm = context->backend;

    if (svm->nmi_iret && context_get(context, REG_RIP) != svm->iret_rip)
        svm->nmi_blocked = svm->nmi_iret = false;
    return (svm->vmcb.shadow & 1 ? BLOCK_STI : 0u) | (svm->nmi_blocked ? BLOCK_NMI : 0u);
}

void svm_set_blocking(struct context *context, unsigned blocking)
{
    struct svm *svm = context->backend;

    svm->vmcb.shadow = (svm->vmcb.shadow & ~1ull) | (blocking & (BLOCK_STI | BLOCK_MOV_SS) ? 1 : 0);
    svm->nmi_blocked = blocking & BLOCK_NMI;
}

uint64_t svm_next_rip(struct context *context)
{
    const struct svm *svm = context->backend;
    const struct vmcb *vmcb = &svm->vmcb;

    return vmcb->exit_code == SVM_EXIT_IO ? vmcb->exit_info2 : vmcb->next_rip;
}

bool svm_retire(struct context *context)
{
    struct svm *svm = context->backend;
    uint64_t rflags;

    svm->vmcb.shadow &= ~1ull;
    rflags = context_get(context, REG_RFLAGS);
    if (rflags & RFLAGS_RF)
        context_set(context, REG_RFLAGS, rflags & ~(uint64_t)RFLAGS_RF);
    if (!(rflags & RFLAGS_TF))
        return false;
    svm_dr_write(context, 6, svm->vmcb.dr6 | DR6_BS);
    return true;
}

uint64_t svm_dr_read(struct context *context, unsigned number)
{
    const struct svm *svm = context->backend;

    return number == 6 ? svm->vmcb.dr6 : host_dr_read(context, number);
}

void svm_dr_write(struct context *context, unsigned number, uint64_t value)
{
    struct svm *svm = context->backend;

    if (number != 6) {
        host_dr_write(context, number, value);
        return;
    }
    svm->vmcb.dr6 = value;
    svm->clean &= ~(uint32_t)CLEAN_DR;
}

static uint64_t *field_of(struct vmcb *vmcb, uint32_t msr)
{
    switch (msr) {
    case MSR_SYSENTER_CS:
        return &vmcb->sysenter_cs;
    case MSR_SYSENTER_ESP:
        return &vmcb->sysenter_esp;
    case MSR_SYSENTER_EIP:
        return &vmcb->sysenter_eip;
    case MSR_PAT:
        return &vmcb->pat;
    case MSR_STAR:
        return &vmcb->star;
    case MSR_LSTAR:
        return &vmcb->lstar;
    case MSR_CSTAR:
        return &vmcb->cstar;
    case MSR_SFMASK:
        return &vmcb->sfmask;
    case MSR_KERNEL_GS_BASE:
        return &vmcb->kernel_gs_base;
    case MSR_DEBUGCTL:
        return &vmcb->debugctl;
    default:
        return 0;
    }
}

int svm_msr_read(struct context *context, uint32_t msr, uint64_t *value)
{
    struct svm *svm = context->backend;
    const uint64_t *field = field_of(&svm->vmcb, msr);

    if (msr == MSR_TSC_AUX)
        return rdmsr_safe(msr, value) ? 0 : -1;
    if (!field)
        return -1;
    *value = *field;
    return 0;
}

int svm_msr_write(struct context *context, uint32_t msr, uint64_t value)
{
    struct svm *svm = context->backend;
    uint64_t *field = field_of(&svm->vmcb, msr);

    if (msr == MSR_TSC_AUX)
        return wrmsr_safe(msr, value) ? 0 : -1;
    if (!field)
        return -1;
    *field = value;
    svm->clean &= ~(uint32_t)CLEAN_NESTED; /* PAT; the others are not cached */
    return 0;
}

void svm_tsc_offset(struct context *context, uint64_t offset)
{
    struct svm *svm = context->backend;

    svm->vmcb.tsc_offset = offset;
    svm->clean &= ~(uint32_t)CLEAN_INTERCEPTS;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of the guest, and what the VMCB says about its end, normalised. */
#include "svm.h"

#include "../context_layout.h"
#include "exception.h"
#include "exit.h"
#include "format.h"
#include "insn.h"
#include "x86_bits.h"

int svm_enter(struct context *context, uint64_t vmcb, uint64_t host); /* svm_entry.S */

/* Registers that svm_entry.S or this file stores: the general ones but RSP. */
enum { ALWAYS_KNOWN = 0xffff & ~(1 << REG_RSP) };

static void exit_io(const struct vmcb *vmcb, struct exit *exit)
{
    uint64_t info = vmcb->exit_info1;

    exit->kind = EXIT_IO;
    exit->decode = false; /* EXITINFO2 is the next RIP on every CPU */
    exit->io = (struct exit_io){
        .port = (uint16_t)(info >> 16),
        .size = info & 1 << 4   ? 1
                : info & 1 << 5 ? 2
                                : 4,
        .in = info & 1,
        .string = info >> 2 & 1,
        .rep = info >> 3 & 1,
    };
}

static void exit_mmio(const struct vmcb *vmcb, struct exit *exit)
{
    uint64_t info = vmcb->exit_info1;

    exit->kind = EXIT_MMIO;
    exit->mmio = (struct exit_mmio){
        .gpa = vmcb->exit_info2,
        .walk = info & NPF_WALK,
        .present = info & NPF_PRESENT,
        .read = !(info & (NPF_WRITE | NPF_FETCH)),
        .write = info & NPF_WRITE,
        .execute = info & NPF_FETCH,
    };
}

/*
 * The run that was to be a single step (svm_await_nmi) is over: TF and DR6 are the guest's again. trapped: by
 * a #DB; true: which is ours alone. After IRET, TF is as the guest wants it.
 */
static bool end_step(struct svm *svm, bool trapped)
{
    struct vmcb *vmcb = &svm->vmcb;
    bool ours = trapped && !svm->own_step, breakpoint = vmcb->dr6 & DR6_BREAKPOINTS;

    svm->stepping = false;
    if (!svm->own_step && !(trapped && svm->nmi_iret))
        vmcb->rflags &= ~(uint64_t)RFLAGS_TF;
    if (trapped && svm->nmi_iret)
        svm->nmi_blocked = svm->nmi_iret = false;
    if (ours)
        vmcb->dr6 &= ~(uint64_t)DR6_BS;
    vmcb->dr6 |= svm->step_dr6;
    svm->clean &= ~(uint32_t)CLEAN_DR;
    return ours && !breakpoint;
}

static void exit_exception(struct context *context, unsigned vector, struct exit *exit)
{
    struct svm *svm = context->backend;

    if (vector == VECTOR_MACHINE_CHECK)
        machine_check();
    exit->kind = EXIT_EXCEPTION;
    exit->exception = (struct exit_exception){
        .vector = (uint8_t)vector,
        .has_error = vector == VECTOR_ALIGNMENT,
        .error = (uint32_t)svm->vmcb.exit_info1,
        .address = vector == VECTOR_DEBUG ? 0 : svm->vmcb.exit_info2, /* DR6 is written already */
    };
}

static void exit_iret(struct context *context, struct exit *exit)
{
    struct svm *svm = context->backend;

    svm->vmcb.intercepts &= ~(uint32_t)INTERCEPT_IRET;
    svm->clean &= ~(uint32_t)CLEAN_INTERCEPTS;
    svm->nmi_iret = true;
    svm->iret_rip = svm->vmcb.rip;
    exit->kind = EXIT_WINDOW;
    exit->windows = 0;
    svm_window_request(context, 0);
}

static void read_vectoring(struct context *context)
{
    struct svm *svm = context->backend;
    uint64_t info = svm->vmcb.exit_event;
    unsigned kind = info >> 8 & 7, vector = info & 0xff;

    if (!(info & SVM_EVENT_VALID))
        return;
    /* INT n, INT3 and INTO left RIP at the instruction: it is run again. */
    if (kind == EVENT_SOFT_INTERRUPT || (kind == EVENT_EXCEPTION && (vector == 3 || vector == 4)))
        return;
    context->vectoring = (struct event){
        .valid = true,
        .kind = (uint8_t)kind,
        .vector = (uint8_t)vector,
        .has_error = info & SVM_EVENT_HAS_ERROR,
        .error = (uint32_t)(info >> 32),
    };
    if (kind == EVENT_NMI)
        svm->nmi_blocked = false;
}

static void normalise(struct context *context, struct exit *exit)
{
    struct svm *svm = context->backend;
    const struct vmcb *vmcb = &svm->vmcb;
    uint32_t code = (uint32_t)vmcb->exit_code;

    exit->decode = !svm_features.next_rip;
    exit->length = 0;
    switch (code) {
    case SVM_EXIT_INTR:
        exit->kind = EXIT_IRQ;
        exit->vector = 0;
        irq_window(); /* its handler runs here */
        return;
    case SVM_EXIT_NMI:
        exit->kind = EXIT_NMI; /* its handler ran when svm_entry.S set GIF */
        return;
    case SVM_EXIT_INIT:
        exit->kind = EXIT_INIT;
        return;
    case SVM_EXIT_VINTR:
        exit->kind = EXIT_WINDOW;
        exit->windows = WINDOW_INTERRUPT;
        svm_window_request(context, 0);
        return;
    case SVM_EXIT_IRET:
        exit_iret(context, exit);
        return;
    case SVM_EXIT_RDPMC:
        exit->kind = EXIT_RDPMC;
        return;
    case SVM_EXIT_CPUID:
        exit->kind = EXIT_CPUID;
        return;
    case SVM_EXIT_INVD:
    case SVM_EXIT_WBINVD:
        exit->kind = EXIT_CACHE;
        exit->writeback = code == SVM_EXIT_WBINVD;
        return;
    case SVM_EXIT_HLT:
        exit->kind = EXIT_HLT;
        return;
    case SVM_EXIT_IO:
        exit_io(vmcb, exit);
        return;
    case SVM_EXIT_MSR:
        exit->kind = EXIT_MSR;
        exit->msr.write = vmcb->exit_info1 & 1;
        return;
    case SVM_EXIT_TASK:
        exit->kind = EXIT_TASK;
        return;
    case SVM_EXIT_SHUTDOWN:
        exit->kind = EXIT_SHUTDOWN;
        return;
    case SVM_EXIT_VMMCALL:
        exit->kind = EXIT_HYPERCALL;
        return;
    case SVM_EXIT_MONITOR:
    case SVM_EXIT_MWAIT:
        exit->kind = EXIT_MONITOR;
        exit->mwait = code == SVM_EXIT_MWAIT;
        return;
    case SVM_EXIT_XSETBV:
        exit->kind = EXIT_XSETBV;
        return;
    case SVM_EXIT_NPF:
        exit_mmio(vmcb, exit);
        return;
    case SVM_EXIT_INVALID:
        exit->kind = EXIT_INVALID;
        exit->hardware = code;
        return;
    default:
        break;
    }
    if (code < SVM_EXIT_DR_READ) {
        exit->kind = EXIT_CR;
        exit->cr = (struct exit_cr){.number = code & 0xf, .access = code & 0x10 ? CR_WRITE : CR_READ};
    } else if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32) {
        exit_exception(context, code - SVM_EXIT_EXCEPTION, exit);
    } else if (code == SVM_EXIT_INVLPGA || (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT)) {
        exit->kind = EXIT_VIRT;
    } else {
        exit->kind = EXIT_OTHER;
        exit->hardware = code;
    }
}

void svm_run(struct context *context, struct exit *exit)
{
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;

    svm_flush_registers(context);
    svm_await_nmi(context);
    vmcb->clean = svm->clean;
    if (svm_enter(context, (uintptr_t)vmcb, (uintptr_t)&svm->host) == ENTER_KICK) {
        if (svm->stepping)
            end_step(svm, false);
        exit->kind = EXIT_KICK;
        return;
    }
    context->reg[REG_RAX] = vmcb->rax;
    context->known = ALWAYS_KNOWN;
    context->seg_known = 0;
    context->vectoring.valid = false;
    vmcb->tlb_control = TLB_KEEP;
    vmcb->event = 0;
    svm->clean = CLEAN_ALL;
    read_vectoring(context);
    if (svm->stepping &&
        end_step(svm, vmcb->exit_code == SVM_EXIT_EXCEPTION + VECTOR_DEBUG && vmcb->dr6 & DR6_BS)) {
        exit->kind = EXIT_WINDOW;
        exit->windows = WINDOW_NMI;
        svm_window_request(context, 0);
        return;
    }
    normalise(context, exit);
}

void svm_describe(struct context *context, char *text, size_t size)
{
    const struct svm *svm = context->backend;
    const struct vmcb *vmcb = &svm->vmcb;

    format(text, size, "exit code %lx info1 %lx info2 %lx event %lx", vmcb->exit_code, vmcb->exit_info1,
           vmcb->exit_info2, vmcb->exit_event);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of the guest, and what the VMCS says about its end, normalised. */
#include "vmx.h"

#include "../context_layout.h"
#include "exception.h"
#include "exit.h"
#include "format.h"
#include "insn.h"
#include "vmx_insn.h"

int vmx_enter(struct context *context, bool launched, uint64_t *host_rsp); /* vmx_entry.S */

/* Registers that the exit path of vmx_entry.S stores: the general ones but RSP. */
enum { ALWAYS_KNOWN = 0xffff & ~(1 << REG_RSP) };

static void exit_exception(struct context *context, struct exit *exit)
{
    uint32_t event = (uint32_t)vmx_get(context, VMCS_EXIT_EVENT);
    uint8_t vector = event & 0xff;

    if (vector == VECTOR_NMI) {
        /* An NMI that exits blocks others until an IRET: have the handler run by way of its gate. */
        raise_nmi();
        exit->kind = EXIT_NMI;
        return;
    }
    if (vector == VECTOR_MACHINE_CHECK)
        machine_check();
    exit->kind = EXIT_EXCEPTION;
    exit->exception = (struct exit_exception){
        .vector = vector,
        .has_error = event & EVENT_HAS_ERROR,
        .error = event & EVENT_HAS_ERROR ? (uint32_t)vmx_get(context, VMCS_EXIT_EVENT_ERROR) : 0,
        .address = vmx_get(context, VMCS_QUALIFICATION),
        .soft = (event >> 8 & 7) == EVENT_SOFT_EXCEPTION || (event >> 8 & 7) == EVENT_ICEBP,
    };
    if (event & EVENT_NMI_UNBLOCKING && vector != VECTOR_DOUBLE_FAULT && !context->vectoring.valid)
        vmx_set_blocking(context, vmx_blocking(context) | BLOCK_NMI);
}

static void exit_interrupt(struct context *context, struct exit *exit)
{
    exit->kind = EXIT_IRQ;
    exit->vector = (uint8_t)vmx_get(context, VMCS_EXIT_EVENT);
    interrupt_handle(exit->vector);
}

static void exit_cr(struct context *context, struct exit *exit)
{
    static const uint8_t access[] = {CR_WRITE, CR_READ, CR_CLTS, CR_LMSW};
    uint64_t q = vmx_get(context, VMCS_QUALIFICATION);

    exit->kind = EXIT_CR;
    exit->cr = (struct exit_cr){
        .number = q & 0xf,
        .access = access[q >> 4 & 3],
        .gpr = q >> 8 & 0xf,
        .decoded = true,
        .source = (uint16_t)(q >> 16),
        .source_memory = q >> 6 & 1,
    };
}

static void exit_io(struct context *context, struct exit *exit)
{
    uint64_t q = vmx_get(context, VMCS_QUALIFICATION);

    exit->kind = EXIT_IO;
    exit->io = (struct exit_io){
        .port = (uint16_t)(q >> 16),
        .size = (uint8_t)((q & 7) + 1),
        .in = q >> 3 & 1,
        .string = q >> 4 & 1,
        .rep = q >> 5 & 1,
    };
}

static void exit_mmio(struct context *context, struct exit *exit)
{
    uint64_t q = vmx_get(context, VMCS_QUALIFICATION);

    exit->kind = EXIT_MMIO;
    exit->mmio = (struct exit_mmio){
        .gpa = vmx_get(context, VMCS_GUEST_PHYSICAL),
        .gva_known = q >> 7 & 1,
        .walk = (q >> 7 & 1) && !(q >> 8 & 1),
        .present = q >> 3 & 7,
        .read = q & 1,
        .write = q >> 1 & 1,
        .execute = q >> 2 & 1,
    };
    if (exit->mmio.gva_known)
        exit->mmio.gva = vmx_get(context, VMCS_GUEST_LINEAR);
    /* IRET had unblocked NMIs before its access failed: it will be run again, and unblock them then (28.2.3).
     */
    if (q & QUALIFICATION_NMI_UNBLOCKING && !context->vectoring.valid)
        vmx_set_blocking(context, vmx_blocking(context) | BLOCK_NMI);
}

static void read_vectoring(struct context *context)
{
    uint32_t info = (uint32_t)vmx_get(context, VMCS_VECTORING);

    if (!(info & EVENT_VALID))
        return;
    context->vectoring = (struct event){
        .valid = true,
        .kind = info >> 8 & 7,
        .vector = info & 0xff,
        .has_error = info & EVENT_HAS_ERROR,
        .error = info & EVENT_HAS_ERROR ? (uint32_t)vmx_get(context, VMCS_VECTORING_ERROR) : 0,
    };
    if (context->vectoring.kind >= EVENT_SOFT_INTERRUPT)
        context->vectoring.length = (uint8_t)vmx_get(context, VMCS_EXIT_LENGTH);
    /* The delivery of an NMI blocks NMIs before it ends; it starts anew. */
    if (context->vectoring.kind == EVENT_NMI)
        vmx_set_blocking(context, vmx_blocking(context) & ~(unsigned)BLOCK_NMI);
}

static void normalise(struct context *context, struct exit *exit)
{
    uint32_t reason = (uint32_t)vmx_get(context, VMCS_EXIT_REASON);

    if (reason & REASON_ENTRY_FAILED) {
        if ((reason & 0xffff) == REASON_MACHINE_CHECK)
            machine_check();
        exit->kind = EXIT_INVALID;
        exit->hardware = reason;
        return;
    }
    switch (reason & 0xffff) {
    case REASON_EXCEPTION:
        read_vectoring(context);
        exit_exception(context, exit);
        return;
    case REASON_INTERRUPT:
        exit_interrupt(context, exit);
        return;
    case REASON_TRIPLE_FAULT:
        exit->kind = EXIT_SHUTDOWN;
        return;
    case REASON_INIT:
        exit->kind = EXIT_INIT;
        return;
    case REASON_INTERRUPT_WINDOW:
        exit->kind = EXIT_WINDOW;
        exit->windows = WINDOW_INTERRUPT;
        vmx_window_request(context, 0);
        return;
    case REASON_NMI_WINDOW:
        exit->kind = EXIT_WINDOW;
        exit->windows = WINDOW_NMI;
        vmx_window_request(context, 0);
        return;
    case REASON_TASK_SWITCH:
        read_vectoring(context);
        exit->kind = EXIT_TASK;
        return;
    case REASON_CPUID:
        exit->kind = EXIT_CPUID;
        return;
    case REASON_HLT:
        exit->kind = EXIT_HLT;
        return;
    case REASON_INVD:
    case REASON_WBINVD:
        exit->kind = EXIT_CACHE;
        exit->writeback = (reason & 0xffff) == REASON_WBINVD;
        return;
    case REASON_INVLPG:
        exit->kind = EXIT_INVLPG;
        exit->address = vmx_get(context, VMCS_QUALIFICATION);
        return;
    case REASON_RDPMC:
        exit->kind = EXIT_RDPMC;
        return;
    case REASON_RDTSC:
    case REASON_RDTSCP:
        exit->kind = EXIT_RDTSC;
        exit->rdtscp = (reason & 0xffff) == REASON_RDTSCP;
        return;
    case REASON_VMCALL:
        exit->kind = EXIT_HYPERCALL;
        return;
    case REASON_CR:
        exit_cr(context, exit);
        return;
    case REASON_IO:
        exit_io(context, exit);
        return;
    case REASON_RDMSR:
    case REASON_WRMSR:
        exit->kind = EXIT_MSR;
        exit->msr.write = (reason & 0xffff) == REASON_WRMSR;
        return;
    case REASON_MWAIT:
    case REASON_MONITOR:
        exit->kind = EXIT_MONITOR;
        exit->mwait = (reason & 0xffff) == REASON_MWAIT;
        return;
    case REASON_PAUSE:
        exit->kind = EXIT_PAUSE;
        return;
    case REASON_EPT_VIOLATION:
        read_vectoring(context);
        exit_mmio(context, exit);
        return;
    case REASON_TIMER:
        exit->kind = EXIT_TIMER;
        return;
    case REASON_MTF:
        exit->kind = EXIT_STEP;
        return;
    case REASON_XSETBV:
        exit->kind = EXIT_XSETBV;
        return;
    case REASON_GETSEC:
    case REASON_INVEPT:
    case REASON_INVVPID:
        exit->kind = EXIT_VIRT;
        return;
    default:
        exit->kind = EXIT_OTHER;
        exit->hardware = reason;
        if ((reason & 0xffff) >= REASON_VMCLEAR && (reason & 0xffff) <= REASON_VMXON)
            exit->kind = EXIT_VIRT;
    }
}

void vmx_run(struct context *context, struct exit *exit)
{
    struct vmx *vmx = context->backend;

    exit->decode = false;
    exit->length = 0;
    if (context->dirty | context->seg_dirty)
        vmx_flush_registers(context);
    switch (vmx_enter(context, vmx->launched, &vmx->host_rsp)) {
    case ENTER_KICK:
        exit->kind = EXIT_KICK;
        return;
    case ENTER_REFUSED:
        exit->kind = EXIT_INVALID;
        exit->hardware = (uint32_t)vmx_get(context, VMCS_INSTRUCTION_ERROR);
        return;
    default:
        break;
    }
    vmx->launched = true;
    context->known = ALWAYS_KNOWN;
    context->seg_known = 0;
    context->vectoring.valid = false;
    normalise(context, exit);
}

void vmx_describe(struct context *context, char *text, size_t size)
{
    (void)context;
    format(text, size,
           "exit reason %lx qualification %lx event %lx vectoring %lx gpa %lx instruction error %lu",
           vmread(VMCS_EXIT_REASON), vmread(VMCS_QUALIFICATION), vmread(VMCS_EXIT_EVENT),
           vmread(VMCS_VECTORING), vmread(VMCS_GUEST_PHYSICAL), vmread(VMCS_INSTRUCTION_ERROR));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM on a CPU, and a context from nothing to its first run. */
#include "svm.h"

#include "context.h"
#include "cpu.h"
#include "direct_host.h"
#include "exception.h"
#include "frame.h"
#include "insn.h"
#include "kick.h"
#include "lapic_host.h"
#include "log.h"
#include "svm_insn.h"
#include "time_host.h"
#include "x86_bits.h"

#include <string.h>

enum { CR8 = 1 << 8 }; /* of cr_reads, cr_writes */

struct svm_features svm_features;

int svm_cpu_on(void)
{
    struct cpuid features = cpuid(0x8000000a, 0);
    void *save = frames_take(FRAME_SIZE);

    svm_features = (struct svm_features){
        .asids = features.ebx,
        .next_rip = features.edx >> 3 & 1,
        .flush_by_tag = features.edx >> 6 & 1,
        .decode_assists = features.edx >> 7 & 1,
    };
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, (uintptr_t)save);
    this_cpu()->virtualising = true;
    this_cpu()->backend = save;
    return 0;
}

/* Which accesses to the MSR do not exit. */
static void let_through(struct svm *svm, uint32_t msr, bool reads, bool writes)
{
    const uint32_t bit = 2 * (msr & 0x1fff);
    uint8_t *map = svm->msr_map;

    if (msr >= 0xc0010000)
        map += 0x1000;
    else if (msr >= 0xc0000000)
        map += 0x800;
    map[bit / 8] = (uint8_t)((map[bit / 8] & ~(3u << bit % 8)) | (reads ? 0 : 1u << bit % 8) |
                             (writes ? 0 : 2u << bit % 8));
}

/* What of the x2APIC reaches the physical one (direct.h). */
static void let_apic_through(struct svm *svm, unsigned how)
{
    const bool on = how & DIRECT_ON, deadline = how & DIRECT_DEADLINE;

    let_through(svm, MSR_X2APIC + X2APIC_TPR, on, on);
    let_through(svm, MSR_X2APIC + X2APIC_PPR, on, false);
    let_through(svm, MSR_X2APIC + X2APIC_EOI, false, on && !(how & DIRECT_END_EXITS));
    for (uint32_t msr = MSR_X2APIC + X2APIC_ISR; msr < MSR_X2APIC + X2APIC_ESR; msr++) /* TMR and IRR, too */
        let_through(svm, msr, on, false);
    let_through(svm, MSR_TSC_DEADLINE, deadline, deadline);
}

void svm_direct(struct context *context, unsigned how)
{
    const uint32_t of_interrupts = INTERCEPT_INTR | INTERCEPT_HLT;
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;
    const bool on = how & DIRECT_ON;

    let_apic_through(svm, how);
    svm->masking = on ? 0 : VINTR_MASKING;
    vmcb->virtual_interrupt = (vmcb->virtual_interrupt & ~(uint32_t)VINTR_MASKING) | svm->masking;
    vmcb->intercepts = on ? vmcb->intercepts & ~of_interrupts : vmcb->intercepts | of_interrupts;
    vmcb->cr_reads = (uint16_t)(on ? vmcb->cr_reads & ~CR8 : vmcb->cr_reads | CR8);
    vmcb->cr_writes = (uint16_t)(on ? vmcb->cr_writes & ~CR8 : vmcb->cr_writes | CR8);
    svm->clean &= ~(uint32_t)(CLEAN_INTERCEPTS | CLEAN_MAPS | CLEAN_TPR);
}

static int context_init(struct context *context)
{
    static const uint32_t passed[] = {MSR_SYSENTER_CS, MSR_SYSENTER_ESP,   MSR_SYSENTER_EIP, MSR_STAR,
                                      MSR_LSTAR,       MSR_CSTAR,          MSR_SFMASK,       MSR_FS_BASE,
                                      MSR_GS_BASE,     MSR_KERNEL_GS_BASE, MSR_TSC_AUX};
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;

    memset(svm->msr_map, 0xff, sizeof svm->msr_map);
    memset(svm->io_map, 0xff, sizeof svm->io_map);
    for (unsigned i = 0; i < sizeof passed / sizeof *passed; i++)
        let_through(svm, passed[i], true, true);
    vmsave((uintptr_t)&svm->host);
    vmcb->exceptions = 1u << VECTOR_DEBUG | 1u << VECTOR_ALIGNMENT | 1u << VECTOR_MACHINE_CHECK;
    vmcb->intercepts = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_INVD |
                       INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IO | INTERCEPT_MSR | INTERCEPT_TASK |
                       INTERCEPT_SHUTDOWN;
    vmcb->intercepts2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD | INTERCEPT2_VMSAVE |
                        INTERCEPT2_STGI | INTERCEPT2_CLGI | INTERCEPT2_SKINIT | INTERCEPT2_WBINVD |
                        INTERCEPT2_MONITOR | INTERCEPT2_MWAIT | INTERCEPT2_XSETBV;
    vmcb->cr_reads = CR8;
    vmcb->cr_writes = CR8 | 1 << 4 | 1;
    vmcb->io_map = (uintptr_t)svm->io_map;
    vmcb->msr_map = (uintptr_t)svm->msr_map;
    vmcb->virtual_interrupt = svm->masking = VINTR_MASKING;
    vmcb->nested_paging = 1;
    return 0;
}

static void context_fini(struct context *context)
{
    (void)context; /* nothing of the VMCB stays in the CPU */
}

static void context_reset(struct context *context)
{
    struct svm *svm = context->backend;
    struct vmcb *vmcb = &svm->vmcb;

    context_reset_registers(context);
    vmcb->cpl = 0;
    vmcb->dr6 = 0xffff0ff0;
    vmcb->star = vmcb->lstar = vmcb->cstar = vmcb->sfmask = vmcb->kernel_gs_base = 0;
    vmcb->sysenter_cs = vmcb->sysenter_esp = vmcb->sysenter_eip = 0;
    vmcb->pat = 0x0007040600070406;
    vmcb->debugctl = 0;
    vmcb->event = 0;
    vmcb->shadow = 0;
    vmcb->virtual_interrupt = svm->masking;
    vmcb->intercepts &= ~(uint32_t)(INTERCEPT_VINTR | INTERCEPT_IRET);
    wrmsr_safe(MSR_TSC_AUX, 0);
    svm->nmi_blocked = svm->nmi_iret = svm->nmi_wanted = svm->stepping = false;
    svm->clean = 0;
}

static unsigned tags(void)
{
    return svm_features.asids;
}

const struct machine_ops svm_ops = {
    .name = "svm",
    .paging = &npt_format,
    .tags = tags,
    .backend_size = sizeof(struct svm),
    .context_init = context_init,
    .context_fini = context_fini,
    .context_reset = context_reset,
    .run = svm_run,
    .fetch = svm_fetch,
    .fetch_segment = svm_fetch_segment,
    .inject = svm_inject,
    .retract = svm_retract,
    .window = svm_window_request,
    .blocking = svm_blocking,
    .set_blocking = svm_set_blocking,
    .next_rip = svm_next_rip,
    .retire = svm_retire,
    .msr_read = svm_msr_read,
    .msr_write = svm_msr_write,
    .dr_read = svm_dr_read,
    .dr_write = svm_dr_write,
    .xcr_write = xcr_write,
    .vector_read = vector_read,
    .vector_write = vector_write,
    .tsc_offset = svm_tsc_offset,
    .root_load = npt_load,
    .flush = npt_flush,
    .apic = &direct_host_apic,
    .direct = svm_direct,
    .describe = svm_describe,
    .frames = frames_try,
    .kick = kick,
    .wait = kick_wait,
    .ticks = host_ticks,
    .ticks_per_second = time_tsc_hz,
    .deadline = lapic_host_deadline,
    .cpuid = host_cpuid,
};

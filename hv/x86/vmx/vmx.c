/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX on a CPU, and a context from nothing to its first run. */
#include "vmx.h"

#include "context.h"
#include "cpu.h"
#include "direct_host.h"
#include "exception.h"
#include "frame.h"
#include "insn.h"
#include "kick.h"
#include "lapic_host.h"
#include "log.h"
#include "paging_host.h"
#include "time_host.h"
#include "vmx_insn.h"
#include "x86_bits.h"

#include <string.h>

enum {
    MSR_VMX_MISC = 0x485,
    MSR_VMX_CR0_FIXED0 = 0x486,
    MSR_VMX_CR0_FIXED1 = 0x487,
    MSR_VMX_CR4_FIXED0 = 0x488,
    MSR_VMX_CR4_FIXED1 = 0x489,
    MSR_VMX_PROC2 = 0x48b,
    MSR_VMX_EPT_VPID = 0x48c,
    MSR_VMX_TRUE_PIN = 0x48d,
    MSR_VMX_TRUE_PROC = 0x48e,
    MSR_VMX_TRUE_EXIT = 0x48f,
    MSR_VMX_TRUE_ENTRY = 0x490,
};
enum { REVISION_BOCHS = 0x2b };
#define BASIC_TRUE_CONTROLS (1ull << 55)
#define EPT_WALK_4          (1ull << 6)
#define EPT_WB              (1ull << 14)
#define EPT_2M              (1ull << 16)
#define EPT_1G              (1ull << 17)
#define EPT_INVEPT_ONE      (1ull << 25)
#define VPID_INVVPID_ONE    (1ull << 41)

struct vmx_controls vmx_controls;
static bool bochs;

extern const uint8_t vmx_exit[];

void vmx_failed(const char *what, uint64_t which)
{
    panic("%s of %lx failed", what, which);
}

/* SDM 3D A.3: the low half of the MSR must be set, the high half may be. */
static int choose(const char *name, uint32_t msr, uint32_t required, uint32_t wished, uint32_t *out)
{
    uint64_t allowed = rdmsr(msr);
    uint32_t must = (uint32_t)allowed, may = (uint32_t)(allowed >> 32);

    if ((required & may) != required)
        return trace_error(-1, "vmx: this CPU lacks %s controls %x", name, required & ~may);
    *out = ((required | wished) & may) | must;
    return 0;
}

static int choose_all(void)
{
    uint64_t ept = rdmsr(MSR_VMX_EPT_VPID);
    const uint64_t needed = EPT_WALK_4 | EPT_WB | EPT_2M | EPT_INVEPT_ONE | VPID_INVVPID_ONE;

    if (!(rdmsr(MSR_VMX_BASIC) & BASIC_TRUE_CONTROLS))
        return trace_error(-1, "vmx: this CPU is too old, it has no TRUE controls");
    if ((ept & needed) != needed)
        return trace_error(-1, "vmx: this CPU's nested paging lacks %lx", needed & ~ept);
    if (choose("pin", MSR_VMX_TRUE_PIN, PIN_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI, 0, &vmx_controls.pin) ||
        choose("primary", MSR_VMX_TRUE_PROC,
               PROC_TSC_OFFSET | PROC_HLT | PROC_MWAIT | PROC_RDPMC | PROC_CR8_LOAD | PROC_CR8_STORE |
                   PROC_IO | PROC_MSR_BITMAP | PROC_MONITOR | PROC_SECONDARY,
               0, &vmx_controls.proc) ||
        choose("secondary", MSR_VMX_PROC2, PROC2_EPT | PROC2_VPID | PROC2_UNRESTRICTED,
               PROC2_RDTSCP | PROC2_WBINVD | PROC2_INVPCID | PROC2_XSAVES, &vmx_controls.proc2) ||
        choose("exit", MSR_VMX_TRUE_EXIT,
               EXIT_CTL_HOST_64 | EXIT_CTL_ACK | EXIT_CTL_SAVE_PAT | EXIT_CTL_LOAD_PAT | EXIT_CTL_SAVE_EFER |
                   EXIT_CTL_LOAD_EFER | EXIT_CTL_DEBUG,
               0, &vmx_controls.exit) ||
        choose("entry", MSR_VMX_TRUE_ENTRY, ENTRY_CTL_DEBUG | ENTRY_CTL_PAT | ENTRY_CTL_EFER, 0,
               &vmx_controls.entry))
        return -1;
    if (!(ept & EPT_1G))
        ept_format.largest_leaf = 2;
    return 0;
}

int vmx_cpu_on(void)
{
    uint32_t *region = frames_take(FRAME_SIZE);
    uint64_t cr0 = read_cr0(), cr4 = read_cr4() | CR4_VMXE;

    /* The same on every CPU of a machine; one that differs would fail at its VM entry. */
    if (!vmx_controls.pin && choose_all())
        return -1;
    cr0 = (cr0 | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1);
    cr4 = (cr4 | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1);
    write_cr0(cr0);
    write_cr4(cr4);
    region[0] = (uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff; /* the revision */
    bochs = region[0] == REVISION_BOCHS;
    if (!vmxon((uintptr_t)region))
        return trace_error(-1, "vmx: VMXON fails on CPU %u", this_cpu()->index);
    this_cpu()->virtualising = true;
    this_cpu()->backend = region;
    return 0;
}

/* Which accesses to the MSR do not exit. */
static void let_through(struct vmx *vmx, uint32_t msr, bool reads, bool writes)
{
    uint8_t *map = vmx->msr_bitmap + (msr >= 0xc0000000 ? 1024 : 0) + (msr & 0x1fff) / 8;
    const uint32_t bit = 1u << msr % 8;

    map[0] = (uint8_t)(reads ? map[0] & ~bit : map[0] | bit);
    map[2048] = (uint8_t)(writes ? map[2048] & ~bit : map[2048] | bit);
}

/* What of the x2APIC reaches the physical one (direct.h). */
static void let_apic_through(struct vmx *vmx, unsigned how)
{
    const bool on = how & DIRECT_ON, deadline = how & DIRECT_DEADLINE;

    let_through(vmx, MSR_X2APIC + X2APIC_TPR, on, on);
    let_through(vmx, MSR_X2APIC + X2APIC_PPR, on, false);
    let_through(vmx, MSR_X2APIC + X2APIC_EOI, false, on && !(how & DIRECT_END_EXITS));
    for (uint32_t msr = MSR_X2APIC + X2APIC_ISR; msr < MSR_X2APIC + X2APIC_ESR; msr++) /* TMR and IRR, too */
        let_through(vmx, msr, on, false);
    let_through(vmx, MSR_TSC_DEADLINE, deadline, deadline);
}

void vmx_direct(struct context *context, unsigned how)
{
    const uint32_t of_interrupts = PROC_HLT | PROC_CR8_LOAD | PROC_CR8_STORE;
    struct vmx *vmx = context->backend;
    const bool on = how & DIRECT_ON;

    let_apic_through(vmx, how);
    vmx->proc = on ? vmx->proc & ~of_interrupts : vmx->proc | of_interrupts;
    vmwrite(VMCS_PROC, vmx->proc);
    vmwrite(VMCS_PIN, on ? vmx_controls.pin & ~(uint32_t)PIN_INTERRUPT : vmx_controls.pin);
    if (!on)
        vmwrite(VMCS_GUEST_ACTIVITY, 0); /* HLT ends for no reason, as it may */
}

static void set_host_state(void)
{
    const struct cpu *cpu = this_cpu();

    vmwrite(VMCS_HOST_CR0, read_cr0());
    vmwrite(VMCS_HOST_CR3, read_cr3());
    vmwrite(VMCS_HOST_CR4, read_cr4());
    vmwrite(VMCS_HOST_CS, SELECTOR_CODE);
    vmwrite(VMCS_HOST_SS, SELECTOR_DATA);
    vmwrite(VMCS_HOST_DS, SELECTOR_DATA);
    vmwrite(VMCS_HOST_ES, SELECTOR_DATA);
    vmwrite(VMCS_HOST_FS, 0);
    vmwrite(VMCS_HOST_GS, 0);
    vmwrite(VMCS_HOST_TR, SELECTOR_TSS);
    vmwrite(VMCS_HOST_FS_BASE, 0);
    vmwrite(VMCS_HOST_GS_BASE, (uintptr_t)cpu);
    vmwrite(VMCS_HOST_TR_BASE, (uintptr_t)&cpu->tss);
    vmwrite(VMCS_HOST_GDTR_BASE, (uintptr_t)cpu->gdt);
    vmwrite(VMCS_HOST_IDTR_BASE, idt_address());
    vmwrite(VMCS_HOST_SYSENTER_CS, 0);
    vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
    vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
    vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
    vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
    vmwrite(VMCS_HOST_RIP, (uintptr_t)vmx_exit);
}

static void set_controls(struct vmx *vmx)
{
    static const uint32_t both[] = {MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,   MSR_PAT,
                                    MSR_STAR,        MSR_LSTAR,        MSR_CSTAR,          MSR_SFMASK,
                                    MSR_FS_BASE,     MSR_GS_BASE,      MSR_KERNEL_GS_BASE, MSR_TSC_AUX};

    memset(vmx->msr_bitmap, 0xff, sizeof vmx->msr_bitmap);
    for (unsigned i = 0; i < sizeof both / sizeof *both; i++)
        let_through(vmx, both[i], true, true);
    let_through(vmx, MSR_EFER, true, false);

    vmx->proc = vmx_controls.proc;
    vmx->entry = vmx_controls.entry;
    vmwrite(VMCS_PIN, vmx_controls.pin);
    vmwrite(VMCS_PROC, vmx->proc);
    vmwrite(VMCS_PROC2, vmx_controls.proc2);
    vmwrite(VMCS_EXIT, vmx_controls.exit);
    vmwrite(VMCS_ENTRY, vmx->entry);
    vmwrite(VMCS_MSR_BITMAP, (uintptr_t)vmx->msr_bitmap);
    if (vmx_controls.proc2 & PROC2_XSAVES)
        vmwrite(VMCS_XSS_BITMAP, 0);
    vmwrite(VMCS_LINK, ~0ull);
    /* #DB and #AC could keep the CPU in an endless delivery that nothing interrupts (CVE-2015-8104, -5307).
     */
    vmwrite(VMCS_EXCEPTIONS, 1u << VECTOR_DEBUG | 1u << VECTOR_ALIGNMENT | 1u << VECTOR_MACHINE_CHECK);
    vmwrite(VMCS_PF_MASK, 0);
    vmwrite(VMCS_PF_MATCH, 0);
    vmwrite(VMCS_CR3_TARGETS, 0);
    vmwrite(VMCS_EXIT_MSR_STORES, 0);
    vmwrite(VMCS_EXIT_MSR_LOADS, 0);
    vmwrite(VMCS_ENTRY_MSR_LOADS, 0);
    vmwrite(VMCS_ENTRY_EVENT, 0);
    vmwrite(VMCS_TSC_OFFSET, 0);
    /* The guest may change all of CR0 but what caching, and VMX itself, need. */
    vmwrite(VMCS_CR0_MASK, ~(uint64_t)VMX_CR0_OWNED);
}

static int context_init(struct context *context)
{
    struct vmx *vmx = context->backend;

    memcpy(vmx->vmcs, &(uint32_t){(uint32_t)rdmsr(MSR_VMX_BASIC) & 0x7fffffff}, 4);
    vmclear((uintptr_t)vmx->vmcs);
    vmptrld((uintptr_t)vmx->vmcs);
    set_host_state();
    set_controls(vmx);
    return 0;
}

static void context_fini(struct context *context)
{
    struct vmx *vmx = context->backend;

    vmclear((uintptr_t)vmx->vmcs);
    vmx->launched = false;
}

static void context_reset(struct context *context)
{
    static const uint32_t zeroed[] = {MSR_STAR,   MSR_LSTAR,          MSR_CSTAR,
                                      MSR_SFMASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX};
    struct vmx *vmx = context->backend;

    context_reset_registers(context);
    for (unsigned i = 0; i < sizeof zeroed / sizeof *zeroed; i++)
        wrmsr_safe(zeroed[i], 0);
    vmx->cr4_owned = context->cr4_allowed & ~(uint64_t)(CR4_VMXE | CR4_SMXE | CR4_MCE);
    vmwrite(VMCS_CR4_MASK, ~vmx->cr4_owned);
    vmwrite(VMCS_GUEST_PAT, 0x0007040600070406);
    vmwrite(VMCS_GUEST_DEBUGCTL, 0);
    vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
    vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
    vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
    vmwrite(VMCS_GUEST_BLOCKING, 0);
    vmwrite(VMCS_GUEST_ACTIVITY, 0);
    vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
    vmwrite(VMCS_ENTRY_EVENT, 0);
    vmx_window_request(context, 0);
}

static unsigned tags(void)
{
    return 1u << 16; /* VPIDs */
}

/* Bochs, by the revision of its VMCS, with more than one CPU. */
static bool loses_rip(void)
{
    return bochs && cpu_count > 1;
}

const struct machine_ops vmx_ops = {
    .name = "vmx",
    .paging = &ept_format,
    .tags = tags,
    .backend_size = sizeof(struct vmx),
    .context_init = context_init,
    .context_fini = context_fini,
    .context_reset = context_reset,
    .run = vmx_run,
    .fetch = vmx_fetch,
    .fetch_segment = vmx_fetch_segment,
    .inject = vmx_inject,
    .retract = vmx_retract,
    .window = vmx_window_request,
    .blocking = vmx_blocking,
    .set_blocking = vmx_set_blocking,
    .next_rip = vmx_next_rip,
    .skip = vmx_skip,
    .retire = vmx_retire,
    .msr_read = vmx_msr_read,
    .msr_write = vmx_msr_write,
    .dr_read = host_dr_read,
    .dr_write = host_dr_write,
    .xcr_write = xcr_write,
    .vector_read = vector_read,
    .vector_write = vector_write,
    .tsc_offset = vmx_tsc_offset,
    .root_load = ept_load,
    .flush = ept_flush,
    .apic = &direct_host_apic,
    .direct = vmx_direct,
    .describe = vmx_describe,
    .loses_rip = loses_rip,
    .frames = frames_try,
    .kick = kick,
    .wait = kick_wait,
    .ticks = host_ticks,
    .ticks_per_second = time_tsc_hz,
    .deadline = lapic_host_deadline,
    .cpuid = host_cpuid,
};

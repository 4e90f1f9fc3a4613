/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest state between struct context and the VMCS. */
#include "vmx.h"

#include "context.h"
#include "insn.h"
#include "vmx_insn.h"
#include "x86_bits.h"

/* As context_get(), for a register that is a field as it stands. */
static uint64_t get_in_place(struct context *context, enum reg which, enum vmcs_field field)
{
    if (!(context->known & 1u << which)) {
        context->reg[which] = vmx_get(context, field);
        context->known |= 1u << which;
    }
    return context->reg[which];
}

void vmx_fetch(struct context *context, enum reg which)
{
    const struct vmx *vmx = context->backend;
    uint64_t value;

    switch (which) {
    case REG_RSP:
        value = vmx_get(context, VMCS_GUEST_RSP);
        break;
    case REG_RIP:
        value = vmx_get(context, VMCS_GUEST_RIP);
        break;
    case REG_RFLAGS:
        value = vmx_get(context, VMCS_GUEST_RFLAGS);
        break;
    case REG_CR0:
        value = (vmx_get(context, VMCS_GUEST_CR0) & VMX_CR0_OWNED) |
                (vmx_get(context, VMCS_CR0_SHADOW) & ~(uint64_t)VMX_CR0_OWNED);
        break;
    case REG_CR2:
        value = read_cr2(); /* nothing here faults, so it is still the guest's */
        break;
    case REG_CR3:
        value = vmx_get(context, VMCS_GUEST_CR3);
        break;
    case REG_CR4:
        value = (vmx_get(context, VMCS_GUEST_CR4) & vmx->cr4_owned) |
                (vmx_get(context, VMCS_CR4_SHADOW) & ~vmx->cr4_owned);
        break;
    case REG_EFER:
        value = vmx_get(context, VMCS_GUEST_EFER);
        break;
    case REG_DR7:
        value = vmx_get(context, VMCS_GUEST_DR7);
        break;
    default:
        return; /* a general register: always there */
    }
    context->reg[which] = value;
    context->known |= 1u << which;
}

void vmx_fetch_segment(struct context *context, enum seg which)
{
    struct segment *s = &context->seg[which];

    context->seg_known |= 1u << which;
    s->limit = (uint32_t)vmx_get(context, VMCS_GUEST_ES_LIMIT + 2 * which);
    s->base = vmx_get(context, VMCS_GUEST_ES_BASE + 2 * which);
    if (which <= SEG_TR) {
        uint32_t rights = (uint32_t)vmx_get(context, VMCS_GUEST_ES_RIGHTS + 2 * which);

        s->selector = (uint16_t)vmx_get(context, VMCS_GUEST_ES + 2 * which);
        /* The VMCS leaves the four bits out that the limit takes in a descriptor (24.4.1). */
        s->attributes = (uint16_t)((rights & 0xff) | (rights >> 4 & 0xf00));
        if (rights & RIGHTS_UNUSABLE)
            s->attributes |= SEG_UNUSABLE;
    }
}

static void flush_segment(const struct context *context, unsigned which)
{
    const struct segment *s = &context->seg[which];

    vmwrite(VMCS_GUEST_ES_LIMIT + 2 * which, s->limit);
    vmwrite(VMCS_GUEST_ES_BASE + 2 * which, s->base);
    if (which <= SEG_TR) {
        uint32_t rights = (s->attributes & 0xff) | (s->attributes & 0xf00u) << 4;

        if (s->attributes & SEG_UNUSABLE)
            rights |= RIGHTS_UNUSABLE;
        vmwrite(VMCS_GUEST_ES_RIGHTS + 2 * which, rights);
        vmwrite(VMCS_GUEST_ES + 2 * which, s->selector);
    }
}

/* Guest-physical to physical, by the tables of the context; ~0 when nothing is mapped. */
static uint64_t translate(const struct context *context, uint64_t gpa)
{
    const struct vmx *vmx = context->backend;
    const uint64_t *table = (const uint64_t *)vmx->root;

    for (unsigned level = ept_format.levels; level >= 1; level--) {
        unsigned shift = FRAME_SHIFT + 9 * (level - 1);
        uint64_t entry = table[gpa >> shift & 511];

        if (!(entry & ept_format.present_mask))
            break;
        if (level == 1 || entry & ept_format.leaf_mask) {
            uint64_t inside = (1ull << shift) - 1;

            return (entry & ept_format.address_mask & ~inside) | (gpa & inside);
        }
        table = (const uint64_t *)(entry & ept_format.address_mask);
    }
    return ~0ull;
}

/*
 * A MOV to a control register that the guest makes by itself loads the PDPTEs where 32-bit PAE paging needs
 * them; one that was carried out for it has to do the same (26.3.2.4 has VM entry take them from the VMCS).
 */
static void flush_pdptes(struct context *context)
{
    uint64_t table, address;

    if (!(context_get(context, REG_CR0) & CR0_PG) || !(context_get(context, REG_CR4) & CR4_PAE) ||
        context_get(context, REG_EFER) & EFER_LMA)
        return;
    table = context_get(context, REG_CR3) & 0xffffffe0;
    address = translate(context, table);
    for (unsigned i = 0; i < 4; i++)
        vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, address == ~0ull ? 0 : ((const uint64_t *)address)[i]);
}

static void flush_register(struct context *context, unsigned which)
{
    struct vmx *vmx = context->backend;
    uint64_t value = context->reg[which];

    switch (which) {
    case REG_RSP:
        vmwrite(VMCS_GUEST_RSP, value);
        break;
    case REG_RIP:
        vmwrite(VMCS_GUEST_RIP, value);
        break;
    case REG_RFLAGS:
        vmwrite(VMCS_GUEST_RFLAGS, value);
        break;
    case REG_CR0:
        vmwrite(VMCS_GUEST_CR0, (value & VMX_CR0_OWNED) | CR0_NE);
        vmwrite(VMCS_CR0_SHADOW, value);
        break;
    case REG_CR2:
        write_cr2(value);
        break;
    case REG_CR3:
        vmwrite(VMCS_GUEST_CR3, value);
        break;
    case REG_CR4:
        vmwrite(VMCS_GUEST_CR4, (value & vmx->cr4_owned) | CR4_VMXE | CR4_MCE);
        vmwrite(VMCS_CR4_SHADOW, value);
        break;
    case REG_EFER:
        vmwrite(VMCS_GUEST_EFER, value);
        vmwrite(VMCS_ENTRY, vmx->entry | (value & EFER_LMA ? ENTRY_CTL_LONG_MODE : 0));
        break;
    case REG_DR7:
        vmwrite(VMCS_GUEST_DR7, value);
        break;
    default:
        break;
    }
}

void vmx_flush_registers(struct context *context)
{
    const uint32_t general = 0xffffu & ~(1u << REG_RSP),
                   paging = 1u << REG_CR0 | 1u << REG_CR3 | 1u << REG_CR4 | 1u << REG_EFER;
    uint32_t dirty = context->dirty & ~general, segments = context->seg_dirty;

    if (dirty & paging)
        flush_pdptes(context);
    for (; dirty; dirty &= dirty - 1)
        flush_register(context, (unsigned)__builtin_ctz(dirty));
    for (; segments; segments &= segments - 1)
        flush_segment(context, (unsigned)__builtin_ctz(segments));
    context->dirty = 0;
    context->seg_dirty = 0;
}

void vmx_inject(struct context *context, const struct event *event)
{
    (void)context;
    if (event->has_error)
        vmwrite(VMCS_ENTRY_EVENT_ERROR, event->error);
    if (event->kind >= EVENT_SOFT_INTERRUPT)
        vmwrite(VMCS_ENTRY_LENGTH, event->length);
    vmwrite(VMCS_ENTRY_EVENT, EVENT_VALID | (event->has_error ? EVENT_HAS_ERROR : 0) |
                                  (uint32_t)event->kind << 8 | event->vector);
}

void vmx_retract(struct context *context)
{
    (void)context;
    vmwrite(VMCS_ENTRY_EVENT, 0);
}

/*
 * Whether blocking by STI holds back the exit at the NMI window is up to the CPU (SDM 3C 26.2); blocking by
 * MOV SS always does, for the same one instruction.
 */
static void defer_nmi_window(struct context *context)
{
    unsigned blocking = vmx_blocking(context);

    if (blocking & BLOCK_STI)
        vmx_set_blocking(context, (blocking & ~(unsigned)BLOCK_STI) | BLOCK_MOV_SS);
}

void vmx_window_request(struct context *context, unsigned windows)
{
    struct vmx *vmx = context->backend;
    uint32_t proc = vmx->proc & ~(uint32_t)(PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW);

    if (windows & WINDOW_INTERRUPT)
        proc |= PROC_INTERRUPT_WINDOW;
    if (windows & WINDOW_NMI) {
        proc |= PROC_NMI_WINDOW;
        defer_nmi_window(context);
    }
    if (proc != vmx->proc)
        vmwrite(VMCS_PROC, vmx->proc = proc);
}

unsigned vmx_blocking(struct context *context)
{
    return (unsigned)vmx_get(context, VMCS_GUEST_BLOCKING) & (BLOCK_STI | BLOCK_MOV_SS | BLOCK_NMI);
}

void vmx_set_blocking(struct context *context, unsigned blocking)
{
    (void)context;
    vmwrite(VMCS_GUEST_BLOCKING, blocking);
}

uint64_t vmx_next_rip(struct context *context)
{
    uint64_t rip = get_in_place(context, REG_RIP, VMCS_GUEST_RIP),
             next = rip + vmx_get(context, VMCS_EXIT_LENGTH);

    /* Outside 64-bit mode RIP has 32 bits, and VM entry insists. */
    if ((rip ^ next) >> 32 && !(context_segment(context, SEG_CS)->attributes & SEG_LONG))
        next = (uint32_t)next;
    return next;
}

/* Apart, so that the common way keeps no registers. */
static __attribute__((noinline)) bool retire_with_flags(struct context *context, uint64_t rflags)
{
    if (rflags & RFLAGS_RF)
        context_set(context, REG_RFLAGS, rflags & ~(uint64_t)RFLAGS_RF);
    if (!(rflags & RFLAGS_TF))
        return false;
    /* Not as a pending debug exception: entry with an interrupt drops that (SDM 3C 27.6.3), and HLT ends by
     * it. */
    host_dr_write(context, 6, host_dr_read(context, 6) | DR6_BS);
    return true;
}

bool vmx_retire(struct context *context)
{
    unsigned blocking = vmx_blocking(context);
    uint64_t rflags;

    if (blocking & (BLOCK_STI | BLOCK_MOV_SS))
        vmx_set_blocking(context, blocking & BLOCK_NMI);
    rflags = get_in_place(context, REG_RFLAGS, VMCS_GUEST_RFLAGS);
    if (rflags & (RFLAGS_RF | RFLAGS_TF))
        return retire_with_flags(context, rflags);
    return false;
}

/* Most exits end here: RIP goes straight to the VMCS, and nothing is looked up twice. */
bool vmx_skip(struct context *context)
{
    uint64_t next = vmx_next_rip(context);

    vmwrite(VMCS_GUEST_RIP, next);
    context->reg[REG_RIP] = next;
    context->dirty &= ~(1u << REG_RIP);
    return vmx_retire(context);
}

static int field_of(uint32_t msr, enum vmcs_field *field)
{
    switch (msr) {
    case MSR_SYSENTER_CS:
        *field = VMCS_GUEST_SYSENTER_CS;
        return 0;
    case MSR_SYSENTER_ESP:
        *field = VMCS_GUEST_SYSENTER_ESP;
        return 0;
    case MSR_SYSENTER_EIP:
        *field = VMCS_GUEST_SYSENTER_EIP;
        return 0;
    case MSR_PAT:
        *field = VMCS_GUEST_PAT;
        return 0;
    case MSR_DEBUGCTL:
        *field = VMCS_GUEST_DEBUGCTL;
        return 0;
    default:
        return -1;
    }
}

static bool lives_in_cpu(uint32_t msr)
{
    return (msr >= MSR_STAR && msr <= MSR_SFMASK) || msr == MSR_KERNEL_GS_BASE || msr == MSR_TSC_AUX;
}

int vmx_msr_read(struct context *context, uint32_t msr, uint64_t *value)
{
    enum vmcs_field field;

    if (lives_in_cpu(msr))
        return rdmsr_safe(msr, value) ? 0 : -1;
    if (field_of(msr, &field))
        return -1;
    *value = vmx_get(context, field);
    return 0;
}

int vmx_msr_write(struct context *context, uint32_t msr, uint64_t value)
{
    enum vmcs_field field;

    (void)context;
    if (lives_in_cpu(msr))
        return wrmsr_safe(msr, value) ? 0 : -1;
    if (field_of(msr, &field))
        return -1;
    vmwrite(field, value);
    return 0;
}

void vmx_tsc_offset(struct context *context, uint64_t offset)
{
    (void)context;
    vmwrite(VMCS_TSC_OFFSET, offset);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include "lpar.h"
#include "policy.h"
#include "x86_bits.h"

#define CR0_KNOWN                                                                                            \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |               \
     (uint64_t)CR0_PG)

uint64_t control_read(struct vcpu *vcpu, unsigned number)
{
    static const uint8_t reg[] = {[0] = REG_CR0, [2] = REG_CR2, [3] = REG_CR3, [4] = REG_CR4};

    if (number == 8)
        return vcpu->lapic.direct ? direct_cr8(vcpu) : lapic_cr8(&vcpu->lapic);
    return context_get(&vcpu->context, reg[number]);
}

static bool write_cr0(struct vcpu *vcpu, uint64_t value)
{
    struct context *context = &vcpu->context;
    uint64_t efer = context_get(context, REG_EFER), old = context_get(context, REG_CR0);
    bool pages = value & CR0_PG;

    if (value >> 32 || (pages && !(value & CR0_PE)) || (value & (CR0_NW | CR0_CD)) == CR0_NW)
        return false;
    value = (value & CR0_KNOWN) | CR0_ET;
    if (pages && !(old & CR0_PG) && efer & EFER_LME) {
        if (!(context_get(context, REG_CR4) & CR4_PAE) ||
            context_segment(context, SEG_CS)->attributes & SEG_LONG)
            return false;
        context_set(context, REG_EFER, efer | EFER_LMA);
    } else if (!pages && old & CR0_PG) {
        if (context_get(context, REG_CR4) & CR4_PCIDE ||
            (efer & EFER_LMA && context_segment(context, SEG_CS)->attributes & SEG_LONG))
            return false;
        context_set(context, REG_EFER, efer & ~(uint64_t)EFER_LMA);
    }
    context_set(context, REG_CR0, value);
    if ((value ^ old) & (CR0_PG | CR0_WP))
        context->machine->flush(context, context->tag);
    return true;
}

static bool write_cr4(struct vcpu *vcpu, uint64_t value)
{
    struct context *context = &vcpu->context;
    uint64_t old = context_get(context, REG_CR4), efer = context_get(context, REG_EFER);

    if (value & ~context->cr4_allowed)
        return false;
    if (efer & EFER_LMA && (!(value & CR4_PAE) || (value ^ old) & CR4_LA57))
        return false;
    if (value & CR4_PCIDE && !(old & CR4_PCIDE) &&
        (!(efer & EFER_LMA) || context_get(context, REG_CR3) & 0xfff))
        return false;
    context_set(context, REG_CR4, value);
    /* What a MOV to CR4 makes the TLB forget (SDM 3A 4.10.4.1) is forgotten whole. */
    if ((value ^ old) & (CR4_PGE | CR4_PAE | CR4_PSE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_LA57))
        context->machine->flush(context, context->tag);
    return true;
}

bool control_write(struct vcpu *vcpu, unsigned number, uint64_t value)
{
    switch (number) {
    case 0:
        return write_cr0(vcpu, value);
    case 2:
        context_set(&vcpu->context, REG_CR2, value);
        return true;
    case 3:
        context_set(&vcpu->context, REG_CR3, value & ~(1ull << 63));
        if (!(value >> 63))
            vcpu->context.machine->flush(&vcpu->context, vcpu->context.tag);
        return true;
    case 4:
        return write_cr4(vcpu, value);
    default:
        if (value > 0xf)
            return false;
        if (vcpu->lapic.direct)
            direct_set_cr8(vcpu, (unsigned)value);
        else
            lapic_set_cr8(&vcpu->lapic, (unsigned)value);
        vcpu->look = true;
        return true;
    }
}

bool control_write_xcr(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
    const uint64_t avx = 1 << 2, avx512 = 7 << 5;

    if (index != 0 || value & ~policy_xcr0(vcpu) || !(value & 1))
        return false;
    if ((value & avx && !(value & 2)) || (value & avx512 && (value & (avx512 | avx)) != (avx512 | avx)))
        return false;
    if (vcpu->context.machine->xcr_write(&vcpu->context, index, value))
        return false;
    vcpu->xcr0 = value;
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "lpar.h"
#include "policy.h"
#include "x86_bits.h"

enum { MTRR_ENABLED = 1 << 11, VM_CR_LOCKED_OFF = 0x18 };

/* Of IA32_MISC_ENABLE: thermal monitor, no BTS, no PEBS. The rest keeps what is written and has no effect. */
#define MISC_READ_ONLY 0x1880ull

/* AMD's, of which guests expect no fault, among them the four performance counters that each of its CPUs has:
 * nothing is set, and nothing can be. */
static bool reads_zero(uint32_t msr)
{
    return msr == MSR_MICROCODE || msr == MSR_HWCR || msr == MSR_DE_CFG || msr == MSR_MCG_CAP ||
           msr == MSR_MCG_STATUS || msr == MSR_MTRR_CAP || (msr >= MSR_K7_EVENTS && msr < MSR_K7_EVENTS + 8);
}

static bool is_lapic(uint32_t msr)
{
    return msr == LAPIC_MSR_BASE || msr == LAPIC_MSR_DEADLINE ||
           (msr >= LAPIC_MSR_FIRST && msr <= LAPIC_MSR_LAST);
}

static bool pat_is_good(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++, value >>= 8)
        if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
            return false;
    return true;
}

static bool write_efer(struct vcpu *vcpu, uint64_t value)
{
    struct context *context = &vcpu->context;
    uint64_t old = context_get(context, REG_EFER);

    if (value & ~policy_efer(vcpu))
        return false;
    if ((value ^ old) & EFER_LME && context_get(context, REG_CR0) & CR0_PG)
        return false;
    context_set(context, REG_EFER, (value & ~(uint64_t)EFER_LMA) | (old & EFER_LMA));
    return true;
}

/* TSC and TSC_ADJUST move together, and a deadline in the guest's time is then at another tick. */
static void move_tsc(struct vcpu *vcpu, uint64_t by)
{
    direct_leave(vcpu); /* its timer was set by the old time */
    vcpu->tsc_offset += by;
    vcpu->tsc_adjust += by;
    vcpu->context.machine->tsc_offset(&vcpu->context, vcpu->tsc_offset);
    lapic_tsc_changed(&vcpu->lapic);
}

bool policy_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
    struct context *context = &vcpu->context;

    if (is_lapic(msr))
        return lapic_msr_read(&vcpu->lapic, msr, value);
    switch (msr) {
    case MSR_TSC:
        *value = context->machine->ticks() + vcpu->tsc_offset;
        return true;
    case MSR_TSC_ADJUST:
        *value = vcpu->tsc_adjust;
        return true;
    case MSR_EFER:
        *value = context_get(context, REG_EFER);
        return true;
    case MSR_MISC_ENABLE:
        *value = vcpu->misc_enable;
        return true;
    case MSR_MTRR_DEFAULT:
        *value = MTRR_ENABLED | MEMORY_WB;
        return true;
    case MSR_FEATURE_CONTROL:
        *value = 1; /* locked, VMX off */
        return true;
    case MSR_VM_CR:
        *value = VM_CR_LOCKED_OFF;
        return true;
    default:
        *value = 0;
        return reads_zero(msr) || context->machine->msr_read(context, msr, value) == 0;
    }
}

bool policy_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    struct context *context = &vcpu->context;

    if (is_lapic(msr)) {
        vcpu->look = true;
        if (vcpu->direct.active)
            return direct_msr_write(vcpu, msr, value);
        return lapic_msr_write(&vcpu->lapic, msr, value);
    }
    switch (msr) {
    case MSR_TSC:
        move_tsc(vcpu, value - (context->machine->ticks() + vcpu->tsc_offset));
        return true;
    case MSR_TSC_ADJUST:
        move_tsc(vcpu, value - vcpu->tsc_adjust);
        return true;
    case MSR_EFER:
        return write_efer(vcpu, value);
    case MSR_PAT:
        return pat_is_good(value) && context->machine->msr_write(context, msr, value) == 0;
    case MSR_MISC_ENABLE:
        vcpu->misc_enable = (value & ~MISC_READ_ONLY) | (vcpu->misc_enable & MISC_READ_ONLY);
        return true;
    case MSR_MTRR_DEFAULT:
        return true; /* what memory is cached how is not the guest's to say here; nested tables do */
    case MSR_DEBUGCTL:
        return value == 0;
    default:
        return reads_zero(msr) || context->machine->msr_write(context, msr, value) == 0;
    }
}

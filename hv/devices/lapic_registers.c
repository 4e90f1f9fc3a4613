/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers, once for both ways to them. */
#include "lapic_state.h"

/* 14h: integrated; highest LVT entry 5. No EOI-broadcast suppression. */
#define VERSION (0x14u | (LVT_COUNT - 1) << 16)

static const uint32_t lvt_writable[LVT_COUNT] = {
    [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_PERIODIC | LVT_DEADLINE,
    [LVT_THERMAL] = LVT_VECTOR | LVT_DELIVERY | LVT_MASKED,
    [LVT_PERFORMANCE] = LVT_VECTOR | LVT_DELIVERY | LVT_MASKED,
    [LVT_LINT0] = LVT_VECTOR | LVT_DELIVERY | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [LVT_LINT1] = LVT_VECTOR | LVT_DELIVERY | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

/* The LVT entries' order in the register file. */
static const uint8_t lvt_of[] = {LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR};

/* False: no such register, or none to be read. */
static bool read_register(struct lapic *l, unsigned number, uint32_t *value)
{
    *value = 0;
    if (number >= LAPIC_ISR && number < LAPIC_ESR) {
        const uint32_t *bits = number < LAPIC_TMR ? l->isr : number < LAPIC_IRR ? l->tmr : l->irr;
        *value = bits[number & 7];
        return true;
    }
    if (number >= LAPIC_LVT_TIMER && number <= LAPIC_LVT_ERROR) {
        *value = l->lvt[lvt_of[number - LAPIC_LVT_TIMER]];
        return true;
    }
    switch (number) {
    case LAPIC_ID:
        *value = lapic_is_x2apic(l) ? l->id : l->xapic_id << 24;
        return true;
    case LAPIC_VERSION:
        *value = VERSION;
        return true;
    case LAPIC_TPR:
        *value = l->tpr;
        return true;
    case LAPIC_PPR:
        *value = lapic_ppr(l);
        return true;
    case LAPIC_LDR:
        *value = lapic_is_x2apic(l) ? l->id >> 4 << 16 | 1u << (l->id & 15) : l->ldr;
        return true;
    case LAPIC_DFR:
        *value = l->dfr;
        return !lapic_is_x2apic(l);
    case LAPIC_SPURIOUS:
        *value = l->spurious;
        return true;
    case LAPIC_ESR:
        *value = l->errors_shown;
        return true;
    case LAPIC_ICR:
        *value = l->icr[0];
        return true;
    case LAPIC_ICR_HIGH:
        *value = l->icr[1];
        return !lapic_is_x2apic(l);
    case LAPIC_INITIAL_COUNT:
        *value = l->initial_count;
        return true;
    case LAPIC_CURRENT_COUNT:
        *value = lapic_timer_count(l);
        return true;
    case LAPIC_DIVIDE:
        *value = l->divide;
        return true;
    case LAPIC_APR:
    case LAPIC_RRD:
    case LAPIC_EOI:
        return !lapic_is_x2apic(l);
    default:
        return false;
    }
}

static void write_lvt(struct lapic *l, enum lapic_lvt which, uint32_t value)
{
    value &= lvt_writable[which];
    /* Software-disabled, all entries stay masked (SDM 3A 11.4.7.2). */
    if (!lapic_software_enabled(l))
        value |= LVT_MASKED;
    if (which == LVT_TIMER)
        lapic_timer_set_mode(l, value);
    else
        l->lvt[which] = value;
}

static void write_spurious(struct lapic *l, uint32_t value)
{
    __atomic_store_n(&l->spurious, value & SPURIOUS_WRITABLE, __ATOMIC_RELAXED);
    if (value & SPURIOUS_ENABLE)
        return;
    for (unsigned i = 0; i < LVT_COUNT; i++)
        write_lvt(l, (enum lapic_lvt)i, l->lvt[i]);
}

/* What a write shows in the xAPIC: bits that cannot be written are ignored. False: no such register. */
static bool write_register(struct lapic *l, unsigned number, uint32_t value)
{
    if (number >= LAPIC_LVT_TIMER && number <= LAPIC_LVT_ERROR) {
        write_lvt(l, (enum lapic_lvt)lvt_of[number - LAPIC_LVT_TIMER], value);
        return true;
    }
    switch (number) {
    case LAPIC_ID:
        __atomic_store_n(&l->xapic_id, value >> 24, __ATOMIC_RELAXED);
        return true;
    case LAPIC_TPR:
        __atomic_store_n(&l->tpr, value & 0xff, __ATOMIC_RELAXED);
        return true;
    case LAPIC_EOI:
        lapic_eoi(l);
        return true;
    case LAPIC_LDR:
        __atomic_store_n(&l->ldr, value & 0xff000000, __ATOMIC_RELAXED);
        return true;
    case LAPIC_DFR:
        __atomic_store_n(&l->dfr, value | 0x0fffffff, __ATOMIC_RELAXED);
        return true;
    case LAPIC_SPURIOUS:
        write_spurious(l, value);
        return true;
    case LAPIC_ESR:
        l->errors_shown = l->errors;
        l->errors = 0;
        return true;
    case LAPIC_ICR:
        l->icr[0] = value & 0xccfff; /* the delivery status is always idle */
        lapic_send(l);
        return true;
    case LAPIC_ICR_HIGH:
        l->icr[1] = value & 0xff000000;
        return true;
    case LAPIC_INITIAL_COUNT:
        lapic_timer_start(l, value);
        return true;
    case LAPIC_DIVIDE:
        lapic_timer_set_divide(l, value);
        return true;
    case LAPIC_VERSION:
    case LAPIC_PPR:
    case LAPIC_APR:
    case LAPIC_CURRENT_COUNT:
    case LAPIC_RRD:
        return true; /* read-only, ignored */
    default:
        return number >= LAPIC_ISR && number < LAPIC_ESR;
    }
}

/* ---- memory ----------------------------------------------------------------------------------- */

/* Registers are 32 bits wide at multiples of 16; what lies between them reads as zero (SDM 3A 11.4.1.2). */
uint64_t lapic_mmio_read(struct lapic *l, uint32_t offset, unsigned size)
{
    uint32_t value;
    if ((offset & 15) >= 4)
        return 0;
    if (!read_register(l, offset >> 4, &value)) {
        lapic_error(l, ERROR_REGISTER);
        return 0;
    }
    uint64_t shifted = (uint64_t)value >> 8 * (offset & 3);
    return size < 8 ? shifted & ((1ull << 8 * size) - 1) : shifted;
}

void lapic_mmio_write(struct lapic *l, uint32_t offset, unsigned size, uint64_t value)
{
    if (offset & 15 || size < 4)
        return;
    if (!write_register(l, offset >> 4, (uint32_t)value))
        lapic_error(l, ERROR_REGISTER);
}

/* ---- MSRs ------------------------------------------------------------------------------------- */

/* Bits that may be 1 in a write by MSR; any other makes #GP(0) (SDM 3A 11.12.1.2). */
static bool x2apic_writable(unsigned number, uint64_t *allowed)
{
    if (number >= LAPIC_LVT_TIMER && number <= LAPIC_LVT_ERROR) {
        *allowed = lvt_writable[lvt_of[number - LAPIC_LVT_TIMER]] | LVT_PENDING | LVT_REMOTE_IRR;
        return true;
    }
    switch (number) {
    case LAPIC_TPR:
    case LAPIC_SELF_IPI:
        *allowed = 0xff;
        return true;
    case LAPIC_EOI:
    case LAPIC_ESR:
        *allowed = 0;
        return true;
    case LAPIC_SPURIOUS:
        *allowed = SPURIOUS_WRITABLE;
        return true;
    case LAPIC_ICR:
        *allowed = 0xffffffff000ccfff | 1 << 12;
        return true;
    case LAPIC_INITIAL_COUNT:
        *allowed = 0xffffffff;
        return true;
    case LAPIC_DIVIDE:
        *allowed = 0xb;
        return true;
    default:
        return false;
    }
}

static bool x2apic_write(struct lapic *l, unsigned number, uint64_t value)
{
    uint64_t allowed;
    if (!x2apic_writable(number, &allowed) || value & ~allowed)
        return false;
    if (number == LAPIC_SELF_IPI) {
        lapic_send_self(l, (uint8_t)value);
        return true;
    }
    if (number == LAPIC_ICR)
        l->icr[1] = (uint32_t)(value >> 32);
    return write_register(l, number, (uint32_t)value);
}

static bool x2apic_read(struct lapic *l, unsigned number, uint64_t *value)
{
    uint32_t low;
    if (!read_register(l, number, &low))
        return false;
    *value = low;
    if (number == LAPIC_ICR)
        *value |= (uint64_t)l->icr[1] << 32;
    return true;
}

/* SDM 3A figure 11-27: from disabled only to xAPIC, from x2APIC only to disabled. */
static bool write_base(struct lapic *l, uint64_t value)
{
    const uint64_t modes = BASE_ENABLE | BASE_X2APIC;
    const uint64_t from = l->base & modes, to = value & modes;
    if (value & ~((l->address_mask & ~0xfffull) | BASE_BSP | modes))
        return false;
    if (to == BASE_X2APIC || (to == modes && (from == 0 || !l->has_x2apic)) ||
        (from == modes && to == BASE_ENABLE))
        return false;
    if (from && !to) {
        const uint32_t tpr = l->tpr;
        lapic_reset(l, true);
        l->tpr = tpr; /* CR8 stays */
        l->xapic_id = l->id;
    }
    if (to == modes && from != modes) {
        l->icr[0] = l->icr[1] = 0;
        l->xapic_id = l->id;
    }
    __atomic_store_n(&l->base, value, __ATOMIC_RELAXED);
    return true;
}

bool lapic_msr_read(struct lapic *l, uint32_t msr, uint64_t *value)
{
    if (msr == LAPIC_MSR_BASE) {
        *value = l->base;
        return true;
    }
    if (msr == LAPIC_MSR_DEADLINE) {
        *value = l->lvt[LVT_TIMER] & LVT_DEADLINE ? l->deadline : 0;
        return true;
    }
    if (msr < LAPIC_MSR_FIRST || msr > LAPIC_MSR_LAST || !lapic_is_x2apic(l))
        return false;
    return x2apic_read(l, msr - LAPIC_MSR_FIRST, value);
}

bool lapic_msr_write(struct lapic *l, uint32_t msr, uint64_t value)
{
    /* The end of every interrupt comes first. */
    if (msr == LAPIC_MSR_FIRST + LAPIC_EOI && lapic_is_x2apic(l) && value == 0) {
        lapic_eoi(l);
        return true;
    }
    if (msr == LAPIC_MSR_BASE)
        return write_base(l, value);
    if (msr == LAPIC_MSR_DEADLINE) {
        lapic_timer_set_deadline(l, value);
        return true;
    }
    if (msr < LAPIC_MSR_FIRST || msr > LAPIC_MSR_LAST || !lapic_is_x2apic(l))
        return false;
    return x2apic_write(l, msr - LAPIC_MSR_FIRST, value);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Within the local APIC's files. */
#ifndef LAPIC_STATE_H
#define LAPIC_STATE_H

#include "lapic.h"

enum { BASE_BSP = 1 << 8, BASE_X2APIC = 1 << 10, BASE_ENABLE = 1 << 11 };
enum { SPURIOUS_ENABLE = 1 << 8, SPURIOUS_WRITABLE = 0x1ff };
enum {
    LVT_VECTOR = 0xff,
    LVT_DELIVERY = 0x700,
    LVT_PENDING = 1 << 12,
    LVT_POLARITY = 1 << 13,
    LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15,
    LVT_MASKED = 1 << 16,
    LVT_PERIODIC = 1 << 17,
    LVT_DEADLINE = 1 << 18,
};
enum { ERROR_SEND_VECTOR = 1 << 5, ERROR_RECEIVED_VECTOR = 1 << 6, ERROR_REGISTER = 1 << 7 };

/* Register numbers: the xAPIC's offset / 16, the x2APIC's MSR - 0x800. */
enum lapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_APR = 0x09,
    LAPIC_PPR = 0x0a,
    LAPIC_EOI = 0x0b,
    LAPIC_RRD = 0x0c,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SPURIOUS = 0x0f,
    LAPIC_ISR = 0x10,
    LAPIC_TMR = 0x18,
    LAPIC_IRR = 0x20,
    LAPIC_ESR = 0x28,
    LAPIC_ICR = 0x30,
    LAPIC_ICR_HIGH = 0x31,
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_INITIAL_COUNT = 0x38,
    LAPIC_CURRENT_COUNT = 0x39,
    LAPIC_DIVIDE = 0x3e,
    LAPIC_SELF_IPI = 0x3f,
};

static inline bool lapic_is_x2apic(const struct lapic *lapic)
{
    return (lapic->base & (BASE_ENABLE | BASE_X2APIC)) == (BASE_ENABLE | BASE_X2APIC);
}

static inline bool lapic_software_enabled(const struct lapic *lapic)
{
    return lapic->base & BASE_ENABLE && lapic->spurious & SPURIOUS_ENABLE;
}

/* The own CPU's short way into the IRR; false: refused. */
bool lapic_accept(struct lapic *lapic, unsigned vector, bool level);

/* The same, wherever its IRR is. */
bool lapic_put(struct lapic *lapic, unsigned vector, bool level);
void lapic_error(struct lapic *lapic, uint32_t error);
unsigned lapic_ppr(const struct lapic *lapic);
void lapic_eoi(struct lapic *lapic);

/* Sends what the ICR holds. */
void lapic_send(struct lapic *lapic);
void lapic_send_self(struct lapic *lapic, uint8_t vector);

/* The timer: after any change of LVT, initial count or divider. */
void lapic_timer_set_mode(struct lapic *lapic, uint32_t lvt);
void lapic_timer_set_divide(struct lapic *lapic, uint32_t divide);
void lapic_timer_start(struct lapic *lapic, uint32_t count);
void lapic_timer_set_deadline(struct lapic *lapic, uint64_t tsc);
void lapic_timer_stop(struct lapic *lapic);
uint32_t lapic_timer_count(struct lapic *lapic);

#endif

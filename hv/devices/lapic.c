/* SPDX-License-Identifier: BSD-2-Clause */
/* Priorities, requests and life of the local APIC. */
#include "lapic_state.h"

#include <string.h>

/* Bits 64 i to 64 i + 63: the array is little-endian, as x86 is. */
static inline uint64_t quarter(const uint32_t bits[8], unsigned i)
{
    uint64_t value;
    memcpy(&value, bits + 2 * i, sizeof value);
    return value;
}

/* Without a loop: it is asked at every EOI, and mostly there is nothing. */
static inline int highest(const uint32_t bits[8])
{
    uint64_t part;
    if ((part = quarter(bits, 3)))
        return 255 - __builtin_clzll(part);
    if ((part = quarter(bits, 2)))
        return 191 - __builtin_clzll(part);
    if ((part = quarter(bits, 1)))
        return 127 - __builtin_clzll(part);
    if ((part = quarter(bits, 0)))
        return 63 - __builtin_clzll(part);
    return LAPIC_NO_VECTOR;
}

bool lapic_init(struct lapic *lapic, struct lapic_set *set, uint32_t id, const struct lapic_env *env,
                void *owner)
{
    if (set->count == LAPIC_SET_CPUS)
        return false;
    memset(lapic, 0, sizeof *lapic);
    lapic->env = env;
    lapic->owner = owner;
    lapic->set = set;
    lapic->id = id;
    lapic->has_x2apic = true;
    lapic->address_mask = (1ull << 36) - 1;
    set->lapic[set->count++] = lapic;
    lapic_reset(lapic, false);
    return true;
}

/* SDM 3A 11.4.7.1, 11.4.7.3 */
void lapic_reset(struct lapic *lapic, bool init)
{
    if (!init) {
        lapic->base = LAPIC_BASE | BASE_ENABLE | (lapic->set->lapic[0] == lapic ? BASE_BSP : 0);
        lapic->xapic_id = lapic->id;
    }
    lapic->tpr = lapic->ldr = 0;
    lapic->dfr = ~0u;
    lapic->spurious = 0xff;
    for (unsigned i = 0; i < LVT_COUNT; i++)
        lapic->lvt[i] = LVT_MASKED;
    memset(lapic->icr, 0, sizeof lapic->icr);
    lapic->errors = lapic->errors_shown = 0;
    memset(lapic->irr, 0, sizeof lapic->irr);
    memset(lapic->isr, 0, sizeof lapic->isr);
    memset(lapic->tmr, 0, sizeof lapic->tmr);
    lapic->divide = 0;
    lapic_timer_stop(lapic);
    /* What was on its way is gone with it. */
    __atomic_exchange_n(&lapic->requests.any, 0, __ATOMIC_ACQ_REL);
    for (unsigned i = 0; i < 8; i++)
        __atomic_exchange_n(&lapic->requests.vector[i], 0, __ATOMIC_ACQ_REL);
}

/* SDM 3A 11.8.3.1 */
unsigned lapic_ppr(const struct lapic *lapic)
{
    int in_service = highest(lapic->isr);
    unsigned service_class = in_service < 0 ? 0 : (unsigned)in_service & 0xf0;
    return (lapic->tpr & 0xf0) >= service_class ? lapic->tpr : service_class;
}

void lapic_set_cr8(struct lapic *lapic, unsigned value)
{
    __atomic_store_n(&lapic->tpr, (value & 15) << 4, __ATOMIC_RELAXED);
}

bool lapic_accept(struct lapic *lapic, unsigned vector, bool level)
{
    const uint32_t bit = 1u << (vector & 31);
    if (!lapic_software_enabled(lapic)) {
        lapic->stats.refused++;
        return false;
    }
    if (level)
        lapic->tmr[vector / 32] |= bit;
    else
        lapic->tmr[vector / 32] &= ~bit;
    lapic->irr[vector / 32] |= bit;
    lapic->stats.accepted++;
    return true;
}

bool lapic_put(struct lapic *lapic, unsigned vector, bool level)
{
    if (!lapic->direct)
        return lapic_accept(lapic, vector, level);
    lapic->stats.accepted++;
    lapic->env->take(lapic->owner, (uint8_t)vector, level);
    return true;
}

static void put_each(struct lapic *lapic, unsigned word, uint32_t requests, uint32_t levels)
{
    for (; requests; requests &= requests - 1) {
        const unsigned bit = (unsigned)__builtin_ctz(requests);
        lapic_put(lapic, 32 * word + bit, levels >> bit & 1);
    }
}

/* One by one: they go elsewhere, or are refused. */
static __attribute__((noinline)) void sync_each(struct lapic *lapic, uint32_t any)
{
    for (; any; any &= any - 1) {
        const unsigned i = (unsigned)__builtin_ctz(any);
        const uint32_t requests = __atomic_exchange_n(&lapic->requests.vector[i], 0, __ATOMIC_ACQ_REL);

        put_each(lapic, i, requests, __atomic_load_n(&lapic->requests.level[i], __ATOMIC_RELAXED));
    }
}

void lapic_sync(struct lapic *lapic)
{
    uint32_t any;

    if (!__atomic_load_n(&lapic->requests.any, __ATOMIC_RELAXED))
        return;
    /* Whoever adds a request after this sets its bit of `any` again behind it. */
    any = __atomic_exchange_n(&lapic->requests.any, 0, __ATOMIC_ACQ_REL);
    if (lapic->direct || !lapic_software_enabled(lapic)) {
        sync_each(lapic, any);
        return;
    }
    /* lapic_accept() for all of a word at once. */
    for (; any; any &= any - 1) {
        const unsigned i = (unsigned)__builtin_ctz(any);
        uint32_t requests = __atomic_exchange_n(&lapic->requests.vector[i], 0, __ATOMIC_ACQ_REL);
        const uint32_t levels = __atomic_load_n(&lapic->requests.level[i], __ATOMIC_RELAXED);

        lapic->tmr[i] = (lapic->tmr[i] & ~requests) | (levels & requests);
        lapic->irr[i] |= requests;
        for (; requests; requests &= requests - 1)
            lapic->stats.accepted++;
    }
}

int lapic_highest_request(const struct lapic *lapic)
{
    return highest(lapic->irr);
}

int lapic_pending(const struct lapic *lapic)
{
    int vector = highest(lapic->irr);
    if (vector < 0 || !lapic_software_enabled(lapic))
        return LAPIC_NO_VECTOR;
    return ((unsigned)vector & 0xf0) > (lapic_ppr(lapic) & 0xf0) ? vector : LAPIC_NO_VECTOR;
}

void lapic_take(struct lapic *lapic, unsigned vector)
{
    lapic->irr[vector / 32] &= ~(1u << (vector & 31));
    lapic->isr[vector / 32] |= 1u << (vector & 31);
}

void lapic_eoi(struct lapic *lapic)
{
    int vector = highest(lapic->isr);
    if (vector < 0)
        return;
    uint32_t bit = 1u << (vector & 31);
    lapic->isr[vector / 32] &= ~bit;
    if (lapic->tmr[vector / 32] & bit)
        lapic->env->eoi(lapic->owner, (uint8_t)vector);
}

void lapic_error(struct lapic *lapic, uint32_t error)
{
    const uint32_t lvt = lapic->lvt[LVT_ERROR];
    if (lapic->errors & error)
        return;
    lapic->errors |= error;
    if (lvt & LVT_MASKED)
        return;
    if ((lvt & LVT_VECTOR) < 16)
        lapic->errors |= ERROR_RECEIVED_VECTOR;
    else
        lapic_put(lapic, lvt & LVT_VECTOR, false);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of a vCPU: xAPIC by memory, x2APIC by MSRs (SDM 3A chapter 11).
 *
 * Two kinds of state. All registers belong to the vCPU and are touched by its physical CPU only, without a
 * lock. What others bring arrives in `requests`, which anyone may set atomically:
 *
 *   another CPU                                   the vCPU's CPU
 *   set requests.level or clear it
 *   set requests.vector[v]     (release)
 *   env->notify(owner)     ── kick ──────────>    leaves its guest
 *                                                 lapic_sync(): exchange requests.vector with 0 (acquire)
 *                                                 reads requests.level, sets IRR and TMR
 *
 * Whoever sets a bit that is set already merges with it, as the IRR does. Routing reads the identifiers,
 * destination formats and priorities of other local APICs while their CPUs may change them; so does hardware.
 *
 * Time is in ticks of the machine's clock, which is also the timer's input clock (before the divider).
 */
#ifndef LAPIC_H
#define LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "apic_message.h"

#define LAPIC_BASE         0xfee00000ull
#define LAPIC_BYTES        4096u
#define LAPIC_SET_CPUS     32u
#define LAPIC_NO_VECTOR    (-1)
#define LAPIC_MSR_FIRST    0x800u
#define LAPIC_MSR_LAST     0x8ffu
#define LAPIC_MSR_BASE     0x1bu
#define LAPIC_MSR_DEADLINE 0x6e0u

struct lapic;

struct lapic_env {
    /* Called on the vCPU's own CPU. */
    uint64_t (*ticks)(void *owner);
    uint64_t (*tsc_offset)(void *owner);           /* guest TSC - ticks */
    void (*timer)(void *owner, uint64_t at_ticks); /* lapic_expire() then; ~0: stop */
    void (*eoi)(void *owner, uint8_t vector);      /* of a level-triggered interrupt, for the I/O APIC */
    /* Called on any CPU. */
    void (*notify)(void *owner); /* there are requests */
    void (*nmi)(void *owner);
    void (*init)(void *owner);
    void (*sipi)(void *owner, uint8_t vector);
    /* While `direct` is set. take: on the vCPU's own CPU, which is to have the interrupt from its physical
     * local APIC. send: on any CPU; an edge-triggered one for the vCPU's. False: it is not direct any more.
     */
    void (*take)(void *owner, uint8_t vector, bool level);
    bool (*send)(void *owner, uint8_t vector);
};

/* All local APICs of an LPAR. Filled before any vCPU runs, then constant but for `turn`. */
struct lapic_set {
    unsigned count;
    struct lapic *lapic[LAPIC_SET_CPUS];
    uint32_t turn; /* lowest priority: where the search for the next one starts */
};

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

struct lapic_stats {
    uint64_t accepted; /* by sync and own IPIs */
    uint64_t refused;  /* messages while disabled, or of a kind that is not supported (SMI, ExtINT) */
    uint64_t nowhere;  /* IPIs that met no local APIC */
};

struct lapic {
    const struct lapic_env *env;
    void *owner;
    struct lapic_set *set;
    uint64_t address_mask; /* bits that an APIC base may have */
    bool has_x2apic;
    volatile bool direct; /* the vCPU has its CPU's physical local APIC (hv/core/direct.h): IRR, ISR, TPR and
                             the timer's expiry are there; other registers are here */

    uint32_t id; /* initial identifier; the x2APIC's for ever */
    uint32_t xapic_id;
    uint64_t base; /* IA32_APIC_BASE */
    uint32_t tpr, ldr, dfr, spurious;
    uint32_t lvt[LVT_COUNT];
    uint32_t icr[2];
    uint32_t errors, errors_shown; /* ESR: gathered, and as of the last write */
    uint32_t irr[8], isr[8], tmr[8];

    uint32_t initial_count, divide; /* as written */
    bool running;                   /* one-shot or periodic, and has not run out */
    uint64_t started;               /* ticks: when the count was initial_count */
    uint64_t deadline;              /* guest TSC; 0: disarmed, or it has passed */

    struct {
        uint32_t vector[8], level[8];
        uint32_t any; /* bit i: vector[i] may hold some */
    } requests;
    struct lapic_stats stats;
};

/* Adds a local APIC to its set, in the state after power-on. False: the set is full. */
bool lapic_init(struct lapic *lapic, struct lapic_set *set, uint32_t id, const struct lapic_env *env,
                void *owner);

/* Power-on, or (init) INIT, which keeps mode and identifier. The first of the set is the bootstrap
 * processor's. */
void lapic_reset(struct lapic *lapic, bool init);

/* ---- registers, on the vCPU's own CPU --------------------------------------------------------- */

/* Whether a guest-physical address is the xAPIC's page now. */
static inline bool lapic_covers(const struct lapic *lapic, uint64_t gpa)
{
    return (lapic->base & 0xc00) == 0x800 && ((gpa ^ lapic->base) & ~0xfffull & lapic->address_mask) == 0;
}

/* @pre offset < LAPIC_BYTES, size 1, 2, 4 or 8 */
uint64_t lapic_mmio_read(struct lapic *lapic, uint32_t offset, unsigned size);
void lapic_mmio_write(struct lapic *lapic, uint32_t offset, unsigned size, uint64_t value);

/* IA32_APIC_BASE, IA32_TSC_DEADLINE and 0x800 … 0x8ff. False: #GP(0). */
bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value);
bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value);

/* CR8 */
static inline unsigned lapic_cr8(const struct lapic *lapic)
{
    return lapic->tpr >> 4;
}
void lapic_set_cr8(struct lapic *lapic, unsigned value);

/* Disabled, globally or by software. */
static inline bool lapic_is_off(const struct lapic *lapic)
{
    return !(lapic->base & 0x800) || !(lapic->spurious & 0x100);
}

static inline bool lapic_enabled(const struct lapic *lapic)
{
    return lapic->base & 0x800;
}

/* ---- delivery, on the vCPU's own CPU ---------------------------------------------------------- */

/* Takes what others have requested into the IRR. */
void lapic_sync(struct lapic *lapic);

/* The vector to deliver next, or LAPIC_NO_VECTOR. Call lapic_sync() before. */
int lapic_pending(const struct lapic *lapic);

/* The same, whatever TPR and PPR say: for "is anything left". */
int lapic_highest_request(const struct lapic *lapic);

/* The interrupt is delivered: from IRR to ISR. @pre lapic_pending() said so */
void lapic_take(struct lapic *lapic, unsigned vector);

/* The timer asked of env has come. */
void lapic_expire(struct lapic *lapic);

/* Asks env for the timer anew. */
void lapic_rearm(struct lapic *lapic);

/* Ticks between two interrupts of a timer that is periodic; 0: it is not. */
uint64_t lapic_period(const struct lapic *lapic);

/* The timer has been run elsewhere and has so many ticks left; 0: none, it has expired. */
void lapic_set_left(struct lapic *lapic, uint64_t left);

/* The guest's TSC was written: the deadline is at another tick now. */
void lapic_tsc_changed(struct lapic *lapic);

/* ---- routing, on any CPU ---------------------------------------------------------------------- */

/* Delivers to all local APICs that the destination names; returns how many took it. */
unsigned lapic_route(struct lapic_set *set, const struct apic_message *message);

/* The one that the message goes to, now; null: none, or more than one. */
struct lapic *lapic_only(struct lapic_set *set, const struct apic_message *message);

/* An interrupt for this one, by way of `requests`. */
void lapic_request(struct lapic *lapic, unsigned vector, bool level);

#endif

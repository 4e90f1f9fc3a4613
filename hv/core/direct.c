/* SPDX-License-Identifier: BSD-2-Clause */
#include "direct.h"

#include "lapic_state.h"
#include "log.h"
#include "lpar.h"
#include "mechanism.h"
#include "router.h"

#include <string.h>

#define NEVER (~0ull)

static const struct machine_apic *apic_of(const struct vcpu *vcpu)
{
    return vcpu->context.machine->apic;
}

static bool has(const uint32_t bits[8], unsigned vector)
{
    return bits[vector / 32] >> (vector & 31) & 1;
}

static bool any(const uint32_t bits[8])
{
    uint32_t all = 0;

    for (unsigned i = 0; i < 8; i++)
        all |= bits[i];
    return all;
}

/* ---- what exits ---- */

static void set_how(struct vcpu *vcpu)
{
    const unsigned how = DIRECT_ON | (any(vcpu->direct.level) ? DIRECT_END_EXITS : 0u) |
                         (vcpu->direct.own_deadline ? DIRECT_DEADLINE : 0u);

    if (how == vcpu->direct.how)
        return;
    vcpu->direct.how = how;
    vcpu->context.machine->direct(&vcpu->context, how);
}

/* ---- interrupts ---- */

static void bar(struct vcpu *vcpu)
{
    log_line("%s: cpu %u uses an interrupt vector below %u: it is not direct any more", vcpu->lpar->name,
             vcpu->index, DIRECT_FIRST);
    vcpu->direct.barred = true;
    direct_leave(vcpu);
}

void direct_take(struct vcpu *vcpu, unsigned vector, bool level)
{
    if (vector < DIRECT_FIRST) {
        bar(vcpu);
        lapic_request(&vcpu->lapic, vector, level);
        return;
    }
    if (level)
        vcpu->direct.level[vector / 32] |= 1u << (vector & 31);
    vcpu->direct.handed++;
    apic_of(vcpu)->write(LAPIC_SELF_IPI, vector);
    if (level)
        set_how(vcpu);
}

bool direct_send(struct vcpu *vcpu, uint8_t vector)
{
    return vector >= DIRECT_FIRST && apic_of(vcpu)->send(vcpu->context.cpu, vector);
}

void direct_late(struct vcpu *vcpu, unsigned vector)
{
    vcpu->direct.late++;
    lapic_request(&vcpu->lapic, vector, has(vcpu->direct.level, vector));
}

static int in_service(const struct machine_apic *apic)
{
    for (unsigned i = 8; i-- > 0;) {
        const uint32_t bits = apic->read(LAPIC_ISR + i);

        if (bits)
            return (int)(32 * i + 31) - __builtin_clz(bits);
    }
    return LAPIC_NO_VECTOR;
}

/* EOI, where a level-triggered interrupt is under way. */
static void end(struct vcpu *vcpu)
{
    const struct machine_apic *apic = apic_of(vcpu);
    const int vector = in_service(apic);

    apic->write(LAPIC_EOI, 0);
    if (vector < 0 || !has(vcpu->direct.level, (unsigned)vector))
        return;
    vcpu->direct.level[vector / 32] &= ~(1u << (vector & 31));
    set_how(vcpu);
    vcpu->lapic.env->eoi(vcpu, (uint8_t)vector);
}

/* ---- the timer ---- */

/* The physical timer does what the guest's is to do: at its tick it interrupts the guest. */
void direct_timer(struct vcpu *vcpu, uint64_t at)
{
    const struct lapic *lapic = &vcpu->lapic;
    const uint32_t lvt = lapic->lvt[LVT_TIMER];
    const uint8_t vector = (uint8_t)(lvt & LVT_VECTOR);

    if (at != NEVER && vector < DIRECT_FIRST) {
        bar(vcpu); /* which asks for the timer again */
        return;
    }
    vcpu->direct.own_deadline = lvt & LVT_DEADLINE && !(lvt & LVT_MASKED) && vector >= DIRECT_FIRST &&
                                vcpu->tsc_offset == 0 && apic_of(vcpu)->has_deadline();
    apic_of(vcpu)->timer(vector, at, lapic_period(lapic), vcpu->direct.own_deadline);
    set_how(vcpu);
}

/* What the guest has written there itself. */
static void fetch_deadline(struct vcpu *vcpu)
{
    if (vcpu->lapic.direct && vcpu->direct.own_deadline)
        vcpu->lapic.deadline = apic_of(vcpu)->timer_deadline();
}

/* One that expires while it is stopped is in the IRR, and counts as expired. */
static void stop_timer(struct vcpu *vcpu)
{
    const struct machine_apic *apic = apic_of(vcpu);
    const unsigned vector = vcpu->lapic.lvt[LVT_TIMER] & LVT_VECTOR, word = LAPIC_IRR + vector / 32;
    const uint32_t bit = 1u << (vector & 31), before = apic->read(word) & bit;
    uint64_t left;

    fetch_deadline(vcpu);
    left = apic->timer_stop();
    if (!before && apic->read(word) & bit && !lapic_period(&vcpu->lapic))
        left = 0;
    lapic_set_left(&vcpu->lapic, left);
}

/* ---- going over ---- */

static bool can_be(const struct vcpu *vcpu)
{
    return !vcpu->direct.barred && vcpu->index && lapic_is_x2apic(&vcpu->lapic) &&
           lapic_software_enabled(&vcpu->lapic) && !any(vcpu->lapic.isr) && !vcpu->pending.valid &&
           (vcpu->state == VCPU_RUNNING || vcpu->state == VCPU_HALTED);
}

static void enter(struct vcpu *vcpu)
{
    struct lapic *lapic = &vcpu->lapic;
    uint32_t requested[8];

    lapic_sync(lapic);
    for (unsigned vector = 0; vector < DIRECT_FIRST; vector++)
        if (has(lapic->irr, vector))
            return; /* taken first */
    apic_of(vcpu)->begin();
    vcpu->lapic_at = vcpu->deadline = NEVER;
    memset(vcpu->direct.level, 0, sizeof vcpu->direct.level);
    vcpu->direct.own_deadline = false;
    vcpu->direct.entered++;
    apic_of(vcpu)->write(LAPIC_TPR, lapic->tpr);
    apic_of(vcpu)->write(LAPIC_SPURIOUS, lapic->spurious);
    lpar_devices_set_direct(vcpu, true);
    set_how(vcpu);
    memcpy(requested, lapic->irr, sizeof requested);
    memset(lapic->irr, 0, sizeof lapic->irr);
    for (unsigned vector = DIRECT_FIRST; vector < 256; vector++)
        if (has(requested, vector))
            direct_take(vcpu, vector, has(lapic->tmr, vector));
    vcpu->state = VCPU_RUNNING; /* HLT ends for no reason, as it may; the guest's next one is its CPU's */
    lapic_rearm(lapic);
}

void direct_leave(struct vcpu *vcpu)
{
    const struct machine_apic *apic = apic_of(vcpu);
    struct lapic *lapic = &vcpu->lapic;

    if (!lapic->direct)
        return;
    apic->quiet();
    stop_timer(vcpu);
    lpar_devices_set_direct(vcpu, false);
    lapic->tpr = apic->read(LAPIC_TPR);
    for (unsigned i = 0; i < 8; i++) {
        lapic->isr[i] = apic->read(LAPIC_ISR + i);
        lapic->tmr[i] = vcpu->direct.level[i] & lapic->isr[i];
    }
    while (in_service(apic) != LAPIC_NO_VECTOR)
        apic->write(LAPIC_EOI, 0);
    vcpu->direct.how = 0;
    vcpu->context.machine->direct(&vcpu->context, 0);
    apic->end();
    vcpu->direct.left++;
    vcpu->look = true;
    lapic_rearm(lapic);
}

void direct_look(struct vcpu *vcpu)
{
    vcpu->direct.active = vcpu->direct.wanted;
    if (!vcpu->direct.wanted)
        direct_leave(vcpu);
    else if (!vcpu->lapic.direct && can_be(vcpu))
        enter(vcpu);
}

/* The same, a little later: before the guest runs on. */
static void look_soon(struct vcpu *vcpu)
{
    if (!vcpu->lapic.direct && can_be(vcpu))
        vcpu_request(vcpu, REQUEST_DIRECT);
}

/* ---- registers that exit ---- */

bool direct_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    const bool base = msr == LAPIC_MSR_BASE, spurious = msr == LAPIC_MSR_FIRST + LAPIC_SPURIOUS;

    bool good;

    if (vcpu->lapic.direct && msr == LAPIC_MSR_FIRST + LAPIC_EOI && value == 0) {
        end(vcpu);
        return true;
    }
    if (base || spurious)
        direct_leave(vcpu); /* it comes back if it is still an x2APIC that is enabled */
    else
        fetch_deadline(vcpu);
    good = lapic_msr_write(&vcpu->lapic, msr, value);
    look_soon(vcpu);
    return good;
}

unsigned direct_cr8(const struct vcpu *vcpu)
{
    return apic_of(vcpu)->read(LAPIC_TPR) >> 4;
}

void direct_set_cr8(struct vcpu *vcpu, unsigned value)
{
    apic_of(vcpu)->write(LAPIC_TPR, (value & 15) << 4);
}

/* ---- the switch ---- */

const char *direct_refusal(const struct lpar *lpar)
{
    const struct machine_apic *apic = lpar->map.machine->apic;
    const char *why = "it has one CPU, and lines and timers come to that";

    if (!apic)
        return "this machine cannot do it";
    if (!lpar->x2apic)
        return "its CPUs have no x2APIC";
    for (unsigned i = 1; i < lpar->cpus; i++)
        if (!(why = apic->refusal(lpar->vcpu[i]->context.cpu)))
            return 0;
    return why;
}

void direct_switch(struct lpar *lpar, bool on)
{
    const struct machine_apic *apic = lpar->map.machine->apic;
    const uint32_t bit = 1u << MECHANISM_DIRECT_IRQ;

    lpar->mechanisms = on ? lpar->mechanisms | bit : lpar->mechanisms & ~bit;
    lpar->statistics->mechanisms = lpar->mechanisms;
    for (unsigned i = 1; i < lpar->cpus; i++) {
        struct vcpu *vcpu = lpar->vcpu[i];

        vcpu->direct.wanted = on && !apic->refusal(vcpu->context.cpu);
        vcpu_request(vcpu, REQUEST_DIRECT);
    }
    router_steer_all(lpar);
}

const char *direct_audit(const struct lpar *lpar)
{
    if (lpar->vcpu[0]->lapic.direct)
        return "its first CPU is direct";
    for (unsigned i = 1; i < lpar->cpus; i++) {
        const struct vcpu *vcpu = lpar->vcpu[i];

        if (vcpu->lapic.direct && (vcpu->lapic_at != NEVER || vcpu->line_at != NEVER))
            return "a timer of the hypervisor's is set on a direct CPU";
    }
    return 0;
}

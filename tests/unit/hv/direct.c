/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU between the virtual local APIC and a physical one, which is one on paper here: it has an IRR, an ISR
 * and a timer. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lapic_state.h"
#include "lpar.h"

enum { BASE = LAPIC_MSR_FIRST, X2APIC_ON = 0xfee00c00, VECTORS = 0x30, FIRST_USED = 0x40, PERIOD = 1000 };

static struct {
    uint32_t irr[8], isr[8];
    uint32_t tpr, spurious;
    unsigned how;
    bool begun;
    uint8_t vector;
    uint64_t at, period;
} paper;

static struct lpar *lpar;
static struct vcpu *vcpu;
static uint64_t now;

static int highest(const uint32_t bits[8])
{
    for (int vector = 255; vector >= 0; vector--)
        if (bits[vector / 32] >> (vector & 31) & 1)
            return vector;
    return -1;
}

static void set(uint32_t bits[8], unsigned vector, bool on)
{
    const uint32_t bit = 1u << (vector & 31);

    bits[vector / 32] = on ? bits[vector / 32] | bit : bits[vector / 32] & ~bit;
}

/* ---- the physical local APIC ---- */

static const char *refusal(unsigned cpu)
{
    return cpu == 0 ? "it is the first" : 0;
}

static void begin(void)
{
    cr_assert_not(paper.begun);
    paper.begun = true;
}

static void quiet(void)
{
    cr_assert(paper.begun);
}

static void end(void)
{
    cr_assert_eq(highest(paper.isr), -1, "something is still in service");
    for (int vector; (vector = highest(paper.irr)) >= 0;) {
        set(paper.irr, (unsigned)vector, false);
        direct_late(vcpu, (unsigned)vector);
    }
    paper.begun = false;
}

static bool send(unsigned cpu, uint8_t vector)
{
    cr_assert_eq(cpu, 1);
    if (paper.begun)
        set(paper.irr, vector, true);
    return paper.begun;
}

static uint32_t apic_read(unsigned number)
{
    if (number == LAPIC_TPR)
        return paper.tpr;
    if (number >= LAPIC_ISR && number < LAPIC_TMR)
        return paper.isr[number - LAPIC_ISR];
    cr_assert(number >= LAPIC_IRR && number < LAPIC_ESR);
    return paper.irr[number - LAPIC_IRR];
}

static void apic_write(unsigned number, uint32_t value)
{
    cr_assert(paper.begun);
    switch (number) {
    case LAPIC_SELF_IPI:
        cr_assert_geq(value, DIRECT_FIRST);
        set(paper.irr, value, true);
        break;
    case LAPIC_EOI:
        cr_assert_geq(highest(paper.isr), 0);
        set(paper.isr, (unsigned)highest(paper.isr), false);
        break;
    case LAPIC_TPR:
        paper.tpr = value;
        break;
    default:
        cr_assert_eq(number, LAPIC_SPURIOUS);
        paper.spurious = value;
    }
}

static void timer(uint8_t vector, uint64_t at, uint64_t period, bool own)
{
    cr_assert_not(own);
    paper.vector = vector;
    paper.at = at;
    paper.period = period;
}

static uint64_t timer_stop(void)
{
    const uint64_t left = paper.at == ~0ull || paper.at <= now ? 0 : paper.at - now;

    paper.at = ~0ull;
    return left;
}

static bool has_deadline(void)
{
    return false;
}

static const struct machine_apic apic = {.refusal = refusal,
                                         .begin = begin,
                                         .quiet = quiet,
                                         .end = end,
                                         .send = send,
                                         .read = apic_read,
                                         .write = apic_write,
                                         .timer = timer,
                                         .timer_stop = timer_stop,
                                         .has_deadline = has_deadline};

/* ---- the rest of the machine ---- */

static void direct(struct context *context, unsigned how)
{
    cr_assert_eq(context, &vcpu->context);
    paper.how = how;
}

static void kick(unsigned cpu, bool urgent)
{
    (void)cpu;
    (void)urgent;
}

static uint64_t ticks(void)
{
    return now;
}

static uint64_t ticks_per_second(void)
{
    return 1000000000;
}

static void deadline(uint64_t at)
{
    cr_assert_not(paper.begun, "the hypervisor's timer on a direct CPU, at %lu", (unsigned long)at);
}

static const struct machine_ops machine = {.apic = &apic,
                                           .direct = direct,
                                           .kick = kick,
                                           .ticks = ticks,
                                           .ticks_per_second = ticks_per_second,
                                           .deadline = deadline};

/* ---- what the vCPU's loop and its guest do ---- */

static void write_msr(unsigned number, uint64_t value)
{
    cr_assert(vcpu->direct.active ? direct_msr_write(vcpu, BASE + number, value)
                                  : lapic_msr_write(&vcpu->lapic, BASE + number, value));
}

/* Between two runs. */
static void loop(void)
{
    if (__atomic_exchange_n(&vcpu->context.requests, 0, __ATOMIC_SEQ_CST) & REQUEST_DIRECT)
        direct_look(vcpu);
    lapic_sync(&vcpu->lapic);
}

/* The vector that the guest's handler is called with, or LAPIC_NO_VECTOR. */
static int take(void)
{
    int vector;

    if (!vcpu->lapic.direct) {
        vector = lapic_pending(&vcpu->lapic);
        if (vector != LAPIC_NO_VECTOR)
            lapic_take(&vcpu->lapic, (unsigned)vector);
        return vector;
    }
    vector = highest(paper.irr);
    if (vector < 0 || vector >> 4 <= highest(paper.isr) >> 4)
        return LAPIC_NO_VECTOR;
    set(paper.irr, (unsigned)vector, false);
    set(paper.isr, (unsigned)vector, true);
    return vector;
}

static void end_interrupt(void)
{
    if (vcpu->lapic.direct && !(paper.how & DIRECT_END_EXITS))
        set(paper.isr, (unsigned)highest(paper.isr), false);
    else
        write_msr(LAPIC_EOI, 0);
}

static void interrupt(unsigned vector, bool level)
{
    const struct apic_message message = {
        .destination = 1, .vector = (uint8_t)vector, .delivery = APIC_FIXED, .level = level};

    cr_assert_eq(lapic_route(&lpar->set.lapics, &message), 1);
}

static void want(bool on)
{
    lock_take(&lpar->devices);
    direct_switch(lpar, on);
    lock_release(&lpar->devices);
}

static void set_up(void)
{
    lpar = calloc(1, sizeof *lpar);
    lpar->statistics = calloc(1, sizeof *lpar->statistics);
    lpar->map.machine = &machine;
    lpar->x2apic = true;
    for (unsigned i = 0; i < 2; i++) {
        vcpu = calloc(1, sizeof *vcpu);
        *vcpu = (struct vcpu){.lpar = lpar,
                              .index = i,
                              .apic_id = i,
                              .state = VCPU_RUNNING,
                              .line_at = ~0ull,
                              .lapic_at = ~0ull,
                              .deadline = ~0ull};
        vcpu->context.machine = &machine;
        vcpu->context.cpu = i;
        cr_assert(lpar_devices_add_vcpu(vcpu));
        lpar->vcpu[lpar->cpus++] = vcpu;
    }
    memset(&paper, 0, sizeof paper);
    paper.at = ~0ull;
    now = 1000000;
    cr_assert(lapic_msr_write(&vcpu->lapic, LAPIC_MSR_BASE, X2APIC_ON));
    write_msr(LAPIC_SPURIOUS, 0x1ff);
}

TestSuite(direct, .init = set_up);

Test(direct, first_cpu_stays)
{
    want(true);
    cr_assert_not(lpar->vcpu[0]->direct.wanted);
    lpar->cpus = 1;
    cr_assert(direct_refusal(lpar));
    lpar->cpus = 2;
    cr_assert_not(direct_refusal(lpar));
    lpar->x2apic = false;
    cr_assert(direct_refusal(lpar));
}

Test(direct, what_is_requested_goes_over_once_nothing_is_in_service)
{
    interrupt(0x50, false);
    loop();
    cr_assert_eq(take(), 0x50);
    want(true);
    loop();
    cr_assert_not(vcpu->lapic.direct, "0x50 is in service");
    interrupt(0x41, false);
    loop();
    end_interrupt();
    loop();
    cr_assert(vcpu->lapic.direct);
    cr_assert_eq(paper.how, DIRECT_ON);
    cr_assert_eq(paper.spurious, 0x1ff);
    cr_assert_eq(take(), 0x41);
    cr_assert_eq(take(), LAPIC_NO_VECTOR);
    cr_assert_eq(highest(vcpu->lapic.irr), -1);
}

Test(direct, an_interrupt_of_another_cpu_needs_nobody)
{
    want(true);
    loop();
    interrupt(0x61, false);
    cr_assert_eq(vcpu->context.requests, 0);
    cr_assert_eq(take(), 0x61);
}

Test(direct, comes_back_in_the_middle_of_handlers)
{
    want(true);
    loop();
    interrupt(0x50, false);
    cr_assert_eq(take(), 0x50);
    interrupt(0x70, false);
    cr_assert_eq(take(), 0x70);
    interrupt(0x40, false);
    paper.tpr = 0x20;
    want(false);
    loop();
    cr_assert_not(vcpu->lapic.direct);
    cr_assert_eq(paper.how, 0);
    cr_assert_eq(lapic_cr8(&vcpu->lapic), 2);
    cr_assert_eq(take(), LAPIC_NO_VECTOR, "two of a higher class are in service");
    end_interrupt();
    end_interrupt();
    loop();
    cr_assert_eq(take(), 0x40);
    end_interrupt();
    cr_assert_eq(take(), LAPIC_NO_VECTOR);
}

Test(direct, end_of_a_level_triggered_interrupt_exits)
{
    want(true);
    loop();
    interrupt(0x52, true);
    cr_assert_neq(vcpu->context.requests, 0, "its CPU is told");
    loop();
    cr_assert_eq(paper.how, DIRECT_ON | DIRECT_END_EXITS);
    cr_assert_eq(take(), 0x52);
    interrupt(0x63, false);
    cr_assert_eq(take(), 0x63);
    end_interrupt();
    cr_assert_eq(paper.how, DIRECT_ON | DIRECT_END_EXITS, "that was another's");
    end_interrupt();
    cr_assert_eq(paper.how, DIRECT_ON);
}

Test(direct, timer_moves_with_it)
{
    write_msr(LAPIC_DIVIDE, 0xb);
    write_msr(LAPIC_LVT_TIMER, LVT_PERIODIC | 0x66);
    write_msr(LAPIC_INITIAL_COUNT, PERIOD);
    cr_assert_eq(vcpu->lapic_at, now + PERIOD);
    want(true);
    loop();
    cr_assert_eq(vcpu->lapic_at, ~0ull);
    cr_assert_eq(paper.vector, 0x66);
    cr_assert_eq(paper.period, PERIOD);
    now += 10 * PERIOD + 300;
    paper.at = now + 700; /* it has gone round */
    want(false);
    loop();
    cr_assert_eq(vcpu->lapic_at, now + 700);
    cr_assert_eq(take(), LAPIC_NO_VECTOR);
    cr_assert_eq(direct_audit(lpar), 0);
}

Test(direct, a_deadline_that_has_passed_is_not_told_twice)
{
    write_msr(LAPIC_LVT_TIMER, LVT_DEADLINE | 0x66);
    want(true);
    loop();
    cr_assert(direct_msr_write(vcpu, LAPIC_MSR_DEADLINE, now + 500));
    cr_assert_eq(paper.at, now + 500);
    now += 600;
    set(paper.irr, paper.vector, true);
    cr_assert_eq(take(), 0x66);
    want(false);
    loop();
    cr_assert_eq(vcpu->lapic_at, ~0ull);
    end_interrupt();
    loop();
    cr_assert_eq(take(), LAPIC_NO_VECTOR);
}

Test(direct, an_exceptions_vector_bars_it)
{
    want(true);
    loop();
    write_msr(LAPIC_SELF_IPI, 0x1f);
    loop();
    cr_assert_not(vcpu->lapic.direct);
    cr_assert_eq(take(), 0x1f);
    end_interrupt();
    loop();
    cr_assert_not(vcpu->lapic.direct);
}

Test(direct, leaves_when_the_guest_turns_its_local_apic_off)
{
    want(true);
    loop();
    write_msr(LAPIC_SPURIOUS, 0xff);
    loop();
    cr_assert_not(vcpu->lapic.direct);
    write_msr(LAPIC_SPURIOUS, 0x1ff);
    loop();
    cr_assert(vcpu->lapic.direct);
}

/* Whatever is switched when, each interrupt is handled once. */
Test(direct, random)
{
    unsigned sent[256] = {0}, handled[256] = {0}, nested = 0;

    srand(1);
    for (unsigned step = 0; step < 200000; step++) {
        const unsigned vector = FIRST_USED + (unsigned)rand() % VECTORS;
        int taken;

        switch (rand() % 5) {
        case 0:
            /* A second one before the first is handled would be merged, as in every local APIC. */
            if (sent[vector] == handled[vector]) {
                sent[vector]++;
                interrupt(vector, vector % 4 == 0);
            }
            break;
        case 1:
            if (rand() % 10 == 0)
                want(rand() % 2);
            break;
        case 2:
            loop();
            break;
        case 3:
            taken = take();
            if (taken != LAPIC_NO_VECTOR) {
                handled[taken]++;
                cr_assert_eq(handled[taken], sent[taken], "step %u: vector %x", step, (unsigned)taken);
                nested++;
            }
            break;
        default:
            if (nested) {
                end_interrupt();
                nested--;
            }
        }
    }
    for (unsigned turn = 0; turn < 1000; turn++) {
        const int taken = (loop(), take());

        if (taken != LAPIC_NO_VECTOR) {
            handled[taken]++;
            nested++;
        } else if (nested) {
            end_interrupt();
            nested--;
        }
    }
    cr_assert_eq(memcmp(sent, handled, sizeof sent), 0);
    cr_assert_gt(vcpu->direct.entered, 100);
}

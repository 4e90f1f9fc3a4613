/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU between the virtual local APIC and a physical one, which is one on paper here. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lapic_state.h"
#include "paper_apic.h"

enum { VECTORS = 0x30, FIRST_USED = 0x40, PERIOD = 1000 };

/* The CPU that is direct. */
static struct paper_apic *const cpu = &paper[1];
static struct lpar *lpar;
static struct vcpu *vcpu;
static uint64_t now;

static void kick(unsigned to, bool urgent)
{
    (void)to;
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
    cr_assert_not(cpu->begun, "the hypervisor's timer on a direct CPU, at %lu", (unsigned long)at);
}

static const struct machine_ops machine = {.apic = &paper_apic,
                                           .direct = paper_direct,
                                           .kick = kick,
                                           .ticks = ticks,
                                           .ticks_per_second = ticks_per_second,
                                           .deadline = deadline};

/* ---- what the vCPU's loop and its guest do ---- */

static void write_msr(unsigned number, uint64_t value)
{
    paper_guest_write(vcpu, number, value);
}

/* Between two runs. */
static void loop(void)
{
    if (__atomic_exchange_n(&vcpu->context.requests, 0, __ATOMIC_SEQ_CST) & REQUEST_DIRECT)
        direct_look(vcpu);
    lapic_sync(&vcpu->lapic);
}

static int take(void)
{
    return paper_guest_take(vcpu);
}

static void end_interrupt(void)
{
    paper_guest_end(vcpu);
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
    paper_reset();
    now = 1000000;
    paper_guest_start(vcpu);
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
    cr_assert_eq(cpu->how, DIRECT_ON);
    cr_assert_eq(cpu->spurious, 0x1ff);
    cr_assert_eq(take(), 0x41);
    cr_assert_eq(take(), LAPIC_NO_VECTOR);
    cr_assert_eq(paper_highest(vcpu->lapic.irr), -1);
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
    cpu->tpr = 0x20;
    want(false);
    loop();
    cr_assert_not(vcpu->lapic.direct);
    cr_assert_eq(cpu->how, 0);
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
    cr_assert_eq(cpu->how, DIRECT_ON | DIRECT_END_EXITS);
    cr_assert_eq(take(), 0x52);
    interrupt(0x63, false);
    cr_assert_eq(take(), 0x63);
    end_interrupt();
    cr_assert_eq(cpu->how, DIRECT_ON | DIRECT_END_EXITS, "that was another's");
    end_interrupt();
    cr_assert_eq(cpu->how, DIRECT_ON);
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
    cr_assert_eq(cpu->vector, 0x66);
    cr_assert_eq(cpu->period, PERIOD);
    now += 10 * PERIOD + 300;
    cpu->at = now + 700; /* it has gone round */
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
    cr_assert_eq(cpu->at, now + 500);
    now += 600;
    paper_set(cpu->irr, cpu->vector, true);
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

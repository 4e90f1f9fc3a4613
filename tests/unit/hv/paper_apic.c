/* SPDX-License-Identifier: BSD-2-Clause */
#include "paper_apic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lapic_state.h"

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))

enum { X2APIC_ON = 0xfee00c00, LAPIC_ON = 0x1ff };

struct paper_apic paper[PAPER_CPUS];
unsigned paper_cpu;

static __attribute__((noreturn)) void fail(const char *what, int line)
{
    fprintf(stderr, "%s:%d: cpu %u: %s\n", __FILE__, line, paper_cpu, what);
    abort();
}

static struct paper_apic *own(void)
{
    return &paper[paper_cpu];
}

void paper_reset(void)
{
    memset(paper, 0, sizeof paper);
    for (unsigned cpu = 0; cpu < PAPER_CPUS; cpu++)
        paper[cpu].at = ~0ull;
    paper_cpu = 0;
}

int paper_highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--)
        if (bits[i])
            return 32 * i + 31 - __builtin_clz(bits[i]);
    return -1;
}

void paper_set(uint32_t bits[8], unsigned vector, bool on)
{
    const uint32_t bit = 1u << (vector & 31);

    bits[vector / 32] = on ? bits[vector / 32] | bit : bits[vector / 32] & ~bit;
}

int paper_interrupt(unsigned cpu)
{
    const int vector = paper[cpu].begun ? -1 : paper_highest(paper[cpu].irr);

    if (vector >= 0)
        paper_set(paper[cpu].irr, (unsigned)vector, false);
    return vector;
}

/* ---- the machine's interface ---- */

static const char *refusal(unsigned cpu)
{
    return cpu == 0 ? "it is the first" : 0;
}

/* What is pending goes to the hypervisor. */
static void drain(void)
{
    for (int vector; (vector = paper_highest(own()->irr)) >= 0;) {
        paper_set(own()->irr, (unsigned)vector, false);
        direct_late(own()->vcpu, (unsigned)vector);
    }
}

static void begin(void)
{
    CHECK(own()->vcpu && !own()->begun);
    drain();
    own()->begun = true;
}

static void quiet(void)
{
    CHECK(own()->begun);
}

static void end(void)
{
    CHECK(own()->begun && paper_highest(own()->isr) < 0);
    drain();
    own()->begun = false;
}

static bool send(unsigned cpu, uint8_t vector)
{
    if (paper[cpu].begun)
        paper_set(paper[cpu].irr, vector, true);
    return paper[cpu].begun;
}

static uint32_t apic_read(unsigned number)
{
    if (number == LAPIC_TPR)
        return own()->tpr;
    if (number >= LAPIC_ISR && number < LAPIC_TMR)
        return own()->isr[number - LAPIC_ISR];
    CHECK(number >= LAPIC_IRR && number < LAPIC_ESR);
    return own()->irr[number - LAPIC_IRR];
}

static void apic_write(unsigned number, uint32_t value)
{
    CHECK(own()->begun);
    switch (number) {
    case LAPIC_SELF_IPI:
        CHECK(value >= DIRECT_FIRST && value <= 0xff);
        paper_set(own()->irr, value, true);
        break;
    case LAPIC_EOI:
        CHECK(paper_highest(own()->isr) >= 0);
        paper_set(own()->isr, (unsigned)paper_highest(own()->isr), false);
        break;
    case LAPIC_TPR:
        own()->tpr = value;
        break;
    default:
        CHECK(number == LAPIC_SPURIOUS);
        own()->spurious = value;
    }
}

static void timer(uint8_t vector, uint64_t at, uint64_t period, bool deadline)
{
    CHECK(own()->begun && !deadline);
    own()->vector = vector;
    own()->at = at;
    own()->period = period;
}

static uint64_t timer_stop(void)
{
    const uint64_t now = own()->vcpu->context.machine->ticks(), at = own()->at;

    own()->at = ~0ull;
    return at == ~0ull || at <= now ? 0 : at - now;
}

static bool has_deadline(void)
{
    return false;
}

const struct machine_apic paper_apic = {.refusal = refusal,
                                        .begin = begin,
                                        .quiet = quiet,
                                        .end = end,
                                        .send = send,
                                        .read = apic_read,
                                        .write = apic_write,
                                        .timer = timer,
                                        .timer_stop = timer_stop,
                                        .has_deadline = has_deadline};

void paper_direct(struct context *context, unsigned how)
{
    CHECK(context == &own()->vcpu->context);
    own()->how = how;
}

/* ---- the guest ---- */

void paper_guest_start(struct vcpu *vcpu)
{
    paper[vcpu->context.cpu].vcpu = vcpu;
    vcpu->state = VCPU_RUNNING;
    CHECK(lapic_msr_write(&vcpu->lapic, LAPIC_MSR_BASE, X2APIC_ON));
    paper_guest_write(vcpu, LAPIC_SPURIOUS, LAPIC_ON);
}

void paper_guest_write(struct vcpu *vcpu, unsigned number, uint64_t value)
{
    const uint32_t msr = LAPIC_MSR_FIRST + number;

    paper_cpu = vcpu->context.cpu;
    CHECK(vcpu->direct.active ? direct_msr_write(vcpu, msr, value)
                              : lapic_msr_write(&vcpu->lapic, msr, value));
}

int paper_guest_take(struct vcpu *vcpu)
{
    struct paper_apic *p = &paper[vcpu->context.cpu];
    int vector, priority;

    paper_cpu = vcpu->context.cpu;
    if (!vcpu->lapic.direct) {
        vector = lapic_pending(&vcpu->lapic);
        if (vector != LAPIC_NO_VECTOR)
            lapic_take(&vcpu->lapic, (unsigned)vector);
        return vector;
    }
    vector = paper_highest(p->irr);
    priority = paper_highest(p->isr);
    if (priority < (int)p->tpr)
        priority = (int)p->tpr;
    if (vector < 0 || vector >> 4 <= priority >> 4)
        return LAPIC_NO_VECTOR;
    paper_set(p->irr, (unsigned)vector, false);
    paper_set(p->isr, (unsigned)vector, true);
    return vector;
}

void paper_guest_end(struct vcpu *vcpu)
{
    struct paper_apic *p = &paper[vcpu->context.cpu];

    if (vcpu->lapic.direct && !(p->how & DIRECT_END_EXITS))
        paper_set(p->isr, (unsigned)paper_highest(p->isr), false);
    else
        paper_guest_write(vcpu, LAPIC_EOI, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical local APICs on paper, behind the machine's interface: an IRR, an ISR and a task priority for each
 * CPU, and a timer that is set and does not run. And what a guest does with one, direct or not.
 *
 * One thread plays all CPUs: paper_cpu says which one's turn it is.
 */
#ifndef PAPER_APIC_H
#define PAPER_APIC_H

#include "lpar.h"

enum { PAPER_CPUS = 4 };

struct paper_apic {
    uint32_t irr[8], isr[8];
    uint32_t tpr, spurious;
    unsigned how; /* enum direct_how */
    bool begun;   /* the CPU's guest has it */
    uint8_t vector;
    uint64_t at, period; /* ticks */
    struct vcpu *vcpu;   /* that runs on the CPU; null: none whose guest can have it */
};

extern struct paper_apic paper[PAPER_CPUS];
extern unsigned paper_cpu;

/* For struct machine_ops. CPU 0 is refused. */
extern const struct machine_apic paper_apic;
void paper_direct(struct context *context, unsigned how);

/* All as after power-on; no CPU has a vCPU. */
void paper_reset(void);

/* The highest vector whose bit is set; negative: none is. */
int paper_highest(const uint32_t bits[8]);
void paper_set(uint32_t bits[8], unsigned vector, bool on);

/* An interrupt has come to a CPU that is not direct, and the hypervisor takes it. Negative: none waits. */
int paper_interrupt(unsigned cpu);

/* ---- the guest of paper[cpu].vcpu, which uses an x2APIC ---- */

/* Its CPU's is an x2APIC from now on, and enabled. @pre context.cpu is set */
void paper_guest_start(struct vcpu *vcpu);

void paper_guest_write(struct vcpu *vcpu, unsigned number, uint64_t value);

/* The vector that its handler is called with, or LAPIC_NO_VECTOR; and that handler's EOI. */
int paper_guest_take(struct vcpu *vcpu);
void paper_guest_end(struct vcpu *vcpu);

#endif

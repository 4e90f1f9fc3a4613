/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mechanism `direct_irq`: a vCPU that has the physical local APIC of its CPU. Interrupts reach the guest's
 * handlers without an exit, and so do EOI, TPR and HLT; the hypervisor has nothing to do on such a CPU but
 * what the guest's exits ask for, and comes back to it by NMI.
 *
 * An LPAR's first CPU is never direct: line interrupts, messages of shared functions, the devices' timers
 * come to it. The others are while the mechanism is on and the guest's local APIC is an x2APIC that is
 * enabled. A vCPU goes over by itself, between two runs of its guest:
 *
 *   - To direct when nothing is in service. What is requested is sent to the CPU itself, the timer is moved.
 *   - Back at any time. What is in service becomes so in the virtual local APIC and is ended in the
 *     physical one; what is requested there is taken in; the timer is moved back.
 *
 * Invariants, which direct_audit() and router_audit() check:
 *   - no interrupt of the hypervisor's own is sent to a direct CPU;
 *   - whatever vector from DIRECT_FIRST to DIRECT_LAST arrives at an LPAR's CPU other than its first is the
 *     guest's, whether it is direct or not: so a message that comes late, after its CPU has gone back, is
 *     not lost;
 *   - a message of a function is aimed at a CPU of its LPAR.
 *
 * A level-triggered interrupt, of which the I/O APIC is to be told the end, has EOI exit until then. Vectors
 * below DIRECT_FIRST would be exceptions where the hypervisor takes back what is requested: a guest that
 * sends itself one is not direct any more, until its local APIC is reset.
 */
#ifndef DIRECT_H
#define DIRECT_H

#include <stdbool.h>
#include <stdint.h>

struct lpar;
struct vcpu;

enum { DIRECT_FIRST = 0x20, DIRECT_LAST = 0xef };

struct direct {
    volatile bool wanted;
    bool active;       /* wanted, or still direct: direct_msr_write() is to see accesses */
    bool barred;       /* it has used a vector below DIRECT_FIRST */
    bool own_deadline; /* the guest writes IA32_TSC_DEADLINE itself */
    unsigned how;      /* enum direct_how, as the machine has it */
    uint32_t level[8]; /* level-triggered interrupts that are requested or in service there */
    uint64_t entered, left;
    uint64_t handed; /* interrupts that the hypervisor passed on to the physical local APIC */
    uint64_t late; /* taken by the hypervisor for the guest: on the way back, or aimed at it while it was not
                      direct */
};

/* Why the mechanism cannot be switched on for the LPAR; null: it can. */
const char *direct_refusal(const struct lpar *lpar);

/* The LPAR's mechanism goes on or off, while it runs. @pre device lock held; direct_refusal() is null or `on`
 * is false */
void direct_switch(struct lpar *lpar, bool on);

/* What of the invariants does not hold; null: all do. Any CPU. */
const char *direct_audit(const struct lpar *lpar);

/* ---- on the vCPU's CPU, between two runs of its guest ---- */

/* Goes over if that is wanted and can be now. */
void direct_look(struct vcpu *vcpu);

/* Back, wanted or not: before INIT, before the LPAR stops. */
void direct_leave(struct vcpu *vcpu);

/* An access to an MSR of the local APIC that exits, while `active`. False: #GP(0) */
bool direct_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* CR8, where an access exits for another reason. */
unsigned direct_cr8(const struct vcpu *vcpu);
void direct_set_cr8(struct vcpu *vcpu, unsigned value);

/* An interrupt of the guest's has come to the hypervisor. */
void direct_late(struct vcpu *vcpu, unsigned vector);

/* ---- for struct lapic_env, which is another while the vCPU is direct ---- */
void direct_take(struct vcpu *vcpu, unsigned vector, bool level);
bool direct_send(struct vcpu *vcpu, uint8_t vector);
void direct_timer(struct vcpu *vcpu, uint64_t at);

#endif

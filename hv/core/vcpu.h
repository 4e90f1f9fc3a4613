/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU of an LPAR: a context of the machine and what hv/core keeps beside it.
 *
 * Only the physical CPU that runs the vCPU touches it, save for `requests`, which others set atomically
 * before they kick (vcpu_request), and the local APIC's request bits, which have their own rule.
 */
#ifndef VCPU_H
#define VCPU_H

#include "exit.h"
#include "machine.h"

struct lpar;
struct lapic;

enum vcpu_run_state {
    VCPU_OFF,       /* the LPAR does not run */
    VCPU_WAIT_SIPI, /* after INIT */
    VCPU_RUNNING,
    VCPU_HALTED, /* HLT, until an event */
};

/* Bits of `requests`. */
enum vcpu_request {
    REQUEST_EVENT = 1 << 0, /* the local APIC has something new */
    REQUEST_NMI = 1 << 1,
    REQUEST_INIT = 1 << 2,
    REQUEST_SIPI = 1 << 3, /* sipi_vector is set before */
    REQUEST_STOP = 1 << 4,
    REQUEST_FLUSH = 1 << 5, /* TLB entries of the tag are stale */
};

struct vcpu_stats {
    uint64_t exits[EXIT_KIND_COUNT];
    uint64_t injected;   /* events delivered */
    uint64_t reinjected; /* deliveries that an exit interrupted */
    uint64_t emulated;   /* instructions run by the emulator */
};

struct vcpu {
    struct context context; /* first: assembler finds the registers at the start */
    struct lpar *lpar;
    unsigned index; /* in the LPAR */
    uint32_t apic_id;
    enum vcpu_run_state state;
    volatile uint32_t requests;
    volatile uint8_t sipi_vector;
    struct event pending; /* exception or re-injection that goes before anything else */
    uint8_t nmis;         /* NMIs to deliver: 0, 1, 2 (one in service, one latched) */
    struct lapic *lapic;
    uint64_t xcr0;
    struct vcpu_stats stats;
};

/* Any CPU: sets the bits, then kicks the vCPU's CPU so that they are seen before it runs on. */
void vcpu_request(struct vcpu *vcpu, uint32_t bits);

/* Queues an exception for the guest; a second one makes #DF or a triple fault (SDM 3A 6.15). */
void vcpu_raise(struct vcpu *vcpu, unsigned vector);
void vcpu_raise_error(struct vcpu *vcpu, unsigned vector, uint32_t error);
void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t address, uint32_t error);

/* Moves RIP past the instruction; ends an STI or MOV-SS shadow and raises the single-step trap if TF is set.
 */
void vcpu_skip(struct vcpu *vcpu, unsigned length);

#endif

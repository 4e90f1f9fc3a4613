/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU of an LPAR: a context of the machine and what hv/core keeps beside it.
 *
 * Only the physical CPU that runs the vCPU touches it, save for context.requests, which others set atomically
 * before they kick (vcpu_request), and the local APIC's request bits, which have their own rule.
 */
#ifndef VCPU_H
#define VCPU_H

#include "direct.h"
#include "emulate.h"
#include "exit.h"
#include "lapic.h"
#include "machine.h"
#include "mmio_short.h"
#include "statistics.h"

struct lpar;

enum vcpu_run_state {
    VCPU_OFF,       /* the LPAR does not run */
    VCPU_WAIT_SIPI, /* after INIT */
    VCPU_RUNNING,
    VCPU_HALTED, /* HLT, until an event */
};

/* Bits of context.requests, beside REQUEST_TIMER. */
enum vcpu_request {
    REQUEST_EVENT = 1 << 0, /* the local APIC has something new */
    REQUEST_NMI = 1 << 1,
    REQUEST_INIT = 1 << 2,
    REQUEST_SIPI = 1 << 3, /* sipi_vector is set before */
    REQUEST_STOP = 1 << 4,
    REQUEST_FLUSH = 1 << 5,                                     /* TLB entries of the tag are stale */
    REQUEST_DEADLINE = 1 << 6,                                  /* a device's timer has another time */
    REQUEST_DIRECT = 1 << 7,                                    /* direct_look() may do something */
    REQUEST_URGENT = REQUEST_NMI | REQUEST_INIT | REQUEST_STOP, /* do not wait for the guest to set IF */
};

struct vcpu {
    struct context context; /* first: assembler finds the registers at the start */
    struct lpar *lpar;
    unsigned index; /* in the LPAR */
    uint32_t apic_id;
    enum vcpu_run_state state;
    volatile uint8_t sipi_vector;
    volatile uint8_t legacy; /* vector of a PIC's interrupt that waits, 0: none (device_env.legacy) */
    volatile bool ready;     /* context_init() has succeeded on its CPU */
    unsigned windows;        /* enum window, as asked of the machine */
    struct event pending;    /* goes first: an exception, or an event whose delivery was interrupted */
    struct event armed;      /* injected, and not known to be delivered */
    uint8_t nmis;            /* that wait: at most one in service's way and one latched */
    struct lapic lapic;
    struct direct direct;
    bool look;         /* something may have changed what the local APIC has to deliver */
    int interrupt;     /* what it has, as of the last look; LAPIC_NO_VECTOR: nothing */
    uint64_t lapic_at; /* tick at which its timer expires; ~0: never */
    uint64_t line_at;  /* tick at which a line of the machine is let in again (router.h); ~0: never */
    uint64_t deadline; /* as the machine has it */
    uint64_t xcr0;
    uint64_t misc_enable; /* IA32_MISC_ENABLE */
    uint64_t tsc_offset, tsc_adjust;
    struct emulate_cache decoded;
    struct mmio_short mmio_short;
    uint64_t rips_mended;         /* lost_rip.h */
    struct statistics_cpu *stats; /* in memory that the LPAR reads */
};

/* Any CPU: sets the bits, then kicks the vCPU's CPU so that they are seen before it runs on. */
void vcpu_request(struct vcpu *vcpu, uint32_t bits);

/* Queues an exception for the guest; a second one makes #DF or a triple fault (SDM 3A 6.15). */
void vcpu_raise(struct vcpu *vcpu, unsigned vector);
void vcpu_raise_error(struct vcpu *vcpu, unsigned vector, uint32_t error);
void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t address, uint32_t error);

/* The instruction that exited is done: RIP behind it, shadows ended, the single-step trap raised if TF is
 * set. When its length has to be found out and the guest's code cannot be read, the fault of that is raised.
 */
void vcpu_skip(struct vcpu *vcpu, const struct exit *exit);

/* RIP has been set behind the instruction: the rest of vcpu_skip(). */
void vcpu_retire(struct vcpu *vcpu);

/* Registers as after INIT. */
void vcpu_reset(struct vcpu *vcpu);

/* What INIT leaves alone and power-on does not. */
void vcpu_power_on(struct vcpu *vcpu);

/* Runs the vCPU on this CPU until its LPAR stops. @pre context_init() has been called here */
void vcpu_run(struct vcpu *vcpu);

/* Deals with one exit (vcpu_exit.c). */
void vcpu_exit(struct vcpu *vcpu, struct exit *exit);

#endif

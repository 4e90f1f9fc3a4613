/* SPDX-License-Identifier: BSD-2-Clause */
/* A physical CPU: its descriptor tables, stacks, and what it is doing. */
#ifndef CPU_H
#define CPU_H

#include "layout.h"

#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS 256u

struct context;

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap;
};

/* NMI, #DF and #MC may come when the stack in use is not to be trusted. */
enum ist { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, IST_COUNT };

enum attention {
    ATTENTION_NMI = 1,   /* there were NMIs of the platform that the log has not told */
    ATTENTION_GUEST = 2, /* what is pending is the guest's, whatever its vector (direct_host.c) */
};

struct cpu {
    struct cpu *self; /* first: read through GS */
    unsigned index;
    uint32_t apic_id;
    volatile bool online;
    volatile bool go;         /* its vCPU is known: prepare it */
    volatile bool prepared;   /* that is done, or has failed */
    volatile bool nmi_kicked; /* an NMI that is on its way is a kick, not the platform's */
    /* While its guest has the local APIC (direct_host.c): */
    volatile bool nmi_only;    /* kicks are NMIs */
    volatile bool sent_to;     /* direct_host_send() reaches it */
    bool guests;               /* vectors up to DIRECT_LAST are its guest's, always */
    volatile uint32_t senders; /* CPUs that have looked at the above and may be sending now */
    bool virtualising;         /* VMX or SVM operation is on */
    struct context *context;   /* pinned here, or null */
    void *backend;             /* the back end's memory of this CPU: VMXON region, host save area */
    uint64_t interrupts, spurious;
    uint64_t nmis;              /* of the platform */
    volatile uint8_t attention; /* the next interrupt is not a plain one: enum attention */
    uint64_t gdt[6];
    struct tss tss;
    uint8_t ist_stack[IST_COUNT - 1][4096] __attribute__((aligned(4096)));
    uint8_t stack[STACK_SIZE];
};
_Static_assert(sizeof(struct cpu) == CPU_SIZE, "start.S takes the end of boot_cpu for its stack");

extern struct cpu *cpus[MAX_CPUS];
extern unsigned cpu_count;

/* @pre cpu_load() has run on this CPU */
static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;
    __asm__("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* The boot CPU's; it is running on its stack. */
extern struct cpu boot_cpu;

/* Makes the entry of a CPU that firmware names; null with a message when there are too many. */
struct cpu *cpu_add(uint32_t apic_id);

/* As cpu_add() for the boot CPU, which needs no memory. */
void cpu_add_boot(void);

/* Loads descriptor tables and GS base of this CPU: exceptions are dumped from here on. @pre idt_init() */
void cpu_load(struct cpu *cpu);

/* Control registers as the hypervisor wants them on every CPU. @pre cpu_load() */
void cpu_setup(void);

/* Starts all the others with INIT and SIPI; the ones that do not answer are named on the log and left out. */
void cpus_start(void);

/* What a CPU does once it is up, for ever. */
void cpu_work(struct cpu *cpu) __attribute__((noreturn));

/* Where a started CPU arrives in C, on its own stack. */
void cpu_main(struct cpu *cpu) __attribute__((noreturn));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts of the hypervisor itself. */
#ifndef EXCEPTION_H
#define EXCEPTION_H

#include <stdint.h>

/* As entry.S pushes it. */
struct exception_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

enum vector {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_ALIGNMENT = 17,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_FIRST_IRQ = 32,
    /* Ours, of the local APIC. The lower nibble of a spurious vector is all ones on old parts. */
    VECTOR_CONSOLE = 0xf0,
    VECTOR_TIMER = 0xf1,
    VECTOR_KICK = 0xf2,
    VECTOR_ERROR = 0xfe,
    VECTOR_SPURIOUS = 0xff,
};

/* Builds the table all CPUs share. */
void idt_init(void);
void idt_load(void);
uint64_t idt_address(void);

/* Called by entry.S. */
void exception_handle(struct exception_frame *frame);

/* A machine check that ended a guest's run: as one in the hypervisor. */
void machine_check(void) __attribute__((noreturn));

/* A local APIC interrupt, by whatever way it arrived (the IDT, or "acknowledge on exit"). */
void interrupt_handle(unsigned vector);

/* Ends everything with a dump; for our own bugs and broken hardware alone, never for what a guest does. */
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif

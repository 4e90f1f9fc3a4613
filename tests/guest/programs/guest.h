/* SPDX-License-Identifier: BSD-2-Clause */
/* What test guests share: text out by port 0xe9, checks that report themselves, faults that are expected. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, command_line;
};

void guest_main(uint32_t info_address);
void guest_exit(void);
extern uint32_t multiboot_magic;

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "ok   NAME" or "FAIL NAME"; the last line of a guest counts them. */
void check(const char *name, bool good);

bool contains(const char *text, const char *wanted);

struct fault_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
void fault(struct fault_frame *frame);

enum { NO_FAULT = 256 };
extern volatile unsigned fault_vector; /* of the last TRY: NO_FAULT, or what came */
extern volatile uint64_t fault_error, fault_rip, fault_rflags, fault_resume;
extern volatile uint64_t fault_start;         /* address of what the last TRY ran */
extern void (*interrupt_handlers[256])(void); /* called for the vector, no EOI is sent */

/* Runs the instruction; a fault in it is noted in fault_vector and goes on behind it. */
#define TRY(instruction, ...)                                                                                \
    do {                                                                                                     \
        fault_vector = NO_FAULT;                                                                             \
        __asm__ volatile("movq $1f, fault_resume; movq $2f, fault_start\n2: " instruction                    \
                         "\n1: movq $0, fault_resume" __VA_ARGS__);                                          \
    } while (0)

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif

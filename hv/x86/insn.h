/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions that C has no words for. Inline assembler stands nowhere else in hv/ but in the vendor
 * headers vmx/vmx_insn.h and svm/svm_insn.h, and in strings.c. */
#ifndef INSN_H
#define INSN_H

#include <stdbool.h>
#include <stdint.h>

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
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

/* A fault ends the instruction with false instead (the table of fixups tells where to go on). */
static inline bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t low = 0, high = 0;
    uint8_t good = 1;
    __asm__ volatile(
        "1: rdmsr\n"
        "2:\n"
        ".pushsection .text.fixup, \"ax\"\n"
        "3: movb $0, %2\n"
        "jmp 2b\n"
        ".popsection\n"
        ".pushsection .fixups, \"a\"\n"
        ".quad 1b, 3b\n"
        ".popsection"
        : "+a"(low), "+d"(high), "+r"(good)
        : "c"(msr));
    *value = (uint64_t)high << 32 | low;
    return good;
}

static inline bool wrmsr_safe(uint32_t msr, uint64_t value)
{
    uint8_t good = 1;
    __asm__ volatile(
        "1: wrmsr\n"
        "2:\n"
        ".pushsection .text.fixup, \"ax\"\n"
        "3: movb $0, %0\n"
        "jmp 2b\n"
        ".popsection\n"
        ".pushsection .fixups, \"a\"\n"
        ".quad 1b, 3b\n"
        ".popsection"
        : "+r"(good)
        : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
        : "memory");
    return good;
}

static inline bool xsetbv_safe(uint32_t index, uint64_t value)
{
    uint8_t good = 1;
    __asm__ volatile(
        "1: xsetbv\n"
        "2:\n"
        ".pushsection .text.fixup, \"ax\"\n"
        "3: movb $0, %0\n"
        "jmp 2b\n"
        ".popsection\n"
        ".pushsection .fixups, \"a\"\n"
        ".quad 1b, 3b\n"
        ".popsection"
        : "+r"(good)
        : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
        : "memory");
    return good;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* a * b / c without overflow in between; ~0 when the result has no room. @pre c != 0 */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);

    if (high >= c)
        return ~0ull;
    __asm__("divq %2" : "+a"(low), "+d"(high) : "r"(c) : "cc");
    return low;
}

static inline int64_t divide_signed(int64_t a, int64_t b)
{
    int64_t high = a >> 63;

    __asm__ volatile("idivq %2" : "+a"(a), "+d"(high) : "r"(b) : "cc");
    return a;
}

static inline uint64_t read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline void write_cr2(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

#define DEFINE_DR(n)                                                                                         \
    static inline uint64_t read_dr##n(void)                                                                  \
    {                                                                                                        \
        uint64_t value;                                                                                      \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(value));                                                \
        return value;                                                                                        \
    }                                                                                                        \
    static inline void write_dr##n(uint64_t value)                                                           \
    {                                                                                                        \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(value));                                                  \
    }
DEFINE_DR(0)
DEFINE_DR(1)
DEFINE_DR(2)
DEFINE_DR(3)
DEFINE_DR(6)
DEFINE_DR(7)
#undef DEFINE_DR

struct __attribute__((packed)) descriptor_pointer {
    uint16_t limit;
    uint64_t base;
};

static inline void lgdt(const struct descriptor_pointer *pointer)
{
    __asm__ volatile("lgdt %0" : : "m"(*pointer));
}

static inline void lidt(const struct descriptor_pointer *pointer)
{
    __asm__ volatile("lidt %0" : : "m"(*pointer));
}

static inline void ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* Lets interrupts in for the time of a halt, and not before it: an interrupt that is due ends it at once. */
static inline void irq_wait(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Lets in the interrupts that are due. */
static inline void irq_window(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

static inline void halt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

static inline void raise_nmi(void)
{
    __asm__ volatile("int $2" : : : "memory");
}

static inline void breakpoint(void)
{
    __asm__ volatile("int3" : : : "memory");
}

#endif

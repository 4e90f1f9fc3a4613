/* SPDX-License-Identifier: BSD-2-Clause */
#include "endless.h"

#include "guest.h"

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

/* A breakpoint on the stack that #DB itself is delivered to. An interrupt stack table entry has every
 * delivery at the same place. */
void endless_debug(void)
{
    static uint8_t stack[4096] __attribute__((aligned(4096)));
    static uint8_t tss[104] __attribute__((aligned(128)));
    static uint64_t gdt[5] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};
    struct table_pointer pointer = {sizeof gdt - 1, (uintptr_t)gdt}, idt;
    uint64_t top = (uintptr_t)stack + sizeof stack, at = (uintptr_t)tss;

    *(uint64_t *)(void *)(tss + 0x24) = top; /* IST1 */
    gdt[3] = 103 | (at & 0xffffff) << 16 | 0x89ull << 40 | (at >> 24 & 0xff) << 56;
    gdt[4] = at >> 32;
    __asm__ volatile("lgdt %1; ltr %w2; sidt %0" : "=m"(idt) : "m"(pointer), "r"(0x18));
    ((uint8_t *)idt.base)[16 * 1 + 4] = 1; /* vector 1 on IST1 */
    print("endless #DB begins\n");
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr7; mov %2, (%0)"
                     :
                     : "r"(top - 8), "r"(0x90401ull), "r"(0ull) /* DR0: writes of 8 bytes */
                     : "memory");
    print("endless #DB: did not happen\n");
}

enum { CODE_32 = 0x18, USER_CODE = 0x23 };

/*
 * #AC comes in user code alone, and 64-bit delivery aligns the stack: so 32-bit code of privilege 3 without
 * paging, whose handler has privilege 3, too, and so the same stack, which is odd.
 */
__asm__(
    ".pushsection .text\n"
    ".code32\n"
    "leave_long_mode:\n"
    "movl $0x10, %eax; movl %eax, %ds; movl %eax, %es; movl %eax, %ss\n"
    "movl %cr0, %eax; andl $0x7fffffff, %eax; movl %eax, %cr0\n"
    "movl $0xc0000080, %ecx; rdmsr; andl $~0x100, %eax; wrmsr\n"
    "movl %cr0, %eax; orl $1 << 18, %eax; movl %eax, %cr0\n" /* AM */
    "lidt idt_32\n"
    "pushl $0x2b\n"
    "pushl $user_stack_top - 1\n"
    "pushl $0x43002\n" /* AC, IOPL 3 */
    "pushl $0x23\n"
    "pushl $user\n"
    "iretl\n"
    "user: pushl %eax\n"
    "alignment_handler:\n"
    "movl $did_not_happen, %esi\n"
    "1: lodsb; testb %al, %al; jz 2f; outb %al, $0xe9; jmp 1b\n"
    "2: jmp 2b\n"
    ".code64\n"
    ".popsection\n"
    ".pushsection .rodata\n"
    "idt_32: .short 8 * 256 - 1; .long alignment_idt\n"
    "did_not_happen: .asciz \"endless #AC: did not happen\\n\"\n"
    ".popsection\n"
    ".pushsection .bss\n"
    ".skip 4096\n"
    "user_stack_top: .skip 64\n"
    ".popsection\n");
extern const uint8_t alignment_handler[];
extern uint64_t alignment_idt[256];
uint64_t alignment_idt[256];

void endless_alignment(void)
{
    static uint64_t gdt[] = {
        0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff,
    };
    struct table_pointer pointer = {sizeof gdt - 1, (uintptr_t)gdt};
    const uint64_t handler = (uintptr_t)alignment_handler;

    /* An interrupt gate of 32 bits. */
    alignment_idt[17] = (handler & 0xffff) | USER_CODE << 16 | 0xeeull << 40 | (handler >> 16) << 48;
    print("endless #AC begins\n");
    __asm__ volatile("lgdt %0; pushq %1; pushq $leave_long_mode; lretq"
                     :
                     : "m"(pointer), "i"(CODE_32)
                     : "memory");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A second CPU: from the real mode of SIPI to second_main() with the tables of start.S. The code up to second_end is
 * copied to a page below 1 MiB. */
        .text
        .code16
        .globl second_start
second_start:
        cli
        lgdtl %cs:pointer - second_start
        movl $0x6a0, %eax
        movl %eax, %cr4
        movl $pml4, %eax
        movl %eax, %cr3
        movl $0xc0000080, %ecx
        rdmsr
        orl $1 << 8, %eax
        wrmsr
        movl $0x80010033, %eax
        movl %eax, %cr0
        ljmpl $0x08, $second64
pointer:
        .short 3 * 8 - 1
        .long gdt
        .globl second_end
second_end:
        .code64
second64:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        lidt idt_pointer
        movl $second_stack_top, %esp
        call second_main
1:      cli
        hlt
        jmp 1b

        .bss
        .balign 16
        .skip 8192
second_stack_top:

/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry by multiboot 1: 32-bit, flat, interrupts off. Vectors 32 to 255 push their number and go to C. */
    .section .multiboot, "a"
    .align 4
    .long 0x1badb002
    .long 0
    .long -0x1badb002

    .text
    .globl start
start:
    movl $stack_top, %esp
    cld
    lgdt gdt_pointer
    ljmp $8, $1f
1:  movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    call main
2:  hlt
    jmp 2b

    .altmacro
    .macro vector number
vector_\number:
    pushl $\number
    jmp common
    .endm
    .set n, 0
    .rept 256
    vector %n
    .set n, n + 1
    .endr

common:
    pushal
    cld
    pushl 32(%esp)
    call on_interrupt
    addl $4, %esp
    popal
    addl $4, %esp
    iretl

    .section .rodata
    .globl vectors
    .macro entry number
    .long vector_\number
    .endm
vectors:
    .set n, 0
    .rept 256
    entry %n
    .set n, n + 1
    .endr

    .align 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00cf92000000ffff
gdt_pointer:
    .word 23
    .long gdt

    .bss
    .align 16
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits

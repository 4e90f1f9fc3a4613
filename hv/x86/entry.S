/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry points of exceptions and interrupts: 256 stubs of 16 bytes, each pushing its vector. */
        .text
        .balign 16
        .globl entry_stubs
entry_stubs:
        .set vector, 0
        .rept 256
        .balign 16
        /* These push an error code themselves (SDM 3A table 6-1). */
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        pushq $0
        .endif
        pushq $vector
        jmp entry_common
        .set vector, vector + 1
        .endr

        .balign 16
entry_common:
        pushq %rax
        pushq %rbx
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %rbp
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        cld
        movq %rsp, %rdi
        call exception_handle
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rbp
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rbx
        popq %rax
        addq $16, %rsp
        iretq

/* SPDX-License-Identifier: BSD-2-Clause */
#include "../context_layout.h"

/*
 * int svm_enter(struct context *context, uint64_t vmcb, uint64_t host)
 *
 * From CLGI on neither interrupts nor NMIs are taken, so that a kick after the look at `requests` ends the guest's run
 * as soon as VMRUN has set GIF. IF is set meanwhile: the guest's own IF does not hold back the host's interrupts
 * (V_INTR_MASKING). GS, TR and what else VMLOAD brings are the guest's until the host's are loaded.
 */
        .text
        .globl svm_enter
svm_enter:
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %rdx
        pushq %rdi
        clgi
        cmpl $0, CONTEXT_REQUESTS(%rdi)
        jne 1f
        sti
        movq %rsi, %rax
        movq CONTEXT_RCX(%rdi), %rcx
        movq CONTEXT_RDX(%rdi), %rdx
        movq CONTEXT_RBX(%rdi), %rbx
        movq CONTEXT_RBP(%rdi), %rbp
        movq CONTEXT_RSI(%rdi), %rsi
        movq CONTEXT_R8(%rdi), %r8
        movq CONTEXT_R9(%rdi), %r9
        movq CONTEXT_R10(%rdi), %r10
        movq CONTEXT_R11(%rdi), %r11
        movq CONTEXT_R12(%rdi), %r12
        movq CONTEXT_R13(%rdi), %r13
        movq CONTEXT_R14(%rdi), %r14
        movq CONTEXT_R15(%rdi), %r15
        movq CONTEXT_RDI(%rdi), %rdi
        vmload %rax
        vmrun %rax
        vmsave %rax
        pushq %rdi
        movq 8(%rsp), %rdi
        popq CONTEXT_RDI(%rdi)
        movq %rcx, CONTEXT_RCX(%rdi)
        movq %rdx, CONTEXT_RDX(%rdi)
        movq %rbx, CONTEXT_RBX(%rdi)
        movq %rbp, CONTEXT_RBP(%rdi)
        movq %rsi, CONTEXT_RSI(%rdi)
        movq %r8, CONTEXT_R8(%rdi)
        movq %r9, CONTEXT_R9(%rdi)
        movq %r10, CONTEXT_R10(%rdi)
        movq %r11, CONTEXT_R11(%rdi)
        movq %r12, CONTEXT_R12(%rdi)
        movq %r13, CONTEXT_R13(%rdi)
        movq %r14, CONTEXT_R14(%rdi)
        movq %r15, CONTEXT_R15(%rdi)
        movq 8(%rsp), %rax
        vmload %rax
        cli
        stgi
        /* No value of the guest's stays in a register where speculation could use it. */
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        xorl %r11d, %r11d
        xorl %eax, %eax                         /* ENTER_EXIT */
        jmp 2f
1:      stgi
        movl $ENTER_KICK, %eax
2:      addq $16, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        ret

/* SPDX-License-Identifier: BSD-2-Clause */
#include "../context_layout.h"

/*
 * int vmx_enter(struct context *context, bool launched, uint64_t *host_rsp)
 *
 * From vmx_window to vmx_window_end an NMI that comes as a kick would be lost until the next exit: `requests` has
 * been looked at. The handler therefore resumes at vmx_window_abort when it interrupted this range: RSP is the
 * hypervisor's throughout, so nothing is lost but guest registers that are still in memory.
 */
        .text
        .globl vmx_enter, vmx_exit, vmx_window, vmx_window_end, vmx_window_abort
vmx_enter:
        pushq %rbp
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        pushq %rdi
        cmpq %rsp, (%rdx)                       /* host RSP hardly ever changes: spare the VMWRITE */
        je vmx_window
        movq %rsp, (%rdx)
        movl $0x6c14, %eax
        vmwrite %rsp, %rax
        jbe refused
vmx_window:
        cmpl $0, CONTEXT_REQUESTS(%rdi)
        jne vmx_window_abort
        testl %esi, %esi
        movq CONTEXT_RAX(%rdi), %rax
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
        jz 1f
        vmresume
        jmp vmx_window_end
1:      vmlaunch
vmx_window_end:
refused:
        movl $ENTER_REFUSED, %eax
        jmp leave

vmx_window_abort:
        movl $ENTER_KICK, %eax
        jmp leave

        .balign 16
vmx_exit:
        pushq %rdi
        movq 8(%rsp), %rdi
        movq %rax, CONTEXT_RAX(%rdi)
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
        /* No value of the guest's stays in a register where speculation could use it. */
        xorl %ecx, %ecx
        xorl %edx, %edx
        xorl %esi, %esi
        xorl %r8d, %r8d
        xorl %r9d, %r9d
        xorl %r10d, %r10d
        xorl %r11d, %r11d
        xorl %eax, %eax                         /* ENTER_EXIT */
leave:
        addq $8, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        ret

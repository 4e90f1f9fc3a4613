/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest by multiboot 1: 32-bit entry to 64-bit C, 4 GiB mapped onto themselves, an IDT whose gates all lead to
 * fault(). */
        .section .multiboot, "a"
        .balign 4
        .long 0x1badb002
        .long 0x00000003
        .long -(0x1badb002 + 0x00000003)

        .text
        .code32
        .globl start
start:
        cli
        movl $stack_top, %esp
        movl %eax, multiboot_magic
        movl %ebx, multiboot_info
        movl $pd, %edi
        movl $0x83, %eax
        xorl %ecx, %ecx
1:      movl %eax, (%edi,%ecx,8)
        movl $0, 4(%edi,%ecx,8)
        addl $0x200000, %eax
        incl %ecx
        cmpl $2048, %ecx
        jne 1b
        movl $pd + 3, %eax
        xorl %ecx, %ecx
2:      movl %eax, pdpt(,%ecx,8)
        addl $4096, %eax
        incl %ecx
        cmpl $4, %ecx
        jne 2b
        movl $pdpt + 3, pml4
        movl $pml4, %eax
        movl %eax, %cr3
        movl $0x6a0, %eax
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        rdmsr
        orl $1 << 8, %eax
        wrmsr
        movl $0x80010033, %eax
        movl %eax, %cr0
        lgdt gdt_pointer
        ljmp $0x08, $start64
        .code64
start64:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs

        /* The IDT: 256 interrupt gates to the stubs. */
        movl $stubs, %eax
        movl $idt, %edi
        movl $256, %ecx
3:      movw %ax, (%rdi)
        movw $0x08, 2(%rdi)
        movw $0x8e00, 4(%rdi)
        movl %eax, %edx
        shrl $16, %edx
        movw %dx, 6(%rdi)
        movq $0, 8(%rdi)
        addl $16, %eax
        addl $16, %edi
        decl %ecx
        jnz 3b
        lidt idt_pointer

        movl multiboot_info, %edi
        xorl %ebp, %ebp
        call guest_main
        call guest_exit
4:      hlt
        jmp 4b

        .balign 16
stubs:
        .set vector, 0
        .rept 256
        .balign 16
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        pushq $0
        .endif
        pushq $vector
        jmp common
        .set vector, vector + 1
        .endr
common:
        pushq %rax
        pushq %rcx
        pushq %rdx
        pushq %rsi
        pushq %rdi
        pushq %r8
        pushq %r9
        pushq %r10
        pushq %r11
        leaq 72(%rsp), %rdi                     /* struct fault_frame: vector, error, rip … */
        call fault
        popq %r11
        popq %r10
        popq %r9
        popq %r8
        popq %rdi
        popq %rsi
        popq %rdx
        popq %rcx
        popq %rax
        addq $16, %rsp
        iretq

        .section .rodata
        .balign 8
        .globl gdt
gdt:
        .quad 0
        .quad 0x00af9b000000ffff
        .quad 0x00cf93000000ffff
gdt_end:
gdt_pointer:
        .short gdt_end - gdt - 1
        .long gdt
        .long 0
        .globl idt_pointer
idt_pointer:
        .short 256 * 16 - 1
        .quad idt

        .bss
        .globl multiboot_magic
multiboot_magic:
        .long 0
multiboot_info:
        .long 0
        .balign 4096
        .globl pml4
pml4:   .skip 4096
pdpt:   .skip 4096
pd:     .skip 4 * 4096
idt:    .skip 4096
        .skip 16384
stack_top:

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of the boot CPU (multiboot 1 or 2: 32-bit protected mode, paging off, EAX = magic, EBX = information)
 * and of the others (real mode, by SIPI), up to 64-bit C.
 */
#include "layout.h"

        .section .multiboot, "a"
        .balign 8
multiboot1:
        .long 0x1badb002
        .long 0x00000003                        /* modules on page boundaries, memory map */
        .long -(0x1badb002 + 0x00000003)

        .balign 8
multiboot2:
        .long 0xe85250d6
        .long 0                                 /* i386, protected mode */
        .long multiboot2_end - multiboot2
        .long -(0xe85250d6 + (multiboot2_end - multiboot2))
        .balign 8
        .short 6, 0                             /* modules on page boundaries */
        .long 8
        .balign 8
        .short 5, 1                             /* a framebuffer, if there can be one, and of which size and depth */
        .long 20
        .long 1024, 768, 32
        .balign 8
        .short 0, 0
        .long 8
multiboot2_end:

        .text
        .code32
        .globl start
start:
        cli
        cld
        movl $boot_cpu + CPU_SIZE, %esp
        movl %eax, boot_magic
        movl %ebx, boot_info_address

        movl $0x80000000, %eax
        cpuid
        cmpl $0x80000001, %eax
        jb no_long_mode
        movl $0x80000001, %eax
        cpuid
        testl $1 << 29, %edx
        jz no_long_mode

        /* The first tables map 4 GiB onto themselves by 2-MiB pages. */
        movl $boot_pd, %edi
        movl $0x83, %eax                        /* present, writable, large */
        xorl %ecx, %ecx
1:      movl %eax, (%edi,%ecx,8)
        movl $0, 4(%edi,%ecx,8)
        addl $0x200000, %eax
        incl %ecx
        cmpl $2048, %ecx
        jne 1b
        movl $boot_pd + 3, %eax
        xorl %ecx, %ecx
2:      movl %eax, boot_pdpt(,%ecx,8)
        addl $4096, %eax
        incl %ecx
        cmpl $4, %ecx
        jne 2b
        movl $boot_pdpt + 3, boot_pml4
        movl $boot_pml4, %eax
        movl $start64, %ebx
        jmp enter_long_mode

no_long_mode:
        movl $no_long_mode_text, %esi
1:      movw $0x3fd, %dx
2:      inb %dx, %al
        testb $0x20, %al
        jz 2b
        lodsb
        testb %al, %al
        jz 3f
        movw $0x3f8, %dx
        outb %al, %dx
        outb %al, $0xe9
        jmp 1b
3:      hlt
        jmp 3b

/* EAX: PML4 below 4 GiB, EBX: where to go on in 64-bit mode. */
enter_long_mode:
        movl %eax, %cr3
        movl $CR4_AT_START, %eax
        movl %eax, %cr4
        movl $0xc0000080, %ecx                  /* EFER: LME, NXE where there is one */
        rdmsr
        orl $1 << 8, %eax
        orl start_efer, %eax
        wrmsr
        movl $0x80010033, %eax                  /* PG WP NE ET MP PE */
        movl %eax, %cr0
        lgdt start_gdt_pointer
        ljmp $0x08, $1f
        .code64
1:      movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        xorl %eax, %eax
        movl %eax, %fs
        movl %eax, %gs
        jmp *%rbx

start64:
        movl $boot_cpu + CPU_SIZE, %esp
        movl boot_magic, %edi
        movl boot_info_address, %esi
        xorl %ebp, %ebp
        call boot_main
1:      hlt
        jmp 1b

/*
 * Copied below 1 MiB, where a SIPI can start a CPU. All CPUs are started one after the other, so that the
 * variables at the end serve them all.
 */
        .section .rodata
        .balign 16
        .globl trampoline, trampoline_end, trampoline_pml4, trampoline_stack
        .code16
trampoline:
        cli
        cld
        movw %cs, %ax
        movw %ax, %ds
        lgdtl trampoline_gdt_pointer - trampoline
        movl trampoline_pml4 - trampoline, %esi
        movl trampoline_stack - trampoline, %edi
        movl $0x11, %eax
        movl %eax, %cr0
        ljmpl $0x18, $trampoline32
        .balign 8
trampoline_gdt_pointer:
        .short 4 * 8 - 1
        .long start_gdt
trampoline_pml4:
        .long 0
trampoline_stack:                               /* its top holds the struct cpu */
        .long 0
trampoline_end:

        .text
        .code32
trampoline32:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %edi, %esp
        movl %esi, %eax
        movl $trampoline64, %ebx
        jmp enter_long_mode
        .code64
trampoline64:
        xorl %ebp, %ebp
        movq -8(%rsp), %rdi
        andq $-16, %rsp
        subq $16, %rsp
        call cpu_main
1:      hlt
        jmp 1b

        .section .rodata
        .balign 8
start_gdt:
        .quad 0
        .quad 0x00af9b000000ffff                /* 08: code, 64 bit */
        .quad 0x00cf93000000ffff                /* 10: data */
        .quad 0x00cf9b000000ffff                /* 18: code, 32 bit */
start_gdt_end:
start_gdt_pointer:
        .short start_gdt_end - start_gdt - 1
        .long start_gdt
        .long 0
no_long_mode_text:
        .asciz "signalbox: this CPU has no 64-bit mode\r\n"

        .data
        .balign 4
        .globl start_efer
start_efer:
        .long 0                                 /* the boot CPU sets NXE here for the others, once it has asked CPUID */
boot_magic:
        .long 0
boot_info_address:
        .long 0

        .bss
        .balign 4096
        .globl boot_pml4, boot_pd
boot_pml4:
        .skip 4096
boot_pdpt:
        .skip 4096
boot_pd:
        .skip 4 * 4096
        .globl boot_cpu
boot_cpu:
        .skip CPU_SIZE

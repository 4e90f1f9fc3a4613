/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions whose delivery is not as simple as it looks: while an interrupt of the host waits the handler is
 * entered as ever, at its first instruction; what the frame shows; #DB behind HLT, and with debug registers
 * guarded. */
#include "guest.h"

enum { APIC_BASE_MSR = 0x1b, X2APIC = 0xc00, SPURIOUS_MSR = 0x80f, TIMER_MSR = 0x832, COUNT_MSR = 0x838 };
enum {
    TIMER_VECTOR = 0x40,
    CR0_TS = 8,
    RFLAGS_RF = 1 << 16,
    DR6_BD = 1 << 13,
    DR7_FIXED = 0x400,
    DR7_GD = 1 << 13,
    WAIT_TICKS = 1000000
};

/* The guest's timer is one of the host's; interrupts are off here all the time, and nothing exits. */
static void let_the_host_wait(void)
{
    uint64_t begin;

    wrmsr(COUNT_MSR, 100);
    begin = rdtsc();
    while (rdtsc() - begin < WAIT_TICKS)
        ;
}

/* The single-step trap comes behind HLT, which it ends. */
static void step_over_hlt(void)
{
    uint64_t behind = 0;

    fault_vector = NO_FAULT;
    __asm__ volatile(
        "movq $1f, fault_resume\n"
        "movq $1f, %0\n"
        "pushq $0x102\n"
        "popfq\n"
        "hlt\n"
        "1: movq $0, fault_resume"
        : "=&r"(behind)
        :
        : "memory");
    check("a single step over HLT: #DB behind it", fault_vector == 1 && fault_rip == behind);
}

/* Resumed with RF, an instruction meets its breakpoint no more, but the next one meets its own. */
static void breakpoint_behind_cpuid(void)
{
    uint64_t first = 0, second = 0;

    fault_vector = NO_FAULT;
    __asm__ volatile(
        "movq $3f, fault_resume\n"
        "leaq 1f(%%rip), %0\n"
        "mov %0, %%dr0\n"
        "leaq 2f(%%rip), %1\n"
        "mov %1, %%dr1\n"
        "mov %2, %%dr7\n"
        "movq %%rsp, %%rax\n"
        "pushq $0x10\n"
        "pushq %%rax\n"
        "pushq $0x10002\n"
        "pushq $0x08\n"
        "pushq %0\n"
        "xorl %%eax, %%eax\n"
        "iretq\n"
        "1: cpuid\n"
        "2: nop\n"
        "3: movq $0, fault_resume"
        : "=&r"(first), "=&r"(second)
        : "r"((uint64_t)(DR7_FIXED | 5))
        : "rax", "rbx", "rcx", "rdx", "memory");
    __asm__ volatile("mov %0, %%dr7" : : "r"((uint64_t)DR7_FIXED));
    check("a breakpoint behind CPUID that is resumed at its own", fault_vector == 1 && fault_rip == second);
}

/* A handler of #DB may look at the debug registers, though they are guarded. */
static void guarded_debug_registers(bool dr6_stays)
{
    uint64_t value;

    __asm__ volatile("mov %0, %%dr6" : : "r"(0ull));
    __asm__ volatile("mov %0, %%dr7" : : "r"((uint64_t)(DR7_FIXED | DR7_GD)));
    TRY("mov %%dr0, %0", : "=r"(value));
    check("an access to a guarded debug register: #DB", fault_vector == 1);
    TRY("mov %%dr6, %0", : "=r"(value));
    check("DR6 tells, and is not guarded any more",
          fault_vector == NO_FAULT && (value & DR6_BD || dr6_stays));
    TRY("mov %%dr7, %0", : "=r"(value));
    check("DR7.GD is clear", fault_vector == NO_FAULT && value == DR7_FIXED);
}

void guest_main(uint32_t info_address)
{
    const struct multiboot_info *info = (const struct multiboot_info *)(uintptr_t)info_address;
    const char *command_line = (const char *)(uintptr_t)info->command_line;
    uint64_t cr0;

    wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | X2APIC);
    wrmsr(SPURIOUS_MSR, 0x1ff);
    wrmsr(TIMER_MSR, TIMER_VECTOR);

    let_the_host_wait();
    TRY("ud2", : :);
    check("#UD", fault_vector == 6);
    let_the_host_wait();
    TRY("divl %0", : : "r"(0), "a"(1), "d"(0));
    check("#DE", fault_vector == 0);
    let_the_host_wait();
    TRY("movb (%0), %%al", : : "r"(0x7fffff000) : "rax");
    check("#PF", fault_vector == 14 && fault_error == 0);
    let_the_host_wait();
    TRY("movb (%0), %%al", : : "r"(0x800000000000) : "rax");
    check("#GP", fault_vector == 13 && fault_error == 0);
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_TS));
    let_the_host_wait();
    TRY("fnop", : :);
    check("#NM", fault_vector == 7);
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
    TRY("rdmsr", : : "c"(0x12345) : "eax", "edx");
    check("RFLAGS.RF is set in the frame of a fault", fault_vector == 13 && fault_rflags & RFLAGS_RF);
    if (!contains(command_line, "no-step"))
        step_over_hlt();
    breakpoint_behind_cpuid();
    guarded_debug_registers(contains(command_line, "dr6-stays"));
}

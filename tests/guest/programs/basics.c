/* SPDX-License-Identifier: BSD-2-Clause */
/* What an LPAR's CPU looks like: identification, ports, registers, faults. */
#include "guest.h"

/* Words of the command line behind "one two" say what the emulator cannot do. */
static const char *command_line;

static bool word(const char *wanted)
{
    return contains(command_line, wanted);
}

static void identification(void)
{
    uint32_t r[4], first[4];

    cpuid(0x40000000, 0, r);
    check("CPUID names the hypervisor", r[1] == 0x6e676953 && r[2] == 0x6f626c61 && r[3] == 0x00564878);
    cpuid(1, 0, r);
    check("CPUID says there is one", r[2] >> 31);
    check("VMX is hidden", !(r[2] >> 5 & 1));
    cpuid(0x80000001, 0, r);
    check("SVM is hidden", !(r[2] >> 2 & 1));
    check("long mode is there", r[3] >> 29 & 1);
    cpuid(0x12345678, 0, r);
    check("an unknown leaf is empty", !(r[0] | r[1] | r[2] | r[3]));
    cpuid(0, 0, first);
    __asm__ volatile(".byte 0x66, 0x66; cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(0), "c"(0));
    check("CPUID with prefixes ends behind them", r[1] == first[1]);
}

static void ports(void)
{
    uint64_t rax;

    check("the debug port answers", inb(0xe9) == 0xe9);
    check("nobody home is all ones, 8 bit", inb(0x1234) == 0xff);
    check("nobody home is all ones, 16 bit", inw(0x1234) == 0xffff);
    check("nobody home is all ones, 32 bit", inl(0x1234) == 0xffffffff);
    __asm__ volatile("inb %%dx, %%al" : "=a"(rax) : "a"(0x1122334455667788), "d"(0xe9));
    check("IN of a byte keeps the rest of RAX", rax == 0x11223344556677e9);
    __asm__ volatile("inl %%dx, %%eax" : "=a"(rax) : "a"(0x1122334455667788), "d"(0x1234));
    check("IN of 32 bits clears the upper half", rax == 0xffffffff);
    outl(0x1234, 1);
    outb(0xcf8, 1);
}

static void registers(void)
{
    uint64_t value = 0, old;
    uint32_t low = 0, high = 0;

    TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(0x12345));
    check("an unknown MSR: #GP on read", fault_vector == 13 && fault_error == 0);
    TRY("wrmsr", : : "c"(0x12345), "a"(0), "d"(0));
    check("an unknown MSR: #GP on write", fault_vector == 13 && fault_error == 0);
    TRY("wrmsr", : : "c"(0xc0000080), "a"(1 << 12), "d"(0));
    check("EFER.SVME: #GP", fault_vector == 13);
    TRY("wrmsr", : : "c"(0x277), "a"(2), "d"(0));
    check("a bad PAT: #GP", fault_vector == 13);
    wrmsr(0xc0000082, 0xffffffff81000000);
    check("LSTAR keeps its value", rdmsr(0xc0000082) == 0xffffffff81000000);
    wrmsr(0xc0000102, 0x123456789);
    check("KERNEL_GS_BASE keeps its value", rdmsr(0xc0000102) == 0x123456789);
    wrmsr(0x277, 0x0007040600070401);
    check("PAT keeps its value", rdmsr(0x277) == 0x0007040600070401);

    __asm__ volatile("mov %%cr0, %0" : "=r"(old));
    check("CR0 is what was set", old == 0x80010033);
    __asm__ volatile("mov %0, %%cr0" : : "r"(old | 1 << 30));
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    check("CR0.CD reads back", value == (old | 1 << 30));
    __asm__ volatile("mov %0, %%cr0" : : "r"(old));
    TRY("mov %0, %%cr0", : : "r"(old | 1 << 29));
    check("CR0.NW without CD: #GP", fault_vector == 13);
    TRY("mov %0, %%cr0", : : "r"(old & ~1ull));
    check("CR0.PG without PE: #GP", fault_vector == 13);
    __asm__ volatile("mov %%cr4, %0" : "=r"(old));
    check("CR4 is what was set", old == 0x6a0);
    TRY("mov %0, %%cr4", : : "r"(old | 1 << 13));
    check("CR4.VMXE: #GP", fault_vector == 13);
    TRY("mov %0, %%cr4", : : "r"(old & ~0x20ull));
    check("CR4.PAE off in long mode: #GP", fault_vector == 13);
    __asm__ volatile("mov %0, %%cr4" : : "r"(old | 1 << 6));
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    check("CR4.MCE reads back", value == (old | 1 << 6));
    __asm__ volatile("mov %0, %%cr4" : : "r"(old));
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    check("CR4.MCE off reads back", value == old);
    __asm__ volatile("mov %0, %%cr2" : : "r"(0x1234567812345678));
    cpuid(0, 0, (uint32_t[4]){0});
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    check("CR2 survives an exit", value == 0x1234567812345678);
    __asm__ volatile("mov %0, %%dr3" : : "r"(0x1234567812345678));
    cpuid(0, 0, (uint32_t[4]){0});
    __asm__ volatile("mov %%dr3, %0" : "=r"(value));
    check("DR3 survives an exit", value == 0x1234567812345678);
}

static void instructions(void)
{
    uint64_t rax;

    TRY(".byte 0x0f, 0x01, 0xc2", : : : "memory"); /* VMLAUNCH */
    check("VMLAUNCH: #UD", fault_vector == 6);
    TRY("vmrun %%rax", : : "a"(0));
    check("VMRUN: #UD or #GP", fault_vector == 6 || fault_vector == 13);
    TRY("monitor %%rax, %%ecx, %%edx", : : "a"(0), "c"(0), "d"(0));
    check("MONITOR: #UD", fault_vector == 6 || word("monitor-runs"));
    TRY("rdpmc", : : "c"(0) : "eax", "edx");
    check("RDPMC: #GP", fault_vector == 13);
    TRY("vmcall", : "=a"(rax) : "a"(12345));
    check("an unknown hypercall by VMCALL: -1000, or #UD of the other vendor",
          fault_vector == 6 || rax == (uint64_t)-1000);
    TRY("vmmcall", : "=a"(rax) : "a"(12345));
    check("an unknown hypercall by VMMCALL: -1000, or #UD of the other vendor",
          fault_vector == 6 || rax == (uint64_t)-1000);
    TRY("ud2", : :);
    check("UD2: #UD", fault_vector == 6);
    TRY("movb (%0), %%al", : : "r"(0x800000000000) : "rax");
    check("a non-canonical address: #GP", fault_vector == 13);
    TRY("movb (%0), %%al", : : "r"(0x7fffff000) : "rax");
    check("an unmapped address: #PF", fault_vector == 14);
    TRY("wbinvd", : : : "memory");
    check("WBINVD", fault_vector == NO_FAULT);
}

/* A single-step trap comes behind the instruction, also behind one that is emulated. */
static void single_step(void)
{
    uint64_t behind = 0;

    fault_vector = NO_FAULT;
    __asm__ volatile(
        "movq $1f, fault_resume\n"
        "movq $1f, %0\n"
        "pushq $0x102\n"
        "popfq\n"
        "cpuid\n"
        "1: movq $0, fault_resume"
        : "=&r"(behind)
        : "a"(0), "c"(0)
        : "rbx", "rdx", "memory");
    check("a single step over CPUID: #DB behind it", fault_vector == 1 && fault_rip == behind);
}

void guest_main(uint32_t info_address)
{
    const struct multiboot_info *info = (const struct multiboot_info *)(uintptr_t)info_address;

    command_line = (const char *)(uintptr_t)info->command_line;
    print("basics: %s\n", command_line);
    check("multiboot magic", multiboot_magic == 0x2badb002);
    check("the command line is ours", command_line[0] == 'o' && word("one two"));
    check("there is memory", info->mem_upper > 64 * 1024);
    identification();
    ports();
    registers();
    instructions();
    if (!word("no-step"))
        single_step();
}

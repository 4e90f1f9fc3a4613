/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"

#include "context_layout.h"
#include "exception.h"
#include "frame.h"
#include "insn.h"
#include "log.h"
#include "machine.h"
#include "x86_bits.h"

_Static_assert(offsetof(struct context, reg) == CONTEXT_RAX, "context_layout.h");
_Static_assert(offsetof(struct context, reg[REG_R15]) == CONTEXT_R15, "context_layout.h");
_Static_assert(offsetof(struct context, requests) == CONTEXT_REQUESTS, "context_layout.h");

struct cpu *cpus[MAX_CPUS];
unsigned cpu_count;

void cpu_add_boot(void)
{
    boot_cpu.self = &boot_cpu;
    cpus[cpu_count++] = &boot_cpu;
}

struct cpu *cpu_add(uint32_t apic_id)
{
    struct cpu *cpu;

    if (cpu_count == MAX_CPUS) {
        log_line("cpu: more than %u CPUs, APIC id %u stays off", MAX_CPUS, apic_id);
        return 0;
    }
    cpu = frames_take(sizeof *cpu);
    cpu->self = cpu;
    cpu->index = cpu_count;
    cpu->apic_id = apic_id;
    cpus[cpu_count++] = cpu;
    return cpu;
}

void cpu_load(struct cpu *cpu)
{
    uint64_t tss = (uintptr_t)&cpu->tss;

    for (unsigned i = 0; i < IST_COUNT - 1; i++)
        cpu->tss.ist[i] = (uintptr_t)cpu->ist_stack[i] + sizeof cpu->ist_stack[i];
    cpu->tss.iomap = sizeof cpu->tss;
    cpu->gdt[SELECTOR_CODE / 8] = 0x00af9b000000ffff;
    cpu->gdt[SELECTOR_DATA / 8] = 0x00cf93000000ffff;
    /* A 64-bit TSS, available (SDM 3A 7.2.3): base in four pieces, limit in two. */
    cpu->gdt[SELECTOR_TSS / 8] =
        (sizeof cpu->tss - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    cpu->gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
    lgdt(&(struct descriptor_pointer){.limit = sizeof cpu->gdt - 1, .base = (uintptr_t)cpu->gdt});
    idt_load();
    ltr(SELECTOR_TSS);
    wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
}

void cpu_setup(void)
{
    uint64_t cr4 = read_cr4() | CR4_MCE;

    if (cpuid(1, 0).ecx >> 26 & 1)
        cr4 |= CR4_OSXSAVE;
    write_cr4(cr4);
    /* As after reset, but entry 4, otherwise a second WB, is WC. Nested tables of SVM use entries 0 to 3. */
    wrmsr(MSR_PAT, 0x0007040100070406);
}

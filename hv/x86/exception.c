/* SPDX-License-Identifier: BSD-2-Clause */
#include "exception.h"

#include "console.h"
#include "cpu.h"
#include "format.h"
#include "insn.h"
#include "lapic_host.h"
#include "log.h"
#include "machine.h"
#include "relay_host.h"
#include "router.h"
#include "vcpu.h"
#include "x86_bits.h"

struct __attribute__((packed)) gate {
    uint16_t offset0;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset16;
    uint32_t offset32;
    uint32_t reserved;
};

struct fixup {
    uint64_t fault, resume;
};

extern const uint8_t entry_stubs[256][16];
extern const uint8_t vmx_window[], vmx_window_end[], vmx_window_abort[]; /* vmx_entry.S */
extern const struct fixup fixups_start[], fixups_end[];

static struct gate idt[256];
static volatile bool panicking;

void idt_init(void)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t entry = (uintptr_t)entry_stubs[vector];

        idt[vector] = (struct gate){
            .offset0 = (uint16_t)entry,
            .offset16 = (uint16_t)(entry >> 16),
            .offset32 = (uint32_t)(entry >> 32),
            .selector = SELECTOR_CODE,
            .type = 0x8e, /* present, interrupt gate */
        };
    }
    idt[VECTOR_NMI].ist = IST_NMI;
    idt[VECTOR_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
    idt[VECTOR_MACHINE_CHECK].ist = IST_MACHINE_CHECK;
}

void idt_load(void)
{
    lidt(&(struct descriptor_pointer){.limit = sizeof idt - 1, .base = (uintptr_t)idt});
}

uint64_t idt_address(void)
{
    return (uintptr_t)idt;
}

/* The other CPUs stop where they are: an NMI reaches them even in a guest. */
static void stop_all(void)
{
    panicking = true;
    if (cpu_count > 1)
        lapic_host_nmi_others();
    console_emergency();
}

static void __attribute__((noreturn)) stop_here(void)
{
    for (;;) {
        irq_disable();
        halt();
    }
}

void panic(const char *format, ...)
{
    char line[LOG_LINE];
    va_list arguments;

    if (panicking)
        stop_here();
    stop_all();
    va_start(arguments, format);
    format_va(line, sizeof line, format, arguments);
    va_end(arguments);
    log_line("panic: %s", line);
    log_line("panic: the machine stops here");
    stop_here();
}

static const char *exception_name(uint64_t vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#9",  "#TS",
        "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
    };
    return vector < sizeof names / sizeof *names ? names[vector] : "exception";
}

static void dump_machine_check(void)
{
    unsigned banks = rdmsr(MSR_MCG_CAP) & 0xff;

    log_line("MCG_STATUS %lx", rdmsr(MSR_MCG_STATUS));
    for (unsigned bank = 0; bank < banks && bank < 64; bank++) {
        uint64_t status = rdmsr(MSR_MC0_STATUS + 4 * bank);

        if (status >> 63)
            log_line("MC%u_STATUS %lx ADDR %lx MISC %lx", bank, status,
                     status >> 58 & 1 ? rdmsr(MSR_MC0_STATUS + 1 + 4 * bank) : 0,
                     status >> 59 & 1 ? rdmsr(MSR_MC0_STATUS + 2 + 4 * bank) : 0);
    }
}

void machine_check(void)
{
    stop_all();
    log_line("panic: machine check on CPU %u, in a guest", this_cpu()->index);
    dump_machine_check();
    log_line("panic: the machine stops here");
    stop_here();
}

static void __attribute__((noreturn)) die(const struct exception_frame *f)
{
    const uint64_t *stack = (const uint64_t *)f->rsp;

    if (panicking)
        stop_here();
    stop_all();
    log_line("panic: %s (vector %lu, error %lx) in the hypervisor, CPU %u", exception_name(f->vector),
             f->vector, f->error, this_cpu()->index);
    log_line("rip %lx rflags %lx cr2 %lx", f->rip, f->rflags, read_cr2());
    log_line("rax %lx rbx %lx rcx %lx rdx %lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("rsi %lx rdi %lx rbp %lx rsp %lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_line("r8 %lx r9 %lx r10 %lx r11 %lx", f->r8, f->r9, f->r10, f->r11);
    log_line("r12 %lx r13 %lx r14 %lx r15 %lx", f->r12, f->r13, f->r14, f->r15);
    if (f->vector == VECTOR_MACHINE_CHECK)
        dump_machine_check();
    /* A wrecked stack pointer must not end the dump with a fault of its own. */
    if (f->rsp % 8 == 0 && f->rsp >= (uintptr_t)this_cpu() && f->rsp + 128 <= (uintptr_t)(this_cpu() + 1))
        for (unsigned i = 0; i < 16; i += 4)
            log_line("stack %lx %lx %lx %lx", stack[i], stack[i + 1], stack[i + 2], stack[i + 3]);
    log_line("panic: the machine stops here");
    stop_here();
}

/*
 * An NMI is a kick, when another CPU said so, or the platform's: that one is counted, reported with this
 * CPU's next interrupt, as an NMI may have met any lock, and the machine goes on: its meaning (a button, a
 * watchdog, a memory error) is the platform's own.
 */
static void nmi_handle(struct exception_frame *frame)
{
    struct cpu *cpu = this_cpu();

    if (panicking)
        stop_here();
    if (cpu->nmi_kicked) {
        cpu->nmi_kicked = false;
        if (frame->rip >= (uintptr_t)vmx_window && frame->rip < (uintptr_t)vmx_window_end)
            frame->rip = (uintptr_t)vmx_window_abort;
        return;
    }
    cpu->nmis++;
    __atomic_fetch_or(&cpu->attention, ATTENTION_NMI, __ATOMIC_RELAXED);
}

/*
 * QEMU's TCG, with the interrupt of an exit due and by then gone, delivers vector -1: beyond the IDT, so #GP
 * with the error code -1 * 8 + 2, which no CPU makes. Nobody asked for anything.
 */
static bool is_no_interrupt(const struct exception_frame *frame)
{
    return frame->vector == 13 && frame->error == (uint64_t)-6;
}

void exception_handle(struct exception_frame *frame)
{
    if (is_no_interrupt(frame)) {
        this_cpu()->spurious++;
        return;
    }
    if (frame->vector >= VECTOR_FIRST_IRQ) {
        interrupt_handle((unsigned)frame->vector);
        return;
    }
    if (frame->vector == VECTOR_NMI) {
        nmi_handle(frame);
        return;
    }
    for (const struct fixup *fixup = fixups_start; fixup < fixups_end; fixup++)
        if (fixup->fault == frame->rip) {
            frame->rip = fixup->resume;
            return;
        }
    die(frame);
}

static void tell_nmis(struct cpu *cpu)
{
    __atomic_fetch_and(&cpu->attention, (uint8_t)~ATTENTION_NMI, __ATOMIC_RELAXED);
    log_line("cpu %u: an NMI of the platform, %lu in all", cpu->index, cpu->nmis);
}

/* Apart, so that the common way keeps no registers. True: the interrupt is the guest's. */
static __attribute__((noinline)) bool attend(struct cpu *cpu, unsigned vector)
{
    if (cpu->attention & ATTENTION_NMI)
        tell_nmis(cpu);
    if (!(cpu->attention & ATTENTION_GUEST))
        return false;
    direct_late((struct vcpu *)cpu->context, vector);
    return true;
}

void interrupt_handle(unsigned vector)
{
    struct cpu *cpu = this_cpu();

    cpu->interrupts++;
    if (cpu->attention && attend(cpu, vector)) {
        lapic_host_eoi();
        return;
    }
    if (vector == VECTOR_TIMER) {
        if (cpu->context)
            __atomic_fetch_or(&cpu->context->requests, REQUEST_TIMER, __ATOMIC_RELAXED);
    } else if (vector == VECTOR_SPURIOUS) {
        cpu->spurious++;
        return; /* takes no EOI */
    } else if (vector == VECTOR_CONSOLE) {
        console_interrupt();
    } else if (vector <= DIRECT_LAST && cpu->guests) {
        direct_late((struct vcpu *)cpu->context, vector);
    } else if (vector >= ROUTER_VECTOR && vector < ROUTER_LINE_VECTOR + ROUTER_PINS) {
        relay_host_interrupt(vector);
    }
    lapic_host_eoi();
}

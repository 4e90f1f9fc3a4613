/* SPDX-License-Identifier: BSD-2-Clause */
/* NMIs come at the first moment at which they can be taken, though the guest never leaves by itself
 * meanwhile. */
#include "guest.h"

enum { NMI_VECTOR = 2, APIC_BASE_MSR = 0x1b, X2APIC = 0xc00, ICR_MSR = 0x830 };
enum { ICR_NMI = 0x4400, ICR_INIT = 0x4500, ICR_SIPI = 0x4600, SECOND_PAGE = 8 };
enum { RFLAGS_TF = 1 << 8, DR6_BS = 1 << 14, ROUNDS = 200 };

extern const uint8_t second_start[], second_end[];
void second_main(void);

static volatile unsigned nmis, own_nmis;
static volatile bool second_runs, stop, second_stopped;
static volatile uint64_t second_flags, second_dr6;

static void send(uint32_t apic_id, uint32_t command)
{
    wrmsr(ICR_MSR, (uint64_t)apic_id << 32 | command);
}

/* Says how many NMIs the handler is to send to its own CPU. */
static void on_nmi(void)
{
    nmis++;
    for (; own_nmis; own_nmis--)
        send(0, ICR_NMI);
}

static unsigned nmis_of(unsigned sent_by_handler)
{
    nmis = 0;
    own_nmis = sent_by_handler;
    send(0, ICR_NMI);
    return nmis;
}

/* The trap goes first, and the NMI waits for nothing but its delivery. */
static void with_trap(void)
{
    unsigned seen;

    nmis = 0;
    fault_vector = NO_FAULT;
    __asm__ volatile(
        "movq $1f, fault_resume\n"
        "pushq $0x102\n"
        "popfq\n"
        "wrmsr\n"
        "1: movl %1, %0\n"
        "movq $0, fault_resume"
        : "=&r"(seen)
        : "m"(nmis), "c"(ICR_MSR), "a"(ICR_NMI), "d"(0)
        : "memory");
    check("an NMI that comes with a single-step trap is taken behind it", fault_vector == 1 && seen == 1);
}

/* Most of its time it is behind STI. */
void second_main(void)
{
    uint64_t flags = 0, at_rest, dr6;

    wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | X2APIC);
    second_runs = true;
    while (!stop) {
        __asm__ volatile(
            "sti\n"
            "cli\n"
            "pushfq\n"
            "popq %0"
            : "=r"(at_rest)
            :
            : "memory");
        flags |= at_rest;
    }
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    second_flags = flags;
    second_dr6 = dr6;
    second_stopped = true;
}

static void behind_sti(void)
{
    uint8_t *page = (uint8_t *)(uintptr_t)(SECOND_PAGE << 12);

    for (const uint8_t *from = second_start; from < second_end; from++)
        *page++ = *from;
    send(1, ICR_INIT);
    send(1, ICR_SIPI | SECOND_PAGE);
    while (!second_runs)
        __asm__ volatile("pause");
    nmis = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        send(1, ICR_NMI);
        while (nmis == i)
            __asm__ volatile("pause");
    }
    stop = true;
    while (!second_stopped)
        __asm__ volatile("pause");
    check("NMIs at a CPU that is always behind STI are taken", nmis == ROUNDS);
    check("its RFLAGS and DR6 show nothing of that", !(second_flags & RFLAGS_TF) && !(second_dr6 & DR6_BS));
}

void guest_main(uint32_t info_address)
{
    const struct multiboot_info *info = (const struct multiboot_info *)(uintptr_t)info_address;
    bool steps = !contains((const char *)(uintptr_t)info->command_line, "no-step");

    interrupt_handlers[NMI_VECTOR] = on_nmi;
    wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | X2APIC);
    check("an NMI to itself is taken at once", nmis_of(0) == 1);
    /* What follows needs single steps, the guest's or the hypervisor's. */
    if (!steps)
        return;
    check("of two NMIs while one is handled, one is left", nmis_of(2) == 2);
    with_trap();
    behind_sti();
}

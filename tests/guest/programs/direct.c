/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mechanism direct_irq, seen by a guest of two CPUs: interrupts of the second CPU's timer and from the first
 * CPU, while somebody at the hypervisor's prompt switches the mechanism. "switch on" and "switch off" ask for
 * it; the statistics tell when it was done.
 *
 *     exits WHAT on|off interrupts exits    of the second CPU, in each round
 *     latency on|off ticks                  from the deadline to the handler, the most frequent value
 */
#include "guest.h"
#include "mechanism.h"
#include "statistics.h"

enum {
    APIC_BASE = 0x1b,
    TSC_DEADLINE = 0x6e0,
    X2APIC_EOI = 0x80b,
    X2APIC_SPURIOUS = 0x80f,
    X2APIC_ICR = 0x830,
    X2APIC_LVT_TIMER = 0x832,
    X2APIC_COUNT = 0x838,
    X2APIC_DIVIDE = 0x83e,
    X2APIC_SELF_IPI = 0x83f,
};
enum { LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17, LVT_DEADLINE = 1 << 18, BY_ONE = 0xb };
enum { ICR_NMI = 0x4400, ICR_INIT = 0x4500, ICR_SIPI = 0x4600, ICR_FIXED = 0x4000, SECOND_PAGE = 8 };
enum {
    TIMER = 0x42,
    IPI = 0x45,
    OWN = 0x1f,
    NMI = 2,
    INTERRUPTS = 100,
    PERIOD = 300000,
    LEAD = 20000,
    SWITCHES = 8
};

extern const uint8_t second_start[], second_end[];
void second_main(void);

static const struct statistics *statistics;

/* What the first CPU has the second do. */
static enum task { IDLE, PERIODIC, DEADLINES, LISTEN, SEND_ITSELF } volatile task;
static volatile unsigned timers, ipis, own, nmis;
static volatile uint64_t handled_at, spent;
static uint32_t samples[INTERRUPTS];

static void on_timer(void)
{
    handled_at = rdtsc();
    timers++;
    wrmsr(X2APIC_EOI, 0);
}

static void on_ipi(void)
{
    ipis++;
    wrmsr(X2APIC_EOI, 0);
}

static void on_own(void)
{
    own++;
    wrmsr(X2APIC_EOI, 0);
}

static void on_nmi(void)
{
    nmis++;
}

/* Of the second CPU. */
static uint64_t exits(void)
{
    const uint8_t *cpu = (const uint8_t *)statistics + statistics->cpu + statistics->stride;
    const volatile uint64_t *counts = (const void *)(cpu + statistics->exits);
    uint64_t sum = 0;

    for (unsigned i = 0; i < statistics->kinds; i++)
        sum += counts[i];
    return sum;
}

/* ---- the second CPU ---- */

static void wait_for(unsigned count)
{
    while (timers < count)
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void run_periodic(void)
{
    const unsigned first = timers + 1;
    uint64_t before;

    wrmsr(X2APIC_LVT_TIMER, LVT_PERIODIC | TIMER);
    wrmsr(X2APIC_DIVIDE, BY_ONE);
    wrmsr(X2APIC_COUNT, PERIOD);
    wait_for(first);
    before = exits();
    wait_for(first + INTERRUPTS);
    spent = exits() - before;
    wrmsr(X2APIC_COUNT, 0);
    wrmsr(X2APIC_LVT_TIMER, LVT_MASKED);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

/* Each interrupt comes once, and not before its time. */
static void run_deadlines(void)
{
    wrmsr(X2APIC_LVT_TIMER, LVT_DEADLINE | TIMER);
    for (unsigned i = 0; i < INTERRUPTS; i++) {
        const unsigned before = timers;
        const uint64_t deadline = rdtsc() + LEAD;

        wrmsr(TSC_DEADLINE, deadline);
        __asm__ volatile("sti" : : : "memory");
        while (timers == before)
            __asm__ volatile("pause" : : : "memory");
        __asm__ volatile("cli" : : : "memory");
        samples[i] = handled_at < deadline || timers != before + 1 ? 0 : (uint32_t)(handled_at - deadline);
    }
    wrmsr(X2APIC_LVT_TIMER, LVT_MASKED);
}

void second_main(void)
{
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | 1 << 10);
    wrmsr(X2APIC_SPURIOUS, 0x1ff);
    for (;;) {
        switch (task) {
        case PERIODIC:
            run_periodic();
            break;
        case DEADLINES:
            run_deadlines();
            break;
        case LISTEN:
            __asm__ volatile("sti" : : : "memory");
            while (task == LISTEN)
                __asm__ volatile("hlt" : : : "memory");
            __asm__ volatile("cli" : : : "memory");
            continue;
        case SEND_ITSELF:
            wrmsr(X2APIC_SELF_IPI, OWN);
            __asm__ volatile("sti; nop; nop; cli" : : : "memory");
            break;
        default:
            __asm__ volatile("pause");
            continue;
        }
        task = IDLE;
    }
}

/* ---- the first ---- */

static void send(uint32_t command)
{
    wrmsr(X2APIC_ICR, 1ull << 32 | command);
}

static void let_run(uint64_t ticks)
{
    const uint64_t end = rdtsc() + ticks;

    while (rdtsc() < end)
        __asm__ volatile("pause");
}

static void have(enum task wanted)
{
    task = wanted;
    while (task == wanted)
        __asm__ volatile("pause");
}

static uint32_t most_frequent(void)
{
    uint32_t mode = 0;
    unsigned best = 0;

    for (unsigned i = 0; i < INTERRUPTS; i++) {
        unsigned same = 0;

        for (unsigned j = 0; j < INTERRUPTS; j++)
            same += samples[j] == samples[i];
        if (same > best) {
            best = same;
            mode = samples[i];
        }
    }
    return mode;
}

static void send_all(void)
{
    for (unsigned i = 0; i < INTERRUPTS; i++) {
        const unsigned before = ipis;

        send(ICR_FIXED | IPI);
        while (ipis == before)
            __asm__ volatile("pause");
    }
}

static void measure(const char *way)
{
    uint64_t before;
    unsigned first;
    bool good = true;

    have(PERIODIC);
    print("exits periodic %s %u %lu\n", way, INTERRUPTS, spent);
    first = timers;
    before = exits();
    have(DEADLINES);
    print("exits deadline %s %u %lu\n", way, timers - first, exits() - before);
    for (unsigned i = 0; i < INTERRUPTS; i++)
        good &= samples[i] != 0;
    check("each deadline makes one interrupt, and not before it", good && timers - first == INTERRUPTS);
    print("latency %s %u\n", way, most_frequent());
    task = LISTEN;
    let_run(PERIOD);
    first = ipis;
    before = exits();
    send_all();
    print("exits ipi %s %u %lu\n", way, ipis - first, exits() - before);
    check("each interrupt from the other CPU is handled once", ipis - first == INTERRUPTS);
    first = nmis;
    for (unsigned i = 0; i < 10; i++) {
        send(ICR_NMI);
        while (nmis == first + i)
            __asm__ volatile("pause");
    }
    check("NMIs reach it", nmis == first + 10);
    task = IDLE;
    send(ICR_FIXED | IPI);
}

static bool is_on(void)
{
    return *(const volatile uint32_t *)&statistics->mechanisms >> MECHANISM_DIRECT_IRQ & 1;
}

static void ask_for(bool on)
{
    print("switch %s\n", on ? "on" : "off");
    while (is_on() != on)
        __asm__ volatile("pause");
    let_run(PERIOD);
}

static void start_second(void)
{
    uint8_t *page = (uint8_t *)(uintptr_t)(SECOND_PAGE << 12);

    for (const uint8_t *from = second_start; from < second_end; from++)
        *page++ = *from;
    send(ICR_INIT);
    send(ICR_SIPI | SECOND_PAGE);
}

/* Interrupts of both kinds, and a switch sometime in between. */
static void while_switched(void)
{
    const unsigned first = ipis;
    unsigned rounds = 0;
    bool good = true;

    for (unsigned turn = 0; turn < SWITCHES; turn++) {
        const bool on = turn % 2 == 0;

        print("switch %s\n", on ? "on" : "off");
        do {
            const unsigned before = timers;

            have(DEADLINES);
            good &= timers - before == INTERRUPTS;
            task = LISTEN;
            send_all();
            task = IDLE;
            send(ICR_FIXED | IPI);
            rounds++;
        } while (is_on() != on);
    }
    task = LISTEN; /* takes the last one, if that found it with its interrupts off */
    let_run(PERIOD);
    print("%u rounds\n", rounds);
    check("under switches each deadline makes one interrupt", good);
    check("under switches each interrupt of the other CPU is handled once",
          ipis - first == rounds * (INTERRUPTS + 1));
    task = IDLE;
    send(ICR_FIXED | IPI);
}

void guest_main(uint32_t multiboot_info)
{
    uint32_t r[4];

    (void)multiboot_info;
    cpuid(STATISTICS_LEAF, 0, r);
    statistics = (const struct statistics *)((uint64_t)r[2] << 32 | r[1]);
    interrupt_handlers[TIMER] = on_timer;
    interrupt_handlers[IPI] = on_ipi;
    interrupt_handlers[OWN] = on_own;
    interrupt_handlers[NMI] = on_nmi;
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | 1 << 10);
    /* Bochs lets the hypervisor's interrupts in only then, the console's among them. */
    __asm__ volatile("sti");
    start_second();
    measure("off");
    ask_for(true);
    measure("on");
    ask_for(false);
    measure("off");
    have(DEADLINES); /* takes what woke it */
    while_switched();
    ask_for(true);
    have(SEND_ITSELF);
    check("a vector that the CPU has for exceptions is taken as an interrupt", own == 1);
    print("end\n");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an exit costs, in ticks of the TSC: on Bochs that is in instructions, and the same at each run.
 *
 * A sample is two RDTSC around the operation; 20 operations warm up, then 1000 are sampled, and the most
 * frequent value counts. Exits and state reads per operation come from the statistics that the hypervisor
 * keeps for its LPAR. A line: bench NAME mode min max exits state-reads (the last two of all operations
 * together)
 */
#include "guest.h"
#include "statistics.h"

enum { WARM = 20, SAMPLES = 1000, VECTOR_IPI = 0x41, VECTOR_TIMER = 0x42 };
enum {
    X2APIC_TPR = 0x808,
    X2APIC_EOI = 0x80b,
    X2APIC_SPURIOUS = 0x80f,
    X2APIC_LVT_TIMER = 0x832,
    X2APIC_SELF_IPI = 0x83f,
    APIC_BASE = 0x1b,
    TSC_DEADLINE = 0x6e0
};

static uint32_t samples[SAMPLES];
static const struct statistics *statistics;

struct counts {
    uint64_t exits, reads;
};

static struct counts counts(void)
{
    const struct statistics_cpu *cpu = (const void *)((const uint8_t *)statistics + statistics->cpu);
    const volatile uint64_t *exits = (const void *)((const uint8_t *)cpu + statistics->exits);
    struct counts c = {.reads = *(const volatile uint64_t *)&cpu->state_reads};

    for (unsigned i = 0; i < statistics->kinds; i++)
        c.exits += exits[i];
    return c;
}

static void report(const char *name, const struct counts *before)
{
    struct counts after = counts();
    uint32_t mode = 0, best = 0, least = ~0u, most = 0;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint32_t same = 0;

        for (unsigned j = 0; j < SAMPLES; j++)
            same += samples[j] == samples[i];
        if (same > best) {
            best = same;
            mode = samples[i];
        }
        least = samples[i] < least ? samples[i] : least;
        most = samples[i] > most ? samples[i] : most;
    }
    print("bench %s %u %u %u %lu %lu\n", name, mode, least, most, after.exits - before->exits,
          after.reads - before->reads);
}

#define SAMPLE(name, before_each, operation, ...)                                                            \
    do {                                                                                                     \
        struct counts start = {0};                                                                           \
        for (int i = -WARM; i < SAMPLES; i++) {                                                              \
            uint64_t from, to;                                                                               \
            if (i == 0)                                                                                      \
                start = counts();                                                                            \
            before_each;                                                                                     \
            from = rdtsc();                                                                                  \
            __asm__ volatile(operation __VA_ARGS__);                                                         \
            to = rdtsc();                                                                                    \
            if (i >= 0)                                                                                      \
                samples[i] = (uint32_t)(to - from);                                                          \
        }                                                                                                    \
        report(name, &start);                                                                                \
    } while (0)

/* Three registers, a look at the clock, a count, EOI: what a handler does at least. */
extern const uint8_t ipi_handler[];
uint64_t ipi_count, ipi_time;
__asm__(
    ".text\n"
    "ipi_handler:\n"
    "push %rax\npush %rcx\npush %rdx\n"
    "rdtsc\nshl $32, %rdx\nor %rdx, %rax\nmov %rax, ipi_time\nincq ipi_count\n"
    "mov $0x80b, %ecx\nxor %eax, %eax\nxor %edx, %edx\nwrmsr\n"
    "pop %rdx\npop %rcx\npop %rax\n"
    "iretq\n");

struct gate {
    uint16_t low, selector, type, middle;
    uint32_t high, zero;
};

static void set_gate(unsigned vector, const uint8_t *handler)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idt;
    struct gate *gate;
    uint64_t address = (uintptr_t)handler;

    __asm__("sidt %0" : "=m"(idt));
    gate = (struct gate *)idt.base + vector;
    gate->low = (uint16_t)address;
    gate->middle = (uint16_t)(address >> 16);
}

static void exits(void)
{
    uint32_t a, b, c, d;

    (void)a, (void)b, (void)c, (void)d;
    SAMPLE("empty", (void)0, "");
    SAMPLE("cpuid", (void)0, "cpuid", : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0), "c"(0));
    if (statistics->names && rdmsr(APIC_BASE)) {
        uint32_t id[4];

        cpuid(0, 0, id);
        if (id[1] == 0x756e6547)
            SAMPLE("hypercall", (void)0, "vmcall", : "=a"(a) : "a"(1000) : "memory");
        else
            SAMPLE("hypercall", (void)0, "vmmcall", : "=a"(a) : "a"(1000) : "memory");
    }
    SAMPLE("rdmsr", (void)0, "rdmsr", : "=a"(a), "=d"(d) : "c"(APIC_BASE));
    SAMPLE("port", (void)0, "inb $0x92, %%al", : "=a"(a));
    SAMPLE("mmio", (void)0, "movl 0xfec00000, %0", : "=r"(a));
}

static void interrupts(void)
{
    set_gate(VECTOR_IPI, ipi_handler);
    set_gate(VECTOR_TIMER, ipi_handler);
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | 1 << 10);
    wrmsr(X2APIC_SPURIOUS, 0x1ff);
    SAMPLE("eoi", (void)0, "wrmsr", : : "c"(X2APIC_EOI), "a"(0), "d"(0));
    __asm__ volatile("sti");
    SAMPLE("self_ipi", (void)0, "wrmsr", : : "c"(X2APIC_SELF_IPI), "a"(VECTOR_IPI), "d"(0) : "memory");
    __asm__ volatile("cli");
    check("every IPI has come", ipi_count == WARM + SAMPLES);
}

/* The host's timer interrupts while the guest spins; what is due for the guest is held back by its TPR: so
 * nothing of the guest's runs, and the largest gap in the spin is the exit alone. */
static void host_interrupt(void)
{
    struct counts start = counts();

    wrmsr(X2APIC_LVT_TIMER, 2 << 17 | VECTOR_TIMER);
    __asm__ volatile("sti");
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t deadline, last, now, gap = 0;

        __asm__ volatile("mov %0, %%cr8" : : "r"(15ull));
        deadline = rdtsc() + 20000;
        wrmsr(TSC_DEADLINE, deadline);
        if (i == 0)
            start = counts();
        for (last = rdtsc(); (now = rdtsc()) < deadline + 5000; last = now)
            if (now - last > gap)
                gap = now - last;
        samples[i] = (uint32_t)gap;
        __asm__ volatile("mov %0, %%cr8" : : "r"(0ull));
    }
    __asm__ volatile("cli");
    report("interrupt", &start);
}

/* Pages that nobody has touched since the machine's start: nested tables are filled before, so no exit comes.
 */
static void first_touch(void)
{
    volatile uint8_t *page = (volatile uint8_t *)(32ull << 20);
    struct counts start = counts();

    for (unsigned i = 0; i < SAMPLES; i++, page += 4096) {
        uint64_t from = rdtsc();

        *page = 1;
        samples[i] = (uint32_t)(rdtsc() - from);
    }
    report("first_touch", &start);
}

void guest_main(uint32_t multiboot_info)
{
    uint32_t r[4];

    (void)multiboot_info;
    cpuid(0x40000000, 0, r);
    cpuid(STATISTICS_LEAF, 0, r);
    statistics = (const struct statistics *)((uint64_t)r[2] << 32 | r[1]);
    check("there are statistics", r[0] == STATISTICS_VERSION && statistics->magic == STATISTICS_MAGIC);
    exits();
    first_touch();
    interrupts();
    host_interrupt();
}

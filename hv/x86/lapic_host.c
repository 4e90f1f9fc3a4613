/* SPDX-License-Identifier: BSD-2-Clause */
#include "lapic_host.h"

#include "exception.h"
#include "insn.h"
#include "relax.h"
#include "time_host.h"
#include "x86_bits.h"

enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_IRR = 0x200, /* 32 vectors each 10h */
    LAPIC_ESR = 0x280,
    LAPIC_LVT_CMCI = 0x2f0,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350, /* LINT1 follows */
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_COUNT = 0x380,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

enum {
    BASE_ENABLE = 1 << 11,
    BASE_X2APIC = 1 << 10,
    SPURIOUS_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_NMI = 4 << 8,
    TIMER_PERIODIC = 1 << 17,
    TIMER_DEADLINE = 2 << 17,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_ASSERT = 1 << 14,
    ICR_PENDING = 1 << 12,
    ICR_OTHERS = 3 << 18,
};

/* 10 us, as a part of a second: a deadline that is past makes its interrupt in less. */
enum { FIRES_WITHIN = 100000 };

static bool x2apic, tsc_deadline;
static unsigned nmi_pins;
static volatile uint32_t *page;
static uint64_t count_rate; /* timer counts per second, without TSC deadline */

static uint32_t read(enum lapic_register which)
{
    return x2apic ? (uint32_t)rdmsr(MSR_X2APIC + which / 16) : page[which / 4];
}

static void write(enum lapic_register which, uint32_t value)
{
    if (x2apic)
        wrmsr(MSR_X2APIC + which / 16, value);
    else
        page[which / 4] = value;
}

static void icr(uint32_t apic_id, uint32_t low)
{
    if (x2apic) {
        /* WRMSR to the x2APIC is not serialising: what the target is to see must be out first (SDM
         * 3A 11.12.3). */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)apic_id << 32 | low);
        return;
    }
    while (page[LAPIC_ICR / 4] & ICR_PENDING)
        relax();
    page[LAPIC_ICR_HIGH / 4] = apic_id << 24;
    page[LAPIC_ICR / 4] = low;
}

void lapic_host_choose(unsigned nmi_lints)
{
    struct cpuid id = cpuid(1, 0);

    /* The firmware may leave its timer running through the old controllers: mask all their inputs. */
    out8(0x21, 0xff);
    out8(0xa1, 0xff);

    nmi_pins = nmi_lints;
    x2apic = id.ecx >> 21 & 1;
    tsc_deadline = id.ecx >> 24 & 1;
    page = (volatile uint32_t *)(rdmsr(MSR_APIC_BASE) & 0xffffff000);
}

void lapic_host_init(void)
{
    static const uint16_t lvt[] = {LAPIC_LVT_TIMER, 0x330, 0x340, 0x350, 0x360};
    uint64_t base = rdmsr(MSR_APIC_BASE);
    unsigned last;

    base |= BASE_ENABLE;
    wrmsr(MSR_APIC_BASE, base);
    if (x2apic)
        wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
    write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    write(LAPIC_TPR, 0);
    last = (x2apic ? (uint32_t)rdmsr(MSR_X2APIC + 3) : page[0x30 / 4]) >> 16 & 0xff;
    for (unsigned i = 0; i < sizeof lvt / sizeof *lvt; i++)
        if (i <= last)
            write(lvt[i], LVT_MASKED);
    /* Firmware names the CPUs whose pin is connected; on the others it is quiet. */
    for (unsigned pin = 0; pin < 2; pin++)
        if (nmi_pins & 1u << pin)
            write(LAPIC_LVT_LINT0 + 0x10 * pin, LVT_NMI);
    write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    write(LAPIC_ESR, 0);
    if (tsc_deadline)
        write(LAPIC_LVT_TIMER, TIMER_DEADLINE | VECTOR_TIMER);
}

bool lapic_host_x2apic(void)
{
    return x2apic;
}

uint32_t lapic_host_id(void)
{
    uint32_t id = read(LAPIC_ID);

    return x2apic ? id : id >> 24;
}

void lapic_host_eoi(void)
{
    write(LAPIC_EOI, 0);
}

void lapic_host_ipi(uint32_t apic_id, uint8_t vector)
{
    icr(apic_id, ICR_ASSERT | vector);
}

void lapic_host_nmi(uint32_t apic_id)
{
    icr(apic_id, ICR_ASSERT | ICR_NMI);
}

void lapic_host_nmi_others(void)
{
    icr(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

void lapic_host_start(uint32_t apic_id, uint8_t page_number)
{
    /* SDM 3A 9.4.4.1: 10 ms after INIT, 200 us between the two SIPIs. */
    icr(apic_id, ICR_ASSERT | ICR_INIT);
    time_wait_us(10000);
    icr(apic_id, ICR_ASSERT | ICR_STARTUP | page_number);
    time_wait_us(200);
    icr(apic_id, ICR_ASSERT | ICR_STARTUP | page_number);
}

/* Divide by 1; how fast it counts is measured once, the bus clock is the same for all CPUs. */
static void measure(void)
{
    uint32_t before;

    if (count_rate)
        return;
    write(LAPIC_TIMER_DIVIDE, 0xb);
    write(LAPIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    write(LAPIC_TIMER_COUNT, ~0u);
    before = read(LAPIC_TIMER_COUNT + 0x10);
    time_wait_us(10000);
    count_rate = (uint64_t)(before - read(LAPIC_TIMER_COUNT + 0x10)) * 100;
}

static uint32_t counts_of(uint64_t ticks)
{
    const uint64_t counts = time_scale(ticks, count_rate);

    return counts == 0 ? 1 : counts > ~0u ? ~0u : (uint32_t)counts;
}

void lapic_host_deadline(uint64_t tsc)
{
    uint64_t now;

    if (tsc_deadline) {
        wrmsr(MSR_TSC_DEADLINE, tsc == ~0ull ? 0 : tsc ? tsc : 1);
        return;
    }
    if (tsc == ~0ull) {
        write(LAPIC_TIMER_COUNT, 0);
        return;
    }
    measure();
    now = rdtsc();
    write(LAPIC_TIMER_DIVIDE, 0xb);
    write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    write(LAPIC_TIMER_COUNT, counts_of(tsc > now ? tsc - now : 0));
}

/* ---- for a guest ---- */

void lapic_host_give(void)
{
    measure();
    write(LAPIC_LVT_ERROR, LVT_MASKED);
    write(LAPIC_LVT_TIMER, LVT_MASKED);
}

void lapic_host_take(void)
{
    write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    write(LAPIC_ESR, 0);
    write(LAPIC_LVT_ERROR, VECTOR_ERROR);
    write(LAPIC_LVT_TIMER, tsc_deadline ? TIMER_DEADLINE | VECTOR_TIMER : LVT_MASKED | VECTOR_TIMER);
}

uint32_t lapic_host_read(unsigned number)
{
    return read(16 * number);
}

void lapic_host_write(unsigned number, uint32_t value)
{
    write(16 * number, value);
}

void lapic_host_priority(uint8_t priority)
{
    write(LAPIC_TPR, priority);
}

bool lapic_host_any_requested(void)
{
    for (unsigned i = 0; i < 8; i++)
        if (read(LAPIC_IRR + 16 * i))
            return true;
    return false;
}

void lapic_host_timer(uint8_t vector, uint64_t at, uint64_t period, bool own)
{
    const uint64_t now = rdtsc();

    write(LAPIC_LVT_TIMER, LVT_MASKED); /* ends what was set, in either mode */
    write(LAPIC_TIMER_COUNT, 0);
    if (own) {
        write(LAPIC_LVT_TIMER, TIMER_DEADLINE | vector);
        /* The write of the mode comes first (SDM 3A 11.5.4.1). */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        wrmsr(MSR_TSC_DEADLINE, at == ~0ull ? 0 : at ? at : 1);
        return;
    }
    if (at == ~0ull)
        return;
    write(LAPIC_TIMER_DIVIDE, 0xb);
    write(LAPIC_LVT_TIMER, (period ? TIMER_PERIODIC : 0u) | vector);
    write(LAPIC_TIMER_COUNT, counts_of(period ? period : at > now ? at - now : 0));
}

uint64_t lapic_host_timer_stop(void)
{
    const bool deadline = read(LAPIC_LVT_TIMER) & TIMER_DEADLINE;
    const uint64_t at = deadline ? rdmsr(MSR_TSC_DEADLINE) : 0, now = rdtsc();
    const uint32_t counts = deadline ? 0 : read(LAPIC_TIMER_COUNT + 0x10);

    /* One that is past has fired, or does so now. Bochs 3.0 keeps the MSR's value when it has. */
    while (at && at <= now && rdmsr(MSR_TSC_DEADLINE) && rdtsc() - now < time_tsc_hz() / FIRES_WITHIN)
        relax();

    write(LAPIC_LVT_TIMER, LVT_MASKED);
    write(LAPIC_TIMER_COUNT, 0);
    if (deadline)
        return at > now ? at - now : 0;
    return counts ? mul_div(counts, time_tsc_hz(), count_rate) + 1 : 0;
}

bool lapic_host_has_deadline(void)
{
    return tsc_deadline;
}

uint64_t lapic_host_timer_deadline(void)
{
    return rdmsr(MSR_TSC_DEADLINE);
}

bool lapic_host_requested(unsigned vector)
{
    return read(LAPIC_IRR + 0x10 * (vector / 32)) >> vector % 32 & 1;
}

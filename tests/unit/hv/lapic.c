/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "lapic.h"

#define CPUS  4
#define NEVER (~0ull)

struct cpu {
    struct lapic lapic;
    uint64_t timer, offset;
    unsigned eois, notifies, nmis, inits, sipis;
    uint8_t eoi_vector, sipi_vector;
};

static struct cpu cpu[CPUS];
static struct lapic_set set;
static uint64_t ticks;

static uint64_t env_ticks(void *owner)
{
    (void)owner;
    return ticks;
}

static uint64_t env_offset(void *owner)
{
    return ((struct cpu *)owner)->offset;
}

static void env_timer(void *owner, uint64_t at)
{
    ((struct cpu *)owner)->timer = at;
}

static void env_eoi(void *owner, uint8_t vector)
{
    ((struct cpu *)owner)->eois++;
    ((struct cpu *)owner)->eoi_vector = vector;
}

static void env_notify(void *owner)
{
    __atomic_fetch_add(&((struct cpu *)owner)->notifies, 1, __ATOMIC_RELAXED);
}

static void env_nmi(void *owner)
{
    ((struct cpu *)owner)->nmis++;
}

static void env_init(void *owner)
{
    ((struct cpu *)owner)->inits++;
}

static void env_sipi(void *owner, uint8_t vector)
{
    ((struct cpu *)owner)->sipis++;
    ((struct cpu *)owner)->sipi_vector = vector;
}

static const struct lapic_env env = {
    .ticks = env_ticks,
    .tsc_offset = env_offset,
    .timer = env_timer,
    .eoi = env_eoi,
    .notify = env_notify,
    .nmi = env_nmi,
    .init = env_init,
    .sipi = env_sipi,
};

static struct lapic *const a = &cpu[0].lapic, *const b = &cpu[1].lapic;

static void write(struct lapic *l, uint32_t offset, uint32_t value)
{
    lapic_mmio_write(l, offset, 4, value);
}

static uint32_t read(struct lapic *l, uint32_t offset)
{
    return (uint32_t)lapic_mmio_read(l, offset, 4);
}

static void set_up(void)
{
    memset(cpu, 0, sizeof cpu);
    memset(&set, 0, sizeof set);
    ticks = 1000000;
    for (unsigned i = 0; i < CPUS; i++) {
        cr_assert(lapic_init(&cpu[i].lapic, &set, i, &env, &cpu[i]));
        write(&cpu[i].lapic, 0xf0, 0x1ff);
    }
}

static void to_x2apic(void)
{
    uint64_t base;
    for (unsigned i = 0; i < CPUS; i++) {
        cr_assert(lapic_msr_read(&cpu[i].lapic, LAPIC_MSR_BASE, &base));
        cr_assert(lapic_msr_write(&cpu[i].lapic, LAPIC_MSR_BASE, base | 0x400));
    }
}

static bool wrmsr(struct lapic *l, uint32_t msr, uint64_t value)
{
    return lapic_msr_write(l, msr, value);
}

static uint64_t rdmsr(struct lapic *l, uint32_t msr)
{
    uint64_t value = 0xbad;
    cr_assert(lapic_msr_read(l, msr, &value), "RDMSR %x", msr);
    return value;
}

/* The vector that the CPU takes next, acknowledged; -1: none. */
static int take(struct lapic *l)
{
    lapic_sync(l);
    int vector = lapic_pending(l);
    if (vector >= 0)
        lapic_take(l, (unsigned)vector);
    return vector;
}

static void send(struct lapic *l, uint8_t destination, uint32_t icr)
{
    write(l, 0x310, (uint32_t)destination << 24);
    write(l, 0x300, icr);
}

TestSuite(lapic, .init = set_up);

Test(lapic, power_on)
{
    cr_assert_eq(rdmsr(a, LAPIC_MSR_BASE), 0xfee00900);
    cr_assert_eq(rdmsr(b, LAPIC_MSR_BASE), 0xfee00800);
    lapic_reset(b, false);
    cr_assert_eq(read(b, 0x20), 1u << 24);
    cr_assert_eq(read(b, 0x30), 0x50014);
    cr_assert_eq(read(b, 0xe0), 0xffffffff);
    cr_assert_eq(read(b, 0xf0), 0xff);
    for (uint32_t lvt = 0x320; lvt <= 0x370; lvt += 16)
        cr_assert_eq(read(b, lvt), 0x10000);
    cr_assert(lapic_covers(b, 0xfee00370));
    cr_assert_not(lapic_covers(b, 0xfee01000));
}

Test(lapic, disabled_by_software_it_takes_nothing_and_masks)
{
    write(a, 0x320, 0x40);
    cr_assert_eq(read(a, 0x320), 0x40);
    write(a, 0xf0, 0xff);
    cr_assert_eq(read(a, 0x320), 0x10040);
    write(a, 0x320, 0x40);
    cr_assert_eq(read(a, 0x320), 0x10040, "stays masked");
    send(b, 0, 0x4030);
    cr_assert_eq(take(a), -1);
    cr_assert_eq(b->stats.nowhere, 1);
    send(b, 0, 0x4400); /* NMI */
    cr_assert_eq(cpu[0].nmis, 1);
}

Test(lapic, priorities)
{
    send(b, 0, 0x4031);
    send(b, 0, 0x4042);
    send(b, 0, 0x4035);
    cr_assert_eq(read(a, 0x210), 0, "not yet its own");
    cr_assert_eq(take(a), 0x42);
    cr_assert_eq(read(a, 0x120), 1u << 2);
    cr_assert_eq(read(a, 0x210), (1u << 0x11) | (1u << 0x15));
    cr_assert_eq(read(a, 0xa0), 0x40);
    cr_assert_eq(take(a), -1, "lower class");
    send(b, 0, 0x404f);
    cr_assert_eq(take(a), -1, "same class");
    send(b, 0, 0x4050);
    cr_assert_eq(take(a), 0x50, "nested");
    write(a, 0xb0, 0);
    cr_assert_eq(read(a, 0xa0), 0x40);
    write(a, 0xb0, 0);
    cr_assert_eq(take(a), 0x4f);
    write(a, 0xb0, 0);
    lapic_set_cr8(a, 3);
    cr_assert_eq(read(a, 0x80), 0x30);
    cr_assert_eq(read(a, 0xa0), 0x30);
    cr_assert_eq(take(a), -1, "TPR");
    cr_assert_eq(lapic_highest_request(a), 0x35);
    write(a, 0x80, 0x2f);
    cr_assert_eq(lapic_cr8(a), 2);
    cr_assert_eq(read(a, 0xa0), 0x2f);
    cr_assert_eq(take(a), 0x35);
    write(a, 0xb0, 0);
    cr_assert_eq(take(a), 0x31);
    write(a, 0xb0, 0);
    write(a, 0xb0, 0);
    cr_assert_eq(cpu[0].eois, 0, "edges are nobody's business");
}

Test(lapic, levels_tell_their_end)
{
    lapic_route(&set, &(struct apic_message){.destination = 0, .vector = 0x61, .level = true});
    cr_assert_eq(take(a), 0x61);
    cr_assert_eq(read(a, 0x1b0), 2);
    write(a, 0xb0, 0);
    cr_assert_eq(cpu[0].eois, 1);
    cr_assert_eq(cpu[0].eoi_vector, 0x61);
    lapic_route(&set, &(struct apic_message){.destination = 0, .vector = 0x61});
    cr_assert_eq(read(a, 0x1b0), 2, "the trigger mode stays until the next is accepted");
    cr_assert_eq(take(a), 0x61);
    cr_assert_eq(read(a, 0x1b0), 0);
    write(a, 0xb0, 0);
    cr_assert_eq(cpu[0].eois, 1);
}

Test(lapic, shorthands)
{
    send(a, 9, 0x40000 | 0x4055); /* self */
    cr_assert_eq(take(a), 0x55);
    cr_assert_eq(cpu[0].notifies, 0);
    send(a, 9, 0x80000 | 0x4056); /* all */
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), i ? 0x56 : -1, "same class is in service at the first");
    send(a, 9, 0xc0000 | 0x4067); /* others */
    cr_assert_eq(take(a), -1);
    for (unsigned i = 1; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), 0x67);
    send(a, 9, 0xc0000 | 0x4500); /* INIT */
    send(a, 9, 0xc0000 | 0x8500); /* INIT level de-assert: nothing */
    send(a, 9, 0xc0000 | 0x4699); /* SIPI */
    cr_assert_eq(cpu[0].inits + cpu[0].sipis, 0);
    for (unsigned i = 1; i < CPUS; i++) {
        cr_assert_eq(cpu[i].inits, 1);
        cr_assert_eq(cpu[i].sipis, 1);
        cr_assert_eq(cpu[i].sipi_vector, 0x99);
    }
}

Test(lapic, physical_destinations)
{
    send(a, 2, 0x4077);
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), i == 2 ? 0x77 : -1);
    send(a, 0xff, 0x4088);
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), 0x88);
    send(a, 17, 0x4099);
    cr_assert_eq(a->stats.nowhere, 1);
    write(b, 0x20, 0x21000000);
    send(a, 0x21, 0x40aa);
    cr_assert_eq(take(b), 0xaa, "the xAPIC's identifier can be written");
}

Test(lapic, logical_flat_and_cluster)
{
    for (unsigned i = 0; i < CPUS; i++)
        write(&cpu[i].lapic, 0xd0, 1u << (24 + i));
    send(a, 0x0a, 0x4831); /* logical */
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), i & 1 ? 0x31 : -1);
    for (unsigned i = 0; i < CPUS; i++) {
        write(&cpu[i].lapic, 0xe0, 0x0fffffff);
        write(&cpu[i].lapic, 0xd0, (0x10u << (i / 2) | 1u << i % 2) << 24);
    }
    send(a, 0x21, 0x4841); /* cluster 2, member 0: CPU 2 */
    send(a, 0x13, 0x4842); /* cluster 1, both */
    send(a, 0x30, 0x4843); /* nobody */
    send(a, 0xf2, 0x4844); /* second members of all clusters */
    cr_assert_eq(take(&cpu[2].lapic), 0x41);
    cr_assert_eq(take(a), 0x42);
    cr_assert_eq(take(b), 0x44);
    cr_assert_eq(take(&cpu[3].lapic), 0x44);
    cr_assert_eq(a->stats.nowhere, 1);
}

Test(lapic, x2apic_destinations)
{
    to_x2apic();
    cr_assert_eq(rdmsr(&cpu[3].lapic, 0x80d), 8);
    cr_assert_eq(rdmsr(&cpu[3].lapic, 0x802), 3);
    cr_assert(wrmsr(a, 0x830, 3ull << 32 | 0x4031));
    cr_assert_eq(take(&cpu[3].lapic), 0x31);
    cr_assert(wrmsr(a, 0x830, 6ull << 32 | 0x4832));
    cr_assert_eq(take(b), 0x32);
    cr_assert_eq(take(&cpu[2].lapic), 0x32);
    cr_assert(wrmsr(a, 0x830, 0xffffffffull << 32 | 0x4043));
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), 0x43);
    cr_assert(wrmsr(a, 0x830, 0xffull << 32 | 0x4054));
    cr_assert_eq(a->stats.nowhere, 1, "255 is one identifier among many here");
    cr_assert(wrmsr(a, 0x830, 0x10001ull << 32 | 0x4854));
    cr_assert_eq(a->stats.nowhere, 2, "cluster 1 has no members");
    cr_assert(wrmsr(a, 0x83f, 0x65));
    cr_assert_eq(take(a), 0x65);
    /* An MSI has eight bits, whatever the local APICs' mode. */
    struct apic_message m;
    cr_assert(apic_message_from_msi(0xfeeff000, 0x76, &m));
    cr_assert_eq(lapic_route(&set, &m), CPUS);
    cr_assert_not(apic_message_from_msi(0xfed00000, 0x76, &m));
}

Test(lapic, x2apic_reserved_bits_and_missing_registers)
{
    uint64_t value;
    cr_assert_not(lapic_msr_read(a, 0x802, &value), "not in xAPIC mode");
    cr_assert_not(lapic_msr_write(a, 0x80b, 0));
    to_x2apic();
    cr_assert_not(lapic_covers(a, LAPIC_BASE));
    static const uint32_t read_only[] = {0x802, 0x803, 0x80a, 0x80d, 0x810, 0x818, 0x820, 0x839};
    for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        cr_assert(lapic_msr_read(a, read_only[i], &value), "%x", read_only[i]);
        cr_assert_not(lapic_msr_write(a, read_only[i], 0), "%x", read_only[i]);
    }
    static const uint32_t missing[] = {0x800, 0x801, 0x804, 0x809, 0x80c, 0x80e,
                                       0x82f, 0x831, 0x83a, 0x840, 0x8ff};
    for (unsigned i = 0; i < sizeof missing / sizeof *missing; i++) {
        cr_assert_not(lapic_msr_read(a, missing[i], &value), "%x", missing[i]);
        cr_assert_not(lapic_msr_write(a, missing[i], 0), "%x", missing[i]);
    }
    cr_assert_not(lapic_msr_read(a, 0x80b, &value), "EOI is write-only");
    cr_assert_not(lapic_msr_read(a, 0x83f, &value));
    cr_assert_not(wrmsr(a, 0x80b, 1));
    cr_assert_not(wrmsr(a, 0x828, 1));
    cr_assert_not(wrmsr(a, 0x808, 0x100));
    cr_assert_not(wrmsr(a, 0x80f, 0x1000));
    cr_assert_not(wrmsr(a, 0x832, 1ull << 32));
    cr_assert_not(wrmsr(a, 0x83e, 4));
    cr_assert_not(wrmsr(a, 0x830, 1 << 20));
    cr_assert(wrmsr(a, 0x832, 0x10031));
    cr_assert_eq(rdmsr(a, 0x832), 0x10031);
}

Test(lapic, modes_change_as_the_manual_draws_it)
{
    const uint64_t base = 0xfee00100, xapic = base | 0x800, x2apic = base | 0xc00;
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, base | 0x400));
    cr_assert(wrmsr(a, LAPIC_MSR_BASE, x2apic));
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, xapic));
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, base | 0x400));
    lapic_set_cr8(a, 5);
    cr_assert(wrmsr(a, LAPIC_MSR_BASE, base));
    cr_assert_not(lapic_covers(a, LAPIC_BASE));
    cr_assert_eq(lapic_cr8(a), 5);
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, x2apic));
    cr_assert(wrmsr(a, LAPIC_MSR_BASE, xapic));
    cr_assert(wrmsr(a, LAPIC_MSR_BASE, 0xfed40900));
    cr_assert(lapic_covers(a, 0xfed40030));
    cr_assert_not(lapic_covers(a, LAPIC_BASE));
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, xapic | 1));
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, xapic | 1ull << 36));
    a->has_x2apic = false;
    cr_assert_not(wrmsr(a, LAPIC_MSR_BASE, x2apic));
}

Test(lapic, globally_disabled_it_is_not_on_the_bus)
{
    wrmsr(b, LAPIC_MSR_BASE, LAPIC_BASE);
    send(a, 1, 0x4031);
    send(a, 1, 0x4400);
    cr_assert_eq(take(b), -1);
    cr_assert_eq(cpu[1].nmis, 0);
    cr_assert_eq(a->stats.nowhere, 2);
}

Test(lapic, lowest_priority_goes_to_one)
{
    for (unsigned i = 0; i < CPUS; i++)
        lapic_set_cr8(&cpu[i].lapic, i == 2 ? 1 : 2);
    send(a, 0xff, 0x4131);
    unsigned total = 0;
    for (unsigned i = 0; i < CPUS; i++)
        total += cpu[i].notifies;
    cr_assert_eq(total, 1);
    cr_assert_eq(take(&cpu[2].lapic), 0x31);
    for (unsigned i = 0; i < CPUS; i++)
        lapic_set_cr8(&cpu[i].lapic, 0);
    for (unsigned n = 0; n < CPUS; n++)
        lapic_route(&set,
                    &(struct apic_message){.destination = 0xff, .vector = 0x55, .delivery = APIC_LOWEST});
    for (unsigned i = 0; i < CPUS; i++)
        cr_assert_eq(take(&cpu[i].lapic), 0x55, "in turn among equals");
}

Test(lapic, errors)
{
    write(a, 0x370, 0x3e);
    send(a, 1, 0x4005);
    cr_assert_eq(read(a, 0x280), 0, "shown after a write");
    cr_assert_eq(take(a), 0x3e);
    write(a, 0xb0, 0);
    write(a, 0x280, 0);
    cr_assert_eq(read(a, 0x280), 0x20);
    write(a, 0x280, 0);
    cr_assert_eq(read(a, 0x280), 0);
    read(a, 0x400);
    cr_assert_eq(take(a), 0x3e);
    write(a, 0x280, 0);
    cr_assert_eq(read(a, 0x280), 0x80, "illegal register address");
    cr_assert_eq(cpu[1].notifies, 0);
}

Test(lapic, accesses_of_other_sizes)
{
    write(a, 0x80, 0x57);
    cr_assert_eq(lapic_mmio_read(a, 0x80, 1), 0x57);
    cr_assert_eq(lapic_mmio_read(a, 0x30, 8), 0x50014);
    cr_assert_eq(lapic_mmio_read(a, 0x32, 2), 5);
    cr_assert_eq(lapic_mmio_read(a, 0x84, 4), 0);
    lapic_mmio_write(a, 0x80, 1, 0);
    lapic_mmio_write(a, 0x84, 4, 0);
    cr_assert_eq(lapic_mmio_read(a, 0x80, 4), 0x57);
}

/* ---- timer ------------------------------------------------------------------------------------ */

static unsigned fired(struct cpu *c)
{
    unsigned n = 0;
    if (c->timer <= ticks)
        lapic_expire(&c->lapic);
    while (take(&c->lapic) >= 0) {
        write(&c->lapic, 0xb0, 0);
        n++;
    }
    return n;
}

Test(lapic, one_shot)
{
    write(a, 0x3e0, 0xb); /* by 1 */
    write(a, 0x320, 0x40);
    write(a, 0x380, 1000);
    cr_assert_eq(cpu[0].timer, ticks + 1000);
    ticks += 400;
    cr_assert_eq(read(a, 0x390), 600);
    cr_assert_eq(fired(&cpu[0]), 0);
    ticks += 600;
    cr_assert_eq(read(a, 0x390), 0);
    cr_assert_eq(fired(&cpu[0]), 1);
    cr_assert_eq(cpu[0].timer, NEVER);
    ticks += 5000;
    cr_assert_eq(read(a, 0x390), 0);
    cr_assert_eq(fired(&cpu[0]), 0);
    cr_assert_eq(read(a, 0x380), 1000);
    lapic_expire(a);
    cr_assert_eq(fired(&cpu[0]), 0, "a stale expiry does nothing");
}

Test(lapic, periodic)
{
    write(a, 0x3e0, 0x3); /* by 16 */
    write(a, 0x320, 0x20040);
    write(a, 0x380, 100);
    for (unsigned i = 1; i < 5; i++) {
        cr_assert_eq(cpu[0].timer, 1000000u + i * 1600);
        ticks = cpu[0].timer + 32;
        cr_assert_eq(read(a, 0x390), 98);
        cr_assert_eq(fired(&cpu[0]), 1);
    }
    ticks += 10 * 1600;
    cr_assert_eq(fired(&cpu[0]), 1, "late: one for all");
    cr_assert_eq(cpu[0].timer, 1000000u + 15 * 1600, "the phase stays");
    write(a, 0x380, 0);
    cr_assert_eq(cpu[0].timer, NEVER);
}

Test(lapic, a_change_of_mode_keeps_the_count)
{
    write(a, 0x3e0, 0xb);
    write(a, 0x320, 0x40);
    write(a, 0x380, 1000);
    ticks += 700;
    write(a, 0x320, 0x20040);
    cr_assert_eq(read(a, 0x390), 300);
    ticks += 300;
    cr_assert_eq(fired(&cpu[0]), 1);
    cr_assert_eq(read(a, 0x390), 1000);
    ticks += 900;
    write(a, 0x320, 0x40);
    cr_assert_eq(read(a, 0x390), 100);
    ticks += 100;
    cr_assert_eq(fired(&cpu[0]), 1);
    write(a, 0x320, 0x20040);
    cr_assert_eq(read(a, 0x390), 0, "run out, it stays at zero");
    cr_assert_eq(cpu[0].timer, NEVER);
}

Test(lapic, masked_it_counts_but_wakes_nobody)
{
    write(a, 0x3e0, 0xb);
    write(a, 0x320, 0x30040);
    write(a, 0x380, 1000);
    cr_assert_eq(cpu[0].timer, NEVER);
    ticks += 2300;
    cr_assert_eq(read(a, 0x390), 700);
    write(a, 0x320, 0x20040);
    cr_assert_eq(fired(&cpu[0]), 0, "what was due while masked is lost");
    cr_assert_eq(cpu[0].timer, ticks + 700);
}

Test(lapic, what_is_due_comes_before_a_new_count)
{
    write(a, 0x3e0, 0xb);
    write(a, 0x320, 0x40);
    write(a, 0x380, 100);
    ticks += 150;
    write(a, 0x380, 1000);
    cr_assert_eq(take(a), 0x40);
    cr_assert_eq(cpu[0].timer, ticks + 1000);
}

Test(lapic, the_divider_keeps_the_count)
{
    write(a, 0x3e0, 0xb);
    write(a, 0x320, 0x40);
    write(a, 0x380, 1000);
    ticks += 500;
    write(a, 0x3e0, 0);
    cr_assert_eq(read(a, 0x390), 500);
    cr_assert_eq(cpu[0].timer, ticks + 1000, "half as fast");
    static const uint8_t code[8] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};
    for (unsigned shift = 0; shift < 8; shift++) {
        write(a, 0x3e0, code[shift]);
        write(a, 0x380, 1000);
        cr_assert_eq(cpu[0].timer, ticks + (1000ull << shift));
    }
}

Test(lapic, tsc_deadline)
{
    cpu[0].offset = 5000;
    write(a, 0x320, 0x40);
    cr_assert(wrmsr(a, LAPIC_MSR_DEADLINE, 123));
    cr_assert_eq(rdmsr(a, LAPIC_MSR_DEADLINE), 0, "ignored in other modes");
    write(a, 0x320, 0x40040);
    wrmsr(a, LAPIC_MSR_DEADLINE, ticks + 5000 + 300);
    cr_assert_eq(cpu[0].timer, ticks + 300);
    cr_assert_eq(rdmsr(a, LAPIC_MSR_DEADLINE), ticks + 5300);
    ticks += 300;
    cr_assert_eq(fired(&cpu[0]), 1);
    cr_assert_eq(rdmsr(a, LAPIC_MSR_DEADLINE), 0);
    wrmsr(a, LAPIC_MSR_DEADLINE, 1);
    cr_assert_eq(take(a), 0x40, "passed: at once");
    write(a, 0xb0, 0);
    cr_assert_eq(rdmsr(a, LAPIC_MSR_DEADLINE), 0);
    wrmsr(a, LAPIC_MSR_DEADLINE, ~0ull);
    cr_assert_eq(fired(&cpu[0]), 0, "far away is not passed");
    wrmsr(a, LAPIC_MSR_DEADLINE, ticks + 10000);
    cpu[0].offset = 9000;
    lapic_tsc_changed(a);
    cr_assert_eq(cpu[0].timer, ticks + 1000);
    write(a, 0x320, 0x40);
    cr_assert_eq(cpu[0].timer, NEVER);
    write(a, 0x320, 0x40040);
    cr_assert_eq(rdmsr(a, LAPIC_MSR_DEADLINE), 0, "a change of mode disarms");
    write(a, 0x380, 100);
    cr_assert_eq(read(a, 0x380), 0, "the count is not there in this mode");
}

Test(lapic, init_keeps_mode_and_identifier)
{
    to_x2apic();
    wrmsr(b, 0x832, 0x40);
    wrmsr(b, 0x838, 100);
    send(a, 1, 0);
    wrmsr(a, 0x830, 1ull << 32 | 0x4031);
    lapic_reset(b, true);
    cr_assert_eq(rdmsr(b, LAPIC_MSR_BASE), 0xfee00c00);
    cr_assert_eq(rdmsr(b, 0x832), 0x10000);
    cr_assert_eq(cpu[1].timer, NEVER);
    cr_assert_eq(take(b), -1);
}

/* ---- several CPUs at once --------------------------------------------------------------------- */

#define ROUNDS 20000u

static volatile bool done;

static void *sender(void *argument)
{
    struct lapic *l = argument;
    for (unsigned i = 0; i < ROUNDS; i++)
        send(l, 0, 0x4000 | (32 + l->id * 32 + i % 32));
    return NULL;
}

static void *receiver(void *argument)
{
    unsigned *taken = argument;
    for (;;) {
        bool last = done;
        int vector = take(a);
        if (vector >= 0) {
            taken[vector]++;
            write(a, 0xb0, 0);
        } else if (last) {
            return NULL;
        }
    }
}

/* Requests merge, but the last of each vector is never lost. */
Test(lapic, no_request_is_lost_between_cpus)
{
    static unsigned taken[256];
    pthread_t threads[CPUS];
    cr_assert_eq(pthread_create(&threads[0], NULL, receiver, taken), 0);
    for (unsigned i = 1; i < CPUS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, sender, &cpu[i].lapic), 0);
    for (unsigned i = 1; i < CPUS; i++)
        pthread_join(threads[i], NULL);
    done = true;
    pthread_join(threads[0], NULL);
    cr_assert_eq(lapic_highest_request(a), -1);
    cr_assert_eq(a->requests.any, 0);
    for (unsigned v = 64; v < 64 + 32 * (CPUS - 1); v++) {
        cr_assert_gt(taken[v], 0u, "vector %u", v);
        cr_assert_leq(taken[v], ROUNDS / 32);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Three local APICs and guests that do with them what they like: what is delivered obeys the priorities, and
 * time ends nowhere. */
#include <stdlib.h>
#include <string.h>

#include "lapic.h"

#define CPUS 3u
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static struct cpu {
    struct lapic lapic;
    uint64_t timer, offset;
    unsigned eois;
} cpu[CPUS];
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
    CHECK(vector >= 16);
    ((struct cpu *)owner)->eois++;
}

static void env_event(void *owner)
{
    CHECK(owner >= (void *)cpu && owner < (void *)(cpu + CPUS));
}

static void env_sipi(void *owner, uint8_t vector)
{
    (void)vector;
    env_event(owner);
}

static const struct lapic_env env = {
    .ticks = env_ticks,
    .tsc_offset = env_offset,
    .timer = env_timer,
    .eoi = env_eoi,
    .notify = env_event,
    .nmi = env_event,
    .init = env_event,
    .sipi = env_sipi,
};

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
        value |= (uint64_t)*in->at++ << 8 * i;
    return value;
}

static bool bit(const uint32_t *bits, unsigned vector)
{
    return bits[vector / 32] >> (vector & 31) & 1;
}

static void deliver(struct cpu *c)
{
    struct lapic *l = &c->lapic;
    lapic_sync(l);
    int vector = lapic_pending(l);
    if (vector < 0)
        return;
    CHECK(vector >= 16 && vector < 256 && bit(l->irr, (unsigned)vector));
    CHECK(lapic_enabled(l) && l->spurious & 0x100);
    CHECK((unsigned)vector >> 4 > lapic_cr8(l));
    for (unsigned v = (unsigned)vector & 0xf0; v < 256; v++)
        CHECK(!bit(l->isr, v)); /* nothing of this class or above is in service */
    for (unsigned v = (unsigned)vector + 1; v < 256; v++)
        CHECK(!bit(l->irr, v));
    lapic_take(l, (unsigned)vector);
    CHECK(bit(l->isr, (unsigned)vector) && !bit(l->irr, (unsigned)vector));
}

static void pass_time(struct cpu *c, uint64_t by)
{
    ticks += by;
    if (c->timer > ticks)
        return;
    c->timer = ~0ull;
    lapic_expire(&c->lapic);
    CHECK(c->timer > ticks);
}

static void one_step(struct input *in)
{
    static const uint16_t offsets[] = {0x020, 0x080, 0x0b0, 0x0d0, 0x0e0, 0x0f0, 0x280, 0x300,
                                       0x310, 0x320, 0x370, 0x380, 0x390, 0x3e0, 0x350, 0x3f0};
    const uint8_t action = (uint8_t)take(in, 1);
    struct cpu *c = &cpu[take(in, 1) % CPUS];
    const uint16_t offset = action & 0x80 ? take(in, 2) % LAPIC_BYTES : offsets[take(in, 1) % 16];
    uint64_t value;
    struct apic_message message;

    switch (action % 10) {
    case 0:
    case 1:
        lapic_mmio_write(&c->lapic, offset, 4, take(in, 4));
        break;
    case 2:
        value = lapic_mmio_read(&c->lapic, offset, 1u << (action >> 4 & 3));
        CHECK(offset != 0x390 || action >> 4 & 3 || value <= 0xff);
        break;
    case 3:
        lapic_msr_write(&c->lapic, 0x800u + offset / 16, take(in, 8));
        break;
    case 4:
        lapic_msr_read(&c->lapic, 0x800u + offset / 16, &value);
        lapic_msr_write(&c->lapic, LAPIC_MSR_DEADLINE, take(in, 8));
        break;
    case 5:
        lapic_msr_write(&c->lapic, LAPIC_MSR_BASE, LAPIC_BASE | take(in, 2));
        break;
    case 6:
        if (apic_message_from_msi(0xfee00000 | take(in, 2) << 4, (uint32_t)take(in, 2), &message))
            CHECK(lapic_route(&set, &message) <= CPUS);
        break;
    case 7:
        pass_time(c, take(in, 4) << (action >> 4 & 7));
        break;
    case 8:
        c->offset = take(in, 8);
        lapic_tsc_changed(&c->lapic);
        lapic_set_cr8(&c->lapic, (unsigned)take(in, 1) & 15);
        break;
    default:
        if (action == 0x99)
            lapic_reset(&c->lapic, true);
        break;
    }
    deliver(c);
    /* The count never exceeds what was written, and a deadline that is shown is still to come. */
    CHECK(lapic_mmio_read(&c->lapic, 0x390, 4) <= c->lapic.initial_count);
    CHECK(!(c->lapic.lvt[LVT_TIMER] & 0x10000) || c->timer == ~0ull);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    memset(cpu, 0, sizeof cpu);
    memset(&set, 0, sizeof set);
    ticks = 1u << 20;
    for (unsigned i = 0; i < CPUS; i++) {
        CHECK(lapic_init(&cpu[i].lapic, &set, i, &env, &cpu[i]));
        lapic_mmio_write(&cpu[i].lapic, 0xf0, 4, 0x1ff);
    }
    while (in.left)
        one_step(&in);
    return 0;
}

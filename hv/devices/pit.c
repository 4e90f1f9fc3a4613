/* SPDX-License-Identifier: BSD-2-Clause */
#include "pit.h"
#include "clock_rate.h"

#define NEVER (~0ull)

enum { MODE_TERMINAL = 0, MODE_RATE = 2, MODE_SQUARE = 3, MODE_STROBE = 4 };
enum { ACCESS_LOW = 1, ACCESS_HIGH = 2, ACCESS_BOTH = 3 };
enum { GATE_2 = 1, SPEAKER = 2, REFRESH = 0x10, OUTPUT_2 = 0x20 };

static uint64_t now(const struct pit *pit)
{
    return pit->env->now(pit->env->owner);
}

static uint32_t period(const struct pit_channel *c)
{
    return c->reload ? c->reload : 0x10000;
}

static bool is_periodic(const struct pit_channel *c)
{
    return c->mode == MODE_RATE || c->mode == MODE_SQUARE;
}

static uint64_t elapsed(const struct pit_channel *c, uint64_t at)
{
    return c->loaded && c->gate ? ns_to_ticks(at - c->started, PIT_HZ) : 0;
}

static uint16_t count(const struct pit_channel *c, uint64_t at)
{
    const uint64_t ticks = elapsed(c, at);
    if (c->mode == MODE_SQUARE) /* counts down in twos, twice a period */
        return (uint16_t)(period(c) - 2 * ticks % period(c));
    if (c->mode == MODE_RATE)
        return (uint16_t)(period(c) - ticks % period(c));
    return (uint16_t)(period(c) - ticks); /* runs on through zero */
}

static bool output(const struct pit_channel *c, uint64_t at)
{
    const uint64_t ticks = elapsed(c, at);
    switch (c->mode) {
    case MODE_TERMINAL:
        return c->loaded && ticks >= period(c);
    case MODE_RATE:
        return ticks % period(c) != period(c) - 1;
    case MODE_SQUARE:
        return ticks % period(c) < (period(c) + 1) / 2;
    default:
        return ticks != period(c);
    }
}

/* The next rising edge of channel 0's output. */
static void arm(struct pit *pit)
{
    const struct pit_channel *c = &pit->channel[0];
    const uint64_t at = now(pit), ticks = elapsed(c, at);
    pit->next = NEVER;
    if (c->loaded && is_periodic(c))
        pit->next = c->started + ticks_to_ns((ticks / period(c) + 1) * period(c), PIT_HZ);
    else if (c->loaded && ticks < period(c))
        pit->next = c->started + ticks_to_ns(period(c), PIT_HZ);
    pit->env->timer(pit->env->owner, TIMER_PIT, pit->next);
}

void pit_expire(struct pit *pit)
{
    if (pit->next == NEVER || now(pit) < pit->next)
        return;
    pit->env->line(pit->env->owner, PIT_GSI, true);
    pit->env->line(pit->env->owner, PIT_GSI, false);
    arm(pit);
}

static void load(struct pit *pit, unsigned which, uint16_t value)
{
    struct pit_channel *c = &pit->channel[which];
    c->reload = value;
    c->loaded = true;
    c->started = now(pit);
    if (which == 0)
        arm(pit);
}

static void latch_count(struct pit *pit, struct pit_channel *c)
{
    if (c->latched)
        return;
    c->latch = count(c, now(pit));
    c->latched = c->access == ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct pit *pit, struct pit_channel *c)
{
    if (c->status_latched)
        return;
    c->status =
        (uint8_t)((output(c, now(pit)) ? 0x80 : 0) | (c->loaded ? 0 : 0x40) | c->access << 4 | c->mode << 1);
    c->status_latched = true;
}

static void read_back(struct pit *pit, uint8_t value)
{
    for (unsigned i = 0; i < PIT_CHANNELS; i++) {
        if (!(value >> (i + 1) & 1))
            continue;
        if (!(value & 0x20))
            latch_count(pit, &pit->channel[i]);
        if (!(value & 0x10))
            latch_status(pit, &pit->channel[i]);
    }
}

static void control(struct pit *pit, uint8_t value)
{
    static const uint8_t mode_of[8] = {MODE_TERMINAL, MODE_TERMINAL, MODE_RATE, MODE_SQUARE,
                                       MODE_STROBE,   MODE_STROBE,   MODE_RATE, MODE_SQUARE};
    const unsigned which = value >> 6;
    if (which == 3) {
        read_back(pit, value);
        return;
    }
    struct pit_channel *c = &pit->channel[which];
    if ((value >> 4 & 3) == 0) {
        latch_count(pit, c);
        return;
    }
    const bool gate = c->gate;
    *c = (struct pit_channel){.mode = mode_of[value >> 1 & 7], .access = value >> 4 & 3, .gate = gate};
    if (which == 0)
        arm(pit);
}

static uint8_t read_channel(struct pit *pit, struct pit_channel *c)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    uint16_t value = c->latched ? c->latch : count(c, now(pit));
    bool high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->high_next_read);
    c->high_next_read = c->access == ACCESS_BOTH && !c->high_next_read;
    if (c->latched)
        c->latched--;
    return (uint8_t)(high ? value >> 8 : value);
}

static void write_channel(struct pit *pit, unsigned which, uint8_t value)
{
    struct pit_channel *c = &pit->channel[which];
    switch (c->access) {
    case ACCESS_LOW:
        load(pit, which, value);
        break;
    case ACCESS_HIGH:
        load(pit, which, (uint16_t)(value << 8));
        break;
    case ACCESS_BOTH:
        if (c->high_next_write)
            load(pit, which, (uint16_t)(value << 8 | c->low_written));
        c->low_written = value;
        c->high_next_write = !c->high_next_write;
        break;
    default:
        break; /* never programmed */
    }
}

static uint64_t pit_read(void *device, uint64_t offset, unsigned size)
{
    struct pit *pit = device;
    (void)size;
    return offset < PIT_CHANNELS ? read_channel(pit, &pit->channel[offset]) : 0xff;
}

static void pit_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pit *pit = device;
    (void)size;
    if (offset < PIT_CHANNELS)
        write_channel(pit, (unsigned)offset, (uint8_t)value);
    else
        control(pit, (uint8_t)value);
}

static uint64_t gate_read(void *device, uint64_t offset, unsigned size)
{
    const struct pit *pit = device;
    const struct pit_channel *c = &pit->channel[2];
    (void)offset;
    (void)size;
    /* Bit 4 toggles with every refresh of old memory, about each 15 us. */
    return (c->gate ? GATE_2 : 0u) | pit->speaker | (now(pit) / 15085 & 1 ? REFRESH : 0u) |
           (output(c, now(pit)) ? OUTPUT_2 : 0u);
}

static void gate_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pit *pit = device;
    struct pit_channel *c = &pit->channel[2];
    const bool gate = value & GATE_2;
    (void)offset;
    (void)size;
    /* A rising gate starts periodic modes again, and lets the others go on: they were never stopped in
     * between here. */
    if (gate && !c->gate)
        c->started = now(pit);
    c->gate = gate;
    pit->speaker = value & SPEAKER;
}

static void reset(void *device)
{
    struct pit *pit = device;
    for (unsigned i = 0; i < PIT_CHANNELS; i++)
        pit->channel[i] = (struct pit_channel){.gate = i != 2};
    pit->speaker = 0;
    pit->next = NEVER;
    pit->env->timer(pit->env->owner, TIMER_PIT, NEVER);
}

static const struct device_ops pit_ops = {
    .name = "pit",
    .read = pit_read,
    .write = pit_write,
    .reset = reset,
};
static const struct device_ops gate_ops = {.name = "pit-gate", .read = gate_read, .write = gate_write};

int pit_add(struct pit *pit, const struct device_env *env, struct bus *ports)
{
    *pit = (struct pit){.env = env};
    reset(pit);
    int result = bus_add(ports, PIT_PORT, PIT_PORTS, &pit_ops, pit);
    return result ? result : bus_add(ports, PIT_GATE, 1, &gate_ops, pit);
}

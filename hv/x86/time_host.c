/* SPDX-License-Identifier: BSD-2-Clause */
#include "time_host.h"

#include "insn.h"
#include "relax.h"

enum { PM_HZ = 3579545, PIT_HZ = 1193182, MEASURE_MS = 10 };

static uint64_t tsc_hz;

uint64_t time_scale(uint64_t ticks, uint64_t hz)
{
    return mul_div(ticks, hz, tsc_hz);
}

static uint64_t measure_pm(uint16_t port, unsigned bits)
{
    const uint32_t mask = bits >= 32 ? ~0u : (1u << bits) - 1, span = PM_HZ / 1000 * MEASURE_MS;
    uint32_t first = in32(port), edge, now, turns = 0;
    uint64_t start, stop;

    /* From one edge of the timer to another. A timer that stands still is none. */
    while ((edge = in32(port)) == first)
        if (++turns == 1000000)
            return 0;
    start = rdtsc();
    while ((((now = in32(port)) - edge) & mask) < span)
        relax();
    stop = rdtsc();
    return mul_div(stop - start, PM_HZ, (now - edge) & mask);
}

static uint64_t measure_pit(void)
{
    const uint16_t count = PIT_HZ / 1000 * MEASURE_MS;
    uint64_t start;

    /* Channel 2, gated by port 0x61, mode 0: its output rises when the count is down. */
    out8(0x61, (uint8_t)((in8(0x61) & ~0x02) | 0x01));
    out8(0x43, 0xb0);
    out8(0x42, (uint8_t)count);
    out8(0x42, (uint8_t)(count >> 8));
    start = rdtsc();
    while (!(in8(0x61) & 0x20))
        relax();
    return (rdtsc() - start) * PIT_HZ / count;
}

void time_init(uint16_t pm_timer, unsigned pm_timer_bits)
{
    if (pm_timer)
        tsc_hz = measure_pm(pm_timer, pm_timer_bits);
    if (!tsc_hz)
        tsc_hz = measure_pit();
}

uint64_t time_tsc_hz(void)
{
    return tsc_hz;
}

void time_wait_us(uint64_t us)
{
    uint64_t end = rdtsc() + us * (tsc_hz / 1000) / 1000;

    while (rdtsc() < end)
        relax();
}

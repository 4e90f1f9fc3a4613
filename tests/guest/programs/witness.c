/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LPAR beside the hostile ones: it fills its memory, counts its timer's interrupts, and checks both, for
 * as many rounds as its command line says.
 */
#include "guest.h"

enum { FIRST = 4 << 20, BYTES = 2 << 20, LAPIC = 0xfee00000, TIMER_VECTOR = 0x40 };

static volatile uint32_t ticks;

static void lapic_write(unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(LAPIC + offset) = value;
}

static void on_timer(void)
{
    ticks++;
    lapic_write(0xb0, 0);
}

static bool round_is_good(uint64_t seed)
{
    uint64_t *memory = (uint64_t *)(uintptr_t)FIRST;
    const uint32_t before = ticks;

    for (unsigned i = 0; i < BYTES / 8; i++)
        memory[i] = seed + i * 0x9e3779b97f4a7c15;
    while (ticks == before)
        ;
    for (unsigned i = 0; i < BYTES / 8; i++)
        if (memory[i] != seed + i * 0x9e3779b97f4a7c15)
            return false;
    return true;
}

void guest_main(uint32_t info_address)
{
    const uint32_t *info = (const uint32_t *)(uintptr_t)info_address;
    const char *digits = (const char *)(uintptr_t)info[4];
    unsigned rounds = 0;

    while (*digits >= '0' && *digits <= '9')
        rounds = rounds * 10 + (unsigned)(*digits++ - '0');
    interrupt_handlers[TIMER_VECTOR] = on_timer;
    lapic_write(0xf0, 0x1ff);
    lapic_write(0x3e0, 0xb);
    lapic_write(0x320, 0x20000 | TIMER_VECTOR); /* periodic */
    lapic_write(0x380, 1000000);
    __asm__ volatile("sti");
    for (unsigned i = 1; i <= rounds; i++)
        check("memory and timer", round_is_good(rdtsc()));
    lapic_write(0x320, 0x10000);
}

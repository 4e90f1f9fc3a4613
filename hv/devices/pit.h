/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interval timer of a PC (Intel 8254) as far as guests calibrate by it: channel 0 with its interrupt,
 * channel 2 with gate and output at port 0x61, modes 0, 2, 3 and 4 (1 and 5 count as 0 and 4: their gates are
 * not wired). Binary only.
 */
#ifndef PIT_H
#define PIT_H

#include "device.h"

#define PIT_PORT     0x40u
#define PIT_PORTS    4u
#define PIT_GATE     0x61u
#define PIT_HZ       1193182u
#define PIT_GSI      2u /* IRQ 0, as the MADT's override says */
#define PIT_CHANNELS 3u

struct pit_channel {
    uint8_t mode, access; /* access: 1 low byte, 2 high byte, 3 both */
    bool high_next_read, high_next_write;
    uint8_t low_written;
    uint16_t reload;
    bool loaded;
    uint64_t started; /* ns */
    bool gate;
    unsigned latched; /* bytes left to be read of `latch` */
    uint16_t latch;
    bool status_latched;
    uint8_t status;
};

struct pit {
    const struct device_env *env;
    struct pit_channel channel[PIT_CHANNELS];
    uint8_t speaker; /* port 0x61, bit 1 */
    uint64_t next;   /* ns of channel 0's next edge; ~0: none */
};

int pit_add(struct pit *pit, const struct device_env *env, struct bus *ports);

/* TIMER_PIT has come; too early does no harm. */
void pit_expire(struct pit *pit);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The TSC as the one clock of the hypervisor, measured once against the ACPI PM timer, or the PIT. */
#ifndef TIME_HOST_H
#define TIME_HOST_H

#include <stdint.h>

/* pm_timer: its I/O port, or 0. */
void time_init(uint16_t pm_timer, unsigned pm_timer_bits);

uint64_t time_tsc_hz(void);
void time_wait_us(uint64_t us);

/* tsc ticks * hz / TSC frequency, without overflow: what a clock of `hz` counts in that time. */
uint64_t time_scale(uint64_t ticks, uint64_t hz);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Time of an LPAR in the ticks of old clocks, without 128-bit arithmetic and without drift. */
#ifndef CLOCK_RATE_H
#define CLOCK_RATE_H

#include <stdint.h>

#define NS_PER_SECOND 1000000000ull

/* @pre hz < 2^34 */
static inline uint64_t ns_to_ticks(uint64_t ns, uint64_t hz)
{
    return ns / NS_PER_SECOND * hz + ns % NS_PER_SECOND * hz / NS_PER_SECOND;
}

/* The first nanosecond at which that many ticks have passed. */
static inline uint64_t ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    return ticks / hz * NS_PER_SECOND + (ticks % hz * NS_PER_SECOND + hz - 1) / hz;
}

#endif

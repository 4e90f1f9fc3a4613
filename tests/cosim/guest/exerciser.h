/* SPDX-License-Identifier: BSD-2-Clause */
/* An exerciser function as a test drives it. */
#ifndef GUEST_EXERCISER_H
#define GUEST_EXERCISER_H

#include "exerciser_regs.h"
#include "machine.h"

struct exerciser {
    unsigned function; /* 0: not there */
    uint32_t bar0;
    uint32_t bar2;
};

static inline uint32_t ex_read(const struct exerciser *x, unsigned reg)
{
    return mmio_read(x->bar0 + reg);
}

static inline void ex_write(const struct exerciser *x, unsigned reg, uint32_t value)
{
    mmio_write(x->bar0 + reg, value);
}

#endif

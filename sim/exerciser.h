/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exerciser: a function that raises interrupts, does DMA and misbehaves on request (exerciser_regs.h).
 */
#ifndef EXERCISER_H
#define EXERCISER_H

#include "function.h"

struct exerciser_options {
    unsigned pin; /* 1: INTA … 4: INTD; 0: none */
    bool msi;
    bool msix;
};

/* Null: no memory. */
struct function *exerciser_open(const struct exerciser_options *options);

#endif

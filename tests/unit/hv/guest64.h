/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU put into 64-bit code by hand: 4 GiB mapped onto themselves by pages of 2 MiB, segments, an IDT. */
#ifndef GUEST64_H
#define GUEST64_H

#include "lpar.h"

#include <stdint.h>

/* Guest-physical addresses. The handlers of the IDT's exceptions step over a byte of what faulted. */
enum {
    GUEST64_PML4 = 0x1000,
    GUEST64_PDPT = 0x2000,
    GUEST64_PD = 0x3000, /* four */
    GUEST64_GDT = 0x7000,
    GUEST64_IDT = 0x8000,
    GUEST64_HANDLERS = 0x9000,
    GUEST64_CODE = 0x10000, /* RIP */
    GUEST64_STACK = 0x20000,
};

void guest64_put(struct lpar *lpar, uint64_t gpa, uint64_t value);

/* Resets the LPAR's devices and its first vCPU, empties 2 MiB of memory, and lays all that out. The LPAR
 * counts as running. */
void guest64_enter(struct lpar *lpar);

#endif

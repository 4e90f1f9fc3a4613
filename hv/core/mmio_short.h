/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way through an access to a device: a MOV between a register and memory, in 64-bit code, at an
 * address where one has been emulated before.
 *
 * The CPU says which guest-physical address was accessed, so the instruction's operand need not be computed;
 * what has to be known is the instruction. It is remembered with all that it was found by: the page-table
 * entries on the way to its code, and its bytes. Invariant: when RIP, CR3 and the mode are the same, and
 * every entry and every byte still is what it was, a walk and a decoding would come to the same result. So
 * nothing has to be told when a guest changes its page tables or its code, and a look is cheaper than the
 * walk. Whatever is not exactly so takes the long way.
 */
#ifndef MMIO_SHORT_H
#define MMIO_SHORT_H

#include "exit.h"

#include <stdbool.h>
#include <stdint.h>

#define MMIO_SHORT_SITES 8u
#define WALK_LEVELS      5u

struct vcpu;
struct insn;

/* The entries that a walk has gone by; count is 0 where they cannot be told (32-bit entries, no paging). */
struct walk_trace {
    unsigned count;
    const uint64_t *at[WALK_LEVELS];
    uint64_t value[WALK_LEVELS];
};

struct mmio_site {
    uint64_t rip, cr3;
    struct walk_trace trace;
    const uint8_t *code; /* null: free */
    uint8_t bytes[15];
    uint8_t length;
    bool write, clears; /* clears: a load of 32 bits or a MOVZX empties the rest of the register */
    bool immediate;
    uint8_t reg; /* enum reg */
    uint8_t size;
    uint64_t value; /* the immediate */
};

struct mmio_short {
    struct mmio_site site[MMIO_SHORT_SITES];
    uint64_t hits;
};

/* True: the access is done and the instruction retired. @pre exit->kind is EXIT_MMIO */
bool mmio_short(struct vcpu *vcpu, const struct exit *exit);

/* The instruction at that RIP has been emulated for an MMIO exit: next time the short way will do. */
void mmio_short_learn(struct vcpu *vcpu, uint64_t rip, const struct insn *insn);

#endif

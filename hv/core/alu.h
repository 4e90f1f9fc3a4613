/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arithmetic of x86: results and flags of operands of 1, 2, 4 or 8 bytes, as pure functions.
 *
 * Operands may carry rubbish above their size; results do not. `flags` is RFLAGS, of which the arithmetic
 * flags are read and set. Flags that the manuals call undefined come out as on the CPUs of both vendors where
 * these agree.
 */
#ifndef ALU_H
#define ALU_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLAG_CF = 0x1,
    FLAG_PF = 0x4,
    FLAG_AF = 0x10,
    FLAG_ZF = 0x40,
    FLAG_SF = 0x80,
    FLAG_TF = 0x100,
    FLAG_IF = 0x200,
    FLAG_DF = 0x400,
    FLAG_OF = 0x800,
    FLAG_NT = 0x4000,
    FLAG_RF = 0x10000,
    FLAG_VM = 0x20000,
    FLAG_AC = 0x40000,
    FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

static inline uint64_t alu_mask(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

static inline int64_t alu_extend(uint64_t value, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (int64_t)(value << unused) >> unused;
}

uint64_t alu_add(uint64_t a, uint64_t b, bool carry, unsigned size, uint64_t *flags);
uint64_t alu_sub(uint64_t a, uint64_t b, bool borrow, unsigned size, uint64_t *flags);
/* AND, OR, XOR, TEST: flags of a result that is already there */
uint64_t alu_logic(uint64_t result, unsigned size, uint64_t *flags);
/* INC, DEC: CF stays */
uint64_t alu_inc(uint64_t a, unsigned size, uint64_t *flags);
uint64_t alu_dec(uint64_t a, unsigned size, uint64_t *flags);
uint64_t alu_neg(uint64_t a, unsigned size, uint64_t *flags);

/* Shifts and rotates; the count is masked to 5 bits, or 6 for 8-byte operands, as the CPU does. */
uint64_t alu_shl(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_shr(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_sar(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_rol(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_ror(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_rcl(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_rcr(uint64_t a, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_shld(uint64_t a, uint64_t from, unsigned count, unsigned size, uint64_t *flags);
uint64_t alu_shrd(uint64_t a, uint64_t from, unsigned count, unsigned size, uint64_t *flags);

/* a * b; *high is the upper half. CF and OF tell that it is needed. */
uint64_t alu_mul(uint64_t a, uint64_t b, unsigned size, uint64_t *high, uint64_t *flags);
uint64_t alu_imul(uint64_t a, uint64_t b, unsigned size, uint64_t *high, uint64_t *flags);
/* high:low / divisor. False: #DE. */
bool alu_div(uint64_t high, uint64_t low, uint64_t divisor, unsigned size, uint64_t *quotient,
             uint64_t *remainder);
bool alu_idiv(uint64_t high, uint64_t low, uint64_t divisor, unsigned size, uint64_t *quotient,
              uint64_t *remainder);

/* Number of zero bits below the lowest (above the highest) one bit; 8 * size for 0. */
unsigned alu_trailing_zeros(uint64_t a, unsigned size);
unsigned alu_leading_zeros(uint64_t a, unsigned size);
unsigned alu_ones(uint64_t a, unsigned size);

/* Condition code 0 (O) … 15 (NLE). */
bool alu_condition(unsigned code, uint64_t flags);

#endif

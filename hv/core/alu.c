/* SPDX-License-Identifier: BSD-2-Clause */
#include "alu.h"

static bool top_bit(uint64_t value, unsigned size)
{
    return value >> (8 * size - 1) & 1;
}

static uint64_t parity_flag(uint64_t result)
{
    unsigned nibble = (unsigned)(result ^ result >> 4) & 15;
    return 0x9669u >> nibble & 1 ? FLAG_PF : 0;
}

static uint64_t result_flags(uint64_t result, unsigned size)
{
    return parity_flag(result) | (result ? 0 : FLAG_ZF) | (top_bit(result, size) ? FLAG_SF : 0);
}

static void set(uint64_t *flags, uint64_t which, uint64_t values)
{
    *flags = (*flags & ~which) | (values & which);
}

uint64_t alu_add(uint64_t a, uint64_t b, bool carry, unsigned size, uint64_t *flags)
{
    uint64_t result = (a + b + carry) & alu_mask(size);
    uint64_t carries = (a & b) | ((a | b) & ~result);

    set(flags, FLAGS_ARITHMETIC,
        result_flags(result, size) | (top_bit(carries, size) ? FLAG_CF : 0) | ((a ^ b ^ result) & FLAG_AF) |
            (top_bit((a ^ result) & (b ^ result), size) ? FLAG_OF : 0));
    return result;
}

uint64_t alu_sub(uint64_t a, uint64_t b, bool borrow, unsigned size, uint64_t *flags)
{
    uint64_t result = (a - b - borrow) & alu_mask(size);
    uint64_t borrows = (~a & b) | (~(a ^ b) & result);

    set(flags, FLAGS_ARITHMETIC,
        result_flags(result, size) | (top_bit(borrows, size) ? FLAG_CF : 0) | ((a ^ b ^ result) & FLAG_AF) |
            (top_bit((a ^ b) & (a ^ result), size) ? FLAG_OF : 0));
    return result;
}

uint64_t alu_logic(uint64_t result, unsigned size, uint64_t *flags)
{
    result &= alu_mask(size);
    set(flags, FLAGS_ARITHMETIC, result_flags(result, size));
    return result;
}

uint64_t alu_inc(uint64_t a, unsigned size, uint64_t *flags)
{
    uint64_t carry = *flags & FLAG_CF;
    uint64_t result = alu_add(a, 1, false, size, flags);
    set(flags, FLAG_CF, carry);
    return result;
}

uint64_t alu_dec(uint64_t a, unsigned size, uint64_t *flags)
{
    uint64_t carry = *flags & FLAG_CF;
    uint64_t result = alu_sub(a, 1, false, size, flags);
    set(flags, FLAG_CF, carry);
    return result;
}

uint64_t alu_neg(uint64_t a, unsigned size, uint64_t *flags)
{
    return alu_sub(0, a, false, size, flags);
}

/* ---- shifts and rotates ----------------------------------------------------------------------- */

static unsigned masked_count(unsigned count, unsigned size)
{
    return count & (size == 8 ? 63 : 31);
}

static void shift_flags(uint64_t result, bool carry, bool overflow, unsigned size, uint64_t *flags)
{
    set(flags, FLAGS_ARITHMETIC,
        result_flags(result, size) | (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0));
}

uint64_t alu_shl(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    const unsigned bits = 8 * size;
    a &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    bool carry = count <= bits && a >> (bits - count) & 1;
    uint64_t result = a << count & alu_mask(size);
    shift_flags(result, carry, top_bit(result, size) != carry, size, flags);
    return result;
}

uint64_t alu_shr(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    a &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    bool carry = a >> (count - 1) & 1;
    uint64_t result = a >> count;
    shift_flags(result, carry, count == 1 && top_bit(a, size), size, flags);
    return result;
}

uint64_t alu_sar(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    int64_t value = alu_extend(a, size);
    count = masked_count(count, size);
    if (count == 0)
        return a & alu_mask(size);
    bool carry = value >> (count - 1) & 1;
    uint64_t result = (uint64_t)(value >> count) & alu_mask(size);
    shift_flags(result, carry, false, size, flags);
    return result;
}

static void rotate_flags(bool carry, bool overflow, uint64_t *flags)
{
    set(flags, FLAG_CF | FLAG_OF, (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0));
}

uint64_t alu_rol(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    const unsigned bits = 8 * size, by = masked_count(count, size) & (bits - 1);
    a &= alu_mask(size);
    if (masked_count(count, size) == 0)
        return a;
    uint64_t result = by ? (a << by | a >> (bits - by)) & alu_mask(size) : a;
    rotate_flags(result & 1, top_bit(result, size) != (result & 1), flags);
    return result;
}

uint64_t alu_ror(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    const unsigned bits = 8 * size, by = masked_count(count, size) & (bits - 1);
    a &= alu_mask(size);
    if (masked_count(count, size) == 0)
        return a;
    uint64_t result = by ? (a >> by | a << (bits - by)) & alu_mask(size) : a;
    bool top = top_bit(result, size), next = result >> (bits - 2) & 1;
    rotate_flags(top, top != next, flags);
    return result;
}

uint64_t alu_rcl(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    bool carry = *flags & FLAG_CF;
    a &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    for (unsigned i = count % (8 * size + 1); i; i--) {
        bool out = top_bit(a, size);
        a = (a << 1 | carry) & alu_mask(size);
        carry = out;
    }
    rotate_flags(carry, top_bit(a, size) != carry, flags);
    return a;
}

uint64_t alu_rcr(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
    bool carry = *flags & FLAG_CF;
    a &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    for (unsigned i = count % (8 * size + 1); i; i--) {
        bool out = a & 1;
        a = a >> 1 | (uint64_t)carry << (8 * size - 1);
        carry = out;
    }
    rotate_flags(carry, top_bit(a, size) != (a >> (8 * size - 2) & 1), flags);
    return a;
}

/* Operands of two bytes: bits beyond the 32 of both come from the first again, as on both vendors' CPUs. */
uint64_t alu_shld(uint64_t a, uint64_t from, unsigned count, unsigned size, uint64_t *flags)
{
    const unsigned bits = 8 * size;
    uint64_t before = a &= alu_mask(size);
    bool carry = false;
    from &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    for (unsigned i = 0; i < count; i++) {
        carry = top_bit(a, size);
        a = (a << 1 | (from >> (bits - 1) & 1)) & alu_mask(size);
        from = (from << 1 | carry) & alu_mask(size);
    }
    shift_flags(a, carry, top_bit(before ^ a, size), size, flags);
    return a;
}

uint64_t alu_shrd(uint64_t a, uint64_t from, unsigned count, unsigned size, uint64_t *flags)
{
    const unsigned bits = 8 * size;
    uint64_t before = a &= alu_mask(size);
    bool carry = false;
    from &= alu_mask(size);
    count = masked_count(count, size);
    if (count == 0)
        return a;
    for (unsigned i = 0; i < count; i++) {
        carry = a & 1;
        a = a >> 1 | (from & 1) << (bits - 1);
        from = from >> 1 | (uint64_t)carry << (bits - 1);
    }
    shift_flags(a, carry, top_bit(before ^ a, size), size, flags);
    return a;
}

/* ---- multiplication and division -------------------------------------------------------------- */

uint64_t alu_mul(uint64_t a, uint64_t b, unsigned size, uint64_t *high, uint64_t *flags)
{
    unsigned __int128 product = (unsigned __int128)(a & alu_mask(size)) * (b & alu_mask(size));
    uint64_t low = (uint64_t)product & alu_mask(size);
    *high = (uint64_t)(product >> 8 * size) & alu_mask(size);
    set(flags, FLAG_CF | FLAG_OF, *high ? FLAG_CF | FLAG_OF : 0);
    return low;
}

uint64_t alu_imul(uint64_t a, uint64_t b, unsigned size, uint64_t *high, uint64_t *flags)
{
    __int128 product = (__int128)alu_extend(a, size) * alu_extend(b, size);
    uint64_t low = (uint64_t)product & alu_mask(size);
    *high = (uint64_t)(product >> 8 * size) & alu_mask(size);
    set(flags, FLAG_CF | FLAG_OF, product != alu_extend(low, size) ? FLAG_CF | FLAG_OF : 0);
    return low;
}

/* Bit by bit: a 128-bit division would call into the compiler's library. */
bool alu_div(uint64_t high, uint64_t low, uint64_t divisor, unsigned size, uint64_t *quotient,
             uint64_t *remainder)
{
    high &= alu_mask(size);
    divisor &= alu_mask(size);
    if (high >= divisor) /* 0 included */
        return false;
    uint64_t rest = high, result = 0;
    for (unsigned i = 8 * size; i-- > 0;) {
        bool carry = rest >> 63;
        rest = rest << 1 | (low >> i & 1);
        result <<= 1;
        if (carry || rest >= divisor) {
            rest -= divisor;
            result |= 1;
        }
    }
    *quotient = result;
    *remainder = rest;
    return true;
}

bool alu_idiv(uint64_t high, uint64_t low, uint64_t divisor, unsigned size, uint64_t *quotient,
              uint64_t *remainder)
{
    const uint64_t mask = alu_mask(size);
    bool negative = top_bit(high, size), divisor_negative = top_bit(divisor, size);

    low &= mask;
    if (negative) {
        high = ~high + (low == 0);
        low = -low & mask;
    }
    if (divisor_negative)
        divisor = -divisor;
    if (!alu_div(high, low, divisor, size, quotient, remainder))
        return false;
    /* The magnitude may reach 2^(bits-1) only with a negative sign. */
    uint64_t limit = (mask >> 1) + (negative != divisor_negative);
    if (*quotient > limit)
        return false;
    if (negative != divisor_negative)
        *quotient = -*quotient & mask;
    if (negative)
        *remainder = -*remainder & mask;
    return true;
}

/* ---- bits and conditions ---------------------------------------------------------------------- */

unsigned alu_trailing_zeros(uint64_t a, unsigned size)
{
    a &= alu_mask(size);
    return a ? (unsigned)__builtin_ctzll(a) : 8 * size;
}

unsigned alu_leading_zeros(uint64_t a, unsigned size)
{
    a &= alu_mask(size);
    return a ? (unsigned)__builtin_clzll(a) - (64 - 8 * size) : 8 * size;
}

unsigned alu_ones(uint64_t a, unsigned size)
{
    unsigned count = 0;
    for (a &= alu_mask(size); a; a &= a - 1)
        count++;
    return count;
}

bool alu_condition(unsigned code, uint64_t flags)
{
    bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF), holds = false;

    switch (code >> 1 & 7) {
    case 0:
        holds = flags & FLAG_OF;
        break;
    case 1:
        holds = flags & FLAG_CF;
        break;
    case 2:
        holds = flags & FLAG_ZF;
        break;
    case 3:
        holds = flags & (FLAG_CF | FLAG_ZF);
        break;
    case 4:
        holds = flags & FLAG_SF;
        break;
    case 5:
        holds = flags & FLAG_PF;
        break;
    case 6:
        holds = less;
        break;
    case 7:
        holds = less || flags & FLAG_ZF;
        break;
    }
    return holds != (code & 1);
}

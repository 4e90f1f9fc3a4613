/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "emulate_operand.h"

#define CR0_MP_EM_TS 0xeu

/* ---- fetch ------------------------------------------------------------------------------------ */

/* Bytes of one page at a time: the next page is asked for only when the instruction reaches into it. */
static unsigned first_fetch(uint64_t linear)
{
    unsigned in_page = 4096 - (unsigned)(linear & 4095);
    return in_page < INSN_MAX_BYTES ? in_page : INSN_MAX_BYTES;
}

static enum emulate_result code_address(struct emulator *e, uint64_t offset, unsigned *available,
                                        uint64_t *linear)
{
    if (e->long_mode) {
        *linear = offset;
        return EMULATE_DONE;
    }
    const struct segment *s = context_segment(e->context, SEG_CS);
    if (offset > s->limit)
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    if (s->limit - offset < *available - 1u)
        *available = (unsigned)(s->limit - offset) + 1;
    *linear = (uint32_t)(s->base + offset);
    return EMULATE_DONE;
}

/* Bytes fetched so far. */
struct fetched {
    uint8_t bytes[16];
    unsigned have;
};

static struct emulate_cache_entry *cache_entry(struct emulator *e)
{
    return &e->cache->entry[context_get(e->context, REG_RIP) % EMULATE_CACHE_ENTRIES];
}

/* @pre 1 <= count <= 15; both have 16 bytes */
static bool same_bytes(const uint8_t *a, const uint8_t *b, unsigned count)
{
    uint64_t x[2], y[2];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    if (count < 8)
        return (x[0] ^ y[0]) << (64 - 8 * count) == 0;
    return x[0] == y[0] && (count == 8 || (x[1] ^ y[1]) << (128 - 8 * count) == 0);
}

static bool decoded_before(struct emulator *e, const struct fetched *f, enum decode_mode mode)
{
    if (!e->cache)
        return false;
    const struct emulate_cache_entry *entry = cache_entry(e);
    const unsigned length = entry->insn.length;
    if (length == 0 || length > f->have || entry->mode != mode ||
        !same_bytes(entry->bytes, f->bytes, length)) {
        e->cache->misses++;
        return false;
    }
    e->cache->hits++;
    e->insn = entry->insn;
    return true;
}

static void remember(struct emulator *e, const struct fetched *f, enum decode_mode mode)
{
    if (!e->cache)
        return;
    struct emulate_cache_entry *entry = cache_entry(e);
    memcpy(entry->bytes, f->bytes, sizeof entry->bytes);
    entry->mode = (uint8_t)mode;
    entry->insn = e->insn;
}

enum emulate_result emulate_decode(struct emulator *e)
{
    const enum decode_mode mode = emulate_mode(e);
    struct fetched f = {.have = 0};
    unsigned within = INSN_MAX_BYTES;
    uint64_t linear = 0;

    e->long_mode = mode == DECODE_64;
    enum emulate_result result = code_address(e, context_get(e->context, REG_RIP), &within, &linear);
    if (result != EMULATE_DONE)
        return result;
    if (e->bytes) {
        f.have = e->byte_count < within ? e->byte_count : within;
        memcpy(f.bytes, e->bytes, f.have);
    }
    for (;;) {
        if (f.have) {
            if (decoded_before(e, &f, mode))
                return EMULATE_DONE;
            enum decode_result decoded = decode(f.bytes, f.have, mode, &e->insn);
            if (decoded == DECODE_OK) {
                remember(e, &f, mode);
                return EMULATE_DONE;
            }
            if (decoded == DECODE_UNDEFINED)
                return emulate_raise(e, EXCEPTION_UD);
            /* Too long, or on over the segment's limit. */
            if (decoded == DECODE_TOO_LONG || f.have == within)
                return emulate_raise_error(e, EXCEPTION_GP, 0);
        }
        unsigned more = first_fetch(linear + f.have);
        if (more > within - f.have)
            more = within - f.have;
        result = e->ops->read(e->owner, linear + f.have, f.bytes + f.have, more, ACCESS_EXECUTE, &e->fault);
        if (result != EMULATE_DONE)
            return result;
        f.have += more;
    }
}

/* ---- two operands, one result ----------------------------------------------------------------- */

static bool writes_back(enum insn_op op)
{
    return op != INSN_CMP && op != INSN_TEST && op != INSN_BT;
}

static uint64_t compute(const struct insn *insn, unsigned size, uint64_t a, uint64_t b, uint64_t *flags)
{
    const unsigned bit = (unsigned)b & (8 * size - 1);
    switch (insn->op) {
    case INSN_ADD:
        return alu_add(a, b, false, size, flags);
    case INSN_ADC:
        return alu_add(a, b, *flags & FLAG_CF, size, flags);
    case INSN_SUB:
    case INSN_CMP:
        return alu_sub(a, b, false, size, flags);
    case INSN_SBB:
        return alu_sub(a, b, *flags & FLAG_CF, size, flags);
    case INSN_AND:
    case INSN_TEST:
        return alu_logic(a & b, size, flags);
    case INSN_OR:
        return alu_logic(a | b, size, flags);
    case INSN_XOR:
        return alu_logic(a ^ b, size, flags);
    case INSN_NOT:
        return ~a;
    case INSN_NEG:
        return alu_neg(a, size, flags);
    case INSN_INC:
        return alu_inc(a, size, flags);
    case INSN_DEC:
        return alu_dec(a, size, flags);
    case INSN_ROL:
        return alu_rol(a, (unsigned)b, size, flags);
    case INSN_ROR:
        return alu_ror(a, (unsigned)b, size, flags);
    case INSN_RCL:
        return alu_rcl(a, (unsigned)b, size, flags);
    case INSN_RCR:
        return alu_rcr(a, (unsigned)b, size, flags);
    case INSN_SHL:
        return alu_shl(a, (unsigned)b, size, flags);
    case INSN_SHR:
        return alu_shr(a, (unsigned)b, size, flags);
    case INSN_SAR:
        return alu_sar(a, (unsigned)b, size, flags);
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        *flags = (*flags & ~(uint64_t)FLAG_CF) | (a >> bit & 1);
        if (insn->op == INSN_BTS)
            return a | 1ull << bit;
        if (insn->op == INSN_BTR)
            return a & ~(1ull << bit);
        return a ^ 1ull << bit;
    default: /* MOV and its like */
        return b;
    }
}

/* BT and its like with a register offset reach beyond the operand: whole operands are added to the address.
 */
static void move_bit_string(struct emulator *e, uint64_t offset)
{
    struct insn *insn = &e->insn;
    if (insn->operand[0].kind != OPERAND_MEMORY || insn->operand[1].kind != OPERAND_REGISTER)
        return;
    const unsigned size = insn->operand[0].size;
    int64_t operands = alu_extend(offset, size) >> (size == 8 ? 6 : size == 4 ? 5 : 4);
    insn->memory.disp += operands * (int64_t)size;
}

static enum emulate_result update(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    const enum insn_op op = (enum insn_op)e->insn.op;
    uint64_t flags = context_get(e->context, REG_RFLAGS), a, b = 0, after;
    enum emulate_result result = EMULATE_DONE;

    if (e->insn.operand[1].kind != OPERAND_NONE)
        result = emulate_load(e, &e->insn.operand[1], ACCESS_READ, &b);
    if (result != EMULATE_DONE)
        return result;
    if (op == INSN_BT || op == INSN_BTS || op == INSN_BTR || op == INSN_BTC)
        move_bit_string(e, b);
    result = emulate_load(e, to, writes_back(op) ? ACCESS_MODIFY : ACCESS_READ, &a);
    if (result != EMULATE_DONE)
        return result;
    after = compute(&e->insn, to->size, a, b, &flags);
    if (writes_back(op))
        result = emulate_replace(e, to, e->insn.lock, a, after);
    if (result == EMULATE_DONE)
        context_set(e->context, REG_RFLAGS, flags);
    return result;
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    uint64_t swapped = 0;
    for (unsigned i = 0; i < size; i++)
        swapped |= (value >> (8 * i) & 0xff) << (8 * (size - 1 - i));
    return swapped;
}

/* MOV, MOVZX, MOVSX, MOVBE, MOVNTI, CMOV, BSWAP */
static enum emulate_result move(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    const struct insn_operand *from = &e->insn.operand[e->insn.op == INSN_BSWAP ? 0 : 1];
    uint64_t value, old;
    enum emulate_result result = emulate_load(e, from, ACCESS_READ, &value);
    if (result != EMULATE_DONE)
        return result;
    switch (e->insn.op) {
    case INSN_MOVSX:
        value = (uint64_t)alu_extend(value, from->size);
        break;
    case INSN_MOVBE:
    case INSN_BSWAP:
        value = to->size == 2 && e->insn.op == INSN_BSWAP ? 0 : swap_bytes(value, to->size);
        break;
    case INSN_CMOV:
        /* Memory is read in any case, and a 32-bit destination loses its upper half in any case. */
        if (!alu_condition(e->insn.condition, context_get(e->context, REG_RFLAGS))) {
            result = emulate_load(e, to, ACCESS_READ, &old);
            value = old;
        }
        break;
    default:
        break;
    }
    return result == EMULATE_DONE ? emulate_store(e, to, value) : result;
}

static enum emulate_result set_condition(struct emulator *e)
{
    return emulate_store(e, &e->insn.operand[0],
                         alu_condition(e->insn.condition, context_get(e->context, REG_RFLAGS)));
}

static enum emulate_result load_address(struct emulator *e)
{
    return emulate_store(e, &e->insn.operand[0], emulate_offset(e, 0));
}

/* XCHG of memory is locked with or without the prefix. */
static enum emulate_result exchange(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *with = &e->insn.operand[1];
    uint64_t a, b, flags = context_get(e->context, REG_RFLAGS);
    bool add = e->insn.op == INSN_XADD;

    enum emulate_result result = emulate_load(e, with, ACCESS_READ, &b);
    if (result == EMULATE_DONE)
        result = emulate_load(e, to, ACCESS_MODIFY, &a);
    if (result != EMULATE_DONE)
        return result;
    uint64_t after = add ? alu_add(a, b, false, to->size, &flags) : b;
    if (to->kind == OPERAND_MEMORY) {
        result = emulate_replace(e, to, !add || e->insn.lock, a, after);
        if (result == EMULATE_DONE)
            emulate_store(e, with, a);
    } else {
        /* Of XADD with one register twice, the sum stays. */
        emulate_store(e, with, a);
        emulate_store(e, to, after);
    }
    if (result == EMULATE_DONE)
        context_set(e->context, REG_RFLAGS, flags);
    return result;
}

static enum emulate_result compare_exchange(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    const unsigned size = to->size;
    uint64_t a, b, flags = context_get(e->context, REG_RFLAGS);
    const uint64_t accumulator = emulate_register(e, REG_RAX, size);

    enum emulate_result result = emulate_load(e, &e->insn.operand[1], ACCESS_READ, &b);
    if (result == EMULATE_DONE)
        result = emulate_load(e, to, ACCESS_MODIFY, &a);
    if (result != EMULATE_DONE)
        return result;
    alu_sub(accumulator, a, false, size, &flags);
    bool equal = a == accumulator;
    /* Memory is written in any case (SDM 2A CMPXCHG); a register, with its upper half, only when equal. */
    if (equal || to->kind == OPERAND_MEMORY)
        result = emulate_replace(e, to, e->insn.lock, a, equal ? b : a);
    if (result != EMULATE_DONE)
        return result;
    if (!equal)
        emulate_set_register(e, REG_RAX, size, a);
    context_set(e->context, REG_RFLAGS, flags);
    return EMULATE_DONE;
}

/* CMPXCHG8B, CMPXCHG16B */
static enum emulate_result compare_exchange_pair(struct emulator *e)
{
    const unsigned size = e->insn.operand[0].size, half = size / 2;
    const enum seg segment = (enum seg)e->insn.memory.segment;
    const uint64_t offset = emulate_offset(e, 0);
    uint8_t memory[16], expected[16], desired[16];
    uint64_t linear, value, flags = context_get(e->context, REG_RFLAGS);
    bool swapped = true;

    enum emulate_result result = emulate_linear(e, segment, offset, size, true, &linear);
    if (result != EMULATE_DONE)
        return result;
    if (size == 16 && linear & 15)
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    result = emulate_read(e, segment, offset, memory, size, ACCESS_MODIFY);
    if (result != EMULATE_DONE)
        return result;
    value = context_get(e->context, REG_RAX);
    memcpy(expected, &value, half);
    value = context_get(e->context, REG_RDX);
    memcpy(expected + half, &value, half);
    value = context_get(e->context, REG_RBX);
    memcpy(desired, &value, half);
    value = context_get(e->context, REG_RCX);
    memcpy(desired + half, &value, half);

    bool equal = !memcmp(memory, expected, size);
    const uint8_t *after = equal ? desired : memory;
    if (e->insn.lock)
        result = e->ops->exchange(e->owner, linear, memory, after, size, &swapped, &e->fault);
    else
        result = emulate_write(e, segment, offset, after, size);
    if (result != EMULATE_DONE)
        return result;
    if (!swapped)
        return EMULATE_AGAIN;
    if (!equal) {
        value = 0;
        memcpy(&value, memory, half);
        emulate_set_register(e, REG_RAX, half, value);
        memcpy(&value, memory + half, half);
        emulate_set_register(e, REG_RDX, half, value);
    }
    context_set(e->context, REG_RFLAGS, equal ? flags | FLAG_ZF : flags & ~(uint64_t)FLAG_ZF);
    return EMULATE_DONE;
}

/* ---- arithmetic with its own operands --------------------------------------------------------- */

static enum emulate_result double_shift(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    uint64_t a, from, count, flags = context_get(e->context, REG_RFLAGS);
    enum emulate_result result = emulate_load(e, &e->insn.operand[1], ACCESS_READ, &from);
    if (result == EMULATE_DONE)
        result = emulate_load(e, &e->insn.operand[2], ACCESS_READ, &count);
    if (result == EMULATE_DONE)
        result = emulate_load(e, to, ACCESS_MODIFY, &a);
    if (result != EMULATE_DONE)
        return result;
    uint64_t after = e->insn.op == INSN_SHLD ? alu_shld(a, from, (unsigned)count, to->size, &flags)
                                             : alu_shrd(a, from, (unsigned)count, to->size, &flags);
    result = emulate_replace(e, to, false, a, after);
    if (result == EMULATE_DONE)
        context_set(e->context, REG_RFLAGS, flags);
    return result;
}

/* A product or a quotient with remainder into rDX:rAX, or AX for bytes. */
static void set_pair(struct emulator *e, unsigned size, uint64_t high, uint64_t low)
{
    if (size == 1) {
        emulate_set_register(e, REG_RAX, 2, (high & 0xff) << 8 | (low & 0xff));
    } else {
        emulate_set_register(e, REG_RAX, size, low);
        emulate_set_register(e, REG_RDX, size, high);
    }
}

static enum emulate_result multiply(struct emulator *e)
{
    const struct insn_operand *o = e->insn.operand;
    const unsigned size = o[0].size;
    uint64_t a, b, high, low, flags = context_get(e->context, REG_RFLAGS);
    bool one = o[1].kind == OPERAND_NONE;

    enum emulate_result result = emulate_load(e, one ? &o[0] : &o[1], ACCESS_READ, &a);
    if (result != EMULATE_DONE)
        return result;
    if (one)
        b = emulate_register(e, REG_RAX, size);
    else
        emulate_load(e, o[2].kind == OPERAND_NONE ? &o[0] : &o[2], ACCESS_READ, &b);
    low = e->insn.op == INSN_MUL ? alu_mul(a, b, size, &high, &flags) : alu_imul(a, b, size, &high, &flags);
    if (one)
        set_pair(e, size, high, low);
    else
        emulate_store(e, &o[0], low);
    context_set(e->context, REG_RFLAGS, flags);
    return EMULATE_DONE;
}

static enum emulate_result divide(struct emulator *e)
{
    const unsigned size = e->insn.operand[0].size;
    uint64_t divisor, quotient, remainder;
    enum emulate_result result = emulate_load(e, &e->insn.operand[0], ACCESS_READ, &divisor);
    if (result != EMULATE_DONE)
        return result;
    uint64_t low = emulate_register(e, REG_RAX, size), high = emulate_register(e, REG_RDX, size);
    if (size == 1)
        high = emulate_register(e, REG_RAX, 2) >> 8;
    bool possible = e->insn.op == INSN_DIV ? alu_div(high, low, divisor, size, &quotient, &remainder)
                                           : alu_idiv(high, low, divisor, size, &quotient, &remainder);
    if (!possible)
        return emulate_raise(e, EXCEPTION_DE);
    set_pair(e, size, remainder, quotient);
    return EMULATE_DONE;
}

/* BSF, BSR, TZCNT, LZCNT, POPCNT */
static enum emulate_result count_bits(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    const unsigned size = to->size;
    uint64_t a, flags = context_get(e->context, REG_RFLAGS), result_flags;
    unsigned count;
    enum emulate_result result = emulate_load(e, &e->insn.operand[1], ACCESS_READ, &a);
    if (result != EMULATE_DONE)
        return result;
    switch (e->insn.op) {
    case INSN_BSF:
        count = alu_trailing_zeros(a, size);
        result_flags = a ? 0 : FLAG_ZF;
        break;
    case INSN_BSR:
        count = 8 * size - 1 - alu_leading_zeros(a, size);
        result_flags = a ? 0 : FLAG_ZF;
        break;
    case INSN_TZCNT:
        count = alu_trailing_zeros(a, size);
        result_flags = (a ? 0 : FLAG_CF) | (count ? 0 : FLAG_ZF);
        break;
    case INSN_LZCNT:
        count = alu_leading_zeros(a, size);
        result_flags = (a ? 0 : FLAG_CF) | (count ? 0 : FLAG_ZF);
        break;
    default:
        count = alu_ones(a, size);
        result_flags = a ? 0 : FLAG_ZF;
        break;
    }
    context_set(e->context, REG_RFLAGS, (flags & ~(uint64_t)FLAGS_ARITHMETIC) | result_flags);
    /* BSF and BSR of zero leave the destination as it was. */
    if (a || (e->insn.op != INSN_BSF && e->insn.op != INSN_BSR))
        emulate_store(e, to, count);
    return EMULATE_DONE;
}

/* CBW, CWDE, CDQE; CWD, CDQ, CQO */
static enum emulate_result sign_extend(struct emulator *e)
{
    const unsigned size = e->insn.operand_size;
    if (e->insn.op == INSN_CBW)
        emulate_set_register(e, REG_RAX, size,
                             (uint64_t)alu_extend(context_get(e->context, REG_RAX), size / 2));
    else
        emulate_set_register(e, REG_RDX, size,
                             alu_extend(context_get(e->context, REG_RAX), size) < 0 ? ~0ull : 0);
    return EMULATE_DONE;
}

/* ---- stack and branches ----------------------------------------------------------------------- */

static enum emulate_result push(struct emulator *e)
{
    uint64_t value;
    enum emulate_result result = emulate_load(e, &e->insn.operand[0], ACCESS_READ, &value);
    return result == EMULATE_DONE ? emulate_push(e, e->insn.operand_size, value) : result;
}

static enum emulate_result pop(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    const unsigned size = e->insn.operand_size;
    uint64_t value;
    if (to->kind != OPERAND_MEMORY && to->kind != OPERAND_REGISTER)
        return EMULATE_UNHANDLED; /* segment registers */
    enum emulate_result result = emulate_top(e, size, &value);
    if (result != EMULATE_DONE)
        return result;
    if (to->kind == OPERAND_MEMORY) {
        result = emulate_write(e, (enum seg)e->insn.memory.segment, emulate_offset(e, size), &value, size);
        if (result == EMULATE_DONE)
            emulate_drop(e, size);
        return result;
    }
    emulate_drop(e, size);
    return emulate_store(e, to, value);
}

/* Where a near branch goes, checked; RIP is set by emulate_decoded(). */
static enum emulate_result branch_target(struct emulator *e, uint64_t *target)
{
    const struct insn_operand *o = &e->insn.operand[0];
    uint64_t linear;
    if (o->kind == OPERAND_RELATIVE) {
        *target = context_get(e->context, REG_RIP) + e->insn.length + (uint64_t)e->insn.immediate;
    } else {
        enum emulate_result result = emulate_load(e, o, ACCESS_READ, target);
        if (result != EMULATE_DONE)
            return result;
    }
    *target &= alu_mask(e->insn.operand_size);
    if (e->long_mode)
        return emulate_linear(e, SEG_CS, *target, 1, false, &linear);
    if (*target > context_segment(e->context, SEG_CS)->limit)
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    return EMULATE_DONE;
}

static enum emulate_result branch(struct emulator *e)
{
    uint64_t target, behind = context_get(e->context, REG_RIP) + e->insn.length;
    enum emulate_result result = branch_target(e, &target);
    if (result == EMULATE_DONE && e->insn.op == INSN_CALL)
        result = emulate_push(e, e->insn.operand_size, behind);
    if (result == EMULATE_DONE)
        context_set(e->context, REG_RIP, target);
    return result;
}

/* ---- ports, control registers, vectors -------------------------------------------------------- */

static enum emulate_result input(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0];
    uint64_t port;
    uint32_t value = 0;
    if (!e->ops->io_read)
        return EMULATE_UNHANDLED;
    emulate_load(e, &e->insn.operand[1], ACCESS_READ, &port);
    enum emulate_result result = e->ops->io_read(e->owner, (uint16_t)port, to->size, &value);
    return result == EMULATE_DONE ? emulate_store(e, to, value) : result;
}

static enum emulate_result output(struct emulator *e)
{
    const struct insn_operand *from = &e->insn.operand[1];
    uint64_t port, value;
    if (!e->ops->io_write)
        return EMULATE_UNHANDLED;
    emulate_load(e, &e->insn.operand[0], ACCESS_READ, &port);
    emulate_load(e, from, ACCESS_READ, &value);
    return e->ops->io_write(e->owner, (uint16_t)port, from->size, (uint32_t)value);
}

static bool is_special(const struct insn_operand *o)
{
    return o->kind == OPERAND_CONTROL || o->kind == OPERAND_DEBUG;
}

static enum emulate_result move_special(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    const bool write = is_special(to), control = (write ? to : from)->kind == OPERAND_CONTROL;
    enum emulate_result result;
    uint64_t value = 0;

    if (write) {
        enum emulate_result (*set)(void *, unsigned, uint64_t, struct emulate_fault *) =
            control ? e->ops->cr_write : e->ops->dr_write;
        if (!set)
            return EMULATE_UNHANDLED;
        emulate_load(e, from, ACCESS_READ, &value);
        return set(e->owner, to->number, value, &e->fault);
    }
    enum emulate_result (*get)(void *, unsigned, uint64_t *, struct emulate_fault *) =
        control ? e->ops->cr_read : e->ops->dr_read;
    if (!get)
        return EMULATE_UNHANDLED;
    result = get(e->owner, from->number, &value, &e->fault);
    return result == EMULATE_DONE ? emulate_store(e, to, value) : result;
}

/* CLTS, LMSW, SMSW: CR0 by other names. */
static enum emulate_result status_word(struct emulator *e)
{
    uint64_t cr0, value;
    enum emulate_result result;
    if (!e->ops->cr_read || !e->ops->cr_write)
        return EMULATE_UNHANDLED;
    result = e->ops->cr_read(e->owner, 0, &cr0, &e->fault);
    if (result != EMULATE_DONE)
        return result;
    switch (e->insn.op) {
    case INSN_CLTS:
        return e->ops->cr_write(e->owner, 0, cr0 & ~8ull, &e->fault);
    case INSN_SMSW:
        return emulate_store(e, &e->insn.operand[0], cr0);
    default: /* LMSW sets PE and cannot clear it */
        result = emulate_load(e, &e->insn.operand[0], ACCESS_READ, &value);
        if (result != EMULATE_DONE)
            return result;
        cr0 = (cr0 & ~(uint64_t)CR0_MP_EM_TS) | (value & (CR0_MP_EM_TS | CR0_PE));
        return e->ops->cr_write(e->owner, 0, cr0, &e->fault);
    }
}

/* The address is not accessed: neither limit nor rights are checked, and a non-canonical one does nothing. */
static enum emulate_result invalidate_page(struct emulator *e)
{
    const enum seg segment = (enum seg)e->insn.memory.segment;
    uint64_t linear = emulate_offset(e, 0);
    if (!e->ops->invlpg)
        return EMULATE_UNHANDLED;
    if (!e->long_mode)
        linear = (uint32_t)(linear + context_segment(e->context, segment)->base);
    else if (segment == SEG_FS || segment == SEG_GS)
        linear += context_segment(e->context, segment)->base;
    return e->ops->invlpg(e->owner, linear);
}

/* MOVAPS, MOVDQA and the non-temporal stores want 16-byte alignment; MOVUPS and MOVDQU do not. */
static bool vector_aligned(const struct insn *insn)
{
    switch (insn->opcode) {
    case 0x28:
    case 0x29:
    case 0x2b:
    case 0xe7:
        return true;
    case 0x6f:
    case 0x7f:
        return insn->rep != 0xf3;
    default:
        return false;
    }
}

/* Loads clear what they do not fill. Register to register never exits. */
static enum emulate_result move_vector(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    const bool load = from->kind == OPERAND_MEMORY;
    const struct insn_operand *vector = load ? to : from;
    const unsigned size = load ? from->size : to->size;
    const enum seg segment = (enum seg)e->insn.memory.segment;
    const uint64_t offset = emulate_offset(e, 0);
    uint8_t data[16] = {0};
    uint64_t linear;

    if ((!load && to->kind != OPERAND_MEMORY) || !e->ops->vector_read || !e->ops->vector_write)
        return EMULATE_UNHANDLED;
    enum emulate_result result = emulate_linear(e, segment, offset, size, !load, &linear);
    if (result != EMULATE_DONE)
        return result;
    if (size == 16 && linear & 15 && vector_aligned(&e->insn))
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    if (load) {
        result = e->ops->read(e->owner, linear, data, size, ACCESS_READ, &e->fault);
        if (result != EMULATE_DONE)
            return result;
        return e->ops->vector_write(e->owner, (enum operand_kind)vector->kind, vector->number, data);
    }
    result = e->ops->vector_read(e->owner, (enum operand_kind)vector->kind, vector->number, data);
    return result == EMULATE_DONE ? e->ops->write(e->owner, linear, data, size, &e->fault) : result;
}

/* ---- the short way ---------------------------------------------------------------------------- */

/* What nearly every exit at a device is: in 64-bit code, memory to a register, or a register or immediate to
 * memory. */
static bool is_plain_move(const struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    if (!e->long_mode || (e->insn.op != INSN_MOV && e->insn.op != INSN_MOVZX))
        return false;
    if (from->kind == OPERAND_MEMORY)
        return to->kind == OPERAND_REGISTER;
    return to->kind == OPERAND_MEMORY && (from->kind == OPERAND_REGISTER || from->kind == OPERAND_IMMEDIATE);
}

static enum emulate_result plain_move(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    const bool load = from->kind == OPERAND_MEMORY;
    const unsigned size = load ? from->size : to->size;
    uint64_t linear, value = 0;

    enum emulate_result result =
        emulate_data_address(e, (enum seg)e->insn.memory.segment, emulate_offset(e, 0), size, !load, &linear);
    if (result != EMULATE_DONE)
        return result;
    if (load) {
        result = e->ops->read(e->owner, linear, &value, size, ACCESS_READ, &e->fault);
        if (result == EMULATE_DONE)
            emulate_set_register(e, to->number, to->size, value);
        return result;
    }
    value = from->kind == OPERAND_REGISTER ? context_get(e->context, (enum reg)from->number)
                                           : (uint64_t)e->insn.immediate;
    return e->ops->write(e->owner, linear, &value, size, &e->fault);
}

/* ---- dispatch --------------------------------------------------------------------------------- */

static enum emulate_result run(struct emulator *e)
{
    switch ((enum insn_op)e->insn.op) {
    case INSN_ADD:
    case INSN_OR:
    case INSN_ADC:
    case INSN_SBB:
    case INSN_AND:
    case INSN_SUB:
    case INSN_XOR:
    case INSN_CMP:
    case INSN_TEST:
    case INSN_NOT:
    case INSN_NEG:
    case INSN_INC:
    case INSN_DEC:
    case INSN_ROL:
    case INSN_ROR:
    case INSN_RCL:
    case INSN_RCR:
    case INSN_SHL:
    case INSN_SHR:
    case INSN_SAR:
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return update(e);
    case INSN_MOV:
        if (is_special(&e->insn.operand[0]) || is_special(&e->insn.operand[1]))
            return move_special(e);
        if (e->insn.operand[0].kind == OPERAND_SEGMENT || e->insn.operand[1].kind == OPERAND_SEGMENT)
            return emulate_move_segment(e);
        return move(e);
    case INSN_MOVZX:
    case INSN_MOVSX:
    case INSN_MOVBE:
    case INSN_MOVNTI:
    case INSN_BSWAP:
    case INSN_CMOV:
        return move(e);
    case INSN_SET:
        return set_condition(e);
    case INSN_LEA:
        return load_address(e);
    case INSN_XCHG:
    case INSN_XADD:
        return exchange(e);
    case INSN_CMPXCHG:
        return compare_exchange(e);
    case INSN_CMPXCHG8B:
        return compare_exchange_pair(e);
    case INSN_SHLD:
    case INSN_SHRD:
        return double_shift(e);
    case INSN_MUL:
    case INSN_IMUL:
        return multiply(e);
    case INSN_DIV:
    case INSN_IDIV:
        return divide(e);
    case INSN_BSF:
    case INSN_BSR:
    case INSN_TZCNT:
    case INSN_LZCNT:
    case INSN_POPCNT:
        return count_bits(e);
    case INSN_CBW:
    case INSN_CWD:
        return sign_extend(e);
    case INSN_PUSH:
        return push(e);
    case INSN_POP:
        return pop(e);
    case INSN_JMP:
    case INSN_CALL:
        return branch(e);
    case INSN_MOVS:
    case INSN_CMPS:
    case INSN_STOS:
    case INSN_LODS:
    case INSN_SCAS:
    case INSN_INS:
    case INSN_OUTS:
        return emulate_string(e);
    case INSN_IN:
        return input(e);
    case INSN_OUT:
        return output(e);
    case INSN_CLTS:
    case INSN_LMSW:
    case INSN_SMSW:
        return status_word(e);
    case INSN_JMP_FAR:
        return emulate_jump_far(e);
    case INSN_RET:
        return emulate_return(e);
    case INSN_LEAVE:
        return emulate_leave(e);
    case INSN_ENTER:
        return emulate_enter(e);
    case INSN_LTR:
    case INSN_LLDT:
        return emulate_system_segment(e);
    case INSN_INVLPG:
        return invalidate_page(e);
    case INSN_MOV_VECTOR:
        return move_vector(e);
    case INSN_NOP:
    case INSN_PAUSE:
        return EMULATE_DONE;
    default:
        return EMULATE_UNHANDLED;
    }
}

static bool sets_rip(unsigned op)
{
    return op == INSN_JMP || op == INSN_CALL || op == INSN_RET || op == INSN_JMP_FAR;
}

enum emulate_result emulate_decoded(struct emulator *e)
{
    const uint64_t rip = context_get(e->context, REG_RIP);
    enum emulate_result result = is_plain_move(e) ? plain_move(e) : run(e);
    if (result != EMULATE_DONE)
        return result;
    if (!sets_rip(e->insn.op))
        context_set(e->context, REG_RIP,
                    e->long_mode ? rip + e->insn.length : (uint32_t)(rip + e->insn.length));
    const uint64_t flags = context_get(e->context, REG_RFLAGS);
    if (flags & FLAG_RF)
        context_set(e->context, REG_RFLAGS, flags & ~(uint64_t)FLAG_RF);
    return EMULATE_DONE;
}

enum emulate_result emulate(struct emulator *e)
{
    enum emulate_result result = emulate_decode(e);
    return result == EMULATE_DONE ? emulate_decoded(e) : result;
}

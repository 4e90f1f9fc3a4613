/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "emulate_operand.h"

enum emulate_result emulate_raise(struct emulator *e, unsigned vector)
{
    e->fault = (struct emulate_fault){.vector = (uint8_t)vector};
    return EMULATE_FAULT;
}

enum emulate_result emulate_raise_error(struct emulator *e, unsigned vector, uint32_t error)
{
    e->fault = (struct emulate_fault){.vector = (uint8_t)vector, .has_error = true, .error = error};
    return EMULATE_FAULT;
}

/* ---- modes ------------------------------------------------------------------------------------ */

bool emulate_in_protected_mode(struct emulator *e)
{
    return context_get(e->context, REG_CR0) & CR0_PE && !(context_get(e->context, REG_RFLAGS) & FLAG_VM);
}

enum decode_mode emulate_mode(struct emulator *e)
{
    const unsigned attributes = context_segment(e->context, SEG_CS)->attributes;
    if (attributes & SEG_LONG && context_get(e->context, REG_EFER) & EFER_LMA)
        return DECODE_64;
    return attributes & SEG_BIG ? DECODE_32 : DECODE_16;
}

unsigned emulate_cpl(struct emulator *e)
{
    if (!(context_get(e->context, REG_CR0) & CR0_PE))
        return 0;
    if (context_get(e->context, REG_RFLAGS) & FLAG_VM)
        return 3;
    return context_segment(e->context, SEG_SS)->attributes >> SEG_DPL_SHIFT & 3;
}

/* ---- addresses -------------------------------------------------------------------------------- */

static enum emulate_result segment_fault(struct emulator *e, enum seg which)
{
    return emulate_raise_error(e, which == SEG_SS ? EXCEPTION_SS : EXCEPTION_GP, 0);
}

static enum emulate_result linear_64(struct emulator *e, enum seg which, uint64_t offset, unsigned size,
                                     uint64_t *linear)
{
    unsigned unused = context_get(e->context, REG_CR4) & CR4_LA57 ? 64 - 57 : 64 - 48;
    uint64_t first = offset;
    if (which == SEG_FS || which == SEG_GS)
        first += context_segment(e->context, which)->base;
    uint64_t last = first + (size - 1);
    if ((int64_t)(first << unused) >> unused != (int64_t)first ||
        (int64_t)(last << unused) >> unused != (int64_t)last)
        return segment_fault(e, which);
    *linear = first;
    return EMULATE_DONE;
}

static bool within_limit(const struct segment *s, uint64_t offset, unsigned size)
{
    uint64_t last = offset + (size - 1);
    bool expands_down = (s->attributes & (SEG_CODE_DATA | 0xc)) == (SEG_CODE_DATA | 0x4);
    if (expands_down)
        return offset > s->limit && last <= (s->attributes & SEG_BIG ? 0xffffffffu : 0xffffu);
    return last <= s->limit;
}

/* Type bits: 8 code, 2 writable data or readable code. */
static bool type_allows(const struct segment *s, bool write)
{
    if (s->attributes & SEG_UNUSABLE || !(s->attributes & SEG_PRESENT))
        return false;
    if (write)
        return (s->attributes & 0xa) == 0x2;
    return !(s->attributes & 0x8) || s->attributes & 0x2;
}

enum emulate_result emulate_linear(struct emulator *e, enum seg which, uint64_t offset, unsigned size,
                                   bool write, uint64_t *linear)
{
    if (e->long_mode)
        return linear_64(e, which, offset, size, linear);
    const struct segment *s = context_segment(e->context, which);
    if ((emulate_in_protected_mode(e) && !type_allows(s, write)) || !within_limit(s, offset, size))
        return segment_fault(e, which);
    *linear = (uint32_t)(s->base + offset);
    return EMULATE_DONE;
}

/* ---- memory ----------------------------------------------------------------------------------- */

static bool alignment_checked(struct emulator *e)
{
    return context_get(e->context, REG_CR0) & CR0_AM && context_get(e->context, REG_RFLAGS) & FLAG_AC &&
           emulate_cpl(e) == 3;
}

enum emulate_result emulate_data_address(struct emulator *e, enum seg which, uint64_t offset, unsigned size,
                                         bool write, uint64_t *linear)
{
    enum emulate_result result = emulate_linear(e, which, offset, size, write, linear);
    if (result == EMULATE_DONE && *linear & (size - 1) && size <= 8 && alignment_checked(e))
        return emulate_raise_error(e, EXCEPTION_AC, 0);
    return result;
}

enum emulate_result emulate_read(struct emulator *e, enum seg which, uint64_t offset, void *data,
                                 unsigned size, enum emulate_access access)
{
    uint64_t linear;
    enum emulate_result result =
        emulate_data_address(e, which, offset, size, access == ACCESS_MODIFY, &linear);
    if (result != EMULATE_DONE)
        return result;
    return e->ops->read(e->owner, linear, data, size, access, &e->fault);
}

enum emulate_result emulate_write(struct emulator *e, enum seg which, uint64_t offset, const void *data,
                                  unsigned size)
{
    uint64_t linear;
    enum emulate_result result = emulate_data_address(e, which, offset, size, true, &linear);
    if (result != EMULATE_DONE)
        return result;
    return e->ops->write(e->owner, linear, data, size, &e->fault);
}

/* ---- operands --------------------------------------------------------------------------------- */

static enum seg memory_segment(const struct emulator *e)
{
    return (enum seg)e->insn.memory.segment;
}

enum emulate_result emulate_load(struct emulator *e, const struct insn_operand *o, enum emulate_access access,
                                 uint64_t *value)
{
    *value = 0;
    switch (o->kind) {
    case OPERAND_REGISTER:
        *value = emulate_register(e, o->number, o->size);
        return EMULATE_DONE;
    case OPERAND_HIGH_BYTE:
        *value = context_get(e->context, (enum reg)o->number) >> 8 & 0xff;
        return EMULATE_DONE;
    case OPERAND_IMMEDIATE:
        *value = (uint64_t)e->insn.immediate & alu_mask(o->size);
        return EMULATE_DONE;
    case OPERAND_SEGMENT:
        *value = context_segment(e->context, (enum seg)o->number)->selector;
        return EMULATE_DONE;
    case OPERAND_MEMORY:
        if (o->size < 1 || o->size > 8)
            return EMULATE_UNHANDLED;
        return emulate_read(e, memory_segment(e), emulate_offset(e, 0), value, o->size, access);
    default:
        return EMULATE_UNHANDLED;
    }
}

enum emulate_result emulate_store(struct emulator *e, const struct insn_operand *o, uint64_t value)
{
    switch (o->kind) {
    case OPERAND_REGISTER:
        emulate_set_register(e, o->number, o->size, value);
        return EMULATE_DONE;
    case OPERAND_HIGH_BYTE: {
        uint64_t whole = context_get(e->context, (enum reg)o->number);
        context_set(e->context, (enum reg)o->number, (whole & ~0xff00ull) | (value & 0xff) << 8);
        return EMULATE_DONE;
    }
    case OPERAND_MEMORY:
        if (o->size < 1 || o->size > 8)
            return EMULATE_UNHANDLED;
        return emulate_write(e, memory_segment(e), emulate_offset(e, 0), &value, o->size);
    default:
        return EMULATE_UNHANDLED;
    }
}

enum emulate_result emulate_replace(struct emulator *e, const struct insn_operand *o, bool atomic,
                                    uint64_t before, uint64_t after)
{
    uint64_t linear;
    bool equal = false;
    if (o->kind != OPERAND_MEMORY || !atomic)
        return emulate_store(e, o, after);
    enum emulate_result result =
        emulate_data_address(e, memory_segment(e), emulate_offset(e, 0), o->size, true, &linear);
    if (result == EMULATE_DONE)
        result = e->ops->exchange(e->owner, linear, &before, &after, o->size, &equal, &e->fault);
    if (result == EMULATE_DONE && !equal)
        return EMULATE_AGAIN;
    return result;
}

/* ---- the stack -------------------------------------------------------------------------------- */

unsigned emulate_stack_width(struct emulator *e)
{
    if (e->long_mode)
        return 8;
    return context_segment(e->context, SEG_SS)->attributes & SEG_BIG ? 4 : 2;
}

enum emulate_result emulate_push(struct emulator *e, unsigned size, uint64_t value)
{
    unsigned width = emulate_stack_width(e);
    uint64_t rsp = (emulate_register(e, REG_RSP, width) - size) & alu_mask(width);
    enum emulate_result result = emulate_write(e, SEG_SS, rsp, &value, size);
    if (result == EMULATE_DONE)
        emulate_set_register(e, REG_RSP, width, rsp);
    return result;
}

enum emulate_result emulate_top(struct emulator *e, unsigned size, uint64_t *value)
{
    *value = 0;
    return emulate_read(e, SEG_SS, emulate_register(e, REG_RSP, emulate_stack_width(e)), value, size,
                        ACCESS_READ);
}

void emulate_drop(struct emulator *e, unsigned bytes)
{
    unsigned width = emulate_stack_width(e);
    emulate_set_register(e, REG_RSP, width, emulate_register(e, REG_RSP, width) + bytes);
}

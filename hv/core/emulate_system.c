/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment registers loaded by an instruction whose memory operand lies in a device (SDM 2A MOV, LTR, LLDT,
 * JMP). */
#include "emulate_operand.h"

enum { TYPE_TSS_16 = 1, TYPE_LDT = 2, TYPE_TSS = 9 };
enum {
    TYPE_ACCESSED = 1,
    TYPE_BUSY = 2,
    TYPE_WRITABLE = 2,
    TYPE_READABLE = 2,
    TYPE_CONFORMING = 4,
    TYPE_CODE = 8
};
enum { SELECTOR_RPL = 3, SELECTOR_LOCAL = 4 };

struct descriptor {
    uint64_t low, high; /* high: of system segments in IA-32e mode */
    uint64_t linear;
};

static uint32_t error_of(uint64_t selector)
{
    return (uint32_t)selector & 0xfffc;
}

static bool is_ia32e(struct emulator *e)
{
    return context_get(e->context, REG_EFER) & EFER_LMA;
}

static struct segment segment_of(const struct descriptor *d, uint64_t selector)
{
    struct segment s = {.selector = (uint16_t)selector,
                        .base = (d->low >> 16 & 0xffffff) | (d->low >> 56 & 0xff) << 24 | d->high << 32,
                        .limit = (uint32_t)((d->low & 0xffff) | (d->low >> 48 & 0xf) << 16),
                        .attributes = (uint16_t)((d->low >> 40 & 0xff) | (d->low >> 52 & 0xf) << 8)};

    if (s.attributes & SEG_GRANULAR)
        s.limit = s.limit << 12 | 0xfff;
    return s;
}

static unsigned dpl_of(const struct segment *s)
{
    return s->attributes >> SEG_DPL_SHIFT & 3;
}

/* The descriptor tables are reached by linear addresses; no segment is checked. bytes: 8 or 16 */
static enum emulate_result read_descriptor(struct emulator *e, uint64_t selector, unsigned bytes,
                                           struct descriptor *d)
{
    const struct segment *table =
        context_segment(e->context, selector & SELECTOR_LOCAL ? SEG_LDTR : SEG_GDTR);
    const uint64_t at = selector & 0xfff8;
    uint64_t data[2] = {0};
    enum emulate_result result;

    *d = (struct descriptor){0};
    if ((selector & SELECTOR_LOCAL && table->attributes & SEG_UNUSABLE) || at + bytes - 1 > table->limit)
        return emulate_raise_error(e, EXCEPTION_GP, error_of(selector));
    d->linear = table->base + at;
    result = e->ops->read(e->owner, d->linear, data, bytes, ACCESS_READ, &e->fault);
    d->low = data[0];
    d->high = data[1];
    return result;
}

/* Sets type bits of the descriptor, in the table and in *segment. */
static enum emulate_result mark(struct emulator *e, const struct descriptor *d, unsigned bits,
                                struct segment *segment)
{
    const uint64_t marked = d->low | (uint64_t)bits << 40;
    bool equal = true;
    enum emulate_result result = EMULATE_DONE;

    if (marked != d->low)
        result = e->ops->exchange(e->owner, d->linear, &d->low, &marked, sizeof marked, &equal, &e->fault);
    segment->attributes |= (uint16_t)bits;
    return result == EMULATE_DONE && !equal ? EMULATE_AGAIN : result;
}

static bool is_system_type(enum insn_op op, const struct segment *s, bool ia32e)
{
    const unsigned type = s->attributes & SEG_TYPE_MASK;

    if (s->attributes & SEG_CODE_DATA)
        return false;
    if (op == INSN_LLDT)
        return type == TYPE_LDT;
    return type == TYPE_TSS || (type == TYPE_TSS_16 && !ia32e);
}

enum emulate_result emulate_system_segment(struct emulator *e)
{
    const bool ia32e = is_ia32e(e), task = e->insn.op == INSN_LTR;
    struct descriptor d;
    struct segment segment;
    uint64_t selector;
    enum emulate_result result;

    if (!emulate_in_protected_mode(e))
        return emulate_raise(e, EXCEPTION_UD);
    if (emulate_cpl(e))
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    result = emulate_load(e, &e->insn.operand[0], ACCESS_READ, &selector);
    if (result != EMULATE_DONE)
        return result;
    if (error_of(selector) == 0 && !task) {
        segment = (struct segment){.selector = (uint16_t)selector, .attributes = SEG_UNUSABLE};
        context_set_segment(e->context, SEG_LDTR, &segment);
        return EMULATE_DONE;
    }
    if (error_of(selector) == 0 || selector & SELECTOR_LOCAL)
        return emulate_raise_error(e, EXCEPTION_GP, error_of(selector));
    result = read_descriptor(e, selector, ia32e ? 16 : 8, &d);
    if (result != EMULATE_DONE)
        return result;
    segment = segment_of(&d, selector);
    if (!is_system_type(e->insn.op, &segment, ia32e) || d.high >> 40 & 0x1f)
        return emulate_raise_error(e, EXCEPTION_GP, error_of(selector));
    if (!(segment.attributes & SEG_PRESENT))
        return emulate_raise_error(e, EXCEPTION_NP, error_of(selector));
    if (task)
        result = mark(e, &d, TYPE_BUSY, &segment);
    if (result == EMULATE_DONE)
        context_set_segment(e->context, task ? SEG_TR : SEG_LDTR, &segment);
    return result;
}

static bool may_load(const struct segment *s, enum seg which, unsigned cpl, unsigned rpl)
{
    const unsigned type = s->attributes & SEG_TYPE_MASK;

    if (!(s->attributes & SEG_CODE_DATA))
        return false;
    if (which == SEG_SS)
        return !(type & TYPE_CODE) && type & TYPE_WRITABLE && rpl == cpl && dpl_of(s) == cpl;
    if (type & TYPE_CODE && !(type & TYPE_READABLE))
        return false;
    if (type & TYPE_CODE && type & TYPE_CONFORMING)
        return true;
    return dpl_of(s) >= cpl && dpl_of(s) >= rpl;
}

static enum emulate_result load_segment(struct emulator *e, enum seg which, uint64_t selector)
{
    const unsigned cpl = emulate_cpl(e), rpl = selector & SELECTOR_RPL;
    struct descriptor d;
    struct segment segment;
    enum emulate_result result;

    if (!emulate_in_protected_mode(e)) {
        segment = *context_segment(e->context, which);
        segment.selector = (uint16_t)selector;
        segment.base = selector << 4;
        context_set_segment(e->context, which, &segment);
        return EMULATE_DONE;
    }
    if ((selector & 0xfffc) == 0) {
        if (which == SEG_SS && (!e->long_mode || cpl == 3 || rpl != cpl))
            return emulate_raise_error(e, EXCEPTION_GP, 0);
        /* A null SS keeps the privilege level. */
        segment = (struct segment){
            .selector = (uint16_t)selector,
            .attributes = (uint16_t)(SEG_UNUSABLE | (which == SEG_SS ? cpl << SEG_DPL_SHIFT : 0))};
        context_set_segment(e->context, which, &segment);
        return EMULATE_DONE;
    }
    result = read_descriptor(e, selector, 8, &d);
    if (result != EMULATE_DONE)
        return result;
    segment = segment_of(&d, selector);
    if (!may_load(&segment, which, cpl, rpl))
        return emulate_raise_error(e, EXCEPTION_GP, error_of(selector));
    if (!(segment.attributes & SEG_PRESENT))
        return emulate_raise_error(e, which == SEG_SS ? EXCEPTION_SS : EXCEPTION_NP, error_of(selector));
    result = mark(e, &d, TYPE_ACCESSED, &segment);
    if (result == EMULATE_DONE)
        context_set_segment(e->context, which, &segment);
    return result;
}

enum emulate_result emulate_move_segment(struct emulator *e)
{
    const struct insn_operand *to = &e->insn.operand[0], *from = &e->insn.operand[1];
    uint64_t selector;
    enum emulate_result result;

    if (from->kind == OPERAND_SEGMENT)
        return emulate_store(e, to, context_segment(e->context, (enum seg)from->number)->selector);
    if (to->number == SEG_CS || to->number > SEG_GS)
        return emulate_raise(e, EXCEPTION_UD);
    result = emulate_load(e, from, ACCESS_READ, &selector);
    return result == EMULATE_DONE ? load_segment(e, (enum seg)to->number, selector & 0xffff) : result;
}

/* To a code segment; gates and tasks are not done here. */
enum emulate_result emulate_jump_far(struct emulator *e)
{
    const unsigned size = e->insn.operand_size, cpl = emulate_cpl(e);
    const enum seg from = (enum seg)e->insn.memory.segment;
    uint64_t offset = 0, selector = 0;
    struct descriptor d;
    struct segment cs;
    unsigned rpl, type;
    enum emulate_result result;

    if (e->insn.operand[0].kind != OPERAND_MEMORY || !emulate_in_protected_mode(e))
        return EMULATE_UNHANDLED;
    result = emulate_read(e, from, emulate_offset(e, 0), &offset, size, ACCESS_READ);
    if (result == EMULATE_DONE)
        result = emulate_read(e, from, emulate_offset(e, 0) + size, &selector, 2, ACCESS_READ);
    if (result != EMULATE_DONE)
        return result;
    if ((selector & 0xfffc) == 0)
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    result = read_descriptor(e, selector, 8, &d);
    if (result != EMULATE_DONE)
        return result;
    cs = segment_of(&d, (selector & ~3ull) | cpl);
    rpl = selector & SELECTOR_RPL;
    type = cs.attributes & SEG_TYPE_MASK;
    if (!(cs.attributes & SEG_CODE_DATA))
        return EMULATE_UNHANDLED;
    if (!(type & TYPE_CODE) || (is_ia32e(e) && cs.attributes & SEG_LONG && cs.attributes & SEG_BIG) ||
        (type & TYPE_CONFORMING ? dpl_of(&cs) > cpl : rpl > cpl || dpl_of(&cs) != cpl))
        return emulate_raise_error(e, EXCEPTION_GP, error_of(selector));
    if (!(cs.attributes & SEG_PRESENT))
        return emulate_raise_error(e, EXCEPTION_NP, error_of(selector));
    if (is_ia32e(e) && cs.attributes & SEG_LONG ? (uint64_t)((int64_t)(offset << 16) >> 16) != offset
                                                : offset > cs.limit)
        return emulate_raise_error(e, EXCEPTION_GP, 0);
    result = mark(e, &d, TYPE_ACCESSED, &cs);
    if (result != EMULATE_DONE)
        return result;
    context_set_segment(e->context, SEG_CS, &cs);
    context_set(e->context, REG_RIP, offset);
    return EMULATE_DONE;
}

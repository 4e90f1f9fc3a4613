/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate_operand.h"

/* Moves rSI or rDI by one element, as DF says. */
static void step(struct emulator *e, enum reg which, unsigned size)
{
    unsigned width = e->insn.address_size;
    uint64_t delta = context_get(e->context, REG_RFLAGS) & FLAG_DF ? -(uint64_t)size : size;
    emulate_set_register(e, which, width, emulate_register(e, which, width) + delta);
}

static enum emulate_result read_source(struct emulator *e, unsigned size, uint64_t *value)
{
    *value = 0;
    return emulate_read(e, (enum seg)e->insn.memory.segment,
                        emulate_register(e, REG_RSI, e->insn.address_size), value, size, ACCESS_READ);
}

static enum emulate_result read_destination(struct emulator *e, unsigned size, uint64_t *value)
{
    *value = 0;
    return emulate_read(e, SEG_ES, emulate_register(e, REG_RDI, e->insn.address_size), value, size,
                        ACCESS_READ);
}

static enum emulate_result write_destination(struct emulator *e, unsigned size, uint64_t value)
{
    return emulate_write(e, SEG_ES, emulate_register(e, REG_RDI, e->insn.address_size), &value, size);
}

static void compare(struct emulator *e, uint64_t a, uint64_t b, unsigned size)
{
    uint64_t flags = context_get(e->context, REG_RFLAGS);
    alu_sub(a, b, false, size, &flags);
    context_set(e->context, REG_RFLAGS, flags);
}

static enum emulate_result input(struct emulator *e, unsigned size)
{
    uint64_t linear;
    uint32_t value = 0;
    if (!e->ops->io_read)
        return EMULATE_UNHANDLED;
    /* The port must not be read when its value cannot be stored: a device may take the read for an
     * acknowledge. */
    enum emulate_result result =
        emulate_linear(e, SEG_ES, emulate_register(e, REG_RDI, e->insn.address_size), size, true, &linear);
    uint64_t before;
    if (result == EMULATE_DONE)
        result = e->ops->read(e->owner, linear, &before, size, ACCESS_MODIFY, &e->fault);
    if (result == EMULATE_DONE)
        result = e->ops->io_read(e->owner, (uint16_t)emulate_register(e, REG_RDX, 2), size, &value);
    if (result == EMULATE_DONE)
        result = write_destination(e, size, value);
    return result;
}

static enum emulate_result output(struct emulator *e, unsigned size)
{
    uint64_t value;
    if (!e->ops->io_write)
        return EMULATE_UNHANDLED;
    enum emulate_result result = read_source(e, size, &value);
    if (result != EMULATE_DONE)
        return result;
    return e->ops->io_write(e->owner, (uint16_t)emulate_register(e, REG_RDX, 2), size, (uint32_t)value);
}

static unsigned element_size(const struct insn *insn)
{
    for (unsigned i = 0; i < 2; i++)
        if (insn->operand[i].kind == OPERAND_STRING_DI || insn->operand[i].kind == OPERAND_STRING_SI)
            return insn->operand[i].size;
    return 1;
}

static enum emulate_result element(struct emulator *e)
{
    const unsigned size = element_size(&e->insn);
    enum emulate_result result;
    uint64_t a, b;

    switch (e->insn.op) {
    case INSN_MOVS:
        result = read_source(e, size, &a);
        if (result == EMULATE_DONE)
            result = write_destination(e, size, a);
        break;
    case INSN_STOS:
        result = write_destination(e, size, emulate_register(e, REG_RAX, size));
        break;
    case INSN_LODS:
        result = read_source(e, size, &a);
        if (result == EMULATE_DONE)
            emulate_set_register(e, REG_RAX, size, a);
        break;
    case INSN_CMPS:
        result = read_source(e, size, &a);
        if (result == EMULATE_DONE)
            result = read_destination(e, size, &b);
        if (result == EMULATE_DONE)
            compare(e, a, b, size);
        break;
    case INSN_SCAS:
        result = read_destination(e, size, &b);
        if (result == EMULATE_DONE)
            compare(e, emulate_register(e, REG_RAX, size), b, size);
        break;
    case INSN_INS:
        result = input(e, size);
        break;
    case INSN_OUTS:
        result = output(e, size);
        break;
    default:
        return EMULATE_UNHANDLED;
    }
    if (result != EMULATE_DONE)
        return result;
    if (e->insn.op != INSN_STOS && e->insn.op != INSN_SCAS && e->insn.op != INSN_INS)
        step(e, REG_RSI, size);
    if (e->insn.op != INSN_LODS && e->insn.op != INSN_OUTS)
        step(e, REG_RDI, size);
    return EMULATE_DONE;
}

/* REPE and REPNE look at ZF after CMPS and SCAS; the others repeat by either prefix. */
static bool ends_early(struct emulator *e)
{
    if (e->insn.op != INSN_CMPS && e->insn.op != INSN_SCAS)
        return false;
    bool zero = context_get(e->context, REG_RFLAGS) & FLAG_ZF;
    return zero != (e->insn.rep == 0xf3);
}

enum emulate_result emulate_string(struct emulator *e)
{
    const unsigned width = e->insn.address_size;
    if (!e->insn.rep)
        return element(e);

    uint64_t count = emulate_register(e, REG_RCX, width);
    if (count == 0) {
        /* A 32-bit count register is written even so (SDM 1 3.4.1.1 makes its upper half zero). */
        emulate_set_register(e, REG_RCX, width, 0);
        return EMULATE_DONE;
    }
    /* The single-step trap comes after each element. */
    unsigned budget = context_get(e->context, REG_RFLAGS) & FLAG_TF ? 1 : EMULATE_REPEATS;
    for (; budget; budget--) {
        enum emulate_result result = element(e);
        if (result != EMULATE_DONE)
            return result;
        emulate_set_register(e, REG_RCX, width, --count);
        if (count == 0 || ends_early(e))
            return EMULATE_DONE;
    }
    return EMULATE_AGAIN;
}

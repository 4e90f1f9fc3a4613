/* SPDX-License-Identifier: BSD-2-Clause */
/* RET, ENTER, LEAVE: where a stack lies in a device. */
#include "emulate_operand.h"

enum emulate_result emulate_return(struct emulator *e)
{
    const unsigned size = e->insn.operand_size;
    const unsigned more = e->insn.operand[0].kind == OPERAND_IMMEDIATE ? (uint16_t)e->insn.immediate : 0;
    uint64_t target, linear;
    enum emulate_result result = emulate_top(e, size, &target);

    if (result != EMULATE_DONE)
        return result;
    if (e->long_mode)
        result = emulate_linear(e, SEG_CS, target, 1, false, &linear);
    else if (target > context_segment(e->context, SEG_CS)->limit)
        result = emulate_raise_error(e, EXCEPTION_GP, 0);
    if (result != EMULATE_DONE)
        return result;
    emulate_drop(e, size + more);
    context_set(e->context, REG_RIP, target);
    return EMULATE_DONE;
}

enum emulate_result emulate_leave(struct emulator *e)
{
    const unsigned size = e->insn.operand_size, width = emulate_stack_width(e);
    const uint64_t rsp = context_get(e->context, REG_RSP);
    uint64_t value;
    enum emulate_result result;

    emulate_set_register(e, REG_RSP, width, emulate_register(e, REG_RBP, width));
    result = emulate_top(e, size, &value);
    if (result != EMULATE_DONE) {
        context_set(e->context, REG_RSP, rsp);
        return result;
    }
    emulate_drop(e, size);
    emulate_set_register(e, REG_RBP, size, value);
    return EMULATE_DONE;
}

/* The frame pointers of outer levels are copied (SDM 2A ENTER). Registers change only when all went well. */
enum emulate_result emulate_enter(struct emulator *e)
{
    const unsigned size = e->insn.operand_size, width = emulate_stack_width(e), level = e->insn.selector & 31;
    const uint64_t rsp = context_get(e->context, REG_RSP), rbp = context_get(e->context, REG_RBP);
    uint64_t frame, final, from = emulate_register(e, REG_RBP, width), value;
    enum emulate_result result = emulate_push(e, size, rbp & alu_mask(size));

    frame = emulate_register(e, REG_RSP, width);
    for (unsigned i = 1; i < level && result == EMULATE_DONE; i++) {
        from = (from - size) & alu_mask(width);
        value = 0;
        result = emulate_read(e, SEG_SS, from, &value, size, ACCESS_READ);
        if (result == EMULATE_DONE)
            result = emulate_push(e, size, value);
    }
    if (result == EMULATE_DONE && level)
        result = emulate_push(e, size, frame);
    /* A write at the final stack pointer must be possible, though none is made. */
    final = (emulate_register(e, REG_RSP, width) - (uint16_t)e->insn.immediate) & alu_mask(width);
    if (result == EMULATE_DONE)
        result = emulate_read(e, SEG_SS, final, &value, 1, ACCESS_MODIFY);
    if (result != EMULATE_DONE) {
        context_set(e->context, REG_RSP, rsp);
        return result;
    }
    emulate_set_register(e, REG_RSP, width, final);
    emulate_set_register(e, REG_RBP, size, frame);
    return EMULATE_DONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Within the emulator: addresses, operands and registers of the instruction in hand. */
#ifndef EMULATE_OPERAND_H
#define EMULATE_OPERAND_H

#include "alu.h"
#include "emulate.h"
#include "exceptions.h"
#include "x86_bits.h"

enum emulate_result emulate_raise(struct emulator *e, unsigned vector);
enum emulate_result emulate_raise_error(struct emulator *e, unsigned vector, uint32_t error);

/* Protected mode, and not virtual-8086 mode in it. */
bool emulate_in_protected_mode(struct emulator *e);
enum decode_mode emulate_mode(struct emulator *e);
unsigned emulate_cpl(struct emulator *e);

/* General registers by size: a write of 4 bytes clears the upper half, of 1 and 2 keeps the rest. */
static inline uint64_t emulate_register(struct emulator *e, unsigned number, unsigned size)
{
    return context_get(e->context, (enum reg)number) & alu_mask(size);
}

static inline void emulate_set_register(struct emulator *e, unsigned number, unsigned size, uint64_t value)
{
    value &= alu_mask(size);
    if (size < 4)
        value |= context_get(e->context, (enum reg)number) & ~alu_mask(size);
    context_set(e->context, (enum reg)number, value);
}

/* Offset of the memory operand in its segment. rsp_ahead is added to RSP as a base: POP counts after its
 * increment. */
static inline uint64_t emulate_offset(struct emulator *e, unsigned rsp_ahead)
{
    const struct insn_memory *m = &e->insn.memory;
    uint64_t offset = (uint64_t)m->disp;

    if (m->base != INSN_NO_REGISTER)
        offset += context_get(e->context, (enum reg)m->base) + (m->base == REG_RSP ? rsp_ahead : 0);
    if (m->index != INSN_NO_REGISTER)
        offset += context_get(e->context, (enum reg)m->index) * m->scale;
    if (m->rip_relative)
        offset += context_get(e->context, REG_RIP) + e->insn.length;
    return offset & alu_mask(e->insn.address_size);
}

/* Checks the segment (SDM 3A 5.3, 5.5) or canonical form, and makes the linear address. */
enum emulate_result emulate_linear(struct emulator *e, enum seg which, uint64_t offset, unsigned size,
                                   bool write, uint64_t *linear);

/* The same for data, with the alignment check of user code. size 1, 2, 4, 8, 16 */
enum emulate_result emulate_data_address(struct emulator *e, enum seg which, uint64_t offset, unsigned size,
                                         bool write, uint64_t *linear);

/* Memory at segment:offset. size 1 … 16 */
enum emulate_result emulate_read(struct emulator *e, enum seg which, uint64_t offset, void *data,
                                 unsigned size, enum emulate_access access);
enum emulate_result emulate_write(struct emulator *e, enum seg which, uint64_t offset, const void *data,
                                  unsigned size);

/* The operand's value, up to 8 bytes. access is for memory: ACCESS_READ or ACCESS_MODIFY. */
enum emulate_result emulate_load(struct emulator *e, const struct insn_operand *o, enum emulate_access access,
                                 uint64_t *value);
enum emulate_result emulate_store(struct emulator *e, const struct insn_operand *o, uint64_t value);

/* Replaces `before`, which emulate_load() gave, by `after`; with LOCK atomically (AGAIN when it has changed).
 */
enum emulate_result emulate_replace(struct emulator *e, const struct insn_operand *o, bool atomic,
                                    uint64_t before, uint64_t after);

enum emulate_result emulate_push(struct emulator *e, unsigned size, uint64_t value);
/* The value that POP would take, and what RSP becomes by it: RSP itself is left to the caller. */
enum emulate_result emulate_top(struct emulator *e, unsigned size, uint64_t *value);
void emulate_drop(struct emulator *e, unsigned bytes);

/* MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS with and without a repeat prefix. */
enum emulate_result emulate_string(struct emulator *e);

/* Bytes of a stack address. */
unsigned emulate_stack_width(struct emulator *e);

/* RET, LEAVE, ENTER; the first sets RIP. */
enum emulate_result emulate_return(struct emulator *e);
enum emulate_result emulate_leave(struct emulator *e);
enum emulate_result emulate_enter(struct emulator *e);

/* LTR and LLDT, MOV from and to a segment register, JMP by a far pointer in memory (sets RIP). */
enum emulate_result emulate_system_segment(struct emulator *e);
enum emulate_result emulate_move_segment(struct emulator *e);
enum emulate_result emulate_jump_far(struct emulator *e);

#endif

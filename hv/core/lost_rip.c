/* SPDX-License-Identifier: BSD-2-Clause */
#include "lost_rip.h"

#include "emulate_operand.h"
#include "exceptions.h"
#include "log.h"
#include "lpar.h"
#include "vcpu_emulate.h"
#include "walk.h"
#include "x86_bits.h"

#include <string.h>

/* What an exception pushes in 64-bit mode, from RSP upwards, below an address that 16 divides (SDM 3A figure
 * 6-9). */
struct frame {
    uint64_t error; /* not of every exception */
    uint64_t rip, cs, rflags, rsp, ss;
};

enum { BARE_FRAME = 5 * 8, INSTRUCTION_BYTES = 15, NO_VECTOR = -1 };

/* Within a page. */
static bool read_linear(struct vcpu *vcpu, uint64_t linear, void *data, size_t size)
{
    struct walk_fault fault;
    uint64_t gpa;

    return (linear & (FRAME_SIZE - 1)) + size <= FRAME_SIZE &&
           walk(vcpu, linear, WALK_READ, false, &gpa, &fault) &&
           memory_read(&vcpu->lpar->memory, gpa, data, size);
}

static bool is_selector(uint64_t value)
{
    return value >> 16 == 0;
}

static enum decode_result decode_at(struct vcpu *vcpu, uint64_t rip, struct insn *insn)
{
    uint8_t bytes[INSTRUCTION_BYTES];
    unsigned available = (unsigned)(FRAME_SIZE - (rip & (FRAME_SIZE - 1)));

    if (available > sizeof bytes)
        available = sizeof bytes;
    return read_linear(vcpu, rip, bytes, available) ? decode(bytes, available, DECODE_64, insn)
                                                    : DECODE_SHORT;
}

/* RSP is the handler's already: addresses by it are not looked at. */
static bool is_not_canonical(struct vcpu *vcpu, uint64_t rip)
{
    struct emulator e = {.context = &vcpu->context, .long_mode = true};
    const struct insn_memory *memory = &e.insn.memory;
    uint64_t linear;

    return decode_at(vcpu, rip, &e.insn) == DECODE_OK && memory->present && memory->base != REG_RSP &&
           emulate_linear(&e, (enum seg)memory->segment, emulate_offset(&e, 0), 1, false, &linear) !=
               EMULATE_DONE;
}

/* #PF or #GP: a fault of an address that is mapped now cannot have been #PF with P clear. */
static int vector_of_error(struct vcpu *vcpu, const struct frame *frame)
{
    struct walk_fault fault;
    uint64_t gpa;

    if (frame->error & ~0x1full)
        return EXCEPTION_GP;
    if (frame->error & 1)
        return EXCEPTION_PF;
    if (frame->cs & 3 && !(frame->error & 4))
        return EXCEPTION_GP; /* of user code, and not marked so */
    if (is_not_canonical(vcpu, frame->rip))
        return EXCEPTION_GP;
    return walk(vcpu, context_get(&vcpu->context, REG_CR2), WALK_READ, false, &gpa, &fault) ? EXCEPTION_GP
                                                                                            : EXCEPTION_PF;
}

/* By the instruction at RIP; NO_VECTOR where it leaves a choice. */
static int vector_of_instruction(struct vcpu *vcpu, uint64_t rip)
{
    struct insn insn;

    switch (decode_at(vcpu, rip, &insn)) {
    case DECODE_UNDEFINED:
        return EXCEPTION_UD;
    case DECODE_OK:
        break;
    default:
        return NO_VECTOR;
    }
    if (insn.op == INSN_UD)
        return EXCEPTION_UD;
    if (insn.op == INSN_DIV || insn.op == INSN_IDIV)
        return EXCEPTION_DE;
    return context_get(&vcpu->context, REG_CR0) & (CR0_TS | CR0_EM) ? EXCEPTION_NM : NO_VECTOR;
}

void lost_rip_mend(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;
    uint64_t rip, rsp, gate[2];
    struct frame frame = {0};
    bool bare;
    int vector;

    if (context_get(context, REG_RFLAGS) & RFLAGS_IF || !vcpu_in_64_bit_code(vcpu))
        return;
    rip = context_get(context, REG_RIP);
    rsp = context_get(context, REG_RSP);
    bare = rsp % 16 == sizeof frame.error;
    if ((!bare && rsp % 16) ||
        !read_linear(vcpu, rsp, bare ? &frame.rip : &frame.error, bare ? BARE_FRAME : sizeof frame))
        return;
    if (frame.rip != rip || !is_selector(frame.error) || !is_selector(frame.cs) || !is_selector(frame.ss) ||
        frame.rflags >> 22)
        return;
    vector = bare ? vector_of_instruction(vcpu, rip) : vector_of_error(vcpu, &frame);
    if (vector == NO_VECTOR ||
        !read_linear(vcpu, context_segment(context, SEG_IDTR)->base + (unsigned)vector * sizeof gate, gate,
                     sizeof gate))
        return;
    context_set(context, REG_RIP, (gate[0] & 0xffff) | (gate[0] >> 32 & 0xffff0000) | gate[1] << 32);
    if (vcpu->rips_mended++ == 0)
        log_line("%s: cpu %u: the emulator loses RIP behind exceptions; mended from now on", vcpu->lpar->name,
                 vcpu->index);
}

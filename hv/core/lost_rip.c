/* SPDX-License-Identifier: BSD-2-Clause */
#include "lost_rip.h"

#include "exceptions.h"
#include "log.h"
#include "lpar.h"
#include "vcpu_emulate.h"
#include "walk.h"
#include "x86_bits.h"

#include <string.h>

/* What an exception with an error code pushes in 64-bit mode, from RSP upwards (SDM 3A figure 6-9). */
struct frame {
    uint64_t error, rip, cs, rflags, rsp, ss;
};

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

/* #PF or #GP: a fault of an address that is mapped now cannot have been #PF with P clear. */
static unsigned vector_of(struct vcpu *vcpu, const struct frame *frame)
{
    struct walk_fault fault;
    uint64_t gpa;

    if (frame->error & ~0x1full)
        return EXCEPTION_GP;
    if (frame->error & 1)
        return EXCEPTION_PF;
    if (frame->cs & 3 && !(frame->error & 4))
        return EXCEPTION_GP; /* of user code, and not marked so */
    return walk(vcpu, context_get(&vcpu->context, REG_CR2), WALK_READ, false, &gpa, &fault) ? EXCEPTION_GP
                                                                                            : EXCEPTION_PF;
}

void lost_rip_mend(struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;
    uint64_t rip, rsp, gate[2];
    struct frame frame;
    unsigned vector;

    if (context_get(context, REG_RFLAGS) & RFLAGS_IF || !vcpu_in_64_bit_code(vcpu))
        return;
    rip = context_get(context, REG_RIP);
    rsp = context_get(context, REG_RSP);
    if (rsp % 16 || !read_linear(vcpu, rsp, &frame, sizeof frame) || frame.rip != rip ||
        !is_selector(frame.error) || !is_selector(frame.cs) || !is_selector(frame.ss) || frame.rflags >> 22)
        return;
    vector = vector_of(vcpu, &frame);
    if (!read_linear(vcpu, context_segment(context, SEG_IDTR)->base + vector * sizeof gate, gate,
                     sizeof gate))
        return;
    context_set(context, REG_RIP, (gate[0] & 0xffff) | (gate[0] >> 32 & 0xffff0000) | gate[1] << 32);
    if (vcpu->rips_mended++ == 0)
        log_line("%s: cpu %u: the emulator loses RIP behind exceptions; mended from now on", vcpu->lpar->name,
                 vcpu->index);
}

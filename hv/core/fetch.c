/* SPDX-License-Identifier: BSD-2-Clause */
#include "fetch.h"

#include "exceptions.h"
#include "lpar.h"
#include "walk.h"
#include "x86_bits.h"

#include <string.h>

bool fetch_in_user_mode(struct vcpu *vcpu)
{
    return (context_segment(&vcpu->context, SEG_SS)->attributes >> SEG_DPL_SHIFT & 3) == 3;
}

enum decode_mode fetch_mode(struct vcpu *vcpu)
{
    uint16_t attributes = context_segment(&vcpu->context, SEG_CS)->attributes;

    if (attributes & SEG_LONG && context_get(&vcpu->context, REG_EFER) & EFER_LMA)
        return DECODE_64;
    return attributes & SEG_BIG ? DECODE_32 : DECODE_16;
}

bool fetch_decode(struct vcpu *vcpu, struct insn *insn)
{
    enum decode_mode mode = fetch_mode(vcpu);
    uint64_t base = mode == DECODE_64 ? 0 : context_segment(&vcpu->context, SEG_CS)->base;
    uint8_t bytes[INSN_MAX_BYTES];
    unsigned have = 0;

    /* Page by page: the second is asked for only when the instruction goes on there. */
    for (;;) {
        uint64_t linear = base + context_get(&vcpu->context, REG_RIP) + have, gpa;
        unsigned piece = (unsigned)(FRAME_SIZE - linear % FRAME_SIZE);
        struct walk_fault fault;

        if (mode != DECODE_64)
            linear = (uint32_t)linear;
        if (piece > sizeof bytes - have)
            piece = (unsigned)sizeof bytes - have;
        if (!walk(vcpu, linear, WALK_EXECUTE, fetch_in_user_mode(vcpu), &gpa, &fault)) {
            if (fault.memory)
                lpar_fail(vcpu->lpar, vcpu, "its page tables lie outside its memory");
            else
                vcpu_raise_page_fault(vcpu, linear, fault.error);
            return false;
        }
        if (!memory_read(&vcpu->lpar->memory, gpa, bytes + have, piece)) {
            lpar_fail(vcpu->lpar, vcpu, "it runs code outside its memory");
            return false;
        }
        have += piece;
        switch (decode(bytes, have, mode, insn)) {
        case DECODE_OK:
            return true;
        case DECODE_SHORT:
            if (have < sizeof bytes)
                continue;
            /* fall through */
        case DECODE_TOO_LONG:
            vcpu_raise_error(vcpu, EXCEPTION_GP, 0);
            return false;
        default:
            vcpu_raise(vcpu, EXCEPTION_UD);
            return false;
        }
    }
}

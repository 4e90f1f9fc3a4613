/* SPDX-License-Identifier: BSD-2-Clause */
#include "mmio_short.h"

#include "decode.h"
#include "lpar.h"
#include "vcpu_emulate.h"
#include "walk.h"
#include "x86_bits.h"

#include <string.h>

static struct mmio_site *site_of(struct vcpu *vcpu, uint64_t rip)
{
    return &vcpu->mmio_short.site[(rip ^ rip >> 4) % MMIO_SHORT_SITES];
}

static bool unchanged(const struct mmio_site *site)
{
    for (unsigned i = 0; i < site->trace.count; i++)
        if (__atomic_load_n(site->trace.at[i], __ATOMIC_RELAXED) != site->trace.value[i])
            return false;
    for (unsigned i = 0; i < site->length; i++)
        if (site->code[i] != site->bytes[i])
            return false;
    return true;
}

static void load(struct vcpu *vcpu, const struct mmio_site *site, uint64_t value)
{
    uint64_t mask = ~0ull >> (64 - 8 * site->size);

    value &= mask;
    if (!site->clears)
        value |= context_get(&vcpu->context, site->reg) & ~mask;
    context_set(&vcpu->context, site->reg, value);
}

bool mmio_short(struct vcpu *vcpu, const struct exit *exit)
{
    struct context *context = &vcpu->context;
    const uint64_t rip = context_get(context, REG_RIP);
    struct mmio_site *site = site_of(vcpu, rip);
    uint64_t rflags;

    if (site->rip != rip || !site->code || site->cr3 != context_get(context, REG_CR3) ||
        site->write != exit->mmio.write || exit->mmio.present ||
        (exit->mmio.gpa & (FRAME_SIZE - 1)) + site->size > FRAME_SIZE || !vcpu_in_64_bit_code(vcpu) ||
        !unchanged(site))
        return false;
    if (site->write)
        vcpu_device_write(vcpu, exit->mmio.gpa, site->size,
                          site->immediate ? site->value : context_get(context, site->reg));
    else
        load(vcpu, site, vcpu_device_read(vcpu, exit->mmio.gpa, site->size));
    context_set(context, REG_RIP, rip + site->length);
    rflags = context_get(context, REG_RFLAGS);
    if (rflags &
        RFLAGS_RF) /* a fault-like exit sets it (SDM 3C 28.3.3), the end of the instruction clears it */
        context_set(context, REG_RFLAGS, rflags & ~(uint64_t)RFLAGS_RF);
    vcpu_retire(vcpu);
    vcpu->mmio_short.hits++;
    return true;
}

/* Memory to a register, or a register or an immediate to memory. */
static bool describe(struct mmio_site *site, const struct insn *insn)
{
    const struct insn_operand *to = &insn->operand[0], *from = &insn->operand[1];

    if (insn->op != INSN_MOV && insn->op != INSN_MOVZX)
        return false;
    if (from->kind == OPERAND_MEMORY && to->kind == OPERAND_REGISTER) {
        site->reg = to->number;
        site->size = from->size;
        site->clears = to->size >= 4;
        return insn->op == INSN_MOV || to->size >= 4;
    }
    if (insn->op != INSN_MOV || to->kind != OPERAND_MEMORY)
        return false;
    site->write = true;
    site->size = to->size;
    site->immediate = from->kind == OPERAND_IMMEDIATE;
    site->value = (uint64_t)insn->immediate;
    site->reg = from->number;
    return site->immediate || from->kind == OPERAND_REGISTER;
}

void mmio_short_learn(struct vcpu *vcpu, uint64_t rip, const struct insn *insn)
{
    struct mmio_site site = {.rip = rip, .length = insn->length};
    struct walk_fault fault;
    uint64_t gpa;

    if (!vcpu_in_64_bit_code(vcpu) || !describe(&site, insn) || site.size > 8 || site.size == 0 ||
        (rip & (FRAME_SIZE - 1)) + insn->length > FRAME_SIZE)
        return;
    if (!walk_traced(vcpu, rip, WALK_EXECUTE, vcpu_in_user_mode(vcpu), &gpa, &fault, &site.trace) ||
        site.trace.count == 0)
        return;
    site.cr3 = context_get(&vcpu->context, REG_CR3);
    site.code = memory_at(&vcpu->lpar->memory, gpa, 0);
    if (!site.code)
        return;
    memcpy(site.bytes, site.code, insn->length);
    *site_of(vcpu, rip) = site;
}

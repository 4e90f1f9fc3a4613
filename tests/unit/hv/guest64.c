/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest64.h"

#include "policy.h"
#include "timers.h"
#include "x86_bits.h"

#include <string.h>

void guest64_put(struct lpar *lpar, uint64_t gpa, uint64_t value)
{
    memory_write(&lpar->memory, gpa, &value, sizeof value);
}

static void lay_out(struct lpar *lpar)
{
    uint8_t *memory = memory_at(&lpar->memory, 0, 0);

    memset(memory, 0, 2 << 20);
    guest64_put(lpar, GUEST64_PML4, GUEST64_PDPT | 7);
    for (unsigned i = 0; i < 4; i++) {
        guest64_put(lpar, GUEST64_PDPT + 8 * i, (GUEST64_PD + 4096 * i) | 7);
        for (unsigned j = 0; j < 512; j++)
            guest64_put(lpar, GUEST64_PD + 4096 * i + 8 * j, (uint64_t)(512 * i + j) << 21 | 0x87);
    }
    guest64_put(lpar, GUEST64_GDT + 8, 0x00af9b000000ffff);
    guest64_put(lpar, GUEST64_GDT + 16, 0x00cf93000000ffff);
    guest64_put(lpar, GUEST64_GDT + 24, 0x00cff3000000ffff);
    guest64_put(lpar, GUEST64_GDT + 32, 0x00affb000000ffff);
    for (unsigned vector = 0; vector < 256; vector++) {
        const bool error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;

        guest64_put(lpar, GUEST64_IDT + 16 * vector,
                    (GUEST64_HANDLERS + (error ? 16u : 0u)) | 8 << 16 | 0x8e00ull << 32);
    }
    memcpy(memory + GUEST64_HANDLERS, "\x48\xff\x04\x24\x48\xcf", 6); /* incq (%rsp); iretq */
    memcpy(memory + GUEST64_HANDLERS + 16, "\x48\x83\xc4\x08\x48\xff\x04\x24\x48\xcf",
           10); /* add $8, %rsp; incq (%rsp); iretq */
}

void guest64_enter(struct lpar *lpar)
{
    static const struct segment code = {.selector = 8, .limit = ~0u, .attributes = 0xa9b},
                                data = {.selector = 16, .limit = ~0u, .attributes = 0xc93},
                                gdt = {.base = GUEST64_GDT, .limit = 39},
                                idt = {.base = GUEST64_IDT, .limit = 4095};
    struct vcpu *vcpu = lpar->vcpu[0];
    struct context *c = &vcpu->context;

    lay_out(lpar);
    lpar_devices_reset(lpar);
    lpar->state = LPAR_RUNNING;
    lpar->wanted = WANT_NOTHING;
    c->requests = 0;
    memset(&vcpu->mmio_short, 0, sizeof vcpu->mmio_short);
    memset(&vcpu->decoded, 0, sizeof vcpu->decoded);
    c->machine->root_load(c, (uintptr_t)lpar->map.root, c->tag);
    c->machine->flush(c, c->tag);
    c->cr4_allowed = policy_cr4(vcpu);
    timers_stop(vcpu);
    vcpu_reset(vcpu);
    vcpu_power_on(vcpu);
    lapic_reset(&vcpu->lapic, false);
    vcpu->state = VCPU_RUNNING;
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
        context_set_segment(c, seg, seg == SEG_CS ? &code : &data);
    context_set_segment(c, SEG_GDTR, &gdt);
    context_set_segment(c, SEG_IDTR, &idt);
    context_set(c, REG_CR0, CR0_PG | CR0_PE | CR0_ET | CR0_WP);
    context_set(c, REG_CR4, CR4_PAE | CR4_PGE);
    context_set(c, REG_CR3, GUEST64_PML4);
    context_set(c, REG_EFER, EFER_LME | EFER_LMA | EFER_NXE);
    context_set(c, REG_RSP, GUEST64_STACK);
    context_set(c, REG_RIP, GUEST64_CODE);
}

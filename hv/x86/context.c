/* SPDX-License-Identifier: BSD-2-Clause */
#include "context.h"

#include "insn.h"

void context_reset_registers(struct context *context)
{
    static const struct segment data = {.limit = 0xffff, .attributes = 0x93};

    for (unsigned reg = 0; reg < REG_COUNT; reg++)
        context_set(context, reg, 0);
    context_set(context, REG_RDX, cpuid(1, 0).eax);
    context_set(context, REG_RIP, 0xfff0);
    context_set(context, REG_RFLAGS, 2);
    context_set(context, REG_CR0, 0x60000010);
    context_set(context, REG_DR7, 0x400);
    for (unsigned seg = 0; seg < SEG_COUNT; seg++)
        context_set_segment(context, seg, &data);
    context_set_segment(
        context, SEG_CS,
        &(struct segment){.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .attributes = 0x9b});
    context_set_segment(context, SEG_LDTR, &(struct segment){.limit = 0xffff, .attributes = 0x82});
    context_set_segment(context, SEG_TR, &(struct segment){.limit = 0xffff, .attributes = 0x8b});
    /* The guest's debug registers stay in the CPU, which no other guest uses. */
    write_dr0(0);
    write_dr1(0);
    write_dr2(0);
    write_dr3(0);
    write_dr6(0xffff0ff0);
    context->vectoring.valid = false;
}

uint64_t host_dr_read(struct context *context, unsigned number)
{
    (void)context;
    switch (number) {
    case 0:
        return read_dr0();
    case 1:
        return read_dr1();
    case 2:
        return read_dr2();
    case 3:
        return read_dr3();
    default:
        return read_dr6();
    }
}

void host_dr_write(struct context *context, unsigned number, uint64_t value)
{
    (void)context;
    switch (number) {
    case 0:
        write_dr0(value);
        break;
    case 1:
        write_dr1(value);
        break;
    case 2:
        write_dr2(value);
        break;
    case 3:
        write_dr3(value);
        break;
    default:
        write_dr6(value);
    }
}

int xcr_write(struct context *context, uint32_t index, uint64_t value)
{
    (void)context;
    return xsetbv_safe(index, value) ? 0 : -1;
}

uint64_t host_ticks(void)
{
    return rdtsc();
}

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    struct cpuid r = cpuid(leaf, subleaf);

    out[0] = r.eax;
    out[1] = r.ebx;
    out[2] = r.ecx;
    out[3] = r.edx;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "vcpu_emulate.h"

#include "control.h"
#include "emulate.h"
#include "exceptions.h"
#include "format.h"
#include "lpar.h"
#include "walk.h"
#include "x86_bits.h"

#include <string.h>

#define PAGE_MASK (~(uint64_t)(FRAME_SIZE - 1))

/* One instruction being emulated. The CPU has translated the address that exited: that page need not be
 * walked to. */
struct job {
    struct vcpu *vcpu;
    uint64_t known_linear, known_gpa; /* of a page */
    bool known;
};

bool vcpu_in_user_mode(struct vcpu *vcpu)
{
    return (context_segment(&vcpu->context, SEG_SS)->attributes >> SEG_DPL_SHIFT & 3) == 3;
}

bool vcpu_in_64_bit_code(struct vcpu *vcpu)
{
    return context_segment(&vcpu->context, SEG_CS)->attributes & SEG_LONG &&
           context_get(&vcpu->context, REG_EFER) & EFER_LMA;
}

static enum emulate_result translate(struct job *job, uint64_t linear, enum emulate_access access,
                                     uint64_t *gpa, struct emulate_fault *fault)
{
    static const enum walk_access kinds[] = {[ACCESS_READ] = WALK_READ,
                                             [ACCESS_WRITE] = WALK_WRITE,
                                             [ACCESS_MODIFY] = WALK_WRITE,
                                             [ACCESS_EXECUTE] = WALK_EXECUTE};
    struct walk_fault why;

    if (job->known && ((linear ^ job->known_linear) & PAGE_MASK) == 0) {
        *gpa = job->known_gpa | (linear & ~PAGE_MASK);
        return EMULATE_DONE;
    }
    if (walk(job->vcpu, linear, kinds[access], vcpu_in_user_mode(job->vcpu), gpa, &why))
        return EMULATE_DONE;
    if (why.memory) {
        lpar_fail(job->vcpu->lpar, job->vcpu, "its page tables lie outside its memory");
        return EMULATE_STOPPED;
    }
    *fault = (struct emulate_fault){
        .vector = EXCEPTION_PF, .has_error = true, .error = why.error, .address = linear};
    return EMULATE_FAULT;
}

/* Device registers are read and written by 1, 2, 4 or 8 bytes, as the instruction does; more is split. */
static unsigned piece_of(unsigned size)
{
    return size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
}

uint64_t vcpu_device_read(struct vcpu *vcpu, uint64_t gpa, unsigned size)
{
    uint64_t value;

    if (lapic_covers(&vcpu->lapic, gpa))
        return lapic_mmio_read(&vcpu->lapic, gpa & 0xfff, size);
    lock_take(&vcpu->lpar->devices);
    bus_read(&vcpu->lpar->space, gpa, size, &value);
    lock_release(&vcpu->lpar->devices);
    return value;
}

void vcpu_device_write(struct vcpu *vcpu, uint64_t gpa, unsigned size, uint64_t value)
{
    if (lapic_covers(&vcpu->lapic, gpa)) {
        vcpu->look = true;
        lapic_mmio_write(&vcpu->lapic, gpa & 0xfff, size, value);
        return;
    }
    lock_take(&vcpu->lpar->devices);
    bus_write(&vcpu->lpar->space, gpa, size, value);
    lock_release(&vcpu->lpar->devices);
}

static void read_physical(struct vcpu *vcpu, uint64_t gpa, uint8_t *data, unsigned size)
{
    const void *at = memory_at(&vcpu->lpar->memory, gpa, 0);

    if (at) { /* within one page, so within one range */
        memcpy(data, at, size);
        return;
    }
    while (size > 0) {
        unsigned piece = piece_of(size);
        uint64_t value = vcpu_device_read(vcpu, gpa, piece);

        memcpy(data, &value, piece);
        gpa += piece;
        data += piece;
        size -= piece;
    }
}

static void write_physical(struct vcpu *vcpu, uint64_t gpa, const uint8_t *data, unsigned size)
{
    void *at = memory_at(&vcpu->lpar->memory, gpa, 0);

    if (at) {
        memcpy(at, data, size);
        return;
    }
    while (size > 0) {
        unsigned piece = piece_of(size);
        uint64_t value = 0;

        memcpy(&value, data, piece);
        vcpu_device_write(vcpu, gpa, piece, value);
        gpa += piece;
        data += piece;
        size -= piece;
    }
}

static unsigned in_page(uint64_t linear, unsigned size)
{
    unsigned left = FRAME_SIZE - (unsigned)(linear & ~PAGE_MASK);

    return size < left ? size : left;
}

static enum emulate_result op_read(void *owner, uint64_t linear, void *data, unsigned size,
                                   enum emulate_access access, struct emulate_fault *fault)
{
    struct job *job = owner;
    unsigned first = in_page(linear, size);
    uint64_t gpa, rest = 0;
    enum emulate_result result = translate(job, linear, access, &gpa, fault);

    /* Both pages are translated before either is read: a device's register is not read in vain. */
    if (result == EMULATE_DONE && first < size)
        result = translate(job, linear + first, access, &rest, fault);
    if (result != EMULATE_DONE)
        return result;
    read_physical(job->vcpu, gpa, data, first);
    if (first < size)
        read_physical(job->vcpu, rest, (uint8_t *)data + first, size - first);
    return EMULATE_DONE;
}

static enum emulate_result op_write(void *owner, uint64_t linear, const void *data, unsigned size,
                                    struct emulate_fault *fault)
{
    struct job *job = owner;
    unsigned first = in_page(linear, size);
    uint64_t gpa, rest = 0;
    enum emulate_result result = translate(job, linear, ACCESS_WRITE, &gpa, fault);

    if (result == EMULATE_DONE && first < size)
        result = translate(job, linear + first, ACCESS_WRITE, &rest, fault);
    if (result != EMULATE_DONE)
        return result;
    write_physical(job->vcpu, gpa, data, first);
    if (first < size)
        write_physical(job->vcpu, rest, (const uint8_t *)data + first, size - first);
    return EMULATE_DONE;
}

static bool exchange_memory(void *at, const void *expected, const void *desired, unsigned size)
{
    uint64_t old = 0, new = 0;
    uint8_t old8;
    uint16_t old16;
    uint32_t old32;

    memcpy(&old, expected, size);
    memcpy(&new, desired, size);
    switch (size) {
    case 1:
        old8 = (uint8_t)old;
        return __atomic_compare_exchange_n((uint8_t *)at, &old8, (uint8_t)new, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    case 2:
        old16 = (uint16_t)old;
        return __atomic_compare_exchange_n((uint16_t *)at, &old16, (uint16_t)new, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    case 4:
        old32 = (uint32_t)old;
        return __atomic_compare_exchange_n((uint32_t *)at, &old32, (uint32_t)new, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    default:
        return __atomic_compare_exchange_n((uint64_t *)at, &old, new, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
}

/* A locked instruction on device registers is not atomic against other CPUs; no device offers that either. */
static enum emulate_result op_exchange(void *owner, uint64_t linear, const void *expected,
                                       const void *desired, unsigned size, bool *equal,
                                       struct emulate_fault *fault)
{
    struct job *job = owner;
    uint64_t gpa;
    enum emulate_result result = translate(job, linear, ACCESS_MODIFY, &gpa, fault);
    void *at;

    if (result != EMULATE_DONE)
        return result;
    if (size > 8 || in_page(linear, size) < size)
        return EMULATE_UNHANDLED;
    at = memory_at(&job->vcpu->lpar->memory, gpa, 0);
    if (at) {
        *equal = exchange_memory(at, expected, desired, size);
    } else {
        uint8_t now[8];

        read_physical(job->vcpu, gpa, now, size);
        *equal = memcmp(now, expected, size) == 0;
        if (*equal)
            write_physical(job->vcpu, gpa, desired, size);
    }
    return EMULATE_DONE;
}

static enum emulate_result op_io_read(void *owner, uint16_t port, unsigned size, uint32_t *value)
{
    struct lpar *lpar = ((struct job *)owner)->vcpu->lpar;
    uint64_t read;

    lock_take(&lpar->devices);
    bus_read(&lpar->ports, port, size, &read);
    lock_release(&lpar->devices);
    *value = (uint32_t)read;
    return EMULATE_DONE;
}

static enum emulate_result op_io_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
    struct lpar *lpar = ((struct job *)owner)->vcpu->lpar;

    lock_take(&lpar->devices);
    bus_write(&lpar->ports, port, size, value);
    lock_release(&lpar->devices);
    return EMULATE_DONE;
}

static enum emulate_result op_cr_read(void *owner, unsigned number, uint64_t *value,
                                      struct emulate_fault *fault)
{
    (void)fault;
    *value = control_read(((struct job *)owner)->vcpu, number);
    return EMULATE_DONE;
}

static enum emulate_result op_cr_write(void *owner, unsigned number, uint64_t value,
                                       struct emulate_fault *fault)
{
    if (control_write(((struct job *)owner)->vcpu, number, value))
        return EMULATE_DONE;
    *fault = (struct emulate_fault){.vector = EXCEPTION_GP, .has_error = true};
    return EMULATE_FAULT;
}

static enum vector_file file_of(enum operand_kind kind)
{
    return kind == OPERAND_MMX ? VECTOR_MMX : VECTOR_XMM;
}

static enum emulate_result op_vector_read(void *owner, enum operand_kind kind, unsigned number, void *data)
{
    struct context *context = &((struct job *)owner)->vcpu->context;

    context->machine->vector_read(context, file_of(kind), number, data);
    return EMULATE_DONE;
}

static enum emulate_result op_vector_write(void *owner, enum operand_kind kind, unsigned number,
                                           const void *data)
{
    struct context *context = &((struct job *)owner)->vcpu->context;

    context->machine->vector_write(context, file_of(kind), number, data);
    return EMULATE_DONE;
}

static const struct emulate_ops ops = {.read = op_read,
                                       .write = op_write,
                                       .exchange = op_exchange,
                                       .io_read = op_io_read,
                                       .io_write = op_io_write,
                                       .cr_read = op_cr_read,
                                       .cr_write = op_cr_write,
                                       .vector_read = op_vector_read,
                                       .vector_write = op_vector_write};

static void raise(struct vcpu *vcpu, const struct emulate_fault *fault)
{
    if (fault->vector == EXCEPTION_PF)
        vcpu_raise_page_fault(vcpu, fault->address, fault->error);
    else if (fault->has_error)
        vcpu_raise_error(vcpu, fault->vector, fault->error);
    else
        vcpu_raise(vcpu, fault->vector);
}

static void give_up(struct vcpu *vcpu, const struct insn *insn, const struct exit *exit)
{
    char why[80];

    if (exit)
        format(why, sizeof why, "%s at guest-physical %lx is not emulated", insn_name(insn->op),
               exit->mmio.gpa);
    else
        format(why, sizeof why, "%s is not emulated", insn_name(insn->op));
    lpar_fail(vcpu->lpar, vcpu, why);
}

void vcpu_emulate(struct vcpu *vcpu, const struct exit *exit)
{
    struct job job = {.vcpu = vcpu};
    struct emulator emulator = {
        .context = &vcpu->context, .ops = &ops, .owner = &job, .cache = &vcpu->decoded};
    const uint64_t rip = context_get(&vcpu->context, REG_RIP);

    if (exit && exit->mmio.gva_known) {
        job.known = true;
        job.known_linear = exit->mmio.gva;
        job.known_gpa = exit->mmio.gpa & PAGE_MASK;
    }
    vcpu->stats->emulated++;
    if (exit && mmio_short(vcpu, exit))
        return;
    switch (emulate(&emulator)) {
    case EMULATE_DONE:
        if (exit)
            mmio_short_learn(vcpu, rip, &emulator.insn);
        vcpu_retire(vcpu);
        break;
    case EMULATE_AGAIN: /* the same instruction goes on, and meets no breakpoint again (SDM 3B 18.3.1.1) */
        vcpu_retire(vcpu);
        context_set(&vcpu->context, REG_RFLAGS, context_get(&vcpu->context, REG_RFLAGS) | RFLAGS_RF);
        break;
    case EMULATE_FAULT:
        raise(vcpu, &emulator.fault);
        break;
    case EMULATE_UNHANDLED:
        give_up(vcpu, &emulator.insn, exit);
        break;
    case EMULATE_STOPPED:
        break;
    }
}

bool vcpu_decode(struct vcpu *vcpu, struct insn *insn)
{
    struct job job = {.vcpu = vcpu};
    struct emulator emulator = {
        .context = &vcpu->context, .ops = &ops, .owner = &job, .cache = &vcpu->decoded};
    enum emulate_result result = emulate_decode(&emulator);

    if (result == EMULATE_FAULT)
        raise(vcpu, &emulator.fault);
    if (result == EMULATE_DONE)
        *insn = emulator.insn;
    return result == EMULATE_DONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against hostile bytes, registers, segments and callbacks that fault or refuse. Whatever
 * happens: it ends, an instruction that does not complete leaves RIP, and memory is asked for within what the
 * contract says.
 */
#include <stdlib.h>
#include <string.h>

#include "emulate.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static const uint8_t *input;
static size_t left;
static unsigned calls;

static uint8_t next(void)
{
    if (!left)
        return 0;
    left--;
    return *input++;
}

static enum emulate_result answer(void)
{
    static const enum emulate_result results[] = {EMULATE_FAULT, EMULATE_UNHANDLED, EMULATE_STOPPED,
                                                  EMULATE_AGAIN};
    uint8_t choice = next();
    calls++;
    return choice < 0xf8 ? EMULATE_DONE : results[choice & 3];
}

static void fill(void *to, unsigned size)
{
    CHECK(size >= 1 && size <= 16);
    for (unsigned i = 0; i < size; i++)
        ((uint8_t *)to)[i] = next();
}

static enum emulate_result read_memory(void *owner, uint64_t linear, void *to, unsigned size,
                                       enum emulate_access access, struct emulate_fault *fault)
{
    (void)owner;
    (void)linear;
    (void)fault;
    CHECK(access != ACCESS_WRITE);
    CHECK(access != ACCESS_EXECUTE || (linear & 4095) + size <= 4096);
    fill(to, size);
    return answer();
}

static enum emulate_result write_memory(void *owner, uint64_t linear, const void *from, unsigned size,
                                        struct emulate_fault *fault)
{
    uint8_t copy[16];
    (void)owner;
    (void)linear;
    (void)fault;
    CHECK(size >= 1 && size <= 16);
    memcpy(copy, from, size);
    return copy[0] == 0xff ? EMULATE_DONE : answer();
}

static enum emulate_result exchange(void *owner, uint64_t linear, const void *expected, const void *desired,
                                    unsigned size, bool *equal, struct emulate_fault *fault)
{
    CHECK(size == 1 || size == 2 || size == 4 || size == 8 || size == 16);
    *equal = next() & 1;
    write_memory(owner, linear, expected, size, fault);
    return write_memory(owner, linear, desired, size, fault);
}

static enum emulate_result port_read(void *owner, uint16_t port, unsigned size, uint32_t *value)
{
    (void)owner;
    (void)port;
    CHECK(size == 1 || size == 2 || size == 4);
    *value = next();
    return answer();
}

static enum emulate_result port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
    (void)owner;
    (void)port;
    CHECK(size == 1 || size == 2 || size == 4);
    CHECK(size == 4 || value >> 8 * size == 0);
    return answer();
}

static enum emulate_result special_read(void *owner, unsigned number, uint64_t *value,
                                        struct emulate_fault *fault)
{
    (void)owner;
    (void)fault;
    CHECK(number <= 8);
    *value = next();
    return answer();
}

static enum emulate_result special_write(void *owner, unsigned number, uint64_t value,
                                         struct emulate_fault *fault)
{
    return special_read(owner, number, &value, fault);
}

static enum emulate_result invlpg(void *owner, uint64_t linear)
{
    (void)owner;
    (void)linear;
    return answer();
}

static enum emulate_result vector_read(void *owner, enum operand_kind kind, unsigned number, void *to)
{
    (void)owner;
    CHECK(kind == OPERAND_XMM ? number < 16 : kind == OPERAND_MMX && number < 8);
    fill(to, kind == OPERAND_XMM ? 16 : 8);
    return answer();
}

static enum emulate_result vector_write(void *owner, enum operand_kind kind, unsigned number,
                                        const void *from)
{
    (void)owner;
    (void)from;
    CHECK(kind == OPERAND_XMM ? number < 16 : kind == OPERAND_MMX && number < 8);
    return answer();
}

static const struct emulate_ops ops = {
    .read = read_memory,
    .write = write_memory,
    .exchange = exchange,
    .io_read = port_read,
    .io_write = port_write,
    .cr_read = special_read,
    .cr_write = special_write,
    .dr_read = special_read,
    .dr_write = special_write,
    .invlpg = invlpg,
    .vector_read = vector_read,
    .vector_write = vector_write,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t code[] = {0x9b, 0xc9b, 0xa9b, 0xa9b};
    struct context context = {.known = ~0u, .seg_known = ~0u};
    static struct emulate_cache cache;
    struct emulator e = {.context = &context, .ops = &ops, .cache = &cache};
    uint8_t shape;

    input = data;
    left = size;
    calls = 0;
    shape = next();
    for (unsigned i = 0; i < 16; i++)
        context.reg[i] = next() & 1 ? (uint64_t)(int8_t)next() << (next() & 63) : next();
    context.reg[REG_RIP] = (uint64_t)next() << 8 | next();
    context.reg[REG_RFLAGS] = 2u | (uint64_t)next() << 8 | next();
    context.reg[REG_CR0] = 0x10u | (shape & 4 ? 0x80000001u : 0) | (shape & 8 ? 1u << 18 : 0);
    context.reg[REG_EFER] = (shape & 3) >= 2 && shape & 4 ? 0x500 : 0;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        context.seg[i] =
            (struct segment){.limit = shape & 16 ? next() : 0xffffffff,
                             .attributes = shape & 32 ? (uint16_t)(next() | (next() << 8)) : 0xcf3};
    context.seg[SEG_CS].attributes = code[shape & 3];
    if (!(shape & 4) || !(context.reg[REG_EFER]))
        context.seg[SEG_CS].attributes &= 0xcff;

    uint64_t rip = context.reg[REG_RIP];
    enum emulate_result result = emulate(&e);
    CHECK(calls < 64 * EMULATE_REPEATS);
    CHECK(result == EMULATE_DONE || context.reg[REG_RIP] == rip);
    CHECK(result <= EMULATE_STOPPED);
    return 0;
}

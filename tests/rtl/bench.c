/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*bench_other)(struct model *m, const struct tlp *t);

/* The test cannot go on; Criterion reports a test that aborts as failed. */
static void require(bool holds, const char *format, ...)
{
    if (!holds) {
        va_list arguments;
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        abort();
    }
}

uint16_t bench_id(unsigned port)
{
    return (uint16_t)(BENCH_BUS << 8 | BENCH_DEVICE << 3 | port);
}

struct model *bench_open_shape(const struct model_shape *shape)
{
    struct model *m = model_open(shape, NULL);
    require(m != NULL, "this shape is not built");
    model_set_bdf(m, BENCH_BUS, BENCH_DEVICE);
    model_set_bus_master(m, true);
    model_set_bar(m, MODEL_ROOT, 0, true, BENCH_BAR, 0x10000);
    for (unsigned k = 1; k <= shape->ports; k++) {
        model_set_bar(m, k, 0, true, BENCH_PORT_BAR + (k << 20), 1u << 20);
        model_set_bar(m, k, 1, true, BENCH_PORT_BAR_1 + ((uint64_t)k << 32), 1ull << 32);
    }
    return m;
}

struct model *bench_open(unsigned ports, unsigned width_dw)
{
    return bench_open_shape(&(struct model_shape){.ports = ports, .width_dw = width_dw, .sources = 32});
}

uint32_t bench_swap(uint32_t dw)
{
    return __builtin_bswap32(dw);
}

uint32_t bench_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static uint32_t byte_enables(size_t n)
{
    return n == 1 ? 0x0f : 0xff;
}

/* DW0, DW1 and the address of a memory request. */
static void memory_header(struct tlp *t, uint32_t kind, uint16_t requester, uint8_t tag, uint64_t address,
                          size_t n)
{
    const bool four = address >> 32 != 0;
    t->dw[0] = kind << 24 | (four ? 0x20000000u : 0) | (uint32_t)(n & 0x3ff);
    t->dw[1] = (uint32_t)requester << 16 | (uint32_t)tag << 8 | byte_enables(n);
    t->n = 2;
    if (four) {
        t->dw[t->n++] = (uint32_t)(address >> 32);
    }
    t->dw[t->n++] = (uint32_t)address;
}

static void add_data(struct tlp *t, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++) {
        t->dw[t->n++] = seed + (uint32_t)i;
    }
}

struct tlp tlp_write(uint16_t requester, uint64_t address, size_t n, uint32_t seed)
{
    struct tlp t;
    memory_header(&t, 0x40, requester, 0, address, n);
    add_data(&t, n, seed);
    return t;
}

struct tlp tlp_read(uint16_t requester, uint8_t tag, uint64_t address, size_t n)
{
    struct tlp t;
    memory_header(&t, 0x00, requester, tag, address, n);
    return t;
}

struct tlp tlp_completion(uint16_t completer, uint16_t requester, uint8_t tag, size_t n, uint32_t seed)
{
    struct tlp t = {.n = 3};
    t.dw[0] = (n != 0 ? 0x4a000000u : 0x0a000000u) | (uint32_t)(n & 0x3ff);
    t.dw[1] = (uint32_t)completer << 16 | (n != 0 ? 0 : 0x2000) | (n != 0 ? (uint32_t)(4 * n) & 0xfff : 4);
    t.dw[2] = (uint32_t)requester << 16 | (uint32_t)tag << 8;
    add_data(&t, n, seed);
    return t;
}

struct tlp tlp_config(bool write, unsigned fn, unsigned offset, uint32_t value)
{
    struct tlp t = {.n = 3};
    t.dw[0] = (write ? 0x44000000u : 0x04000000u) | 1;
    t.dw[1] = 0x0f;
    t.dw[2] = (uint32_t)bench_id(fn) << 16 | offset;
    if (write) {
        t.dw[t.n++] = value;
    }
    return t;
}

struct tlp tlp_msi(uint16_t requester, uint64_t address, uint32_t data)
{
    return tlp_write(requester, address, 1, bench_swap(data));
}

struct tlp tlp_intx(bool assert, unsigned pin)
{
    struct tlp t = {.n = 4};
    t.dw[0] = 0x34000000u;
    t.dw[1] = (uint32_t)bench_id(0) << 16 | (assert ? 0x20u : 0x24u) | pin;
    t.dw[2] = 0;
    t.dw[3] = 0;
    return t;
}

void bench_send(struct model *m, unsigned side, const struct tlp *t)
{
    require(model_send(m, side, t->dw, t->n), "%zu DW to side %u", t->n, side);
}

struct tlp bench_receive(struct model *m, unsigned side)
{
    struct tlp t;
    t.n = model_receive(m, side, t.dw);
    return t;
}

bool tlp_equal(const struct tlp *a, const struct tlp *b)
{
    return a->n == b->n && memcmp(a->dw, b->dw, a->n * sizeof a->dw[0]) == 0;
}

uint32_t bench_read(struct model *m, uint32_t offset)
{
    static uint8_t tag;
    const struct tlp request = tlp_read(0, ++tag, BENCH_BAR + offset, 1);
    bench_send(m, MODEL_ROOT, &request);
    model_run(m, 100000);
    for (;;) {
        const struct tlp t = bench_receive(m, MODEL_ROOT);
        require(t.n != 0, "no completion for register 0x%x", offset);
        if (t.dw[0] == 0x4a000001u && t.dw[2] >> 8 == tag) {
            require(t.n == 4, "register 0x%x is answered with %zu DW", offset, t.n);
            return bench_swap(t.dw[3]);
        }
        require(bench_other != NULL, "DW0 %08x at the root", t.dw[0]);
        bench_other(m, &t);
    }
}

void bench_write(struct model *m, uint32_t offset, uint32_t value)
{
    const struct tlp request = tlp_write(0, BENCH_BAR + offset, 1, bench_swap(value));
    bench_send(m, MODEL_ROOT, &request);
    model_run(m, 100000);
}

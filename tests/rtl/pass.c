/* SPDX-License-Identifier: BSD-2-Clause */
/* The relay as a part of the path: TLPs leave as they came, at the side where they belong. */
#include <criterion/criterion.h>

#include "bench.h"
#include "relay_regs.h"

static const unsigned shapes[][2] = {{4, 2}, {7, 2}, {4, 4}, {7, 4}, {1, 2}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void expect(struct model *m, unsigned side, const struct tlp *want)
{
    const struct tlp got = bench_receive(m, side);
    cr_assert(tlp_equal(&got, want), "side %u: %zu DW, first %08x; wanted %zu DW, first %08x", side, got.n,
              got.n != 0 ? got.dw[0] : 0, want->n, want->dw[0]);
}

static void expect_nothing(struct model *m)
{
    for (unsigned side = 0; side <= model_ports(m); side++) {
        const struct tlp got = bench_receive(m, side);
        cr_assert_eq(got.n, 0, "side %u: DW0 %08x", side, got.dw[0]);
    }
}

Test(pass, identity)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        cr_expect_eq(bench_read(m, RELAY_ID), RELAY_ID_RESET);
        cr_expect_eq(bench_read(m, RELAY_VERSION), RELAY_VERSION_RESET);
        const uint32_t shape = bench_read(m, RELAY_SHAPE);
        cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_PORTS), shapes[i][0]);
        cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_WIDTH_DW), shapes[i][1]);
        cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_SOURCES), 32);
        cr_expect_eq(bench_read(m, RELAY_BDF), bench_id(0));
        bench_write(m, RELAY_SCRATCH, 0x12345678);
        cr_expect_eq(bench_read(m, RELAY_SCRATCH), 0x12345678);
        model_close(m);
    }
}

Test(pass, upstream)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        for (unsigned k = 1; k <= model_ports(m); k++) {
            for (size_t n = 1; n <= 1024; n = n < 9 ? n + 1 : n * 2 - 3) {
                struct tlp t[] = {
                    tlp_write(bench_id(k), 0x1000, n, k * 77),
                    tlp_write(bench_id(k), 0x7700001000, n, k * 78),
                    tlp_read(bench_id(k), 5, 0x2000, n),
                    tlp_read(bench_id(k), 6, 0x7700002000, n),
                    tlp_completion(bench_id(k), 0, 9, n, k * 79),
                };
                for (size_t j = 0; j < sizeof t / sizeof t[0]; j++) {
                    bench_send(m, k, &t[j]);
                }
                model_run(m, 100000);
                for (size_t j = 0; j < sizeof t / sizeof t[0]; j++) {
                    expect(m, MODEL_ROOT, &t[j]);
                }
                expect_nothing(m);
            }
        }
        model_close(m);
    }
}

Test(pass, downstream)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        for (unsigned k = 1; k <= model_ports(m); k++) {
            struct tlp t[] = {
                tlp_write(0, BENCH_PORT_BAR + (k << 20) + 0xffffc, 1, 7),
                tlp_write(0, BENCH_PORT_BAR_1 + ((uint64_t)k << 32) + 0x1000, 64, 99),
                tlp_read(0, 5, BENCH_PORT_BAR + (k << 20), 3),
                tlp_config(false, k, 0x10, 0),
                tlp_config(true, k, 0x10, 0xffffffff),
                tlp_completion(0, bench_id(k), 9, 5, k * 79),
                tlp_completion(0, bench_id(k), 9, 0, 0),
            };
            for (size_t j = 0; j < sizeof t / sizeof t[0]; j++) {
                bench_send(m, MODEL_ROOT, &t[j]);
                model_run(m, 100000);
                expect(m, k, &t[j]);
            }
            expect_nothing(m);
        }
        model_close(m);
    }
}

Test(pass, unrouted)
{
    struct model *m = bench_open(4, 2);
    const struct tlp lost = tlp_write(0, 0x50000000, 4, 1);
    bench_send(m, MODEL_ROOT, &lost);
    const struct tlp stray = tlp_completion(0, bench_id(6), 1, 1, 1);
    bench_send(m, MODEL_ROOT, &stray);
    model_run(m, 100000);
    expect_nothing(m);

    struct tlp read = tlp_read(0x0123, 0x45, 0x50000004, 3);
    read.dw[0] |= 5u << 20 | 1u << 13; /* TC 5, RO */
    bench_send(m, MODEL_ROOT, &read);
    model_run(m, 100000);
    const struct tlp ur = {.n = 3, .dw = {0x0a502000, (uint32_t)bench_id(0) << 16 | 0x2000 | 12, 0x01234504}};
    expect(m, MODEL_ROOT, &ur);

    const struct tlp config = tlp_config(false, 5, 0, 0);
    bench_send(m, MODEL_ROOT, &config);
    model_run(m, 100000);
    const struct tlp config_ur = {.n = 3, .dw = {0x0a000000, (uint32_t)bench_id(0) << 16 | 0x2004, 0}};
    expect(m, MODEL_ROOT, &config_ur);

    const struct tlp wide = tlp_read(0x0123, 0x46, BENCH_BAR, 2);
    bench_send(m, MODEL_ROOT, &wide);
    model_run(m, 100000);
    const struct tlp wide_ur = {.n = 3, .dw = {0x0a000000, (uint32_t)bench_id(0) << 16 | 0x2008, 0x01234600}};
    expect(m, MODEL_ROOT, &wide_ur);
    expect_nothing(m);
    model_close(m);
}

Test(pass, port_down)
{
    struct model *m = bench_open(4, 2);
    model_set_link(m, 2, false);
    const struct tlp config = tlp_config(false, 2, 0, 0);
    bench_send(m, MODEL_ROOT, &config);
    const struct tlp up = tlp_write(bench_id(2), 0x1000, 4, 1);
    bench_send(m, 2, &up);
    model_run(m, 100000);
    const struct tlp ur = {.n = 3, .dw = {0x0a000000, (uint32_t)bench_id(0) << 16 | 0x2004, 0}};
    expect(m, MODEL_ROOT, &ur);
    expect_nothing(m);

    model_set_link(m, 2, true);
    bench_send(m, 2, &up);
    model_run(m, 100000);
    expect(m, MODEL_ROOT, &up);
    expect_nothing(m);
    model_close(m);
}

Test(pass, posted_pass_non_posted)
{
    struct model *m = bench_open(4, 2);
    const struct tlp read = tlp_read(bench_id(1), 1, 0x1000, 1);
    const struct tlp write = tlp_write(bench_id(1), 0x2000, 3, 1);
    const struct tlp other = tlp_write(bench_id(2), 0x3000, 3, 1);
    model_set_ready(m, MODEL_ROOT, true, false);
    bench_send(m, 1, &read);
    bench_send(m, 1, &write);
    bench_send(m, 2, &other);
    model_run(m, 100000);
    struct tlp got[2] = {bench_receive(m, MODEL_ROOT), bench_receive(m, MODEL_ROOT)};
    cr_expect(tlp_equal(&got[0], &other) || tlp_equal(&got[1], &other));
    cr_expect(tlp_equal(&got[0], &write) || tlp_equal(&got[1], &write));
    expect_nothing(m);
    model_set_ready(m, MODEL_ROOT, true, true);
    model_run(m, 100000);
    expect(m, MODEL_ROOT, &read);
    expect_nothing(m);

    /* A function that takes no requests stops nobody else. */
    model_set_ready(m, 3, true, false);
    const struct tlp config3 = tlp_config(false, 3, 0, 0);
    const struct tlp config4 = tlp_config(false, 4, 0, 0);
    const struct tlp write3 = tlp_write(0, BENCH_PORT_BAR + (3 << 20), 1, 7);
    bench_send(m, MODEL_ROOT, &config3);
    bench_send(m, MODEL_ROOT, &config3);
    bench_send(m, MODEL_ROOT, &config3);
    bench_send(m, MODEL_ROOT, &config4);
    bench_send(m, MODEL_ROOT, &write3);
    model_run(m, 100000);
    expect(m, 4, &config4);
    expect(m, 3, &write3);
    expect_nothing(m);
    model_set_ready(m, 3, true, true);
    model_run(m, 100000);
    expect(m, 3, &config3);
    expect(m, 3, &config3);
    expect(m, 3, &config3);
    expect_nothing(m);
    model_close(m);
}

/* What is not a TLP is dropped, whatever its end, and disturbs nobody. */
Test(pass, malformed)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        const struct tlp good = tlp_write(bench_id(1), 0x1000, 5, 1);
        struct tlp bad[] = {good, good, good, good, good, good, good, good};
        bad[0].n--;
        bad[1].n++;
        bad[2].n = 30;
        bad[3].n = 2;
        bad[4].n = 1;
        bad[5].dw[0] |= 0x80000000u; /* prefix */
        bad[6].dw[2] = 0x1ff0;       /* crosses 4 KiB */
        bad[7].dw[1] &= ~0xf0u;      /* last byte enables 0 */
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            bench_send(m, 1, &bad[j]);
            bench_send(m, 1, &good);
            model_run(m, 100000);
            expect(m, MODEL_ROOT, &good);
            expect_nothing(m);
            bad[j].dw[2] =
                bad[j].dw[2] == 0x1ff0 ? BENCH_PORT_BAR + (1 << 20) + 0xff0 : BENCH_PORT_BAR + (1 << 20);
            const struct tlp down = tlp_write(0, BENCH_PORT_BAR + (1 << 20), 5, 1);
            bench_send(m, MODEL_ROOT, &bad[j]);
            bench_send(m, MODEL_ROOT, &down);
            model_run(m, 100000);
            expect(m, 1, &down);
            expect_nothing(m);
        }
        model_close(m);
    }
}

/* A register read is a flush: its completion comes after everything that was taken from the ports before it.
 */
Test(pass, completion_pushes_posted)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        const unsigned ports = model_ports(m);
        for (unsigned first = 1; first <= ports; first++) {
            model_set_ready(m, MODEL_ROOT, false, false);
            for (unsigned k = 1; k <= ports; k++) {
                const struct tlp t = tlp_write(bench_id(k), 0x1000, k == first ? 5 : 1, k);
                bench_send(m, k, &t);
            }
            model_run(m, 1000);
            const struct tlp read = tlp_read(0, 1, BENCH_BAR + RELAY_ID, 1);
            bench_send(m, MODEL_ROOT, &read);
            model_run(m, 1000);
            model_set_ready(m, MODEL_ROOT, true, true);
            model_run(m, 100000);
            for (unsigned k = 1; k <= ports; k++) {
                const struct tlp t = bench_receive(m, MODEL_ROOT);
                cr_assert_eq(t.dw[0] >> 24, 0x40, "%u of %u: %08x", k, ports, t.dw[0]);
            }
            const struct tlp t = bench_receive(m, MODEL_ROOT);
            cr_assert_eq(t.dw[0], 0x4a000001u);
            expect_nothing(m);
        }
        model_close(m);
    }
}

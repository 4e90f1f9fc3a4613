/* SPDX-License-Identifier: BSD-2-Clause */
/* The tap, the smallest shape: everything passes as it came, and the record says who asked for an interrupt.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "bench.h"
#include "relay_regs.h"

enum { SOURCES = 32 };
#define MESSAGE 0xfee00000u

static const struct model_shape tap = {
    .ports = 1, .width_dw = 2, .sources = SOURCES, .bump = true, .tap = true};

static struct model *open_tap(void)
{
    struct model *m = bench_open_shape(&tap);
    model_set_time(m, 1000);
    return m;
}

static void expect(struct model *m, unsigned side, const struct tlp *want)
{
    const struct tlp got = bench_receive(m, side);
    cr_assert(tlp_equal(&got, want), "side %u: %zu DW, first %08x; wanted %zu DW, first %08x", side, got.n,
              got.n != 0 ? got.dw[0] : 0, want->n, want->dw[0]);
}

/* From the port to the root, as it came. */
static void pass(struct model *m, const struct tlp *t)
{
    bench_send(m, 1, t);
    model_run(m, 10000);
    expect(m, MODEL_ROOT, t);
}

static uint32_t counter(struct model *m, unsigned i)
{
    return bench_read(m, RELAY_COUNTER(i));
}

Test(tap, identity)
{
    struct model *m = open_tap();
    cr_expect_eq(bench_read(m, RELAY_ID), RELAY_ID_RESET);
    cr_expect_eq(bench_read(m, RELAY_VERSION), RELAY_VERSION_RESET);
    cr_expect_eq(bench_read(m, RELAY_CAPS), RELAY_CAPS_TAP | RELAY_CAPS_LEARN | RELAY_CAPS_BUMP);
    const uint32_t shape = bench_read(m, RELAY_SHAPE);
    cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_PORTS), 1);
    cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_WIDTH_DW), 2);
    cr_expect_eq(RELAY_GET(shape, RELAY_SHAPE_SOURCES), SOURCES);
    cr_expect_eq(bench_read(m, RELAY_BDF), bench_id(0));
    cr_expect_eq(bench_read(m, RELAY_PORT_BDF(1)), bench_id(1));
    cr_expect_eq(bench_read(m, RELAY_PORT_STATE(1)), 1);
    cr_expect_eq(bench_read(m, RELAY_STATUS), RELAY_STATUS_BUS_MASTER);
    cr_expect_eq(bench_read(m, RELAY_WINDOW_BASE_LO(0)), RELAY_WINDOW_BASE_LO_RESET);
    cr_expect_eq(bench_read(m, RELAY_WINDOW_MASK_HI(0)), RELAY_WINDOW_MASK_HI_RESET);
    cr_expect_eq(bench_read(m, RELAY_CTRL), RELAY_CTRL_LEARN);
    bench_write(m, RELAY_SCRATCH, 0x12345678);
    cr_expect_eq(bench_read(m, RELAY_SCRATCH), 0x12345678);
    /* What is not written. */
    bench_write(m, RELAY_ID, 7);
    bench_write(m, RELAY_LIMIT_EDGE_NS, 7);
    bench_write(m, RELAY_SRC_KEY(0), 0x00000101);
    cr_expect_eq(bench_read(m, RELAY_ID), RELAY_ID_RESET);
    cr_expect_eq(bench_read(m, RELAY_LIMIT_EDGE_NS), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(0)), 0);
    model_set_time(m, 0x123456789abull);
    cr_expect_eq(bench_read(m, RELAY_TIME_LO), 0x456789ab);
    cr_expect_eq(bench_read(m, RELAY_TIME_HI), 0x123);
    model_close(m);
}

Test(tap, both_ways)
{
    struct model *m = open_tap();
    for (size_t n = 1; n <= 1024; n = n < 9 ? n + 1 : n * 2 - 3) {
        const struct tlp up[] = {tlp_write(0x700, 0x1000, n, 77), tlp_write(0x700, 0x7700001000, n, 78),
                                 tlp_read(0x700, 5, 0x2000, n), tlp_completion(0x700, 0, 9, n, 79)};
        const struct tlp down[] = {tlp_write(0, 0x55500000, n, 7), tlp_write(0, 0x7700000000, n, 8),
                                   tlp_read(0, 6, 0x7700000000, n), tlp_completion(0, 0x700, 3, n, 9)};
        for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
            bench_send(m, 1, &up[i]);
            bench_send(m, MODEL_ROOT, &down[i]);
        }
        model_run(m, 100000);
        /* The sender lets non-posted TLPs go in their turn, as np_ok was never low. */
        for (size_t i = 0; i < sizeof up / sizeof up[0]; i++) {
            expect(m, MODEL_ROOT, &up[i]);
            expect(m, 1, &down[i]);
        }
    }
    model_close(m);
}

Test(tap, message)
{
    struct model *m = open_tap();
    const struct tlp t = tlp_msi(0x1234, MESSAGE | 0x10, 0x41);
    for (unsigned i = 1; i <= 3; i++) {
        model_set_time(m, 0x500000000ull * i);
        pass(m, &t);
    }
    const struct tlp far = tlp_msi(0x1234, MESSAGE | 0x1000, 0x99);
    pass(m, &far);
    const struct tlp none = tlp_write(0x1234, 0x1000, 1, 5);
    pass(m, &none);
    const struct tlp higher = tlp_msi(0x1234, 0x100000000ull | MESSAGE, 0x41);
    pass(m, &higher);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(0)), 0x12340101);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_LO(0)), MESSAGE | 0x10);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_HI(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(0)), 0x41);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 3);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), 3);
    cr_expect_eq(bench_read(m, RELAY_SRC_FIRST_LO(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_FIRST_HI(0)), 5);
    cr_expect_eq(bench_read(m, RELAY_SRC_LAST_HI(0)), 15);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(1)), 0x99);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(2)), 0);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI), 4);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 3);
    bench_write(m, RELAY_SRC_ACKED(0), 2);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 3);
    bench_write(m, RELAY_SRC_ACKED(0), 4); /* has not been reached */
    cr_expect_eq(bench_read(m, RELAY_SRC_ACKED(0)), 2);
    bench_write(m, RELAY_SRC_ACKED(0), 3);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACKED(0)), 3);
    /* A window above 4 GiB, in four DW; the first one is closed. */
    bench_write(m, RELAY_WINDOW_BASE_LO(1), MESSAGE | 1);
    bench_write(m, RELAY_WINDOW_BASE_HI(1), 1);
    bench_write(m, RELAY_WINDOW_MASK_LO(1), 0xfffffffc);
    bench_write(m, RELAY_WINDOW_BASE_LO(0), MESSAGE);
    pass(m, &higher);
    pass(m, &t);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_HI(2)), 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_LO(2)), MESSAGE);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(2)), 0x41);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 3);
    model_close(m);
}

Test(tap, odd_forms)
{
    struct model *m = open_tap();
    struct tlp t = tlp_msi(7, MESSAGE, 1);
    t.dw[0] |= 1u << 14; /* poisoned */
    pass(m, &t);
    t = tlp_msi(7, MESSAGE, 1);
    t.dw[1] &= ~0xfu; /* no byte enabled */
    pass(m, &t);
    t = tlp_write(7, MESSAGE, 2, 1);
    pass(m, &t);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI), 0);
    t = tlp_msi(7, MESSAGE, 1);
    t.dw[0] |= 1u << 15; /* with a digest */
    t.dw[t.n++] = 0xd16e57;
    pass(m, &t);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(0)), 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 1);
    /* Longer than it says, and shorter: passed, but no interrupt. */
    t = tlp_msi(7, MESSAGE, 1);
    t.dw[t.n++] = 5;
    t.dw[t.n++] = 6;
    pass(m, &t);
    t = tlp_msi(7, MESSAGE, 1);
    t.n--;
    pass(m, &t);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI), 1);
    model_close(m);
}

Test(tap, wires)
{
    struct model *m = open_tap();
    const struct tlp up = tlp_intx(true, 2), down = tlp_intx(false, 2), other = tlp_intx(true, 0);
    pass(m, &down);
    pass(m, &up);
    pass(m, &up);
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), 4);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(0)), (uint32_t)bench_id(1) << 16 | 0x111);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_LO(0)), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_LEVEL);
    pass(m, &down);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), 0);
    pass(m, &up);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 2);
    pass(m, &other);
    cr_expect_eq(counter(m, RELAY_COUNTER_INTX_ASSERT), 3);
    cr_expect_eq(counter(m, RELAY_COUNTER_INTX_DEASSERT), 1);
    /* A wire that is high stays listed; a link that goes down takes both down. */
    bench_write(m, RELAY_SRC_ACKED(0), 2);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    cr_expect_neq(bench_read(m, RELAY_SRC_KEY(0)), 0);
    model_set_link(m, 1, false);
    model_run(m, 10000);
    model_set_link(m, 1, true);
    model_run(m, 10000);
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), 0);
    cr_expect_eq(counter(m, RELAY_COUNTER_INTX_DEASSERT), 3);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), 0);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(1)), 1); /* not acknowledged */
    pass(m, &up);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 1);
    model_close(m);
}

Test(tap, full)
{
    struct model *m = open_tap();
    for (unsigned i = 0; i < SOURCES; i++) {
        const struct tlp t = tlp_msi((uint16_t)(i & 3), MESSAGE, i);
        cr_expect_eq(bench_read(m, RELAY_STATUS) & RELAY_STATUS_TABLE_FULL, 0);
        pass(m, &t);
    }
    cr_expect_eq(bench_read(m, RELAY_STATUS) & RELAY_STATUS_TABLE_FULL, RELAY_STATUS_TABLE_FULL);
    const struct tlp t = tlp_msi(0x4321, MESSAGE | 0x20, 0x777);
    pass(m, &t);
    cr_expect_eq(counter(m, RELAY_COUNTER_UNLISTED), 1);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI), SOURCES + 1);
    cr_expect_eq(bench_read(m, RELAY_UNLISTED_WHO), 0x43210101);
    cr_expect_eq(bench_read(m, RELAY_UNLISTED_ADDR_LO), MESSAGE | 0x20);
    cr_expect_eq(bench_read(m, RELAY_UNLISTED_DATA), 0x777);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 0xffffffff);
    bench_write(m, RELAY_SRC_ACKED(5), 1);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET | RELAY_COMMAND_CLEAR_COUNTERS);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 0xffffffdf);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI), 0);
    pass(m, &t);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(5)), 0x43210101);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(5)), 1);
    /* Without learning nothing is listed. */
    bench_write(m, RELAY_CTRL, 0);
    bench_write(m, RELAY_SRC_ACKED(5), 1);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    pass(m, &t);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(5)), 0);
    cr_expect_eq(counter(m, RELAY_COUNTER_UNLISTED), 1);
    model_close(m);
}

/* What was sent and must come, in order, and what each source sent. */
static struct tlp queue[64];
static unsigned head, tail;
static uint64_t arrived;

static void arrive(struct model *m, const struct tlp *t)
{
    (void)m;
    cr_assert(head != tail && tlp_equal(t, &queue[head % 64]), "TLP %lu is not the one sent",
              (unsigned long)arrived);
    head++;
    arrived++;
}

Test(tap, random)
{
    struct model *m = open_tap();
    uint64_t random = 11;
    uint32_t counts[SOURCES] = {0}, listed[SOURCES], events = 0;
    uint32_t rises = 0, level = 0;
    unsigned used = 0;
    bench_other = arrive;
    for (unsigned i = 0; i < 20000; i++) {
        const uint32_t r = bench_random(&random);
        struct tlp t;
        /* 31 messages, and the wire of one pin. */
        const uint32_t id = (r >> 8) % 31;
        switch (r % 8) {
        case 0:
        case 1:
        case 2:
            t = tlp_msi((uint16_t)(id / 4), MESSAGE | (id & 1) << 4, id / 2);
            break;
        case 3:
            t = tlp_write(3, 0x1000 + (r & 0xff0), 1 + (r >> 20) % 8, r);
            break;
        case 4:
            t = tlp_read(4, (uint8_t)r, 0x7700000000, 1 + (r >> 20) % 8);
            break;
        case 5:
            t = tlp_completion(5, 0, (uint8_t)r, (r >> 20) % 8, r);
            break;
        case 6:
            t = tlp_write(3, 0x2000, 1, r);
            break;
        default:
            t = tlp_intx((r >> 8) & 1, 3);
            break;
        }
        if (r % 8 <= 2 || (r % 8 == 7 && ((r >> 8) & 1) != level)) {
            const uint32_t key = r % 8 <= 2 ? (id / 4) << 16 | (id & 1) << 4 | (id / 2) << 8 : 0xffffffff;
            level = r % 8 == 7 ? (r >> 8) & 1 : level;
            if (r % 8 != 7 || level) {
                unsigned k = 0;
                while (k < used && listed[k] != key) {
                    k++;
                }
                listed[k] = key;
                used = k == used ? used + 1 : used;
                counts[k]++;
                events++;
                rises += r % 8 == 7;
            }
        }
        queue[tail++ % 64] = t;
        bench_send(m, 1, &t);
        model_set_ready(m, MODEL_ROOT, (r >> 28) != 3, true);
        if (tail - head > 40 || (r >> 16) % 16 == 0) {
            model_set_ready(m, MODEL_ROOT, true, true);
            const unsigned k = (r >> 4) % SOURCES;
            if ((r >> 16) % 32 == 0) {
                model_run(m, 100000);
                cr_assert_eq(bench_read(m, RELAY_SRC_COUNT(k)), counts[k], "TLP %u, source %u: %u, %u sent",
                             i, k, bench_read(m, RELAY_SRC_COUNT(k)), counts[k]);
                bench_write(m, RELAY_SRC_ACKED(k), counts[k]);
                cr_assert_eq(bench_read(m, RELAY_PENDING(0)) >> k & 1, 0);
            } else {
                cr_assert_eq(bench_read(m, RELAY_ID), RELAY_ID_RESET);
            }
        }
        model_run(m, (r >> 12) % 64);
        for (struct tlp got = bench_receive(m, MODEL_ROOT); got.n != 0; got = bench_receive(m, MODEL_ROOT)) {
            arrive(m, &got);
        }
    }
    model_set_ready(m, MODEL_ROOT, true, true);
    model_run(m, 1000000);
    for (struct tlp got = bench_receive(m, MODEL_ROOT); got.n != 0; got = bench_receive(m, MODEL_ROOT)) {
        arrive(m, &got);
    }
    cr_expect_eq(head, tail);
    uint32_t sum = 0;
    for (unsigned k = 0; k < SOURCES; k++) {
        cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(k)), k < used ? counts[k] : 0, "source %u", k);
        sum += bench_read(m, RELAY_SRC_COUNT(k));
    }
    cr_expect_eq(sum, events);
    cr_expect_gt(rises, 100);
    cr_expect_eq(counter(m, RELAY_COUNTER_MSI) + counter(m, RELAY_COUNTER_INTX_ASSERT), events);
    cr_expect_eq(counter(m, RELAY_COUNTER_INTX_ASSERT), rises);
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), level << 3);
    bench_other = NULL;
    model_close(m);
}

Test(tap, link_down)
{
    struct model *m = open_tap();
    const struct tlp t = tlp_write(7, 0x4000, 100, 1);
    bench_send(m, 1, &t);
    model_run(m, 20);
    model_set_link(m, 1, false);
    model_run(m, 1000);
    cr_expect_eq(bench_receive(m, MODEL_ROOT).n, 0); /* ended bad: whoever is beyond drops it */
    const struct tlp lost = tlp_write(0, 0x55500000, 100, 7);
    bench_send(m, MODEL_ROOT, &lost);
    model_run(m, 20);
    model_set_link(m, 1, true);
    model_run(m, 1000);
    cr_expect_eq(bench_receive(m, 1).n, 0);
    cr_expect_eq(bench_read(m, RELAY_PORT_STATE(1)), 1);
    pass(m, &t);
    const struct tlp down = tlp_write(0, 0x55500000, 100, 9);
    bench_send(m, MODEL_ROOT, &down);
    model_run(m, 1000);
    expect(m, 1, &down);
    model_close(m);
}

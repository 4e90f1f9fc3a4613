/* SPDX-License-Identifier: BSD-2-Clause */
/* What the relay does to sources: mask, storm limit, one-shot, injection, and all of it to sources not yet
 * seen. */
#include <criterion/criterion.h>

#include "bench.h"
#include "relay_regs.h"

enum {
    PIN = 0,
    MS = 1000000,
};

static uint64_t now;

static struct model *open_relay(void)
{
    struct model *m = bench_open(4, 2);
    now = 1000 * MS;
    model_set_time(m, now);
    bench_write(m, RELAY_LIMIT_EDGE_NS, MS / 10);
    bench_write(m, RELAY_LIMIT_ON_NS, MS);
    bench_write(m, RELAY_LIMIT_OFF_NS, 10 * MS);
    return m;
}

/* Time goes by as in a simulation that sleeps until something is due. */
static void pass(struct model *m, uint64_t ns)
{
    const uint64_t end = now + ns;
    model_run(m, 100000);
    while (model_deadline(m) <= end) {
        now = model_deadline(m) > now ? model_deadline(m) : now + 1;
        model_set_time(m, now);
        model_run(m, 100000);
    }
    now = end;
    model_set_time(m, now);
    model_run(m, 100000);
}

static void send(struct model *m, unsigned port, struct tlp t)
{
    bench_send(m, port, &t);
    model_run(m, 100000);
}

static void expect(struct model *m, struct tlp want)
{
    const struct tlp got = bench_receive(m, MODEL_ROOT);
    cr_assert(tlp_equal(&got, &want), "%zu DW, %08x %08x; wanted %zu DW, %08x %08x", got.n,
              got.n != 0 ? got.dw[0] : 0, got.n != 0 ? got.dw[1] : 0, want.n, want.dw[0], want.dw[1]);
}

static void expect_nothing(struct model *m)
{
    const struct tlp got = bench_receive(m, MODEL_ROOT);
    cr_assert_eq(got.n, 0, "DW0 %08x DW1 %08x", got.dw[0], got.dw[1]);
}

static struct tlp message(unsigned port)
{
    return tlp_msi(bench_id(port), 0xfee00000u + (port << 12), 0x4000 + port);
}

static uint32_t counter(struct model *m, unsigned index)
{
    return bench_read(m, RELAY_COUNTER(index));
}

Test(act, masked_message_waits)
{
    struct model *m = open_relay();
    send(m, 1, message(1));
    send(m, 2, message(2));
    expect(m, message(1));
    expect(m, message(2));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACT(0)), RELAY_SRC_ACT_MASK);
    for (int i = 0; i < 5; i++) {
        send(m, 1, message(1));
    }
    expect_nothing(m);
    send(m, 2, message(2));
    expect(m, message(2));
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 6);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)), 5);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_DEFERRED);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 3);
    cr_expect_eq(counter(m, RELAY_COUNTER_MASKED), 5);
    pass(m, 1000ull * MS);
    expect_nothing(m);
    /* One stands for all that were kept. */
    bench_write(m, RELAY_SRC_ACT(0), 0);
    expect(m, message(1));
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), 0);
    cr_expect_eq(counter(m, RELAY_COUNTER_REPLAYED), 1);
    send(m, 1, message(1));
    expect(m, message(1));
    model_close(m);
}

Test(act, masked_without_interrupt_sends_none)
{
    struct model *m = open_relay();
    send(m, 1, message(1));
    expect(m, message(1));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    bench_write(m, RELAY_SRC_ACT(0), 0);
    pass(m, 1000ull * MS);
    expect_nothing(m);
    model_close(m);
}

Test(act, masked_wire)
{
    struct model *m = open_relay();
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    expect(m, tlp_intx(false, PIN));
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), 1);
    cr_expect_eq(bench_read(m, RELAY_WIRES_UP), 0);
    /* Others on the line are not hindered. */
    send(m, 3, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    send(m, 3, tlp_intx(false, PIN));
    expect(m, tlp_intx(false, PIN));
    send(m, 1, tlp_intx(false, PIN));
    send(m, 1, tlp_intx(true, PIN));
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)), 1);
    bench_write(m, RELAY_SRC_ACT(0), 0);
    expect(m, tlp_intx(true, PIN));
    expect_nothing(m);
    model_close(m);
}

/* A storm of messages: one per LIMIT_EDGE_NS goes on, the last one is never lost. */
Test(act, storm_of_messages)
{
    struct model *m = open_relay();
    send(m, 1, message(1));
    expect(m, message(1));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_LIMIT);
    unsigned out = 0;
    const uint64_t begin = now;
    while (now < begin + 10 * MS) {
        send(m, 1, message(1));
        pass(m, 1000);
        struct tlp t;
        while ((t = bench_receive(m, MODEL_ROOT)).n != 0) {
            out++;
        }
    }
    /* 10 ms at 100 us each; spans are rounded up by 64 to 128 ns, and a visit comes a little later. */
    cr_expect_geq(out, 98);
    cr_expect_leq(out, 101);
    pass(m, MS);
    out += bench_receive(m, MODEL_ROOT).n != 0;
    expect_nothing(m);
    const uint32_t count = bench_read(m, RELAY_SRC_COUNT(0));
    cr_expect_eq(count, 10001);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), out + 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)), counter(m, RELAY_COUNTER_COALESCED));
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)) + out + 1 - counter(m, RELAY_COUNTER_REPLAYED), count);
    /* A source that behaves is relayed at once. */
    send(m, 1, message(1));
    expect(m, message(1));
    model_close(m);
}

/* A function holds its wire for good. The limit takes it down, lets it breathe, and the others' interrupts go
 * on. */
Test(act, stuck_wire_breathes)
{
    struct model *m = open_relay();
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    send(m, 2, tlp_intx(true, PIN)); /* a neighbour; now it is listed */
    send(m, 2, tlp_intx(false, PIN));
    expect_nothing(m);
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_LIMIT);
    bench_write(m, RELAY_SRC_ACT(1), RELAY_SRC_ACT_LIMIT);
    for (int breath = 0; breath < 3; breath++) {
        pass(m, MS - 1000);
        expect_nothing(m);
        pass(m, 2000);
        expect(m, tlp_intx(false, PIN));
        cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_LEVEL | RELAY_SRC_STATE_HELD);
        cr_expect_eq(bench_read(m, RELAY_PENDING(0)) & 1, 1);
        /* The neighbour's interrupt is a rise of the line again. */
        send(m, 2, tlp_intx(true, PIN));
        expect(m, tlp_intx(true, PIN));
        send(m, 2, tlp_intx(false, PIN));
        expect(m, tlp_intx(false, PIN));
        pass(m, 10 * MS - 2000);
        expect_nothing(m);
        pass(m, 2000);
        expect(m, tlp_intx(true, PIN));
        cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_LEVEL);
        /* A new round begins here. */
        bench_write(m, RELAY_SRC_ACT(0), 0);
        bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_LIMIT);
    }
    cr_expect_eq(counter(m, RELAY_COUNTER_HELD), 3);
    /* Held, an acknowledge lets it up at once. */
    pass(m, 2 * MS);
    expect(m, tlp_intx(false, PIN));
    bench_write(m, RELAY_SRC_ACKED(0), 1);
    expect(m, tlp_intx(true, PIN));
    /* A function that lets go ends it. */
    pass(m, 2 * MS);
    expect(m, tlp_intx(false, PIN));
    send(m, 1, tlp_intx(false, PIN));
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), 0);
    pass(m, 100 * MS);
    expect_nothing(m);
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    model_close(m);
}

Test(act, one_shot)
{
    struct model *m = open_relay();
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    send(m, 1, tlp_intx(false, PIN));
    expect(m, tlp_intx(false, PIN));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_ONE_SHOT);
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    expect(m, tlp_intx(false, PIN));
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_LEVEL | RELAY_SRC_STATE_SHOT);
    cr_expect_eq(bench_read(m, RELAY_WIRES_UP), 0);
    pass(m, 1000ull * MS);
    expect_nothing(m);
    /* Still high when it is armed again: it is delivered again. */
    bench_write(m, RELAY_REARM, 0);
    expect(m, tlp_intx(true, PIN));
    expect(m, tlp_intx(false, PIN));
    bench_write(m, RELAY_SRC_ACKED(0), 2);
    expect(m, tlp_intx(true, PIN));
    expect(m, tlp_intx(false, PIN));
    expect_nothing(m);
    cr_expect_eq(counter(m, RELAY_COUNTER_ONE_SHOT), 3);
    /* Low when it is armed: nothing is sent until it rises. */
    send(m, 1, tlp_intx(false, PIN));
    bench_write(m, RELAY_REARM, 0);
    expect_nothing(m);
    send(m, 1, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    expect(m, tlp_intx(false, PIN));
    /* Off: the line follows the wire. */
    bench_write(m, RELAY_SRC_ACT(0), 0);
    expect(m, tlp_intx(true, PIN));
    expect_nothing(m);
    model_close(m);
}

Test(act, inject)
{
    struct model *m = open_relay();
    send(m, 1, message(1));
    expect(m, message(1));
    send(m, 2, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    send(m, 2, tlp_intx(false, PIN));
    expect(m, tlp_intx(false, PIN));
    bench_write(m, RELAY_INJECT, 0);
    expect(m, message(1));
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), 2);
    cr_expect_eq(counter(m, RELAY_COUNTER_REPLAYED), 1);
    bench_write(m, RELAY_INJECT, RELAY_INJECT_LEVEL | 1);
    expect(m, tlp_intx(true, PIN));
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(1)), RELAY_SRC_STATE_FORCED);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(1)), 2);
    bench_write(m, RELAY_INJECT, 1);
    expect(m, tlp_intx(false, PIN));
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(1)), 0);
    /* Masked, the injected one waits as any other. */
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    bench_write(m, RELAY_INJECT, 0);
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 3);
    cr_expect_eq(bench_read(m, RELAY_SRC_STATE(0)), RELAY_SRC_STATE_DEFERRED);
    cr_expect_eq(counter(m, RELAY_COUNTER_REPLAYED), 1);
    /* Nobody there. */
    const uint32_t refused = counter(m, RELAY_COUNTER_REG_REFUSED);
    bench_write(m, RELAY_INJECT, 9);
    bench_write(m, RELAY_INJECT, 99);
    bench_write(m, RELAY_SRC_ACT(9), RELAY_SRC_ACT_MASK);
    expect_nothing(m);
    cr_expect_eq(counter(m, RELAY_COUNTER_REG_REFUSED), refused + 3);
    model_close(m);
}

/* LEARN_ACT: sources that nobody has seen yet are limited from their first interrupt on. */
Test(act, sources_not_yet_seen)
{
    struct model *m = open_relay();
    cr_expect_eq(bench_read(m, RELAY_CAPS) & RELAY_CAPS_LEARN_ACT, RELAY_CAPS_LEARN_ACT);
    bench_write(m, RELAY_LEARN_ACT, RELAY_LEARN_ACT_LIMIT);
    cr_expect_eq(bench_read(m, RELAY_LEARN_ACT), RELAY_LEARN_ACT_LIMIT);
    const struct tlp t = message(3);
    for (int i = 0; i < 100; i++) {
        bench_send(m, 3, &t);
    }
    model_run(m, 100000);
    expect(m, t);
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACT(0)), RELAY_SRC_ACT_LIMIT);
    pass(m, MS);
    expect(m, t);
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)), 99);
    send(m, 4, tlp_intx(true, PIN));
    expect(m, tlp_intx(true, PIN));
    cr_expect_eq(bench_read(m, RELAY_SRC_ACT(1)), RELAY_SRC_ACT_LIMIT);
    pass(m, 2 * MS);
    expect(m, tlp_intx(false, PIN));
    /* Those that are known already stay as they are. */
    bench_write(m, RELAY_LEARN_ACT, 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACT(1)), RELAY_SRC_ACT_LIMIT);
    send(m, 1, message(1));
    expect(m, message(1));
    cr_expect_eq(bench_read(m, RELAY_SRC_ACT(2)), 0);
    model_close(m);
}

/* In tap mode messages have left before anything could be done to them; wires are still acted upon. */
Test(act, tap)
{
    struct model *m = open_relay();
    bench_write(m, RELAY_CTRL, RELAY_CTRL_LEARN);
    send(m, 1, message(1));
    send(m, 2, tlp_intx(true, PIN));
    expect(m, message(1));
    expect(m, tlp_intx(true, PIN));
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    bench_write(m, RELAY_SRC_ACT(1), RELAY_SRC_ACT_MASK);
    expect(m, tlp_intx(false, PIN));
    send(m, 1, message(1));
    expect(m, message(1));
    expect_nothing(m);
    model_close(m);
}

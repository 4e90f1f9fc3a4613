/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace: every record exact, none invented, and those that are dropped told. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "relay_regs.h"

enum {
    RECORDS = 256, /* the buffer */
    NO_SOURCE = 0xff,
    KIND_MSI = 0,
    KIND_INTX = 1,
    KIND_TLP = 2,
};

struct record {
    uint32_t who;
    uint64_t time;
    uint16_t number;
    unsigned n;
    uint32_t dw[5];
};

static struct record read_record(struct model *m, uint32_t i)
{
    uint32_t w[8];
    for (unsigned k = 0; k < 8; k++) {
        w[k] = bench_read(m, RELAY_TRACE_DATA(8 * (i % RECORDS) + k));
    }
    struct record r = {.who = w[0] & 0x8fffffffu,
                       .time = (uint64_t)(w[2] & 0xffff) << 32 | w[1],
                       .number = (uint16_t)(w[2] >> 16),
                       .n = RELAY_GET(w[0], RELAY_TRACE_WHO_HEADER_DW)};
    cr_assert_leq(r.n, 5);
    memcpy(r.dw, w + 3, r.n * sizeof *w);
    return r;
}

static uint32_t who(unsigned source, unsigned kind, unsigned port, uint32_t flags)
{
    return source | kind << 8 | port << 10 | flags;
}

static void expect_record(struct model *m, uint32_t i, uint32_t want_who, const struct tlp *t, size_t most)
{
    const struct record r = read_record(m, i);
    const size_t n = t->n < most ? t->n : most;
    cr_expect_eq(r.who, want_who, "record %u: %08x, wanted %08x", i, r.who, want_who);
    cr_assert_eq(r.n, n, "record %u: %u DW, wanted %zu", i, r.n, n);
    cr_expect_arr_eq(r.dw, t->dw, n * sizeof *r.dw, "record %u: DW %08x %08x", i, r.dw[0], r.dw[1]);
}

static void trace_on(struct model *m, uint32_t bits)
{
    bench_write(m, RELAY_CTRL, RELAY_CTRL_RESET | bits);
}

static void drop_received(struct model *m, unsigned ports)
{
    for (unsigned side = 0; side <= ports; side++) {
        while (bench_receive(m, side).n != 0) {
        }
    }
}

static void send_and_run(struct model *m, unsigned side, const struct tlp *t)
{
    bench_send(m, side, t);
    model_run(m, 100000);
    drop_received(m, model_ports(m));
}

static void check_interrupts(const struct model_shape *shape)
{
    struct model *m = bench_open_shape(shape);
    cr_expect(bench_read(m, RELAY_CAPS) & RELAY_CAPS_TRACE);
    cr_expect_eq(1u << RELAY_GET(bench_read(m, RELAY_SHAPE), RELAY_SHAPE_TRACE_LOG2), RECORDS);
    const struct tlp msi = tlp_msi(bench_id(3), 0xfee01000, 0x4041);
    send_and_run(m, 3, &msi);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 0);
    trace_on(m, RELAY_CTRL_TRACE_INTERRUPTS);

    /* A message; one above 4 GiB of a second window, with digest, so odd. */
    model_set_time(m, 0x5678123456789aull);
    send_and_run(m, 3, &msi);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 1);
    expect_record(m, 0, who(0, KIND_MSI, 3, 0), &msi, 5);
    cr_expect_eq(read_record(m, 0).time, 0x78123456789aull);
    bench_write(m, RELAY_WINDOW_MASK_LO(1), 0xffff0000);
    bench_write(m, RELAY_WINDOW_BASE_HI(1), 7);
    bench_write(m, RELAY_WINDOW_BASE_LO(1), 1);
    struct tlp far = tlp_msi(bench_id(2), 0x700000040ull, 0x99);
    far.dw[0] |= 1u << 15;
    far.dw[far.n++] = 0xabcd1234;
    send_and_run(m, 2, &far);
    expect_record(m, 1, who(1, KIND_MSI, 2, RELAY_TRACE_WHO_ODD), &far, 5);

    /* A wire rises and falls: what the port said, then what the root was told. */
    const struct tlp rise = tlp_intx(true, 2);
    const struct tlp fall = tlp_intx(false, 2);
    send_and_run(m, 1, &rise);
    expect_record(m, 2, who(2, KIND_INTX, 1, RELAY_TRACE_WHO_LEVEL), &rise, 5);
    expect_record(m, 3, who(NO_SOURCE, KIND_INTX, 0, RELAY_TRACE_WHO_LEVEL | RELAY_TRACE_WHO_REPLAY), &rise,
                  5);
    send_and_run(m, 1, &rise); /* a repeated Assert is no event */
    send_and_run(m, 4, &rise); /* the pin is high already */
    send_and_run(m, 1, &fall);
    expect_record(m, 4, who(3, KIND_INTX, 4, RELAY_TRACE_WHO_LEVEL), &rise, 5);
    expect_record(m, 5, who(2, KIND_INTX, 1, 0), &fall, 5);

    /* A wire falls with its link. */
    model_set_link(m, 4, false);
    model_run(m, 10000);
    model_set_link(m, 4, true);
    model_run(m, 10000);
    drop_received(m, shape->ports);
    expect_record(m, 6, who(3, KIND_INTX, 4, RELAY_TRACE_WHO_REPLAY), &fall, shape->width_dw);
    expect_record(m, 7, who(NO_SOURCE, KIND_INTX, 0, RELAY_TRACE_WHO_REPLAY), &fall, 5);

    /* Kept back by a mask, then sent from the table. */
    bench_write(m, RELAY_SRC_ACT(0), RELAY_SRC_ACT_MASK);
    send_and_run(m, 3, &msi);
    expect_record(m, 8, who(0, KIND_MSI, 3, RELAY_TRACE_WHO_KEPT), &msi, 5);
    bench_write(m, RELAY_SRC_ACT(0), 0);
    model_run(m, 10000);
    drop_received(m, shape->ports);
    expect_record(m, 9, who(0, KIND_MSI, 3, RELAY_TRACE_WHO_REPLAY), &msi, 5);

    /* Injected by software. */
    bench_write(m, RELAY_INJECT, RELAY_PUT(RELAY_INJECT_SOURCE, 0));
    model_run(m, 10000);
    bench_write(m, RELAY_INJECT, RELAY_PUT(RELAY_INJECT_SOURCE, 2) | RELAY_INJECT_LEVEL);
    model_run(m, 10000);
    drop_received(m, shape->ports);
    expect_record(m, 10, who(0, KIND_MSI, 3, RELAY_TRACE_WHO_REPLAY), &msi, 5);
    expect_record(m, 11, who(2, KIND_INTX, 1, RELAY_TRACE_WHO_LEVEL | RELAY_TRACE_WHO_REPLAY), &rise,
                  shape->width_dw);
    expect_record(m, 12, who(NO_SOURCE, KIND_INTX, 0, RELAY_TRACE_WHO_LEVEL | RELAY_TRACE_WHO_REPLAY), &rise,
                  5);

    /* What is no interrupt is not here: a poisoned one, a memory write. */
    struct tlp poisoned = msi;
    poisoned.dw[0] |= 1u << 14;
    send_and_run(m, 3, &poisoned);
    const struct tlp write = tlp_write(bench_id(1), 0x1000, 9, 0x11223344);
    send_and_run(m, 1, &write);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 13);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED)), 0);
    for (unsigned i = 0; i < 13; i++) {
        cr_expect_eq(read_record(m, i).number, i);
    }
    model_close(m);
}

Test(trace, interrupts)
{
    check_interrupts(&(struct model_shape){.ports = 4, .width_dw = 2, .sources = 32});
    check_interrupts(&(struct model_shape){.ports = 7, .width_dw = 4, .sources = 32});
}

Test(trace, tap_mode)
{
    struct model *m = bench_open(4, 2);
    bench_write(m, RELAY_CTRL, RELAY_CTRL_LEARN | RELAY_CTRL_TRACE_INTERRUPTS);
    const struct tlp msi = tlp_msi(bench_id(3), 0xfee01000, 0x4041);
    const struct tlp rise = tlp_intx(true, 0);
    send_and_run(m, 3, &msi);
    send_and_run(m, 2, &rise);
    expect_record(m, 0, who(0, KIND_MSI, 3, 0), &msi, 5);
    expect_record(m, 1, who(1, KIND_INTX, 2, RELAY_TRACE_WHO_LEVEL), &rise, 5);
    expect_record(m, 2, who(NO_SOURCE, KIND_INTX, 0, RELAY_TRACE_WHO_LEVEL | RELAY_TRACE_WHO_REPLAY), &rise,
                  5);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 3);
    model_close(m);
}

/* With the ring on, the event goes before the interrupt; the trace has the interrupt alone. */
Test(trace, ring_is_not_traced)
{
    struct model *m = bench_open(4, 2);
    bench_write(m, RELAY_RING_BASE_LO, 0x10000000);
    bench_write(m, RELAY_RING_CTRL, RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, 4));
    trace_on(m, RELAY_CTRL_TRACE_INTERRUPTS | RELAY_CTRL_TRACE_TLPS);
    const struct tlp msi = tlp_msi(bench_id(3), 0xfee01000, 0x4041);
    const struct tlp rise = tlp_intx(true, 0);
    send_and_run(m, 3, &msi);
    send_and_run(m, 2, &rise);
    cr_expect_eq(bench_read(m, RELAY_RING_HEAD), 2);
    expect_record(m, 0, who(0, KIND_MSI, 3, 0), &msi, 5);
    expect_record(m, 1, who(1, KIND_INTX, 2, RELAY_TRACE_WHO_LEVEL), &rise, 5);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 3);
    model_close(m);
}

Test(trace, full)
{
    struct model *m = bench_open(4, 2);
    trace_on(m, RELAY_CTRL_TRACE_INTERRUPTS);
    /* In one go, at the full rate: a beat stands still nowhere for the trace. */
    for (unsigned i = 0; i < RECORDS + 44; i++) {
        const struct tlp t = tlp_msi(bench_id(1), 0xfee00000, i % 8);
        bench_send(m, 1, &t);
    }
    const uint64_t cycles = model_run(m, 100000);
    cr_expect_lt(cycles, 2 * (RECORDS + 44) + 64);
    drop_received(m, 4);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), RECORDS);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED)), 44);
    for (unsigned i = 0; i < RECORDS; i++) {
        const struct tlp t = tlp_msi(bench_id(1), 0xfee00000, i % 8);
        expect_record(m, i, who(i % 8, KIND_MSI, 1, 0), &t, 5);
        cr_expect_eq(read_record(m, i).number, i);
    }
    /* The first record after the gap says so, and its number tells how many are missing. */
    bench_write(m, RELAY_TRACE_TAIL, 2);
    for (unsigned i = 0; i < 3; i++) {
        const struct tlp t = tlp_msi(bench_id(1), 0xfee00000, i);
        send_and_run(m, 1, &t);
    }
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), RECORDS + 2);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED)), 45);
    struct record r = read_record(m, RECORDS);
    cr_expect_eq(r.who, who(0, KIND_MSI, 1, RELAY_TRACE_WHO_LOST));
    cr_expect_eq(r.number, RECORDS + 44);
    r = read_record(m, RECORDS + 1);
    cr_expect_eq(r.who, who(1, KIND_MSI, 1, 0));
    cr_expect_eq(read_record(m, 2).number, 2);

    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_CLEAR_TRACE);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 0);
    const struct tlp t = tlp_msi(bench_id(1), 0xfee00000, 5);
    send_and_run(m, 1, &t);
    cr_expect_eq(bench_read(m, RELAY_TRACE_HEAD), 1);
    expect_record(m, 0, who(5, KIND_MSI, 1, 0), &t, 5);
    model_close(m);
}

/* ---- all TLPs, both directions, at random ---------------------------------------------------------- */

static struct tlp random_up(unsigned port, uint64_t *seed)
{
    const uint32_t r = bench_random(seed);
    const uint64_t address = (r & 0x100 ? 0x4400000000ull : 0) + 0x100000 + 64 * (r >> 16 & 0xff);
    switch (r % 6) {
    case 0:
        return tlp_read(bench_id(port), (uint8_t)(r >> 24), address, 1 + (r >> 4 & 15));
    case 1:
        return tlp_completion(bench_id(port), 0, (uint8_t)(r >> 24), r >> 4 & 7, r);
    case 2:
    case 3:
        return tlp_msi(bench_id(port), 0xfee00000, r >> 4 & 3);
    default:
        return tlp_write(bench_id(port), address, 1 + (r >> 4 & 15), r);
    }
}

static struct tlp random_down(unsigned *port, unsigned ports, uint64_t *seed)
{
    const uint32_t r = bench_random(seed);
    const unsigned p = *port = 1 + (r >> 20) % ports;
    const uint64_t address = r & 0x100 ? BENCH_PORT_BAR_1 + ((uint64_t)p << 32) : BENCH_PORT_BAR + (p << 20);
    switch (r % 5) {
    case 0:
        return tlp_read(0, (uint8_t)(r >> 24), address + 64 * (r >> 4 & 63), 1 + (r >> 4 & 15));
    case 1:
        return tlp_config(r & 0x200, p, 4 * (r >> 4 & 15), r);
    case 2:
        return tlp_completion(0, bench_id(p), (uint8_t)(r >> 24), 1 + (r >> 4 & 15), r);
    default:
        return tlp_write(0, address + 64 * (r >> 4 & 63), 1 + (r >> 4 & 15), r);
    }
}

static bool first_dw_equal(const struct record *r, const struct tlp *t)
{
    const size_t n = t->n < 5 ? t->n : 5;
    return r->n == n && memcmp(r->dw, t->dw, n * sizeof *r->dw) == 0;
}

static bool non_posted(const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    return kind == 0x00 || kind == 0x20 || kind == 0x04 || kind == 0x44;
}

enum { BATCH = 60 };

/* What was sent. Into the circuit posted TLPs may go before non-posted ones, so a sender has two queues. */
struct sent {
    struct tlp t[BATCH];
    unsigned port[BATCH];
    unsigned n;
    unsigned found;
};

/*
 * crowded: both directions are full at times; then records of TLPs from the root may be dropped, and are
 * counted. Else every TLP has its record.
 */
static void check_random(unsigned ports, unsigned width_dw, bool crowded, bool slow_root)
{
    struct model *m = bench_open(ports, width_dw);
    trace_on(m, RELAY_CTRL_TRACE_INTERRUPTS | RELAY_CTRL_TRACE_TLPS);
    uint64_t seed = 77 + width_dw;
    uint32_t tail = 0, dropped = 0;
    uint64_t now = 0, time = 0;
    uint16_t number = 0;
    unsigned interrupts = 0;
    static struct sent up[8][2], down[2]; /* posted and completions; non-posted */
    for (unsigned batch = 0; batch < 40; batch++) {
        memset(up, 0, sizeof up);
        memset(down, 0, sizeof down);
        const unsigned n = 2 + bench_random(&seed) % (BATCH - 1);
        for (unsigned i = 0; i < n; i++) {
            unsigned port = 1 + bench_random(&seed) % ports;
            const struct tlp t = random_up(port, &seed);
            struct sent *s = &up[port][non_posted(&t)];
            s->t[s->n++] = t;
            bench_send(m, port, &t);
            if (i % 2 == 0) {
                const struct tlp d = random_down(&port, ports, &seed);
                s = &down[non_posted(&d)];
                s->port[s->n] = port;
                s->t[s->n++] = d;
                bench_send(m, MODEL_ROOT, &d);
            }
            model_run(m, (crowded ? 1 : 40) + bench_random(&seed) % 8);
            if (slow_root) {
                model_set_ready(m, MODEL_ROOT, bench_random(&seed) & 1, bench_random(&seed) & 1);
            }
            model_set_time(m, now += bench_random(&seed) % 1000);
        }
        model_set_ready(m, MODEL_ROOT, true, true);
        model_run(m, 100000);
        drop_received(m, ports);
        const uint32_t head = bench_read(m, RELAY_TRACE_HEAD);
        const uint32_t dropped_now = bench_read(m, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED)) - dropped;
        dropped += dropped_now;
        cr_assert(crowded || dropped == 0, "%u", dropped);
        cr_assert_eq(head - tail + dropped_now, n + (n + 1) / 2);
        unsigned gaps = 0;
        for (; tail != head; tail++) {
            const struct record r = read_record(m, tail);
            gaps += (uint16_t)(r.number - number);
            cr_assert((r.who & RELAY_TRACE_WHO_LOST) || r.number == number || crowded);
            number = (uint16_t)(r.number + 1);
            cr_assert_geq(r.time, time);
            time = r.time;
            const struct tlp as_tlp = {.n = r.n, .dw = {r.dw[0]}};
            const bool np = non_posted(&as_tlp);
            const bool is_down = r.who & RELAY_TRACE_WHO_DOWN;
            const unsigned port = RELAY_GET(r.who, RELAY_TRACE_WHO_PORT);
            const uint32_t seen = r.who & ~RELAY_TRACE_WHO_LOST;
            struct sent *s = is_down ? &down[np] : &up[port][np];
            while (is_down && crowded && s->found < s->n && !first_dw_equal(&r, &s->t[s->found])) {
                s->found++;
            }
            cr_assert_lt(s->found, s->n);
            const struct tlp *t = &s->t[s->found];
            cr_assert(first_dw_equal(&r, t), "record %u: %08x %08x", tail, r.dw[0], r.dw[1]);
            if (is_down) {
                cr_assert_eq(seen, who(NO_SOURCE, KIND_TLP, s->port[s->found], RELAY_TRACE_WHO_DOWN));
            } else if (t->dw[0] == 0x40000001 && t->dw[2] == 0xfee00000) {
                cr_assert_eq(seen & ~0xffu, who(0, KIND_MSI, port, 0), "%08x", seen);
                interrupts++;
            } else {
                cr_assert_eq(seen, who(NO_SOURCE, KIND_TLP, port, 0));
            }
            s->found++;
        }
        /* Dropped ones after the last record show in the next batch. */
        cr_assert_leq(gaps, dropped);
        bench_write(m, RELAY_TRACE_TAIL, tail);
    }
    cr_assert_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_MSI)), interrupts);
    cr_assert_gt(interrupts, 100);
    cr_assert(!crowded || slow_root || dropped > 0);
    model_close(m);
}

Test(trace, random_64)
{
    check_random(4, 2, false, false);
    check_random(4, 2, true, false);
}

Test(trace, random_128)
{
    check_random(4, 4, false, false);
    check_random(4, 4, true, false);
}

Test(trace, random_slow_root)
{
    check_random(4, 2, false, true);
    check_random(7, 4, true, true);
}

/* Both directions at full rate: nothing waits, and every TLP is either recorded or counted as dropped. */
Test(trace, saturated)
{
    struct model *m = bench_open(4, 2);
    trace_on(m, RELAY_CTRL_TRACE_TLPS);
    enum { EACH = 100 };
    for (unsigned i = 0; i < EACH; i++) {
        const struct tlp up = tlp_write(bench_id(1 + i % 4), 0x1000 + 8 * i, 1, i);
        bench_send(m, 1 + i % 4, &up);
        const struct tlp down = tlp_write(0, BENCH_PORT_BAR + ((1 + i % 4) << 20) + 8 * i, 1, i);
        bench_send(m, MODEL_ROOT, &down);
    }
    cr_expect_lt(model_run(m, 100000), 2 * EACH + 64);
    drop_received(m, 4);
    const uint32_t head = bench_read(m, RELAY_TRACE_HEAD);
    const uint32_t dropped = bench_read(m, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED));
    cr_expect_eq(head + dropped, 2 * EACH);
    unsigned up = 0, lost = 0;
    for (uint32_t i = 0; i < head; i++) {
        const struct record r = read_record(m, i);
        up += !(r.who & RELAY_TRACE_WHO_DOWN);
        lost += (r.who & RELAY_TRACE_WHO_LOST) != 0;
    }
    cr_expect_eq(up, EACH);
    cr_expect(dropped == 0 || lost > 0);
    model_close(m);
}

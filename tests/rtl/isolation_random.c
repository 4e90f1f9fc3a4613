/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traffic of ports that are checked and of ports that are not, with back-pressure on every side: each
 * TLP comes out as the independent model says, once and in order, or is stopped, answered and counted.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "isolation_model.h"
#include "relay_regs.h"

enum {
    ROUNDS = 40, /* settings tried, each with … */
    STEPS = 60,
    UNDER_WAY = 24, /* TLPs of a port at most */
    STALL = 3,      /* steps, of at most 40 cycles */
    RING_LOG2 = 12,
    MESSAGES = 4, /* a port may send: these vectors */
};
#define RING_BASE 0x7000000000ull

struct run {
    struct model *m;
    unsigned ports;
    uint64_t random;
    bool ring;
    struct iso_model model;
    struct flow up[ISO_PORTS];   /* what must come out at the root */
    struct flow down[ISO_PORTS]; /* … at the port: requests of the root, and answers to what was stopped */
    struct flow answers[ISO_PORTS];
    uint32_t serial;
    unsigned stalled[ISO_PORTS]; /* steps in a row, by side */
    uint32_t events;
    uint32_t events_seen;
    uint32_t blocked[ISO_PORTS];
    uint32_t refused[ISO_PORTS];
    uint64_t passed;
    uint64_t changed;
};

static struct run *current;

static uint32_t dice(struct run *r, uint32_t n)
{
    return bench_random(&r->random) % n;
}

static bool is_order_message(const struct tlp *t)
{
    return (t->dw[0] >> 24 & 0x5f) == 0x40 && (t->dw[0] & 0x3ff) == 1;
}

/* Behind its event a message has lost RO and IDO. */
static bool same(const struct run *r, const struct tlp *want, const struct tlp *got)
{
    struct tlp as_sent = *got;
    if (r->ring && is_order_message(got)) {
        as_sent.dw[0] |= want->dw[0] & (1u << 18 | 1u << 13);
    }
    return tlp_equal(want, &as_sent);
}

static void comes(struct run *r, struct flow *f, const struct tlp *t, const char *where, unsigned port)
{
    struct queue *q = tlp_is_non_posted(t) ? &f->non_posted : &f->posted;
    cr_assert_gt(queue_waiting(q), 0, "%s %u: %08x %08x %08x: nobody sent it", where, port, t->dw[0],
                 t->dw[1], t->dw[2]);
    const struct sent *sent = queue_at(q, 0);
    cr_assert(same(r, &sent->tlp, t), "%s %u: %zu DW %08x %08x %08x %08x; wanted %zu DW %08x %08x %08x %08x",
              where, port, t->n, t->dw[0], t->dw[1], t->dw[2], t->n > 3 ? t->dw[3] : 0, sent->tlp.n,
              sent->tlp.dw[0], sent->tlp.dw[1], sent->tlp.dw[2], sent->tlp.n > 3 ? sent->tlp.dw[3] : 0);
    cr_assert(q == &f->posted || f->posted.gone >= sent->after, "%s %u: non-posted passed posted", where,
              port);
    queue_pop(q);
}

static void at_root(struct model *m, const struct tlp *t)
{
    struct run *r = current;
    (void)m;
    const unsigned port = t->dw[1] >> 16 & 7;
    if (port != 0) {
        comes(r, &r->up[port], t, "root, from port", port);
    } else {
        cr_assert(r->ring && t->dw[0] == 0x60000008u, "the relay's own: %08x", t->dw[0]);
        r->events_seen++;
    }
}

static void collect(struct run *r)
{
    struct tlp t;
    while ((t.n = model_receive(r->m, MODEL_ROOT, t.dw)) != 0) {
        at_root(r->m, &t);
    }
    for (unsigned k = 1; k <= r->ports; k++) {
        while ((t.n = model_receive(r->m, k, t.dw)) != 0) {
            const bool answer = t.dw[0] >> 24 == 0x0a && t.dw[1] >> 16 == bench_id(0);
            comes(r, answer ? &r->answers[k] : &r->down[k], &t, answer ? "answer to port" : "port", k);
        }
    }
}

/* ---- settings ---- */

static uint64_t some_page(struct run *r)
{
    static const uint64_t places[] = {0x10000000, 0xfffe0000, 0x100000000, 0x2340000000, 0xfffffff000000};
    return places[dice(r, 5)] + ((uint64_t)dice(r, 64) << 12);
}

static void set_window(struct run *r, unsigned port, unsigned w)
{
    struct iso_window *window = &r->model.window[port][w];
    const unsigned i = 2 * port + w;
    window->open = dice(r, 4) != 0;
    window->base = some_page(r);
    window->bound = window->base + ((uint64_t)dice(r, 40) << 12);
    window->offset = (some_page(r) - window->base) & 0xffffffffff000ull;
    bench_write(r->m, RELAY_DMA_BASE_LO(i), 0);
    bench_write(r->m, RELAY_DMA_BASE_HI(i), (uint32_t)(window->base >> 32));
    bench_write(r->m, RELAY_DMA_BOUND_LO(i), (uint32_t)window->bound);
    bench_write(r->m, RELAY_DMA_BOUND_HI(i), (uint32_t)(window->bound >> 32));
    bench_write(r->m, RELAY_DMA_OFFSET_LO(i), (uint32_t)window->offset);
    bench_write(r->m, RELAY_DMA_OFFSET_HI(i), (uint32_t)(window->offset >> 32));
    bench_write(r->m, RELAY_DMA_BASE_LO(i), (uint32_t)window->base | window->open);
}

static void set_source(struct run *r, unsigned i)
{
    struct iso_source *s = &r->model.source[i];
    *s = (struct iso_source){
        .port = 1 + i / MESSAGES, .address = 0xfee00000u + (i << 12), .data = 0x40 + i % 2};
    if (s->port > r->ports || dice(r, 4) == 0) {
        s->port = 0;
        bench_write(r->m, RELAY_SRC_KEY(i), 0);
        return;
    }
    bench_write(r->m, RELAY_SRC_ADDR_LO(i), (uint32_t)s->address);
    bench_write(r->m, RELAY_SRC_ADDR_HI(i), 0);
    bench_write(r->m, RELAY_SRC_DATA(i), s->data);
    bench_write(r->m, RELAY_SRC_KEY(i),
                RELAY_SRC_KEY_VALID | RELAY_PUT(RELAY_SRC_KEY_PORT, s->port) |
                    RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(s->port)));
    s->rewrite = dice(r, 3) != 0;
    s->to_address = 0xfee00000u + (dice(r, 256) << 12);
    s->to_data = dice(r, 256);
    bench_write(r->m, RELAY_SRC_MSG_DATA(i), s->to_data);
    bench_write(r->m, RELAY_SRC_MSG_ADDR(i), s->to_address | s->rewrite);
}

static void set_all(struct run *r)
{
    for (unsigned k = 1; k <= r->ports; k++) {
        r->model.checked[k] = dice(r, 3) != 0;
        bench_write(r->m, RELAY_DMA_CTRL(k), r->model.checked[k]);
        for (unsigned w = 0; w < ISO_WINDOWS; w++) {
            set_window(r, k, w);
        }
    }
    for (unsigned i = 0; i < ISO_SOURCES; i++) {
        set_source(r, i);
    }
}

/* ---- traffic ---- */

static struct tlp random_message(struct run *r, unsigned port)
{
    const unsigned i = (port - 1) * MESSAGES + dice(r, MESSAGES);
    struct tlp t = tlp_msi(bench_id(port), 0xfee00000u + (i << 12), 0x40 + dice(r, 3));
    t.dw[1] |= dice(r, 256) << 8;
    t.dw[0] |= dice(r, 16) == 0 ? 1u << 13 : 0;
    t.dw[0] |= dice(r, 32) == 0 ? 1u << 14 : 0;
    return t;
}

/* In a window or beside it, inside a page. */
static uint64_t random_address(struct run *r, unsigned port, size_t n)
{
    const struct iso_window *w = &r->model.window[port][dice(r, ISO_WINDOWS)];
    const uint64_t page = dice(r, 8) == 0 ? some_page(r) : w->base - 0x2000 + ((uint64_t)dice(r, 44) << 12);
    return page + 4 * dice(r, (uint32_t)(1025 - n));
}

static struct tlp random_tlp(struct run *r, unsigned port)
{
    static const uint32_t routes[] = {0x30000000u, 0x32000000u, 0x34000000u, 0x35000000u};
    const size_t n = dice(r, 40) == 0 ? 1024 : 1 + dice(r, 20);
    const uint64_t address = random_address(r, port, n);
    struct tlp t;
    switch (dice(r, 12)) {
    case 0:
    case 1:
    case 2:
        return random_message(r, port);
    case 3:
        return tlp_completion(bench_id(port), 0, (uint8_t)r->serial, dice(r, 20), r->serial);
    case 4:
        t = tlp_intx(true, 0);
        t.dw[0] = routes[dice(r, 4)];
        t.dw[1] = (uint32_t)bench_id(port) << 16 | 0x7e;
        t.dw[3] = r->serial;
        break;
    case 5:
        t = tlp_write(bench_id(port), address & ~7ull, 2, r->serial);
        t.dw[0] = (t.dw[0] & 0x20ffffffu) | 0x4c000000u; /* FetchAdd */
        break;
    case 6:
    case 7:
    case 8:
        t = tlp_read(bench_id(port), (uint8_t)r->serial, address, n);
        t.dw[0] |= dice(r, 8) << 20;
        break;
    default:
        t = tlp_write(bench_id(port), address, n, r->serial);
        break;
    }
    if (dice(r, 24) == 0) {
        t.dw[0] |= 1u << 15;
        t.dw[t.n++] = r->serial;
    }
    if (dice(r, 24) == 0 && (t.dw[0] >> 28 & 1) == 0) {
        t.dw[0] |= (1 + dice(r, 2)) << 10;
    }
    if (dice(r, 24) == 0) { /* says that it is somebody else */
        t.dw[1] = (t.dw[1] & 0xffff) | 0x66000000u | (uint32_t)(BENCH_DEVICE << 3 | port) << 16;
    }
    return t;
}

static size_t waiting(struct flow *f)
{
    return queue_waiting(&f->posted) + queue_waiting(&f->non_posted);
}

static void send_up(struct run *r, unsigned port)
{
    if (waiting(&r->up[port]) + waiting(&r->answers[port]) >= UNDER_WAY) {
        return;
    }
    r->serial++;
    const struct tlp in = random_tlp(r, port);
    struct tlp out;
    bool event;
    bench_send(r->m, port, &in);
    switch (iso_judge(&r->model, port, &in, &out, &event)) {
    case ISO_PASSES:
        flow_push(&r->up[port], &out);
        r->events += event;
        r->passed++;
        r->changed += !tlp_equal(&in, &out);
        break;
    case ISO_BLOCKED:
        r->blocked[port]++;
        if (tlp_is_non_posted(&in)) {
            iso_refusal(&in, &out);
            flow_push(&r->answers[port], &out);
        }
        break;
    case ISO_REFUSED:
        r->refused[port]++;
        break;
    }
}

static void send_down(struct run *r)
{
    const unsigned k = 1 + dice(r, r->ports);
    if (waiting(&r->down[k]) >= UNDER_WAY) {
        return;
    }
    const struct tlp t = dice(r, 2) == 0
                             ? tlp_completion(0, bench_id(k), (uint8_t)r->serial, dice(r, 20), r->serial)
                             : tlp_write(0, BENCH_PORT_BAR + (k << 20), 1 + dice(r, 9), r->serial);
    bench_send(r->m, MODEL_ROOT, &t);
    flow_push(&r->down[k], &t);
}

static void settle(struct run *r)
{
    for (unsigned side = 0; side <= r->ports; side++) {
        model_set_ready(r->m, side, true, true);
    }
    model_run(r->m, 10000000);
    collect(r);
    for (unsigned k = 1; k <= r->ports; k++) {
        cr_assert_eq(waiting(&r->up[k]), 0, "port %u: %zu TLPs lost", k, waiting(&r->up[k]));
        cr_assert_eq(waiting(&r->down[k]), 0);
        cr_assert_eq(waiting(&r->answers[k]), 0, "port %u: %zu answers missing", k, waiting(&r->answers[k]));
        cr_assert_eq(bench_read(r->m, RELAY_DMA_BLOCKED(k)), r->blocked[k], "port %u", k);
        cr_assert_eq(bench_read(r->m, RELAY_MSI_REFUSED(k)), r->refused[k], "port %u", k);
    }
    for (unsigned i = 0; i < ISO_SOURCES; i++) {
        cr_assert_eq(bench_read(r->m, RELAY_SRC_COUNT(i)), r->model.source[i].count, "source %u", i);
    }
    if (r->ring) {
        cr_assert_eq(r->events_seen, r->events);
        bench_write(r->m, RELAY_RING_TAIL, r->events);
    }
}

static void run(struct run *r, unsigned ports, unsigned width, bool ring, uint64_t seed)
{
    *r = (struct run){.ports = ports, .ring = ring, .random = seed};
    current = r;
    bench_other = at_root;
    r->m = bench_open(ports, width);
    bench_write(r->m, RELAY_CTRL, RELAY_CTRL_INDICATOR_FIRST);
    if (ring) {
        bench_write(r->m, RELAY_RING_BASE_HI, (uint32_t)(RING_BASE >> 32));
        bench_write(r->m, RELAY_RING_CTRL,
                    RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, RING_LOG2));
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        set_all(r);
        for (unsigned step = 0; step < STEPS; step++) {
            for (unsigned side = 0; side <= ports; side++) {
                /* Never for so long that an answer is given up. */
                const bool ready = r->stalled[side] == STALL || dice(r, 4) != 0;
                r->stalled[side] = ready ? 0 : r->stalled[side] + 1;
                model_set_ready(r->m, side, ready, dice(r, 3) != 0);
                for (uint32_t n = dice(r, 3); n > 0; n--) {
                    side == MODEL_ROOT ? send_down(r) : send_up(r, side);
                }
            }
            model_run(r->m, 1 + dice(r, 40));
            collect(r);
        }
        settle(r);
    }
    model_close(r->m);
    for (unsigned k = 0; k < ISO_PORTS; k++) {
        flow_free(&r->up[k]);
        flow_free(&r->down[k]);
        flow_free(&r->answers[k]);
    }
}

struct shape {
    unsigned ports;
    unsigned width;
    bool ring;
};

ParameterizedTestParameters(isolation_random, traffic)
{
    static struct shape shapes[] = {{4, 2, false}, {4, 2, true},  {4, 4, false},
                                    {4, 4, true},  {1, 2, false}, {7, 4, false}};
    return cr_make_param_array(struct shape, shapes, sizeof shapes / sizeof shapes[0]);
}

ParameterizedTest(struct shape *shape, isolation_random, traffic)
{
    struct run *r = malloc(sizeof *r);
    cr_assert_not_null(r);
    run(r, shape->ports, shape->width, shape->ring, 7);
    /* It did what it is for. */
    uint32_t blocked = 0;
    uint32_t refused = 0;
    for (unsigned k = 1; k <= shape->ports; k++) {
        blocked += r->blocked[k];
        refused += r->refused[k];
    }
    cr_expect_gt(r->passed, 300);
    cr_expect_gt(r->changed, 50);
    cr_expect_gt(blocked, 100);
    cr_expect_gt(refused, 20);
    free(r);
}

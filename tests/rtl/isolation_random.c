/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traffic of ports that are checked and of ports that are not, with back-pressure on every side, while
 * windows are opened, closed and moved, checks and rewrites changed: each TLP comes out as the independent
 * model says, before such a change or after it, once and in order, or is stopped, answered and counted.
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
    MODELS = 3,   /* settings that may be in force, until the relay has answered a read behind the last */
    SYNC_TAG = 0x55,
};
#define RING_BASE 0x7000000000ull

/* What a port sent and nobody has seen again. */
struct waiting {
    struct tlp in;
    struct tlp out[MODELS]; /* what may come out, one of these … */
    unsigned outs;
    bool may_stop;   /* … or it is stopped */
    bool refused;    /* … as an interrupt, not blocked as a request */
    bool event;      /* it counts when it comes out */
    int source;      /* … here; -1: nowhere */
    uint64_t number; /* of the posted TLPs of its port */
};

struct waitings {
    struct waiting w[UNDER_WAY + 1];
    unsigned n;
};

struct run {
    struct model *m;
    unsigned ports;
    uint64_t random;
    bool ring;
    struct iso_model model[MODELS]; /* the last one is what was asked for */
    unsigned models;
    struct waitings posted[ISO_PORTS]; /* by port that sent; completions, too */
    struct waitings non_posted[ISO_PORTS];
    struct flow down[ISO_PORTS]; /* what must come out at the port: requests of the root */
    uint64_t sent[ISO_PORTS];    /* posted */
    uint32_t serial;
    unsigned stalled[ISO_PORTS]; /* steps in a row, by side */
    uint32_t events;
    uint32_t events_seen;
    uint32_t count[ISO_SOURCES];
    uint32_t blocked[ISO_PORTS];
    uint32_t refused[ISO_PORTS];
    uint64_t passed;
    uint64_t changed;
    uint64_t changes;   /* of settings in the middle of traffic */
    uint64_t ambiguous; /* TLPs that met one */
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

static struct iso_model *newest(struct run *r)
{
    return &r->model[r->models - 1];
}

/* What becomes of it if these are the settings. */
static void consider(struct waiting *w, unsigned port, const struct iso_model *m)
{
    struct tlp out;
    bool event;
    int source;
    const enum iso_verdict verdict = iso_judge(m, port, &w->in, &out, &event, &source);
    if (verdict != ISO_PASSES) {
        w->may_stop = true;
        w->refused = verdict == ISO_REFUSED;
        return;
    }
    w->event = event;
    w->source = source;
    for (unsigned i = 0; i < w->outs; i++) {
        if (tlp_equal(&w->out[i], &out)) {
            return;
        }
    }
    w->out[w->outs++] = out;
}

/* The settings are others from some moment on. */
static void add_model(struct run *r, const struct iso_model *m)
{
    cr_assert_lt(r->models, MODELS);
    r->model[r->models++] = *m;
    for (unsigned k = 1; k <= r->ports; k++) {
        for (unsigned i = 0; i < r->posted[k].n; i++) {
            consider(&r->posted[k].w[i], k, m);
        }
        for (unsigned i = 0; i < r->non_posted[k].n; i++) {
            consider(&r->non_posted[k].w[i], k, m);
        }
    }
}

static void take_out(struct waitings *all, unsigned i)
{
    memmove(&all->w[i], &all->w[i + 1], (all->n - i - 1) * sizeof all->w[0]);
    all->n--;
}

static void is_stopped(struct run *r, struct waitings *all, unsigned i, unsigned port)
{
    cr_assert(all->w[i].may_stop, "port %u: %08x %08x %08x is lost", port, all->w[i].in.dw[0],
              all->w[i].in.dw[1], all->w[i].in.dw[2]);
    r->ambiguous += all->w[i].outs != 0;
    (all->w[i].refused ? r->refused : r->blocked)[port]++;
    take_out(all, i);
}

static bool matches(const struct run *r, const struct waiting *w, const struct tlp *t)
{
    for (unsigned i = 0; i < w->outs; i++) {
        if (same(r, &w->out[i], t)) {
            return true;
        }
    }
    return false;
}

/* The first that it may be of those that wait; what was before that one was stopped. */
static unsigned find(const struct run *r, struct waitings *all, const struct tlp *t, unsigned port)
{
    unsigned i = 0;
    while (i < all->n && !matches(r, &all->w[i], t)) {
        cr_assert(all->w[i].may_stop, "port %u: %08x %08x %08x comes before %08x %08x %08x", port, t->dw[0],
                  t->dw[1], t->dw[2], all->w[i].in.dw[0], all->w[i].in.dw[1], all->w[i].in.dw[2]);
        i++;
    }
    cr_assert_lt(i, all->n, "port %u: %zu DW %08x %08x %08x: nobody sent it", port, t->n, t->dw[0], t->dw[1],
                 t->dw[2]);
    return i;
}

static void comes_up(struct run *r, const struct tlp *t, unsigned port)
{
    const bool non_posted = tlp_is_non_posted(t);
    struct waitings *all = non_posted ? &r->non_posted[port] : &r->posted[port];
    unsigned i = find(r, all, t, port);
    if (non_posted) {
        for (unsigned n = 0; n < i; n++) {
            all->w[n].outs = 0; /* its answer is on the way */
        }
        for (unsigned n = 0; n < r->posted[port].n && r->posted[port].w[n].number < all->w[i].number; n++) {
            cr_assert(r->posted[port].w[n].may_stop, "port %u: non-posted passed posted", port);
            r->posted[port].w[n].outs = 0;
        }
    } else {
        for (; i > 0; i--) {
            is_stopped(r, all, 0, port);
        }
    }
    const struct waiting *w = &all->w[i];
    r->passed++;
    r->changed += !same(r, &w->in, t);
    r->ambiguous += w->may_stop || w->outs > 1;
    r->events += w->event;
    if (w->event && w->source >= 0) {
        r->count[w->source]++;
    }
    take_out(all, i);
}

/* An answer to a request that was stopped: those before it that may have passed have. */
static void comes_answer(struct run *r, const struct tlp *t, unsigned port)
{
    struct waitings *all = &r->non_posted[port];
    for (unsigned i = 0; i < all->n; i++) {
        struct waiting *w = &all->w[i];
        struct tlp refusal;
        iso_refusal(&w->in, &refusal);
        if (w->may_stop && tlp_equal(&refusal, t)) {
            is_stopped(r, all, i, port);
            return;
        }
        cr_assert_neq(w->outs, 0, "port %u: answered before %08x %08x: %08x", port, w->in.dw[0], w->in.dw[1],
                      t->dw[2]);
        w->may_stop = false;
    }
    cr_assert_fail("port %u: answer %08x %08x %08x to nobody", port, t->dw[0], t->dw[1], t->dw[2]);
}

static void comes_down(struct flow *f, const struct tlp *t, unsigned port)
{
    cr_assert_gt(queue_waiting(&f->posted), 0, "port %u: %08x %08x %08x: nobody sent it", port, t->dw[0],
                 t->dw[1], t->dw[2]);
    cr_assert(tlp_equal(&queue_at(&f->posted, 0)->tlp, t), "port %u: %08x %08x %08x", port, t->dw[0],
              t->dw[1], t->dw[2]);
    queue_pop(&f->posted);
}

static void at_root(struct model *m, const struct tlp *t)
{
    struct run *r = current;
    (void)m;
    const unsigned port = t->dw[1] >> 16 & 7;
    if (port != 0) {
        comes_up(r, t, port);
    } else if (t->dw[0] == 0x4a000001u && (t->dw[2] >> 8 & 0xff) == SYNC_TAG) {
        /* What was asked for before the read is in force. */
        r->model[0] = *newest(r);
        r->models = 1;
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
            if (t.dw[0] >> 24 == 0x0a && t.dw[1] >> 16 == bench_id(0)) {
                comes_answer(r, &t, k);
            } else {
                comes_down(&r->down[k], &t, k);
            }
        }
    }
}

/* ---- settings ---- */

static uint64_t some_page(struct run *r)
{
    static const uint64_t places[] = {0x10000000, 0xfffe0000, 0x100000000, 0x2340000000, 0xfffffff000000};
    return places[dice(r, 5)] + ((uint64_t)dice(r, 64) << 12);
}

/* A register in the middle of traffic: nothing waits until it is written. */
static void put(struct run *r, uint32_t offset, uint32_t value)
{
    const struct tlp t = tlp_write(0, BENCH_BAR + offset, 1, bench_swap(value));
    bench_send(r->m, MODEL_ROOT, &t);
}

static void close_window(struct run *r, unsigned i)
{
    put(r, RELAY_DMA_BASE_LO(i), 0);
}

static void choose_window(struct run *r, struct iso_window *window)
{
    window->open = dice(r, 4) != 0;
    window->base = some_page(r);
    window->bound = window->base + ((uint64_t)dice(r, 40) << 12);
    window->offset = (some_page(r) - window->base) & 0xffffffffff000ull;
}

/* @pre it is closed */
static void write_window(struct run *r, unsigned i, const struct iso_window *window)
{
    put(r, RELAY_DMA_BASE_HI(i), (uint32_t)(window->base >> 32));
    put(r, RELAY_DMA_BOUND_LO(i), (uint32_t)window->bound);
    put(r, RELAY_DMA_BOUND_HI(i), (uint32_t)(window->bound >> 32));
    put(r, RELAY_DMA_OFFSET_LO(i), (uint32_t)window->offset);
    put(r, RELAY_DMA_OFFSET_HI(i), (uint32_t)(window->offset >> 32));
    put(r, RELAY_DMA_BASE_LO(i), (uint32_t)window->base | window->open);
}

static void choose_rewrite(struct run *r, struct iso_source *s)
{
    s->rewrite = dice(r, 3) != 0;
    s->to_address = 0xfee00000u + (dice(r, 256) << 12);
    s->to_data = dice(r, 256);
}

static void write_rewrite(struct run *r, unsigned i, const struct iso_source *s)
{
    put(r, RELAY_SRC_MSG_DATA(i), s->to_data);
    put(r, RELAY_SRC_MSG_ADDR(i), s->to_address | s->rewrite);
}

static void set_source(struct run *r, unsigned i)
{
    struct iso_source *s = &newest(r)->source[i];
    *s = (struct iso_source){
        .port = 1 + i / MESSAGES, .address = 0xfee00000u + (i << 12), .data = 0x40 + i % 2};
    r->count[i] = 0;
    if (s->port > r->ports || dice(r, 4) == 0) {
        s->port = 0;
        put(r, RELAY_SRC_KEY(i), 0);
        return;
    }
    put(r, RELAY_SRC_ADDR_LO(i), (uint32_t)s->address);
    put(r, RELAY_SRC_ADDR_HI(i), 0);
    put(r, RELAY_SRC_DATA(i), s->data);
    put(r, RELAY_SRC_KEY(i),
        RELAY_SRC_KEY_VALID | RELAY_PUT(RELAY_SRC_KEY_PORT, s->port) |
            RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(s->port)));
    choose_rewrite(r, s);
    write_rewrite(r, i, s);
}

/* Everything anew. @pre nothing is under way */
static void set_all(struct run *r)
{
    r->models = 1;
    for (unsigned k = 1; k <= r->ports; k++) {
        r->model[0].checked[k] = dice(r, 3) != 0;
        put(r, RELAY_DMA_CTRL(k), r->model[0].checked[k]);
        for (unsigned w = 0; w < ISO_WINDOWS; w++) {
            close_window(r, 2 * k + w);
            choose_window(r, &r->model[0].window[k][w]);
            write_window(r, 2 * k + w, &r->model[0].window[k][w]);
        }
    }
    for (unsigned i = 0; i < ISO_SOURCES; i++) {
        set_source(r, i);
    }
    model_run(r->m, 1000000);
}

/* One thing anew, in the middle of traffic. */
static void change(struct run *r)
{
    if (r->models != 1) {
        return; /* until the last change is known to be in force */
    }
    struct iso_model next = *newest(r);
    const unsigned k = 1 + dice(r, r->ports);
    const unsigned w = dice(r, ISO_WINDOWS);
    const unsigned i = dice(r, ISO_SOURCES);
    switch (dice(r, 4)) {
    case 0:
        next.checked[k] = !next.checked[k];
        add_model(r, &next);
        put(r, RELAY_DMA_CTRL(k), next.checked[k]);
        break;
    case 1:
        if (next.source[i].port == 0) {
            return;
        }
        choose_rewrite(r, &next.source[i]);
        add_model(r, &next);
        write_rewrite(r, i, &next.source[i]);
        break;
    default:
        next.window[k][w].open = false;
        add_model(r, &next);
        close_window(r, 2 * k + w);
        choose_window(r, &next.window[k][w]);
        add_model(r, &next);
        write_window(r, 2 * k + w, &next.window[k][w]);
        break;
    }
    r->changes++;
    const struct tlp t = tlp_read(0, SYNC_TAG, BENCH_BAR + RELAY_SCRATCH, 1);
    bench_send(r->m, MODEL_ROOT, &t);
}

/* ---- traffic ---- */

static struct tlp random_message(struct run *r, unsigned port)
{
    const unsigned i = (port - 1) * MESSAGES + dice(r, MESSAGES);
    struct tlp t = tlp_msi(bench_id(port), 0xfee00000u + (i << 12), 0x40 + dice(r, 3));
    t.dw[1] |= (r->serial & 0xff) << 8;
    t.dw[0] |= dice(r, 16) == 0 ? 1u << 13 : 0;
    t.dw[0] |= dice(r, 32) == 0 ? 1u << 14 : 0;
    return t;
}

/* In a window or beside it, inside a page. */
static uint64_t random_address(struct run *r, unsigned port, size_t n)
{
    const struct iso_window *w = &newest(r)->window[port][dice(r, ISO_WINDOWS)];
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
        t.dw[1] |= (r->serial & 0xff) << 8;
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

static void send_up(struct run *r, unsigned port)
{
    if (r->posted[port].n + r->non_posted[port].n >= UNDER_WAY) {
        return;
    }
    r->serial++;
    const struct tlp in = random_tlp(r, port);
    const bool non_posted = tlp_is_non_posted(&in);
    struct waitings *all = non_posted ? &r->non_posted[port] : &r->posted[port];
    struct waiting *w = &all->w[all->n++];
    bench_send(r->m, port, &in);
    w->in = in;
    w->outs = 0;
    w->may_stop = false;
    w->number = r->sent[port];
    r->sent[port] += !non_posted;
    for (unsigned i = 0; i < r->models; i++) {
        consider(w, port, &r->model[i]);
    }
}

static void send_down(struct run *r)
{
    const unsigned k = 1 + dice(r, r->ports);
    if (queue_waiting(&r->down[k].posted) >= UNDER_WAY) {
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
        while (r->posted[k].n != 0) {
            is_stopped(r, &r->posted[k], 0, k);
        }
        cr_assert_eq(r->non_posted[k].n, 0, "port %u: %u requests without answer", k, r->non_posted[k].n);
        cr_assert_eq(queue_waiting(&r->down[k].posted), 0);
        cr_assert_eq(bench_read(r->m, RELAY_DMA_BLOCKED(k)), r->blocked[k], "port %u", k);
        cr_assert_eq(bench_read(r->m, RELAY_MSI_REFUSED(k)), r->refused[k], "port %u", k);
    }
    for (unsigned i = 0; i < ISO_SOURCES; i++) {
        cr_assert_eq(bench_read(r->m, RELAY_SRC_COUNT(i)), r->count[i], "source %u", i);
    }
    if (r->ring) {
        cr_assert_eq(r->events_seen, r->events);
        bench_write(r->m, RELAY_RING_TAIL, r->events);
    }
}

static void run(struct run *r, unsigned ports, unsigned width, bool ring, uint64_t seed)
{
    *r = (struct run){.ports = ports, .ring = ring, .random = seed, .models = 1};
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
            if (dice(r, 4) == 0) {
                change(r);
            }
            model_run(r->m, 1 + dice(r, 40));
            collect(r);
        }
        settle(r);
    }
    model_close(r->m);
    for (unsigned k = 0; k < ISO_PORTS; k++) {
        flow_free(&r->down[k]);
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
    cr_expect_gt(r->changes, 100);
    cr_expect_gt(r->ambiguous, 200);
    free(r);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "soak.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "indicator_model.h"
#include "relay_regs.h"

enum {
    RING_LOG2 = 8,
    WINDOW = 24, /* TLPs a side has under way at most */
};
#define RING_BASE   0x7000000000ull
#define RING_STATUS 0x7000100000ull

/* TLPs that went in at one side and have not come out where they belong, in order, by the two queues. */
struct expected {
    struct tlp *tlp;
    uint64_t *after; /* how many of the other queue (posted) went in before */
    size_t n;
    size_t room;
    size_t head;
    uint64_t gone;
};

struct flow {
    struct expected posted; /* completions, too */
    struct expected non_posted;
};

struct soak {
    const struct soak_options *o;
    struct model *m;
    struct soak_result r;
    uint64_t random;
    unsigned ports;
    struct flow up[MODEL_ROOT + 8];   /* by port */
    struct flow down[MODEL_ROOT + 8]; /* by port */
    unsigned under_way[8];            /* by side that sent */
    struct indicator_model im;
    bool line[4]; /* as the root was told */
    uint32_t serial;
    uint32_t next_event;
    bool expect_message; /* the event just seen announced this message */
    struct tlp message;
    uint32_t unrouted_ur;
    uint32_t refusals_seen;
    uint32_t malformed;
    uint32_t ur_expected;
    bool answered;
    uint8_t tag;
    uint32_t value;
};

static void wrong(struct soak *s, uint64_t *counter, const char *format, ...)
{
    (*counter)++;
    if (s->r.first[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(s->r.first, sizeof s->r.first, format, arguments);
        va_end(arguments);
    }
}

static uint32_t dice(struct soak *s, uint32_t n)
{
    return bench_random(&s->random) % n;
}

static void push(struct expected *q, const struct tlp *t, uint64_t after)
{
    if (q->n == q->room) {
        if (q->head > 0) {
            memmove(q->tlp, q->tlp + q->head, (q->n - q->head) * sizeof *q->tlp);
            memmove(q->after, q->after + q->head, (q->n - q->head) * sizeof *q->after);
            q->n -= q->head;
            q->head = 0;
        } else {
            q->room = q->room == 0 ? 64 : 2 * q->room;
            q->tlp = realloc(q->tlp, q->room * sizeof *q->tlp);
            q->after = realloc(q->after, q->room * sizeof *q->after);
            if (q->tlp == NULL || q->after == NULL) {
                abort();
            }
        }
    }
    memcpy(&q->tlp[q->n], t, offsetof(struct tlp, dw) + t->n * sizeof t->dw[0]);
    q->after[q->n++] = after;
}

static size_t waiting(const struct expected *q)
{
    return q->n - q->head;
}

static bool is_non_posted(const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    return kind == 0x00 || kind == 0x20 || kind == 0x04 || kind == 0x44;
}

static void expect(struct flow *f, const struct tlp *t)
{
    if (is_non_posted(t)) {
        push(&f->non_posted, t, f->posted.gone + waiting(&f->posted));
    } else {
        push(&f->posted, t, 0);
    }
}

/* What came out must be the oldest of its queue, and no non-posted one before a posted one sent earlier. */
static void came_out(struct soak *s, struct flow *f, const struct tlp *t, const char *where, unsigned port)
{
    struct expected *q = is_non_posted(t) ? &f->non_posted : &f->posted;
    if (waiting(q) == 0 || !tlp_equal(&q->tlp[q->head], t)) {
        wrong(s, &s->r.lost, "%s port %u: %zu DW, %08x %08x %08x is not what was sent", where, port, t->n,
              t->dw[0], t->dw[1], t->dw[2]);
        return;
    }
    if (q == &f->non_posted && q->after[q->head] > f->posted.gone) {
        wrong(s, &s->r.lost, "%s port %u: non-posted passed posted", where, port);
    }
    q->gone++;
    if (++q->head == q->n) {
        q->head = 0;
        q->n = 0;
    }
}

/* ---- upstream ---- */

static bool is_message_interrupt(const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    if ((kind != 0x40 && kind != 0x60) || (t->dw[0] & 0x3ff) != 1 || (t->dw[1] & 0xf) == 0) {
        return false;
    }
    const uint64_t address = kind == 0x60 ? (uint64_t)t->dw[2] << 32 | t->dw[3] : t->dw[2];
    return (address & 0xfffffffffff00000ull) == 0xfee00000ull ||
           (address & 0xfffffffffffff000ull) == 0x4500001000ull;
}

static void record(struct soak *s, const struct tlp *t, unsigned port)
{
    const bool four = (t->dw[0] >> 29 & 1) != 0;
    const bool odd = (t->dw[0] & (1u << 18 | 3u << 12 | 1u << 15)) != 0 || (t->dw[1] & 0xf) != 0xf;
    const uint64_t address = four ? (uint64_t)t->dw[2] << 32 | t->dw[3] : t->dw[2];
    im_message(&s->im, port, (uint16_t)(t->dw[1] >> 16), address, bench_swap(t->dw[four ? 4 : 3]), odd,
               (t->dw[0] >> 14 & 1) != 0);
    s->r.interrupts++;
}

static void ring_event(struct soak *s, const struct tlp *t)
{
    struct relay_event event;
    uint32_t *words = (uint32_t *)&event;
    const size_t header = t->n - 8;
    for (size_t i = 0; i < 8; i++) {
        words[i] = bench_swap(t->dw[header + i]);
    }
    s->r.events++;
    const uint32_t slot = s->next_event % (1u << RING_LOG2);
    const uint32_t check = event.check;
    if (event.seq != ++s->next_event || RELAY_GET(check, RELAY_EVENT_CHECK_SEQ) != (event.seq & 0xffff) ||
        ((uint64_t)t->dw[2] << 32 | t->dw[3]) != RING_BASE + 32ull * slot) {
        wrong(s, &s->r.misattributed, "event %u: seq %u check %08x at %08x", s->next_event, event.seq, check,
              t->dw[3]);
    }
    if (RELAY_GET(event.who, RELAY_EVENT_WHO_KIND) == RELAY_SRC_KEY_KIND_MSI) {
        /* The message must be the next TLP that is not non-posted. */
        s->expect_message = true;
        s->message.n = 0;
        s->message.dw[0] = event.who;
        s->message.dw[1] = event.addr_lo;
        s->message.dw[2] = event.addr_hi;
        s->message.dw[3] = event.data;
    }
}

static void own_message(struct soak *s, const struct tlp *t)
{
    const unsigned pin = t->dw[1] & 3;
    const bool level = (t->dw[1] & 4) == 0;
    if (t->n != 4 || (t->dw[1] >> 16) != bench_id(0) || s->line[pin] == level) {
        wrong(s, &s->r.misattributed, "INTx message of the relay: %08x %08x", t->dw[0], t->dw[1]);
    }
    s->line[pin] = level;
}

static void at_root(struct soak *s, const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    const uint16_t who = (uint16_t)(t->dw[1] >> 16);
    if (s->expect_message && !is_non_posted(t)) {
        s->expect_message = false;
        const bool four = kind == 0x60;
        if (!is_message_interrupt(t) || who != s->message.dw[0] >> 16 ||
            t->dw[four ? 3 : 2] != s->message.dw[1] || (four ? t->dw[2] : 0) != s->message.dw[2] ||
            bench_swap(t->dw[four ? 4 : 3]) != s->message.dw[3]) {
            wrong(s, &s->r.misattributed, "after an event %08x %08x, not its interrupt", t->dw[0], t->dw[1]);
        }
        if ((t->dw[0] & (1u << 18 | 1u << 13)) != 0) {
            wrong(s, &s->r.misattributed, "RO or IDO left behind an event");
        }
    }
    if (who == bench_id(0)) { /* the relay's own */
        if (kind == 0x34) {
            own_message(s, t);
        } else if (kind == 0x4a && t->dw[2] >> 8 == s->tag) {
            s->answered = true;
            s->value = bench_swap(t->dw[3]);
        } else if (kind == 0x0a) {
            s->refusals_seen++;
        } else if (kind == 0x60 && (t->dw[0] & 0x3ff) == 8) {
            ring_event(s, t);
        } else {
            wrong(s, &s->r.lost, "at the root, from the relay: %08x %08x", t->dw[0], t->dw[1]);
        }
        return;
    }
    const unsigned port = who & 7;
    struct flow *f = &s->up[port];
    struct tlp as_sent = *t;
    if (is_message_interrupt(t)) {
        /* RO and IDO may have been cleared. */
        if (s->o->ring && waiting(&f->posted) > 0) {
            as_sent.dw[0] |= f->posted.tlp[f->posted.head].dw[0] & (1u << 18 | 1u << 13);
        }
        record(s, &as_sent, port);
    }
    came_out(s, f, &as_sent, "up", port);
    s->under_way[port]--;
}

static void collect(struct soak *s)
{
    struct tlp t;
    while ((t.n = model_receive(s->m, MODEL_ROOT, t.dw)) != 0) {
        at_root(s, &t);
    }
    for (unsigned k = 1; k <= s->ports; k++) {
        while ((t.n = model_receive(s->m, k, t.dw)) != 0) {
            came_out(s, &s->down[k], &t, "down", k);
            s->under_way[MODEL_ROOT]--;
        }
    }
}

static struct tlp random_up(struct soak *s, unsigned port)
{
    const uint16_t id = bench_id(port);
    const uint32_t serial = ++s->serial;
    switch (dice(s, 8)) {
    case 0:
        return tlp_read(id, (uint8_t)serial, (uint64_t)serial << 12, 1 + dice(s, 64));
    case 1:
        return tlp_completion(id, 0, (uint8_t)serial, dice(s, 20), serial);
    case 2:
        return tlp_write(id, (uint64_t)(serial & 0xfffff) << 10, 1 + dice(s, 64), serial);
    case 3:
        return tlp_write(id, 0x8000000000ull + ((uint64_t)serial << 8), 1 + dice(s, 4), serial);
    default: {
        /* Six sources a port: messages below and above 4 GiB. With overflow, many more. */
        const uint32_t which = dice(s, s->o->overflow ? 40 : 4);
        struct tlp t = (which & 1) != 0 ? tlp_msi(id, 0x4500001040ull, which)
                                        : tlp_msi(id, 0xfee00000u + (port << 12), 0x4000 + which);
        if (dice(s, 16) == 0) {
            t.dw[0] |= dice(s, 4) << 12 | (dice(s, 2) << 18);
        }
        if (dice(s, 64) == 0) {
            t.dw[1] &= ~0xcu;
        }
        if (dice(s, 64) == 0) {
            t.dw[0] |= 1u << 14;
        }
        if (dice(s, 32) == 0) {
            t.dw[0] |= 1u << 15;
            t.dw[t.n++] = serial;
        }
        return t;
    }
    }
}

/* Something that is not a TLP; it must not come out. */
static void send_malformed(struct soak *s, unsigned side)
{
    const uint16_t id = bench_id(side);
    struct tlp t = side == MODEL_ROOT ? tlp_write(0, BENCH_PORT_BAR + (1u << 20), 1 + dice(s, 9), 0)
                   : dice(s, 2) == 0  ? tlp_msi(id, 0xfee00000, 0x77)
                                      : tlp_write(id, 0x1000, 1 + dice(s, 9), 0);
    switch (dice(s, 5)) {
    case 0:
        t.n--;
        break;
    case 1:
        t.dw[t.n++] = 0;
        break;
    case 2:
        t.dw[0] ^= 0x1b000000u;
        break;
    case 3:
        t.dw[2] |= 0xffc;
        t.dw[0] = (t.dw[0] & ~0x3ffu) | 2;
        t.dw[1] |= 0xff;
        t.dw[3] = 0;
        t.dw[4] = 0;
        t.n = 5;
        break;
    default:
        t.n = 1 + dice(s, 2);
        break;
    }
    bench_send(s->m, side, &t);
    s->malformed++;
}

static void send_up(struct soak *s, unsigned port)
{
    if (s->under_way[port] >= WINDOW) {
        return;
    }
    if (dice(s, 40) == 0) {
        send_malformed(s, port);
    } else if (!s->o->overflow && dice(s, 12) == 0) {
        const unsigned pin = dice(s, 4);
        const bool level = dice(s, 2) == 0;
        const struct tlp t = tlp_intx(level, pin);
        bench_send(s->m, port, &t);
        /* One port's messages stay in order, and no other port's matter to its wires. */
        im_intx(&s->im, port, pin, level, false);
    } else {
        const struct tlp t = random_up(s, port);
        bench_send(s->m, port, &t);
        expect(&s->up[port], &t);
        s->under_way[port]++;
    }
    s->r.tlps++;
}

/* ---- downstream ---- */

static void send_down(struct soak *s)
{
    if (s->under_way[MODEL_ROOT] >= WINDOW) {
        return;
    }
    const unsigned k = 1 + dice(s, s->ports);
    const uint32_t serial = ++s->serial;
    struct tlp t;
    s->r.tlps++;
    switch (dice(s, 8)) {
    case 0:
        t = tlp_read(0, (uint8_t)serial, BENCH_PORT_BAR + (k << 20) + 4 * dice(s, 99), 1 + dice(s, 9));
        break;
    case 1:
        t = tlp_config(dice(s, 2) == 0, k, 4 * dice(s, 64), serial);
        break;
    case 2:
        t = tlp_write(0, BENCH_PORT_BAR + (k << 20) + 4 * dice(s, 99), 1 + dice(s, 9), serial);
        break;
    case 3:
        t = tlp_write(0, BENCH_PORT_BAR_1 + ((uint64_t)k << 32) + 4 * dice(s, 99), 1 + dice(s, 9), serial);
        break;
    case 4:
        send_malformed(s, MODEL_ROOT);
        return;
    case 5:
        if (dice(s, 4) == 0) {
            t = tlp_read(0, 0, 0x60000000, 1);
            bench_send(s->m, MODEL_ROOT, &t);
            s->ur_expected++;
            return;
        }
        t = tlp_completion(0, bench_id(k), (uint8_t)serial, dice(s, 4), serial);
        break;
    default:
        t = tlp_completion(0, bench_id(k), (uint8_t)serial, 1 + dice(s, 32), serial);
        break;
    }
    bench_send(s->m, MODEL_ROOT, &t);
    expect(&s->down[k], &t);
    s->under_way[MODEL_ROOT]++;
}

/* ---- registers ---- */

static uint32_t read_register(struct soak *s, uint32_t offset)
{
    const struct tlp t = tlp_read(0, ++s->tag, BENCH_BAR + offset, 1);
    s->answered = false;
    bench_send(s->m, MODEL_ROOT, &t);
    model_run(s->m, 1000000);
    collect(s);
    if (!s->answered) {
        wrong(s, &s->r.lost, "register 0x%x is not answered", offset);
    }
    return s->value;
}

static void write_register(struct soak *s, uint32_t offset, uint32_t value)
{
    const struct tlp t = tlp_write(0, BENCH_BAR + offset, 1, bench_swap(value));
    bench_send(s->m, MODEL_ROOT, &t);
}

static void check_counter(struct soak *s, unsigned index, uint32_t want, const char *name)
{
    const uint32_t got = read_register(s, RELAY_COUNTER(index));
    if (got != want) {
        wrong(s, &s->r.misattributed, "counter %s: %u, not %u", name, got, want);
    }
}

/* Everything that went in is out, and the indicator says what the model says. */
static void settle(struct soak *s)
{
    for (unsigned side = 0; side <= s->ports; side++) {
        model_set_ready(s->m, side, true, true);
    }
    for (int i = 0; i < 3; i++) {
        model_run(s->m, 10000000);
        collect(s);
    }
    for (unsigned k = 1; k <= s->ports; k++) {
        if (s->under_way[k] != 0) {
            wrong(s, &s->r.lost, "port %u: %u TLPs did not come out", k, s->under_way[k]);
        }
    }
    if (s->under_way[MODEL_ROOT] != 0) {
        wrong(s, &s->r.lost, "root: %u TLPs did not come out", s->under_way[MODEL_ROOT]);
    }
    if (s->refusals_seen != s->ur_expected) {
        wrong(s, &s->r.lost, "%u requests refused, not %u", s->refusals_seen, s->ur_expected);
    }
    unsigned listed = 0;
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        const uint32_t key = read_register(s, RELAY_SRC_KEY(i));
        const bool pending = (read_register(s, RELAY_PENDING(i / 32)) >> i % 32 & 1) != 0;
        if ((key & RELAY_SRC_KEY_VALID) == 0) {
            if (pending) {
                wrong(s, &s->r.misattributed, "entry %u is free, but pending", i);
            }
            continue;
        }
        listed++;
        const unsigned port = RELAY_GET(key, RELAY_SRC_KEY_PORT);
        const uint64_t address =
            (uint64_t)read_register(s, RELAY_SRC_ADDR_HI(i)) << 32 | read_register(s, RELAY_SRC_ADDR_LO(i));
        const uint32_t data = read_register(s, RELAY_SRC_DATA(i));
        struct im_source *want =
            im_find(&s->im, RELAY_GET(key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX, port,
                    (uint16_t)RELAY_GET(key, RELAY_SRC_KEY_REQUESTER), address, data);
        if (want == NULL) {
            wrong(s, &s->r.misattributed, "entry %u: nobody is key %08x address %llx data %x", i, key,
                  (unsigned long long)address, data);
            continue;
        }
        const uint32_t count = read_register(s, RELAY_SRC_COUNT(i));
        const uint32_t relayed = read_register(s, RELAY_SRC_RELAYED(i));
        const uint32_t acked = read_register(s, RELAY_SRC_ACKED(i));
        if (count != want->count || relayed != count || acked != want->acked ||
            pending != (want->count != want->acked)) {
            wrong(s, &s->r.misattributed,
                  "entry %u, key %08x: count %u relayed %u acked %u pending %d, not %u %u", i, key, count,
                  relayed, acked, pending, want->count, want->acked);
        }
        if (dice(s, 2) == 0) {
            write_register(s, RELAY_SRC_ACKED(i), count);
            want->acked = count;
        }
    }
    if (listed != s->im.n) {
        wrong(s, &s->r.misattributed, "%u sources listed, not %u", listed, s->im.n);
    }
    for (unsigned pin = 0; pin < 4; pin++) {
        if (s->line[pin] != im_line(&s->im, pin)) {
            wrong(s, &s->r.misattributed, "pin %u: the root was told %d", pin, s->line[pin]);
        }
    }
    check_counter(s, RELAY_COUNTER_MSI, s->im.messages, "MSI");
    check_counter(s, RELAY_COUNTER_POISONED, s->im.poisoned, "POISONED");
    check_counter(s, RELAY_COUNTER_ODD, s->im.odd, "ODD");
    check_counter(s, RELAY_COUNTER_UNLISTED, s->im.unlisted, "UNLISTED");
    check_counter(s, RELAY_COUNTER_INTX_ASSERT, s->im.rises, "INTX_ASSERT");
    check_counter(s, RELAY_COUNTER_INTX_DEASSERT, s->im.falls, "INTX_DEASSERT");
    check_counter(s, RELAY_COUNTER_INTX_REPEAT, s->im.repeats, "INTX_REPEAT");
    check_counter(s, RELAY_COUNTER_UNROUTED_UR, s->ur_expected, "UNROUTED_UR");
    check_counter(s, RELAY_COUNTER_RING_EVENTS, s->next_event, "RING_EVENTS");
    if (!s->o->links) {
        check_counter(s, RELAY_COUNTER_MALFORMED, s->malformed, "MALFORMED");
    }
}

static void link_down_and_up(struct soak *s)
{
    /* What is under way at that moment may be lost: bring everything in first. */
    settle(s);
    const unsigned port = 1 + dice(s, s->ports);
    model_set_link(s->m, port, false);
    im_down(&s->im, port);
    if (dice(s, 2) == 0) {
        model_run(s->m, 1000000);
    }
    model_set_link(s->m, port, true);
    model_run(s->m, 1000000);
    collect(s);
}

struct soak_result soak(const struct soak_options *options)
{
    struct soak *s = calloc(1, sizeof *s);
    if (s == NULL) {
        abort();
    }
    s->o = options;
    s->random = options->seed;
    s->ports = options->shape.ports;
    s->im.entries = options->shape.sources;
    s->m = bench_open_shape(&options->shape);
    write_register(s, RELAY_WINDOW_BASE_LO(1), 0x00001000 | RELAY_WINDOW_BASE_LO_ENABLE);
    write_register(s, RELAY_WINDOW_BASE_HI(1), 0x45);
    write_register(s, RELAY_WINDOW_MASK_LO(1), 0xfffff000);
    write_register(s, RELAY_WINDOW_MASK_HI(1), 0xffffffff);
    write_register(s, RELAY_CTRL, RELAY_CTRL_LEARN | (options->tap ? 0 : RELAY_CTRL_INDICATOR_FIRST));
    if (options->ring) {
        write_register(s, RELAY_RING_BASE_LO, (uint32_t)RING_BASE);
        write_register(s, RELAY_RING_BASE_HI, (uint32_t)(RING_BASE >> 32));
        write_register(s, RELAY_RING_STATUS_LO, (uint32_t)RING_STATUS);
        write_register(s, RELAY_RING_STATUS_HI, (uint32_t)(RING_STATUS >> 32));
        write_register(s, RELAY_RING_CTRL,
                       RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, RING_LOG2));
    }
    model_run(s->m, 100000);
    const uint64_t before = model_cycles(s->m);
    uint64_t time = 0;
    unsigned step = 0;
    while (s->r.tlps < options->tlps && s->r.lost + s->r.misattributed == 0) {
        step++;
        for (unsigned side = 0; side <= s->ports; side++) {
            if (!options->calm && dice(s, 8) == 0) {
                model_set_ready(s->m, side, dice(s, 4) != 0, dice(s, 3) != 0);
            }
            for (uint32_t n = dice(s, options->calm ? 6 : 3); n > 0; n--) {
                if (side == MODEL_ROOT) {
                    send_down(s);
                } else {
                    send_up(s, side);
                }
            }
        }
        if (options->ring && dice(s, 4) == 0) {
            write_register(s, RELAY_RING_TAIL, s->next_event);
        }
        if (dice(s, 4) == 0) {
            model_set_time(s->m, time += dice(s, 100));
        }
        model_run(s->m, 1 + dice(s, options->calm ? 100 : 40));
        collect(s);
        if (step % 1000 == 0) {
            settle(s);
        }
        if (options->links && step % 100 == 0) {
            link_down_and_up(s);
        }
    }
    settle(s);
    s->r.cycles = model_cycles(s->m) - before;
    model_close(s->m);
    for (unsigned k = 0; k < 8; k++) {
        free(s->up[k].posted.tlp);
        free(s->up[k].posted.after);
        free(s->up[k].non_posted.tlp);
        free(s->up[k].non_posted.after);
        free(s->down[k].posted.tlp);
        free(s->down[k].posted.after);
        free(s->down[k].non_posted.tlp);
        free(s->down[k].non_posted.after);
    }
    const struct soak_result result = s->r;
    free(s);
    return result;
}

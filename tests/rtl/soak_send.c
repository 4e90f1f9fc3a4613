/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay_regs.h"
#include "soak_internal.h"

void soak_make_senders(struct soak *s)
{
    const unsigned each = s->o->overflow ? 40 : 3;
    for (unsigned port = 1; port <= s->ports; port++) {
        for (unsigned i = 0; i < each; i++) {
            s->sender[s->senders++] = (struct sender){
                .port = port,
                .requester = bench_id(port),
                .address = (i & 1) != 0 ? 0x4500001040ull : 0xfee00000u + (port << 12),
                .data = (i & 1) != 0 ? i : 0x4000 + i,
            };
        }
    }
    for (unsigned i = 0; i < 128; i++) {
        s->entry[i].sender = -1;
    }
}

static size_t random_length(struct soak *s)
{
    switch (soak_dice(s, 64)) {
    case 0:
        return 1 + soak_dice(s, 1024);
    case 1:
        return 1024;
    default:
        return 1 + soak_dice(s, 32);
    }
}

/* An AtomicOp: FetchAdd, Swap or CAS of 32 or 64 bits; CAS also of 128. */
static struct tlp random_atomic(struct soak *s, uint16_t requester, uint64_t address)
{
    const uint32_t kind = 0x0c + soak_dice(s, 3);
    size_t n = 1u << soak_dice(s, kind == 0x0e ? 3 : 2);
    n *= kind == 0x0e ? 2 : 1;
    struct tlp t = tlp_write(requester, address & ~31ull, n, s->serial);
    t.dw[0] = (t.dw[0] & 0x20ffffffu) | 0x40000000u | kind << 24;
    return t;
}

struct entry *soak_entry(struct soak *s, int sender)
{
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        if (s->entry[i].listed && s->entry[i].sender == sender) {
            return &s->entry[i];
        }
    }
    return NULL;
}

/* Tags of messages are not 0, so that they can be told from those that the relay sends from its table. */
static void send_message(struct soak *s, unsigned port)
{
    const int per_port = s->senders / (int)s->ports;
    const int which = (int)(port - 1) * per_port + (int)soak_dice(s, (uint32_t)per_port);
    const struct sender *from = &s->sender[which];
    struct tlp t = tlp_msi(from->requester, from->address, from->data);
    t.dw[1] |= (1 + s->serial % 255) << 8;
    bool poisoned = false;
    if (soak_dice(s, 16) == 0) {
        t.dw[0] |= soak_dice(s, 4) << 12 | (soak_dice(s, 2) << 18);
    }
    if (soak_dice(s, 64) == 0) {
        t.dw[1] &= ~0xcu;
    }
    if (soak_dice(s, 64) == 0) {
        t.dw[0] |= 1u << 14;
        poisoned = true;
    }
    if (soak_dice(s, 32) == 0) {
        t.dw[0] |= 1u << 15;
        t.dw[t.n++] = s->serial;
    }
    bench_send(s->m, port, &t);
    struct sent *sent = flow_push(&s->up[port], &t);
    sent->source = poisoned ? -1 : which;
    if (s->was_down[port]) {
        sent->fate = MAY_BE_LOST;
        return;
    }
    const struct entry *e = poisoned ? NULL : soak_entry(s, which);
    enum policy policy = e != NULL ? e->policy : s->learn_act != 0 && !poisoned ? EITHER : RELAYS;
    if (policy == KEEPS && s->tap) {
        policy = EITHER;
    }
    sent->fate = policy == RELAYS ? PASSES : policy == KEEPS ? IS_KEPT : MAY_BE_KEPT;
}

static void send_other(struct soak *s, unsigned port)
{
    const uint16_t id = bench_id(port);
    struct tlp t;
    switch (soak_dice(s, 10)) {
    case 0:
    case 1:
        t = tlp_read(id, (uint8_t)s->serial, (uint64_t)s->serial << 12, random_length(s));
        break;
    case 2:
    case 3:
        t = tlp_completion(id, 0, (uint8_t)s->serial, soak_dice(s, 20), s->serial);
        break;
    case 4:
        t = random_atomic(s, id, (uint64_t)s->serial << 8);
        break;
    case 5: /* to the root, without and with data */
        t = tlp_write(id, 0, 1 + soak_dice(s, 8), s->serial);
        if (soak_dice(s, 2) == 0) {
            t.n = 3;
            t.dw[0] &= ~0x40000000u;
        }
        t.dw[t.n++] = s->serial;
        t.dw[0] = (t.dw[0] & ~0x1f000000u) | 0x30000000u;
        t.dw[1] = (t.dw[1] & 0xffff0000u) | 0x7e;
        break;
    case 6: /* says it is somebody else */
        t = tlp_write((uint16_t)(0x6600 | BENCH_DEVICE << 3 | port), 0x9000000000ull, 1 + soak_dice(s, 8),
                      s->serial);
        s->spoofed++;
        break;
    case 7:
        t = tlp_write(id, 0x8000000000ull + ((uint64_t)s->serial << 8), 1 + soak_dice(s, 4), s->serial);
        break;
    default:
        t = tlp_write(id, (uint64_t)(s->serial & 0xfffff) << 12, random_length(s), s->serial);
        break;
    }
    bench_send(s->m, port, &t);
    flow_push(&s->up[port], &t)->fate = s->was_down[port] ? MAY_BE_LOST : PASSES;
}

/* Something that is not a TLP; it must not come out. */
static void send_malformed(struct soak *s, unsigned side)
{
    const uint16_t id = bench_id(side);
    struct tlp t = side == MODEL_ROOT     ? tlp_write(0, BENCH_PORT_BAR + (1u << 20), 1 + soak_dice(s, 9), 0)
                   : soak_dice(s, 2) == 0 ? tlp_msi(id, 0xfee00000, 0x77)
                                          : tlp_write(id, 0x1000, 1 + soak_dice(s, 9), 0);
    switch (soak_dice(s, side == MODEL_ROOT ? 6 : 8)) {
    case 0:
        t.n--;
        break;
    case 1:
        t.dw[t.n++] = 0;
        break;
    case 2:
        t.dw[0] ^= 0x1b000000u;
        break;
    case 3: /* crosses 4 KiB */
        t.dw[2] |= 0xffc;
        t.dw[0] = (t.dw[0] & ~0x3ffu) | 2;
        t.dw[1] |= 0xff;
        t.dw[3] = 0;
        t.dw[4] = 0;
        t.n = 5;
        break;
    case 4:
        t.n = 1 + soak_dice(s, 2);
        break;
    case 5: /* prefix */
        t.dw[0] |= 0x80000000u;
        break;
    case 6: /* INTx message of another traffic class */
        t = tlp_intx(true, soak_dice(s, 4));
        t.dw[0] |= 1u << (20 + soak_dice(s, 3));
        break;
    default: /* … of a function */
        t = tlp_intx(true, soak_dice(s, 4));
        t.dw[1] |= (uint32_t)side << 16;
        break;
    }
    bench_send(s->m, side, &t);
    s->malformed++;
}

static void send_wire(struct soak *s, unsigned port)
{
    if (s->pins_n[port] > PIN_LOG - 8) {
        return;
    }
    const struct pin_message p = {.pin = soak_dice(s, 4), .level = soak_dice(s, 2) == 0};
    const struct tlp t = tlp_intx(p.level, p.pin);
    bench_send(s->m, port, &t);
    s->pins[port][s->pins_n[port]++] = p;
}

void soak_send_up(struct soak *s, unsigned port)
{
    if (s->under_way[port] >= WINDOW) {
        return;
    }
    s->serial++;
    s->r.tlps++;
    if (soak_dice(s, 40) == 0) {
        send_malformed(s, port);
    } else if (!s->o->overflow && !s->o->shape.bump && soak_dice(s, 12) == 0) {
        send_wire(s, port);
    } else {
        if (soak_dice(s, 2) == 0) {
            send_message(s, port);
        } else {
            send_other(s, port);
        }
        s->under_way[port]++;
    }
}

void soak_send_down(struct soak *s)
{
    if (s->under_way[MODEL_ROOT] >= WINDOW) {
        return;
    }
    const unsigned k = 1 + soak_dice(s, s->ports);
    const uint32_t serial = ++s->serial;
    const uint64_t bar0 = BENCH_PORT_BAR + (k << 20) + 4 * soak_dice(s, 99);
    const uint64_t bar1 = BENCH_PORT_BAR_1 + ((uint64_t)k << 32) + 4 * soak_dice(s, 99);
    struct tlp t;
    s->r.tlps++;
    switch (soak_dice(s, 12)) {
    case 0:
        t = tlp_read(0, (uint8_t)serial, bar0, random_length(s) / 2 + 1);
        break;
    case 1:
        t = tlp_config(soak_dice(s, 2) == 0, k, 4 * soak_dice(s, 64), serial);
        break;
    case 2:
        t = tlp_write(0, bar0, 1 + soak_dice(s, 9), serial);
        break;
    case 3:
        t = tlp_write(0, bar1, random_length(s) / 2 + 1, serial);
        break;
    case 4:
        send_malformed(s, MODEL_ROOT);
        return;
    case 5: /* for nobody */
        if (s->o->shape.bump) {
            return;
        }
        if (soak_dice(s, 2) == 0) {
            t = tlp_read(0, 0, 0x60000000, 1);
            s->refusals++;
        } else {
            t = tlp_write(0, 0x60000000, 3, 7);
            s->dropped++;
        }
        bench_send(s->m, MODEL_ROOT, &t);
        return;
    case 6:
        t = random_atomic(s, 0, bar1);
        break;
    case 7: /* by ID, and to all */
        t = tlp_intx(true, 0);
        t.dw[1] = 0x7f;
        t.dw[2] = (uint32_t)bench_id(k) << 16;
        t.dw[3] = serial;
        t.dw[0] = 0x32000000u;
        if (soak_dice(s, 4) == 0 && !s->o->links) {
            t.dw[0] = 0x33000000u;
            bench_send(s->m, MODEL_ROOT, &t);
            for (unsigned port = 1; port <= s->ports; port++) {
                flow_push(&s->down[port], &t);
                s->under_way[MODEL_ROOT]++;
            }
            return;
        }
        break;
    default:
        t = tlp_completion(0, bench_id(k), (uint8_t)serial, soak_dice(s, 32), serial);
        break;
    }
    bench_send(s->m, MODEL_ROOT, &t);
    struct sent *sent = flow_push(&s->down[k], &t);
    if (s->was_down[k]) {
        sent->fate = MAY_BE_LOST;
        s->refusals_more += tlp_is_non_posted(&t);
    }
    s->under_way[MODEL_ROOT]++;
}

/* ---- registers in the middle of traffic ---- */

static void start_read(struct soak *s)
{
    struct register_read *r = &s->read[soak_dice(s, READS)];
    if (r->busy) {
        return;
    }
    *r = (struct register_read){.busy = true, .offset = RELAY_SCRATCH, .least = s->scratch, .at = s->changes};
    const unsigned index = soak_dice(s, s->o->shape.sources);
    const struct entry *e = &s->entry[index];
    if (e->listed && e->sender >= 0 && soak_dice(s, 2) == 0) {
        const struct im_source *im = soak_source(s, e->sender);
        r->offset = RELAY_SRC_COUNT(index);
        /* What has come out has been counted before, but in tap mode. */
        r->least = im == NULL || s->tap ? 0 : im->count;
    }
    const struct tlp t = tlp_read(0, (uint8_t)(FIRST_READ + (r - s->read)), BENCH_BAR + r->offset, 1);
    bench_send(s->m, MODEL_ROOT, &t);
}

/* Whatever of this source is under way may have met the old state or the new one. */
static void open_fate(struct soak *s, const struct entry *e)
{
    if (e->sender < 0) {
        return;
    }
    struct queue *q = &s->up[s->sender[e->sender].port].posted;
    for (size_t i = 0; i < queue_waiting(q); i++) {
        if (queue_at(q, i)->source == e->sender) {
            queue_at(q, i)->fate = MAY_BE_KEPT;
        }
    }
}

static void change_act(struct soak *s, unsigned index)
{
    struct entry *e = &s->entry[index];
    static const uint32_t of_message[] = {0, 0, RELAY_SRC_ACT_MASK, RELAY_SRC_ACT_LIMIT};
    static const uint32_t of_wire[] = {0, RELAY_SRC_ACT_MASK, RELAY_SRC_ACT_LIMIT, RELAY_SRC_ACT_ONE_SHOT};
    e->act = e->sender >= 0 ? of_message[soak_dice(s, 4)] : of_wire[soak_dice(s, 4)];
    e->changed_at = ++s->changes;
    e->policy = EITHER;
    e->surely = 0;
    open_fate(s, e);
    soak_write(s, RELAY_SRC_ACT(index), e->act);
}

/* With a count that has come out: it was counted before. */
static void acknowledge(struct soak *s, unsigned index)
{
    const struct entry *e = &s->entry[index];
    if (e->sender < 0) {
        return;
    }
    struct im_source *im = soak_source(s, e->sender);
    if (im != NULL && !s->tap) {
        im->acked = im->count;
        soak_write(s, RELAY_SRC_ACKED(index), im->acked);
    }
}

static void inject(struct soak *s, unsigned index)
{
    const struct entry *e = &s->entry[index];
    if (e->sender < 0) {
        return;
    }
    struct im_source *im = soak_source(s, e->sender);
    if (im != NULL) {
        im->injected++;
        soak_write(s, RELAY_INJECT, index);
    }
}

static void change_entry(struct soak *s)
{
    const unsigned index = soak_dice(s, s->o->shape.sources);
    if (!s->entry[index].listed) {
        /* A key that nobody sends: programmed, or dropped again. The stream is held for it. */
        const unsigned last = s->o->shape.sources - 1;
        if (!s->entry[last].listed && s->im.n < s->im.entries - 4) {
            soak_write(s, RELAY_SRC_ADDR_LO(last), 0xfee00000u + (s->serial << 2));
            soak_write(s, RELAY_SRC_KEY(last), (s->serial & 0xffff0000u) | 1u << 8 | soak_dice(s, 2));
        }
        return;
    }
    switch (soak_dice(s, 6)) {
    case 0:
        acknowledge(s, index);
        break;
    case 1:
        inject(s, index);
        break;
    case 2:
        soak_write(s, RELAY_REARM, index);
        break;
    default:
        change_act(s, index);
        break;
    }
}

/* What was surely kept back may be let through. */
static void open_fates(struct soak *s)
{
    for (unsigned port = 1; port <= s->ports; port++) {
        struct queue *q = &s->up[port].posted;
        for (size_t i = 0; i < queue_waiting(q); i++) {
            if (queue_at(q, i)->fate == IS_KEPT) {
                queue_at(q, i)->fate = MAY_BE_KEPT;
            }
        }
    }
}

/* The mask does not act on messages while the tap is on. */
static void change_mode(struct soak *s)
{
    s->ctrl ^= RELAY_CTRL_INDICATOR_FIRST;
    s->ctrl_at = ++s->changes;
    s->tap = true;
    s->r.switched++;
    open_fates(s);
    soak_write(s, RELAY_CTRL, s->ctrl);
}

/*
 * Some sources are acknowledged up to what has come out, then all that are not pending are forgotten: those
 * of which nothing more came before. Who has which entry is not known until all is settled, so nothing else
 * is done to entries until then.
 */
static void forget(struct soak *s)
{
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        if (s->entry[i].listed && soak_dice(s, 2) == 0) {
            acknowledge(s, i);
        }
        s->entry[i] = (struct entry){.sender = -1};
    }
    for (unsigned i = 0; i < READS; i++) {
        if (s->read[i].offset != RELAY_SCRATCH) {
            s->read[i].least = 0; /* the posted write may pass it */
        }
    }
    im_may_forget(&s->im);
    s->forgot = true;
    soak_write(s, RELAY_COMMAND, RELAY_COMMAND_FORGET);
}

static void change_ring(struct soak *s)
{
    switch (soak_dice(s, 32)) {
    case 0:
        s->ring_on = !s->ring_on;
        if (s->ring_on && (s->ring_new || (s->next_event == 0 && !s->ring_clean))) {
            s->ring_on =
                false; /* the last start has not been seen yet, or its first event may be on its way */
        } else if (s->ring_on) {
            s->ring_new = true;
            s->ring_clean = false;
            soak_write(s, RELAY_RING_TAIL, 0);
        }
        soak_write(s, RELAY_RING_CTRL,
                   (s->ring_on ? RELAY_RING_CTRL_ENABLE : 0) | RELAY_PUT(RELAY_RING_CTRL_LOG2, RING_LOG2));
        break;
    case 1:
        model_set_bus_master(s->m, soak_dice(s, 4) != 0);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        soak_write(s, RELAY_RING_TAIL, s->ring_new ? 0 : s->next_event);
        break;
    default:
        break;
    }
}

void soak_change(struct soak *s)
{
    if (soak_dice(s, 4) == 0) {
        soak_write(s, RELAY_SCRATCH, ++s->scratch);
    }
    if (soak_dice(s, 4) == 0) {
        start_read(s);
    }
    if (s->o->acts && soak_dice(s, 2) == 0) {
        change_entry(s);
    }
    if (s->o->switches && soak_dice(s, 12) == 0) {
        change_mode(s);
    }
    if (s->o->forgets && soak_dice(s, 48) == 0) {
        forget(s);
    }
    if (s->o->ring) {
        change_ring(s);
    }
}

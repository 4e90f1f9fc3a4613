/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay_regs.h"
#include "soak_internal.h"

#define ORDER_BITS (1u << 18 | 1u << 13) /* IDO and RO */

bool soak_is_interrupt(const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    if ((kind != 0x40 && kind != 0x60) || (t->dw[0] & 0x3ff) != 1 || (t->dw[1] & 0xf) == 0) {
        return false;
    }
    const uint64_t address = kind == 0x60 ? (uint64_t)t->dw[2] << 32 | t->dw[3] : t->dw[2];
    return (address & 0xfffffffffff00000ull) == 0xfee00000ull ||
           (address & 0xfffffffffffff000ull) == 0x4500001000ull;
}

static uint64_t message_address(const struct tlp *t)
{
    return (t->dw[0] >> 29 & 1) != 0 ? (uint64_t)t->dw[2] << 32 | t->dw[3] : t->dw[2];
}

static uint32_t message_data(const struct tlp *t)
{
    return bench_swap(t->dw[(t->dw[0] >> 29 & 1) != 0 ? 4 : 3]);
}

static struct im_source *record(struct soak *s, const struct tlp *t, unsigned port)
{
    const bool odd = (t->dw[0] & (ORDER_BITS | 1u << 12 | 1u << 15)) != 0 || (t->dw[1] & 0xf) != 0xf;
    return im_message(&s->im, port, (uint16_t)(t->dw[1] >> 16), message_address(t), message_data(t), odd,
                      (t->dw[0] >> 14 & 1) != 0);
}

static void is_kept(struct soak *s, const struct sent *sent, unsigned port)
{
    struct im_source *im = record(s, &sent->tlp, port);
    struct entry *e = soak_entry(s, sent->source);
    s->r.kept++;
    if (im != NULL) {
        im->kept++;
    }
    if (e != NULL) {
        e->kept++;
        e->surely += sent->fate == IS_KEPT;
    }
}

/* The first that waits did not come out. */
static void skip(struct soak *s, struct queue *q, unsigned port, unsigned side)
{
    const struct sent *sent = queue_at(q, 0);
    if (sent->fate == IS_KEPT || sent->fate == MAY_BE_KEPT) {
        is_kept(s, sent, port);
    }
    s->under_way[side]--;
    queue_pop(q);
}

static bool same(const struct sent *sent, const struct tlp *t)
{
    struct tlp as_sent = *t;
    if (soak_is_interrupt(t)) {
        as_sent.dw[0] |= sent->tlp.dw[0] & ORDER_BITS; /* may have been cleared */
    }
    return tlp_equal(&sent->tlp, &as_sent);
}

/* What came out must be the oldest of its queue, but for those that may not come out at all. */
static bool came_out(struct soak *s, struct flow *f, const struct tlp *t, unsigned port, unsigned side)
{
    const char *way = side == MODEL_ROOT ? "down" : "up";
    const bool non_posted = tlp_is_non_posted(t);
    struct queue *q = non_posted ? &f->non_posted : &f->posted;
    size_t i = 0;
    while (i < queue_waiting(q) && !same(queue_at(q, i), t) && queue_at(q, i)->fate != PASSES) {
        i++;
    }
    if (i == queue_waiting(q) || !same(queue_at(q, i), t) || queue_at(q, i)->fate == IS_KEPT) {
        soak_wrong(s, &s->r.lost, "%s port %u: %zu DW, %08x %08x %08x should not come now", way, port, t->n,
                   t->dw[0], t->dw[1], t->dw[2]);
        return false;
    }
    for (; i > 0; i--) {
        skip(s, q, port, side);
    }
    const struct sent *sent = queue_at(q, 0);
    if (non_posted) {
        for (size_t before = 0; f->posted.gone + before < sent->after; before++) {
            if (queue_at(&f->posted, before)->fate == PASSES) {
                soak_wrong(s, &s->r.lost, "%s port %u: non-posted passed posted", way, port);
                break;
            }
        }
    }
    if (sent->source >= 0) {
        struct im_source *im = record(s, &sent->tlp, port);
        s->r.interrupts++;
        if (im != NULL) {
            im->direct++;
        }
    } else if (side != MODEL_ROOT && soak_is_interrupt(t)) {
        record(s, &sent->tlp, port); /* poisoned */
    }
    s->under_way[side]--;
    queue_pop(q);
    return true;
}

static void from_table(struct soak *s, const struct tlp *t, unsigned port)
{
    struct im_source *im =
        im_find(&s->im, false, port, (uint16_t)(t->dw[1] >> 16), message_address(t), message_data(t));
    int sender = -1;
    for (int i = 0; i < s->senders; i++) {
        const struct sender *from = &s->sender[i];
        if (from->port == port && from->address == message_address(t) && from->data == message_data(t)) {
            sender = i;
        }
    }
    s->resent++;
    s->r.resent++;
    if (im == NULL || sender < 0 || (t->dw[0] & ~0x20000000u) != 0x40000001u || (t->dw[1] & 0xffff) != 0xf) {
        soak_wrong(s, &s->r.misattributed, "sent from the table: %08x %08x %08x", t->dw[0], t->dw[1],
                   t->dw[2]);
        return;
    }
    im->resent++;
    struct entry *e = soak_entry(s, sender);
    if (e != NULL) {
        e->resent++;
    }
}

/* ---- the relay's own ---- */

static bool same_message(const struct tlp *t, const struct relay_event *event)
{
    return t->dw[1] >> 16 == RELAY_GET(event->who, RELAY_EVENT_WHO_REQUESTER) &&
           (uint32_t)message_address(t) == event->addr_lo && message_address(t) >> 32 == event->addr_hi &&
           message_data(t) == event->data;
}

/* The first that waits and that the event may be of, or null. */
static struct sent *find_waiting(struct queue *q, const struct relay_event *event, bool kept)
{
    for (size_t i = 0; i < queue_waiting(q); i++) {
        struct sent *sent = queue_at(q, i);
        if (sent->source >= 0 && same_message(&sent->tlp, event) && sent->fate != (kept ? PASSES : IS_KEPT)) {
            return sent;
        }
        if (sent->fate == PASSES) {
            return NULL;
        }
    }
    return NULL;
}

static void event_of_message(struct soak *s, const struct relay_event *event, unsigned port)
{
    const bool kept = (event->who & RELAY_EVENT_WHO_KEPT) != 0;
    const uint32_t index = RELAY_GET(event->who, RELAY_EVENT_WHO_SOURCE);
    const struct im_source *im =
        im_find(&s->im, false, port, (uint16_t)RELAY_GET(event->who, RELAY_EVENT_WHO_REQUESTER),
                (uint64_t)event->addr_hi << 32 | event->addr_lo, event->data);
    struct queue *q = &s->up[port].posted;
    const bool injected = im != NULL && im->injected != 0;
    const struct sent *sent = find_waiting(q, event, kept);
    if (sent == NULL && !injected) {
        soak_wrong(s, &s->r.misattributed, "event %u: nobody asked: who %08x address %x data %x", event->seq,
                   event->who, event->addr_lo, event->data);
        return;
    }
    /* Of those that are alike, the count tells which; the ones before it were kept back, and had no event.
     * Where some were injected it does not tell. */
    const uint32_t count = event->check >> 16;
    bool counts = index == 0xff || injected;
    while (sent != NULL && !injected && !counts) {
        while (queue_at(q, 0) != sent) {
            skip(s, q, port, port);
        }
        counts = count == (((im == NULL ? 0 : im->count) + 1) & 0xffff);
        if (!counts && im != NULL && im->may_be_forgotten &&
            count == ((im->count - im->acked + 1) & 0xffff)) {
            counts = true;
        }
        if (!counts || kept) {
            skip(s, q, port, port);
            sent = find_waiting(q, event, kept);
        }
    }
    if (!counts) {
        soak_wrong(s, &s->r.misattributed, "event %u: count %u", event->seq, count);
    }
    if (index != 0xff && s->entry[index].listed && s->entry[index].sender >= 0) {
        const struct sender *from = &s->sender[s->entry[index].sender];
        if (from->port != port || from->address != ((uint64_t)event->addr_hi << 32 | event->addr_lo) ||
            from->data != event->data) {
            soak_wrong(s, &s->r.misattributed, "event %u: entry %u is another", event->seq, index);
        }
    }
    if (!kept) {
        s->expect_message = true;
        s->message.dw[0] = event->who;
        s->message.dw[1] = event->addr_lo;
        s->message.dw[2] = event->addr_hi;
        s->message.dw[3] = event->data;
    }
}

/* The ring was started anew; numbers begin again. */
static void ring_restarts(struct soak *s)
{
    s->ring_new = false;
    s->events_before += s->next_event;
    s->next_event = 0;
    s->last_missed = 0;
}

static void ring_event(struct soak *s, const struct tlp *t)
{
    struct relay_event event;
    uint32_t *words = (uint32_t *)&event;
    for (size_t i = 0; i < 8; i++) {
        words[i] = bench_swap(t->dw[4 + i]);
    }
    s->r.events++;
    if (s->ring_new && event.seq == 1) {
        ring_restarts(s);
    }
    const uint32_t slot = s->next_event % (1u << RING_LOG2);
    const uint64_t time = (uint64_t)event.time_hi << 32 | event.time_lo;
    if (event.seq != ++s->next_event ||
        RELAY_GET(event.check, RELAY_EVENT_CHECK_SEQ) != (event.seq & 0xffff) ||
        ((uint64_t)t->dw[2] << 32 | t->dw[3]) != RING_BASE + 32ull * slot || time > s->now ||
        (t->dw[0] & (ORDER_BITS | 1u << 12)) != 0) {
        soak_wrong(s, &s->r.misattributed, "event %u: seq %u check %08x at %08x time %llx", s->next_event,
                   event.seq, event.check, t->dw[3], (unsigned long long)time);
    }
    const unsigned port = RELAY_GET(event.who, RELAY_EVENT_WHO_PORT);
    if (port < 1 || port > s->ports) {
        soak_wrong(s, &s->r.misattributed, "event %u: port %u", event.seq, port);
    } else if (RELAY_GET(event.who, RELAY_EVENT_WHO_KIND) == RELAY_SRC_KEY_KIND_MSI) {
        event_of_message(s, &event, port);
    } else if (event.addr_lo > 3 || event.who >> 16 != bench_id(port)) {
        soak_wrong(s, &s->r.misattributed, "event %u: wire %u of %04x", event.seq, event.addr_lo,
                   event.who >> 16);
    }
}

static void status_record(struct soak *s, const struct tlp *t)
{
    const uint32_t head = bench_swap(t->dw[4]);
    const uint32_t missed = bench_swap(t->dw[5]);
    if (s->ring_new && head == 0) {
        ring_restarts(s);
    }
    if (((uint64_t)t->dw[2] << 32 | t->dw[3]) != RING_STATUS || head != s->next_event ||
        missed < s->last_missed || missed == 0) {
        soak_wrong(s, &s->r.misattributed, "status record: head %u missed %u, not %u and from %u", head,
                   missed, s->next_event, s->last_missed);
    }
    s->last_missed = missed;
}

static void own_message(struct soak *s, const struct tlp *t)
{
    const unsigned pin = t->dw[1] & 3;
    const bool level = (t->dw[1] & 4) == 0;
    if (t->n != 4 || (t->dw[1] & 0xfff8) != 0x20 || s->line[pin] == level) {
        soak_wrong(s, &s->r.misattributed, "INTx message of the relay: %08x %08x", t->dw[0], t->dw[1]);
    }
    s->line[pin] = level;
}

static void answer(struct soak *s, const struct tlp *t)
{
    const unsigned tag = t->dw[2] >> 8 & 0xff;
    const uint32_t value = bench_swap(t->dw[3]);
    if (tag == SYNC_TAG) {
        s->answered = true;
        s->value = value;
        return;
    }
    struct register_read *r = &s->read[(tag - FIRST_READ) % READS];
    if (tag - FIRST_READ >= READS || !r->busy || t->n != 4) {
        soak_wrong(s, &s->r.lost, "completion with tag %x", tag);
        return;
    }
    r->busy = false;
    if (value < r->least || (r->offset == RELAY_SCRATCH && value > s->scratch)) {
        soak_wrong(s, &s->r.misattributed, "register %x: %u, less than %u", r->offset, value, r->least);
    }
    if (r->at >= s->ctrl_at && (s->ctrl & RELAY_CTRL_INDICATOR_FIRST) != 0) {
        s->tap = false;
    }
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        struct entry *e = &s->entry[i];
        if (e->listed && e->policy == EITHER && e->changed_at <= r->at && e->changed_at != 0 &&
            (e->act & RELAY_SRC_ACT_LIMIT) == 0) {
            e->policy = (e->act & RELAY_SRC_ACT_MASK) != 0 ? KEEPS : RELAYS;
        }
    }
}

static void at_root(struct soak *s, const struct tlp *t)
{
    const uint32_t kind = t->dw[0] >> 24;
    const uint16_t who = (uint16_t)(t->dw[1] >> 16);
    if (s->expect_message && !tlp_is_non_posted(t)) {
        s->expect_message = false;
        if (!soak_is_interrupt(t) || who != s->message.dw[0] >> 16 ||
            (uint32_t)message_address(t) != s->message.dw[1] ||
            message_address(t) >> 32 != s->message.dw[2] || message_data(t) != s->message.dw[3]) {
            soak_wrong(s, &s->r.misattributed, "after an event %08x %08x, not its interrupt", t->dw[0],
                       t->dw[1]);
        }
        if ((t->dw[0] & ORDER_BITS) != 0) {
            soak_wrong(s, &s->r.misattributed, "RO or IDO left behind an event");
        }
    }
    if (who != bench_id(0)) {
        const unsigned port = who & 7;
        if (soak_is_interrupt(t) && (t->dw[1] >> 8 & 0xff) == 0) {
            from_table(s, t, port);
        } else if (came_out(s, &s->up[port], t, port, port)) {
            s->up_count[tlp_is_non_posted(t) ? 1 : (kind & 0x1f) == 0x0a ? 2 : 0]++;
        }
    } else if (kind == 0x34) {
        own_message(s, t);
    } else if (kind == 0x4a) {
        answer(s, t);
    } else if (kind == 0x0a) {
        s->refusals_seen++;
    } else if (kind == 0x60 && (t->dw[0] & 0x3ff) == 8) {
        ring_event(s, t);
    } else if (kind == 0x60 && (t->dw[0] & 0x3ff) == 4) {
        status_record(s, t);
    } else {
        soak_wrong(s, &s->r.lost, "at the root, from the relay: %08x %08x", t->dw[0], t->dw[1]);
    }
}

void soak_collect(struct soak *s)
{
    struct tlp t;
    while ((t.n = model_receive(s->m, MODEL_ROOT, t.dw)) != 0) {
        at_root(s, &t);
    }
    for (unsigned k = 1; k <= s->ports; k++) {
        while ((t.n = model_receive(s->m, k, t.dw)) != 0) {
            came_out(s, &s->down[k], &t, k, MODEL_ROOT);
        }
    }
}

/* ---- when all has settled ---- */

static void finish_queue(struct soak *s, struct queue *q, unsigned port, unsigned side)
{
    while (queue_waiting(q) > 0) {
        if (queue_at(q, 0)->fate == PASSES) {
            soak_wrong(s, &s->r.lost, "side %u, port %u: %08x did not come out", side, port,
                       queue_at(q, 0)->tlp.dw[0]);
        }
        skip(s, q, port, side);
    }
}

static void check_counter(struct soak *s, unsigned index, uint64_t want, const char *name)
{
    const uint32_t got = soak_read(s, RELAY_COUNTER(index));
    if (got != (uint32_t)want) {
        soak_wrong(s, &s->r.misattributed, "counter %s: %u, not %u", name, got, (uint32_t)want);
    }
}

static void apply(struct indicator_model *im, unsigned port, const struct pin_message *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        im_intx(im, port, p[i].pin, p[i].level);
    }
}

/* The wires' messages around the moment when the link was down: all up to some one were taken, then none
 * until some other. Finds two for which the model says what the registers say. */
static void settle_down(struct soak *s, unsigned port, const uint32_t counts[4], uint32_t repeats,
                        uint32_t wires)
{
    const struct pin_message *p = s->pins[port];
    unsigned down = 0;
    while (!p[down].down) {
        down++;
    }
    const unsigned n = s->pins_n[port];
    static struct indicator_model try; /* too large for a stack */
    for (unsigned before = 0; before <= down; before++) {
        for (unsigned after = down + 1; after <= n; after++) {
            try = s->im;
            apply(&try, port, p, before);
            im_down(&try, port);
            apply(&try, port, p + after, n - after);
            bool fits = try.repeats == repeats;
            for (unsigned pin = 0; pin < 4; pin++) {
                const struct im_source *im = im_find(&try, true, port, 0, pin, 0);
                fits = fits && (im == NULL ? 0 : im->count) == counts[pin] &&
                       im_high(&try, port, pin) == ((wires >> (4 * (port - 1) + pin) & 1) != 0);
            }
            if (fits) {
                s->im = try;
                return;
            }
        }
    }
    soak_wrong(s, &s->r.misattributed, "port %u: no end of its messages explains its wires", port);
}

/* A wire that was high all the time was not forgotten. */
static void wires_stay(struct soak *s)
{
    for (unsigned i = 0; i < s->im.n; i++) {
        struct im_source *im = &s->im.source[i];
        if (!im->intx || !im_high(&s->im, im->port, (unsigned)im->address)) {
            continue;
        }
        bool fell = false;
        for (unsigned n = 0; n < s->pins_n[im->port]; n++) {
            const struct pin_message *p = &s->pins[im->port][n];
            fell = fell || (p->pin == im->address && !p->level);
        }
        im->may_be_forgotten = im->may_be_forgotten && fell;
    }
}

static void settle_wires(struct soak *s)
{
    wires_stay(s);
    uint32_t counts[SIDES][4] = {0};
    for (unsigned i = 0; s->o->links && i < s->o->shape.sources; i++) {
        const uint32_t key = soak_read(s, RELAY_SRC_KEY(i));
        if ((key & RELAY_SRC_KEY_VALID) != 0 &&
            RELAY_GET(key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX) {
            counts[RELAY_GET(key, RELAY_SRC_KEY_PORT)][soak_read(s, RELAY_SRC_ADDR_LO(i)) & 3] =
                soak_read(s, RELAY_SRC_COUNT(i));
        }
    }
    const uint32_t repeats = soak_read(s, RELAY_COUNTER(RELAY_COUNTER_INTX_REPEAT));
    const uint32_t wires = soak_read(s, RELAY_WIRES_IN);
    for (unsigned down = 0; down < 2; down++) {
        for (unsigned port = 1; port <= s->ports; port++) {
            if (s->was_down[port] != (down == 1)) {
                continue;
            }
            if (down == 1) {
                settle_down(s, port, counts[port], repeats, wires);
            } else {
                apply(&s->im, port, s->pins[port], s->pins_n[port]);
            }
        }
    }
    for (unsigned port = 1; port <= s->ports; port++) {
        s->pins_n[port] = 0;
        s->was_down[port] = false;
    }
}

static void check_message_source(struct soak *s, unsigned i, struct im_source *want)
{
    struct entry *e = &s->entry[i];
    const uint32_t relayed = soak_read(s, RELAY_SRC_RELAYED(i));
    const uint32_t kept = soak_read(s, RELAY_SRC_COALESCED(i));
    const uint32_t state = soak_read(s, RELAY_SRC_STATE(i));
    if (relayed != want->direct + want->resent || kept < want->kept || kept > want->kept + want->injected ||
        want->direct + want->kept != want->count || want->resent > want->kept + want->injected) {
        soak_wrong(
            s, &s->r.misattributed,
            "entry %u: relayed %u kept %u; the model: direct %u resent %u kept %u injected %u count %u", i,
            relayed, kept, want->direct, want->resent, want->kept, want->injected, want->count);
    }
    const bool masked = (e->act & RELAY_SRC_ACT_MASK) != 0;
    if (!masked && ((state & RELAY_SRC_STATE_DEFERRED) != 0 || (e->kept > 0 && e->resent == 0))) {
        soak_wrong(s, &s->r.lost, "entry %u: state %x, %u kept, %u sent later", i, state, e->kept, e->resent);
    }
    if (masked && e->surely > 0 && (state & RELAY_SRC_STATE_DEFERRED) == 0) {
        soak_wrong(s, &s->r.lost, "entry %u: masked, %u kept, not deferred", i, e->surely);
    }
    e->policy = masked ? KEEPS : (e->act & RELAY_SRC_ACT_LIMIT) != 0 ? EITHER : RELAYS;
    e->kept = 0;
    e->surely = 0;
    e->resent = 0;
}

/* @return the wire is part of its line */
static bool check_wire_source(struct soak *s, unsigned i, unsigned port, unsigned pin)
{
    const struct entry *e = &s->entry[i];
    const uint32_t state = soak_read(s, RELAY_SRC_STATE(i));
    const bool high = im_high(&s->im, port, pin);
    const uint32_t down = state & (RELAY_SRC_STATE_HELD | RELAY_SRC_STATE_SHOT);
    const uint32_t may = ((e->act & RELAY_SRC_ACT_LIMIT) != 0 && high ? RELAY_SRC_STATE_HELD : 0) |
                         ((e->act & RELAY_SRC_ACT_ONE_SHOT) != 0 && high ? RELAY_SRC_STATE_SHOT : 0);
    if ((down & ~may) != 0 || ((state & RELAY_SRC_STATE_LEVEL) != 0) != s->im.wire[port][pin] ||
        ((state & RELAY_SRC_STATE_FORCED) != 0) != s->im.forced[port][pin]) {
        soak_wrong(s, &s->r.misattributed, "entry %u, wire %u of port %u: state %x act %x, high %d", i, pin,
                   port, state, e->act, high);
    }
    return high && down == 0 && (e->act & RELAY_SRC_ACT_MASK) == 0;
}

/* The source in entry i, or null. */
static struct im_source *source_of(struct soak *s, unsigned i, uint32_t key)
{
    return im_find(&s->im, RELAY_GET(key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX,
                   RELAY_GET(key, RELAY_SRC_KEY_PORT), (uint16_t)RELAY_GET(key, RELAY_SRC_KEY_REQUESTER),
                   (uint64_t)soak_read(s, RELAY_SRC_ADDR_HI(i)) << 32 | soak_read(s, RELAY_SRC_ADDR_LO(i)),
                   soak_read(s, RELAY_SRC_DATA(i)));
}

/* Which of those that may have been forgotten were: their entries are gone, or counted anew from then on. */
static void settle_forgotten(struct soak *s)
{
    bool stays[IM_SOURCES] = {false};
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        const uint32_t key = soak_read(s, RELAY_SRC_KEY(i));
        const struct im_source *im = (key & RELAY_SRC_KEY_VALID) != 0 ? source_of(s, i, key) : NULL;
        if (im != NULL) {
            const bool anew = soak_read(s, RELAY_SRC_ACKED(i)) == 0 && im->acked != 0 &&
                              soak_read(s, RELAY_SRC_COUNT(i)) == im->count - im->acked;
            stays[im - s->im.source] = !anew;
        }
    }
    for (unsigned i = s->im.n; i-- > 0;) {
        struct im_source *im = &s->im.source[i];
        if (im->may_be_forgotten && !stays[i]) {
            s->r.forgotten++;
            im_forgotten(&s->im, im);
        } else {
            im->may_be_forgotten = false;
        }
    }
}

static int sender_of(const struct soak *s, const struct im_source *im)
{
    for (int i = 0; i < s->senders; i++) {
        const struct sender *from = &s->sender[i];
        if (from->port == im->port && from->requester == im->requester && from->address == im->address &&
            from->data == im->data) {
            return i;
        }
    }
    return -1;
}

static void check_table(struct soak *s)
{
    unsigned listed = 0;
    uint32_t kept_sum = 0;
    uint32_t injected = 0;
    bool line[4] = {false};
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        struct entry *e = &s->entry[i];
        const uint32_t key = soak_read(s, RELAY_SRC_KEY(i));
        const bool pending = (soak_read(s, RELAY_PENDING(i / 32)) >> i % 32 & 1) != 0;
        if ((key & RELAY_SRC_KEY_VALID) == 0 || (key & RELAY_SRC_KEY_PROGRAMMED) != 0) {
            if (pending || e->listed || ((key & RELAY_SRC_KEY_VALID) != 0 && !s->o->acts)) {
                soak_wrong(s, &s->r.misattributed, "entry %u: key %08x pending %d", i, key, pending);
            }
            continue;
        }
        listed++;
        const unsigned port = RELAY_GET(key, RELAY_SRC_KEY_PORT);
        const bool intx = RELAY_GET(key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX;
        struct im_source *want = source_of(s, i, key);
        if (want == NULL) {
            soak_wrong(s, &s->r.misattributed, "entry %u: nobody is key %08x address %x data %x", i, key,
                       soak_read(s, RELAY_SRC_ADDR_LO(i)), soak_read(s, RELAY_SRC_DATA(i)));
            continue;
        }
        const uint32_t count = soak_read(s, RELAY_SRC_COUNT(i));
        const uint32_t acked = soak_read(s, RELAY_SRC_ACKED(i));
        if (!e->listed) {
            e->listed = true;
            e->sender = intx ? -1 : sender_of(s, want);
            e->port = port;
            e->pin = intx ? (unsigned)want->address : 0;
            e->act = s->learn_act;
        }
        const uint32_t act = soak_read(s, RELAY_SRC_ACT(i));
        if (count != want->count + want->injected || acked != want->acked || act != e->act ||
            pending != (count != acked)) {
            soak_wrong(s, &s->r.misattributed,
                       "entry %u, key %08x: count %u acked %u pending %d act %x, not %u + %u, %u, %x", i, key,
                       count, acked, pending, act, want->count, want->injected, want->acked, e->act);
        }
        kept_sum += soak_read(s, RELAY_SRC_COALESCED(i));
        if (intx) {
            line[e->pin] |= check_wire_source(s, i, port, e->pin);
        } else {
            injected += want->injected;
            check_message_source(s, i, want);
        }
    }
    if (listed != s->im.n) {
        soak_wrong(s, &s->r.misattributed, "%u sources listed, not %u", listed, s->im.n);
    }
    for (unsigned pin = 0; pin < 4; pin++) {
        if (s->line[pin] != line[pin]) {
            soak_wrong(s, &s->r.misattributed, "pin %u: the root was told %d", pin, s->line[pin]);
        }
    }
    check_counter(s, RELAY_COUNTER_MSI, s->im.messages + injected, "MSI");
    const uint32_t masked = soak_read(s, RELAY_COUNTER(RELAY_COUNTER_MASKED));
    check_counter(s, RELAY_COUNTER_COALESCED, kept_sum - masked, "COALESCED");
}

static void check_ring(struct soak *s)
{
    const uint32_t head = soak_read(s, RELAY_RING_HEAD);
    const uint32_t missed = soak_read(s, RELAY_RING_MISSED);
    if (s->ring_new && head == 0) {
        ring_restarts(s);
    }
    if (head != s->next_event) {
        soak_wrong(s, &s->r.misattributed, "RING_HEAD %u, not %u", head, s->next_event);
    }
    if (s->ring_on && missed != s->last_missed) {
        soak_wrong(s, &s->r.misattributed, "RING_MISSED %u, told %u", missed, s->last_missed);
    }
    check_counter(s, RELAY_COUNTER_RING_EVENTS, s->events_before + s->next_event, "RING_EVENTS");
    soak_write(s, RELAY_RING_TAIL, s->next_event);
    s->ring_clean = !s->ring_on;
}

/* Some sources are acknowledged; a wire that is held or shot comes up by that. */
static void acknowledge_some(struct soak *s)
{
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        if (s->entry[i].listed && soak_dice(s, 2) == 0) {
            const struct entry *e = &s->entry[i];
            struct im_source *im =
                e->sender >= 0 ? soak_source(s, e->sender) : im_find(&s->im, true, e->port, 0, e->pin, 0);
            im->acked = im->count + im->injected;
            soak_write(s, RELAY_SRC_ACKED(i), im->acked);
        }
    }
}

/* INJECT of wires: where nothing else changes them. */
static void force_wires(struct soak *s)
{
    for (unsigned i = 0; i < s->o->shape.sources; i++) {
        const struct entry *e = &s->entry[i];
        if (e->listed && e->sender < 0 && soak_dice(s, 4) == 0) {
            const bool level = soak_dice(s, 2) == 0;
            im_force(&s->im, e->port, e->pin, level);
            soak_write(s, RELAY_INJECT, i | (level ? RELAY_INJECT_LEVEL : 0));
        }
    }
    model_run(s->m, 1000000);
    soak_collect(s);
}

void soak_settle(struct soak *s)
{
    model_set_bus_master(s->m, true);
    for (unsigned side = 0; side <= s->ports; side++) {
        model_set_ready(s->m, side, true, true);
    }
    for (int i = 0; i < 4; i++) {
        model_run(s->m, 10000000);
        soak_collect(s);
        /* What is kept back for a time is sent. */
        s->now += s->o->acts ? EDGE_NS + 200 : 0;
        model_set_time(s->m, s->now);
    }
    model_run(s->m, 10000000);
    soak_collect(s);
    for (unsigned k = 1; k <= s->ports; k++) {
        finish_queue(s, &s->up[k].posted, k, k);
        finish_queue(s, &s->up[k].non_posted, k, k);
        finish_queue(s, &s->down[k].posted, k, MODEL_ROOT);
        finish_queue(s, &s->down[k].non_posted, k, MODEL_ROOT);
    }
    if (s->refusals_seen < s->refusals || s->refusals_seen > s->refusals + s->refusals_more) {
        soak_wrong(s, &s->r.lost, "%u requests refused, not %u", s->refusals_seen, s->refusals);
    }
    for (unsigned i = 0; i < READS; i++) {
        if (s->read[i].busy) {
            soak_wrong(s, &s->r.lost, "register %x is not answered", s->read[i].offset);
        }
    }
    settle_wires(s);
    if (s->forgot) {
        settle_forgotten(s);
        s->forgot = false;
    }
    s->tap = (s->ctrl & RELAY_CTRL_INDICATOR_FIRST) == 0;
    check_table(s);
    check_counter(s, RELAY_COUNTER_POISONED, s->im.poisoned, "POISONED");
    check_counter(s, RELAY_COUNTER_ODD, s->im.odd, "ODD");
    check_counter(s, RELAY_COUNTER_UNLISTED, s->im.unlisted, "UNLISTED");
    check_counter(s, RELAY_COUNTER_INTX_ASSERT, s->im.rises, "INTX_ASSERT");
    check_counter(s, RELAY_COUNTER_INTX_DEASSERT, s->im.falls, "INTX_DEASSERT");
    check_counter(s, RELAY_COUNTER_INTX_REPEAT, s->im.repeats, "INTX_REPEAT");
    check_counter(s, RELAY_COUNTER_UNROUTED_UR, s->refusals, "UNROUTED_UR");
    check_counter(s, RELAY_COUNTER_UNROUTED_DROPPED, s->dropped, "UNROUTED_DROPPED");
    check_counter(s, RELAY_COUNTER_REPLAYED, s->resent, "REPLAYED");
    check_counter(s, RELAY_COUNTER_UP_POSTED, s->up_count[0], "UP_POSTED");
    check_counter(s, RELAY_COUNTER_UP_NONPOSTED, s->up_count[1], "UP_NONPOSTED");
    check_counter(s, RELAY_COUNTER_UP_COMPLETION, s->up_count[2], "UP_COMPLETION");
    if (s->o->ring) {
        check_ring(s);
    }
    if (!s->o->links) {
        check_counter(s, RELAY_COUNTER_MALFORMED, s->malformed, "MALFORMED");
        check_counter(s, RELAY_COUNTER_SPOOFED, s->o->shape.bump ? 0 : s->spoofed, "SPOOFED");
    }
    acknowledge_some(s);
    if (s->o->acts) {
        force_wires(s);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants
 *
 * I1  source.count never runs ahead of SRC_COUNT: it is only ever set from a record or a register of the same
 *     entry. So nobody is reported who did not ask.
 * I2  Interrupts moved (the sum of all `fresh`) equal source.count less the count the entry had when it
 * became known (its SRC_ACKED, or 0 for an entry learned since). So none is lost, and none is reported twice,
 *     though ring and registers tell of the same interrupts.
 * I3  SRC_ACKED <= count - untaken: what no handler took stays pending in the relay, and an entry with such
 *     interrupts is never forgotten and given to another function.
 * I4  A record is used once, when its SEQ is the one expected, and RING_TAIL is told only after it was
 * copied.
 *
 * Who may overtake whom: card and processor
 *
 *     card                                   CPU (drain)
 *     1 writes words 1..7 of record e        a loads word 0, acquire
 *       and word 0, one posted write         b loads the other words
 *     2 sends the interrupt                  c compares word 7 with word 0
 *                                            d writes RING_TAIL, release
 *
 *   1 before 2: posted writes keep their order up to memory, so a CPU that got a message-signalled interrupt
 *   finds the record. For INTx the wire's message ends at the root port and no order holds beyond it: hence
 *   INDICATOR_CONFIRM, whose register read pushes 1 into memory.
 *   a before b: else b could load what the slot held before 1. The write is 32-byte aligned, and where a
 * bridge splits it nevertheless, it arrives in rising order of addresses: c then finds the old word 7, and
 * the record counts as not there yet. b before d: else the card could overwrite the slot while b reads it.
 *
 * Drain and handler
 *
 *     CPU 0 (drain)                          CPU 1 (handler of source s)
 *     1 untaken += n                         a clears bit s of pending, acquire
 *     2 sets bit s of pending, release       b n = exchange(untaken, 0)
 *
 *   1 before 2: a handler that finds the bit finds the number. a before b: a drain between the two sets the
 * bit again and at worst a later take returns 0; the other way round its bit would be cleared and its number
 * left.
 */
#include "indicator.h"

#include "relay_regs.h"

#define WHO_ENTRY                                                                                            \
    (RELAY_EVENT_WHO_SOURCE | RELAY_EVENT_WHO_KIND | RELAY_EVENT_WHO_PORT | RELAY_EVENT_WHO_REQUESTER)

enum {
    REG_ID = 0x58424753, /* "SGBX" */
    KEY_BITS = (int)(RELAY_SRC_KEY_VALID | RELAY_SRC_KEY_KIND | RELAY_SRC_KEY_PORT | RELAY_SRC_KEY_REQUESTER),
};

/* What is done for every record, under a lock that others wait for. */
#define INLINE inline __attribute__((always_inline))

/* ---- the bus --------------------------------------------------------------------------------------- */

static int bus_read(struct indicator *indicator, uint32_t offset, uint32_t *value)
{
    indicator->stats.bus_reads++;
    int error = card_read(indicator->card, offset, value);
    if (error || *value != UINT32_MAX)
        return error;
    /* All ones is what a dead link answers. Few registers can hold it: ID can't. */
    uint32_t id;
    indicator->stats.bus_reads++;
    error = card_read(indicator->card, RELAY_ID, &id);
    if (error)
        return error;
    return id == REG_ID ? 0 : CARD_GONE;
}

static int bus_write(struct indicator *indicator, uint32_t offset, uint32_t value)
{
    indicator->stats.bus_writes++;
    return card_write(indicator->card, offset, value);
}

/* ---- moving interrupts ----------------------------------------------------------------------------- */

static void set_level(struct indicator *indicator, unsigned index, bool level)
{
    const uint32_t bit = 1u << (index % 32);
    indicator->source[index].level = level;
    if (level)
        __atomic_fetch_or(&indicator->high[index / 32], bit, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&indicator->high[index / 32], ~bit, __ATOMIC_RELEASE);
}

/* What was moved for a source and not taken stays: the function did ask. */
static void forget_source(struct indicator *indicator, unsigned index)
{
    indicator->source[index].known = false;
    set_level(indicator, index, false);
}

/* How a record names the entry. */
static uint32_t who_of(unsigned index, uint32_t key)
{
    return RELAY_PUT(RELAY_EVENT_WHO_SOURCE, index) |
           RELAY_PUT(RELAY_EVENT_WHO_KIND, RELAY_GET(key, RELAY_SRC_KEY_KIND)) |
           RELAY_PUT(RELAY_EVENT_WHO_PORT, RELAY_GET(key, RELAY_SRC_KEY_PORT)) |
           RELAY_PUT(RELAY_EVENT_WHO_REQUESTER, RELAY_GET(key, RELAY_SRC_KEY_REQUESTER));
}

/*
 * An entry becomes known, with the count up to which its interrupts are settled. Where its place belonged to
 * another function before, what that one asked must not be told as the new one's.
 */
static void adopt_source(struct indicator *indicator, unsigned index, const struct indicator_source *entry)
{
    struct indicator_source *source = &indicator->source[index];
    if (source->key != entry->key || source->address != entry->address || source->data != entry->data) {
        __atomic_fetch_and(&indicator->pending[index / 32], ~(1u << (index % 32)), __ATOMIC_ACQ_REL);
        indicator->stats.discarded += __atomic_exchange_n(&source->untaken, 0, __ATOMIC_ACQ_REL);
    }
    source->known = true;
    set_level(indicator, index, false);
    source->key = entry->key;
    source->who = who_of(index, entry->key);
    source->address = entry->address;
    source->data = entry->data;
    source->count = entry->count;
    source->acked = entry->count;
}

static bool wire_is_high(uint32_t wires, const struct indicator_source *source)
{
    const unsigned port = RELAY_GET(source->key, RELAY_SRC_KEY_PORT);
    return port > 0 && wires >> (4 * (port - 1) + (unsigned)(source->address & 3)) & 1;
}

static bool is_intx(const struct indicator_source *source)
{
    return RELAY_GET(source->key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX;
}

static void move(struct indicator *indicator, unsigned index, uint32_t fresh)
{
    if (fresh == 0)
        return;
    __atomic_fetch_add(&indicator->source[index].untaken, fresh, __ATOMIC_RELAXED);
    __atomic_fetch_or(&indicator->pending[index / 32], 1u << (index % 32), __ATOMIC_RELEASE);
}

static void report(struct indicator *indicator, const struct indicator_event *event)
{
    if (indicator->listener)
        indicator->listener(indicator->listener_context, event);
}

static uint64_t join(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* ---- the ring -------------------------------------------------------------------------------------- */

enum record_state { RECORD_NONE, RECORD_NEW, RECORD_GAP };

static INLINE enum record_state copy_record(const struct indicator *indicator, struct relay_event *copy)
{
    const uint32_t expected = indicator->expected, size = indicator->ring_size;
    const volatile struct relay_event *slot = &indicator->ring.events[(expected - 1) & (size - 1)];
    copy->seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
    if (copy->seq != expected) {
        const bool old = copy->seq == 0 || copy->seq == expected - size;
        return old ? RECORD_NONE : RECORD_GAP;
    }
    copy->who = slot->who;
    copy->addr_lo = slot->addr_lo;
    copy->addr_hi = slot->addr_hi;
    copy->data = slot->data;
    copy->time_lo = slot->time_lo;
    copy->time_hi = slot->time_hi;
    copy->check = slot->check;
    return RELAY_GET(copy->check, RELAY_EVENT_CHECK_SEQ) == (copy->seq & 0xffff) ? RECORD_NEW : RECORD_NONE;
}

/* The entry's key as an event names it. */
static uint32_t event_key(uint32_t who)
{
    return RELAY_SRC_KEY_VALID | RELAY_PUT(RELAY_SRC_KEY_KIND, RELAY_GET(who, RELAY_EVENT_WHO_KIND)) |
           RELAY_PUT(RELAY_SRC_KEY_PORT, RELAY_GET(who, RELAY_EVENT_WHO_PORT)) |
           RELAY_PUT(RELAY_SRC_KEY_REQUESTER, RELAY_GET(who, RELAY_EVENT_WHO_REQUESTER));
}

static INLINE bool is_of(const struct indicator_source *source, const struct relay_event *record)
{
    return source->known && ((source->who ^ record->who) & WHO_ENTRY) == 0 &&
           source->address == join(record->addr_lo, record->addr_hi) && source->data == record->data;
}

/* Not inlined: a record is of a known entry but once, and stays in registers so. */
static __attribute__((noinline)) void adopt_record(struct indicator *indicator, unsigned index, uint32_t key,
                                                   uint64_t address, uint32_t data)
{
    adopt_source(indicator, index, &(struct indicator_source){.key = key, .address = address, .data = data});
}

/* How many interrupts a listed source's record adds to what is known of it (I2). */
static INLINE uint32_t learn_from_record(struct indicator *indicator, const struct relay_event *record,
                                         unsigned index)
{
    struct indicator_source *source = &indicator->source[index];
    if (!is_of(source, record))
        adopt_record(indicator, index, event_key(record->who), join(record->addr_lo, record->addr_hi),
                     record->data);
    /*
     * The record carries the low half of the count. Not after the known one: the registers told of it
     * already. Far after it: events were missed, the status record says so, and the registers tell the rest.
     */
    const uint16_t low = (uint16_t)RELAY_GET(record->check, RELAY_EVENT_CHECK_COUNT);
    const int16_t ahead = (int16_t)(uint16_t)(low - (uint16_t)source->count);
    if (is_intx(source))
        set_level(indicator, index, record->who & RELAY_EVENT_WHO_LEVEL);
    if (ahead <= 0)
        return 0;
    source->count = source->count + (uint16_t)ahead;
    return (uint16_t)ahead;
}

static INLINE void report_record(struct indicator *indicator, const struct relay_event *record,
                                 uint32_t fresh)
{
    report(indicator, &(struct indicator_event){
                          .who = record->who,
                          .data = record->data,
                          .address = join(record->addr_lo, record->addr_hi),
                          .time_ns = join(record->time_lo, record->time_hi),
                          .fresh = fresh,
                      });
}

static INLINE uint32_t use_record(struct indicator *indicator, const struct relay_event *record)
{
    const unsigned index = RELAY_GET(record->who, RELAY_EVENT_WHO_SOURCE);
    const unsigned kind = RELAY_GET(record->who, RELAY_EVENT_WHO_KIND);
    const bool listed = index < indicator->sources;
    const bool fell = kind == RELAY_SRC_KEY_KIND_INTX && !(record->who & RELAY_EVENT_WHO_LEVEL);
    uint32_t fresh = !fell;
    indicator->stats.events++;
    if (kind > RELAY_SRC_KEY_KIND_INTX || (!listed && index != INDICATOR_UNLISTED)) {
        indicator->stats.bad++;
        return 0;
    }
    if (!listed) {
        indicator->stats.unlisted += fresh;
    } else {
        fresh = learn_from_record(indicator, record, index);
        if (fresh == 0 && !fell) {
            indicator->stats.stale++;
            return 0;
        }
        move(indicator, index, fresh);
    }
    report_record(indicator, record, fresh);
    return fresh;
}

/* A wire that fell, of an entry whose interrupts are all known: nobody waits for this record. */
static INLINE bool tells_nobody(const struct indicator *indicator, const struct relay_event *record)
{
    const unsigned index = RELAY_GET(record->who, RELAY_EVENT_WHO_SOURCE);
    const struct indicator_source *source = &indicator->source[index % INDICATOR_SOURCES];
    return index < indicator->sources && !(record->who & RELAY_EVENT_WHO_LEVEL) && is_of(source, record) &&
           is_intx(source) && RELAY_GET(record->check, RELAY_EVENT_CHECK_COUNT) == (source->count & 0xffff);
}

/*
 * Takes records until there is no new one, or (settle) one that is not told to nobody. False where the ring
 * does not hold what it should.
 */
static INLINE bool take_records(struct indicator *indicator, bool settle, uint32_t *moved)
{
    for (;;) {
        struct relay_event record;
        switch (copy_record(indicator, &record)) {
        case RECORD_NONE:
            return true;
        case RECORD_GAP:
            indicator->stats.gaps += !settle;
            return false;
        case RECORD_NEW:
            if (settle && !tells_nobody(indicator, &record))
                return true;
            indicator->expected++;
            *moved += use_record(indicator, &record);
            break;
        }
    }
}

/* Where it is not looked at for the first time. */
static __attribute__((noinline)) bool empty_ring(struct indicator *indicator, uint32_t *moved)
{
    return take_records(indicator, false, moved);
}

/* A quarter of the ring at a time: the card needs to know of space, not of every record. */
static int tell_tail(struct indicator *indicator)
{
    const uint32_t tail = indicator->expected - 1;
    if (tail - indicator->tail_told < indicator->ring_size / 4)
        return 0;
    /* I4 */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    indicator->tail_told = tail;
    return bus_write(indicator, RELAY_RING_TAIL, tail);
}

/* ---- the registers --------------------------------------------------------------------------------- */

static int learn_entry(struct indicator *indicator, unsigned index, uint32_t key)
{
    uint32_t low, high, data, acked;
    int error = 0;
    if ((error = bus_read(indicator, RELAY_SRC_ADDR_LO(index), &low)) ||
        (error = bus_read(indicator, RELAY_SRC_ADDR_HI(index), &high)) ||
        (error = bus_read(indicator, RELAY_SRC_DATA(index), &data)) ||
        (error = bus_read(indicator, RELAY_SRC_ACKED(index), &acked)))
        return error;
    adopt_source(
        indicator, index,
        &(struct indicator_source){.key = key, .address = join(low, high), .data = data, .count = acked});
    return 0;
}

static int ask_source(struct indicator *indicator, unsigned index, uint32_t wires, uint32_t *moved)
{
    struct indicator_source *source = &indicator->source[index];
    uint32_t key, count;
    int error = bus_read(indicator, RELAY_SRC_KEY(index), &key);
    if (error)
        return error;
    if (!(key & RELAY_SRC_KEY_VALID)) {
        if (source->known)
            forget_source(indicator, index);
        return 0;
    }
    key &= (uint32_t)KEY_BITS;
    if ((!source->known || source->key != key) && (error = learn_entry(indicator, index, key)))
        return error;
    if ((error = bus_read(indicator, RELAY_SRC_COUNT(index), &count)))
        return error;

    struct indicator_event event = {
        .who = source->who,
        .data = source->data,
        .address = source->address,
    };
    /* A count that went back began anew: the entry was dropped and taken again, or the card was reset. */
    if ((int32_t)(count - source->count) < 0)
        source->count = source->acked = 0;
    event.fresh = count - source->count;
    source->count = count;

    event.level = is_intx(source) && wire_is_high(wires, source);
    const bool changed = event.level != source->level;
    set_level(indicator, index, event.level);
    move(indicator, index, event.fresh);
    *moved += event.fresh;
    if (event.fresh || changed)
        report(indicator, &event);
    return 0;
}

/* Interrupts without an entry: the registers hold their number, and the last one's message. */
static int ask_unlisted(struct indicator *indicator, uint32_t *moved)
{
    uint32_t count, who, low, high, data;
    int error = bus_read(indicator, RELAY_COUNTER(RELAY_COUNTER_UNLISTED), &count);
    if (error || count == indicator->unlisted)
        return error;
    const uint32_t fresh = count - indicator->unlisted;
    indicator->unlisted = count;
    if ((error = bus_read(indicator, RELAY_UNLISTED_WHO, &who)) ||
        (error = bus_read(indicator, RELAY_UNLISTED_ADDR_LO, &low)) ||
        (error = bus_read(indicator, RELAY_UNLISTED_ADDR_HI, &high)) ||
        (error = bus_read(indicator, RELAY_UNLISTED_DATA, &data)))
        return error;
    indicator->stats.unlisted += fresh;
    *moved += fresh;
    if (!(who & RELAY_SRC_KEY_VALID))
        return 0;
    /* Only the last one is known by name: it is told as one, whatever their number. */
    report(indicator, &(struct indicator_event){
                          .who = who_of(INDICATOR_UNLISTED, who),
                          .data = data,
                          .address = join(low, high),
                          .fresh = 1,
                      });
    return 0;
}

/*
 * Asks the registers about pending sources, or about all. An INTx wire may have fallen on a source that is
 * not pending, so levels are taken for all that are known.
 */
static int sweep(struct indicator *indicator, bool all, uint32_t *moved)
{
    uint32_t wires, pending = 0;
    int error = bus_read(indicator, RELAY_WIRES_IN, &wires);
    for (unsigned i = 0; !error && i < indicator->sources; i++) {
        if (i % 32 == 0 && !all && (error = bus_read(indicator, RELAY_PENDING(i / 32), &pending)))
            break;
        const struct indicator_source *source = &indicator->source[i];
        const bool changed = source->known && is_intx(source) && wire_is_high(wires, source) != source->level;
        if (all || pending >> (i % 32) & 1 || changed)
            error = ask_source(indicator, i, wires, moved);
    }
    if (!error && !indicator->ring_on)
        error = ask_unlisted(indicator, moved);
    return error;
}

/* ---- start, stop ----------------------------------------------------------------------------------- */

/*
 * Sets the ring up from nothing. Records of its former life may still be under way: they are in memory once a
 * read has come back, and are wiped after that.
 */
static int start_ring(struct indicator *indicator)
{
    const struct card_ring *ring = &indicator->ring;
    uint32_t flushed;
    int error = 0;
    if ((error = bus_write(indicator, RELAY_RING_CTRL, 0)) ||
        (error = bus_read(indicator, RELAY_RING_CTRL, &flushed)))
        return error;
    for (uint32_t i = 0; i < 1u << indicator->ring_log2; i++) {
        ring->events[i].seq = 0;
        ring->events[i].check = 0;
    }
    ring->status->head = 0;
    ring->status->missed = 0;
    indicator->expected = 1;
    indicator->tail_told = 0;
    indicator->missed = 0;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if ((error = bus_write(indicator, RELAY_RING_BASE_LO, (uint32_t)ring->events_bus)) ||
        (error = bus_write(indicator, RELAY_RING_BASE_HI, (uint32_t)(ring->events_bus >> 32))) ||
        (error = bus_write(indicator, RELAY_RING_STATUS_LO, (uint32_t)ring->status_bus)) ||
        (error = bus_write(indicator, RELAY_RING_STATUS_HI, (uint32_t)(ring->status_bus >> 32))) ||
        (error = bus_write(indicator, RELAY_RING_TAIL, 0)))
        return error;
    return bus_write(indicator, RELAY_RING_CTRL,
                     RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, indicator->ring_log2));
}

/* Ring first, registers after it: an interrupt in between is told by both, and counted once (I2). */
static int start(struct indicator *indicator, uint32_t *moved)
{
    int error = 0;
    if (indicator->ring_on && (error = start_ring(indicator)))
        return error;
    return sweep(indicator, true, moved);
}

static int identify(struct indicator *indicator)
{
    uint32_t id, version, shape;
    int error = 0;
    if ((error = bus_read(indicator, RELAY_ID, &id)))
        return error;
    if (id != REG_ID)
        return id == UINT32_MAX ? CARD_GONE : CARD_FOREIGN;
    if ((error = bus_read(indicator, RELAY_VERSION, &version)) ||
        (error = bus_read(indicator, RELAY_CAPS, &indicator->caps)) ||
        (error = bus_read(indicator, RELAY_SHAPE, &shape)))
        return error;
    if (RELAY_GET(version, RELAY_VERSION_MAJOR) != RELAY_MAP_MAJOR)
        return CARD_FOREIGN;
    indicator->sources = RELAY_GET(shape, RELAY_SHAPE_SOURCES);
    indicator->ports = RELAY_GET(shape, RELAY_SHAPE_PORTS);
    return indicator->sources <= INDICATOR_SOURCES ? 0 : CARD_FOREIGN;
}

int indicator_open(struct indicator *indicator, struct card *card, unsigned ring_log2,
                   indicator_listener listener, void *context)
{
    *indicator = (struct indicator){.card = card,
                                    .ring_log2 = ring_log2,
                                    .ring_size = 1u << ring_log2,
                                    .listener = listener,
                                    .listener_context = context};
    int error = identify(indicator);
    if (error)
        return error;
    if (ring_log2 && card->ops->ring_memory && indicator->caps & RELAY_CAPS_RING)
        indicator->ring_on = card->ops->ring_memory(card, ring_log2, &indicator->ring) == 0;
    if (!indicator->ring_on &&
        (error = bus_read(indicator, RELAY_COUNTER(RELAY_COUNTER_UNLISTED), &indicator->unlisted)))
        return error;
    uint32_t moved = 0;
    return start(indicator, &moved);
}

void indicator_close(struct indicator *indicator)
{
    uint32_t flushed;
    if (indicator->ring_on && bus_write(indicator, RELAY_RING_CTRL, 0) == 0)
        (void)bus_read(indicator, RELAY_RING_CTRL, &flushed);
    indicator->ring_on = false;
}

/* ---- use ------------------------------------------------------------------------------------------- */

/* The number moved as a result that can't be taken for an error. */
static int result(int error, uint32_t moved)
{
    return error ? error : moved > INT32_MAX ? INT32_MAX : (int)moved;
}

/* A reset emptied the source table: the same place may hold another entry, or the same one counting anew. */
static int start_after_reset(struct indicator *indicator, uint32_t *moved)
{
    indicator->stats.resets++;
    indicator->stats.resyncs++;
    for (unsigned i = 0; i < indicator->sources; i++)
        forget_source(indicator, i);
    return start(indicator, moved);
}

/* One register read, which also pushes what was written before. A card that was reset has its ring off. */
static int ask_whether_reset(struct indicator *indicator, bool *reset)
{
    uint32_t control;
    const int error = bus_read(indicator, RELAY_RING_CTRL, &control);
    *reset = !error && !(control & RELAY_RING_CTRL_ENABLE);
    return error;
}

/* The ring does not hold what it should. */
static int start_again(struct indicator *indicator, uint32_t *moved)
{
    bool reset;
    const int error = ask_whether_reset(indicator, &reset);
    if (error)
        return error;
    if (reset)
        return start_after_reset(indicator, moved);
    indicator->stats.resyncs++;
    return start(indicator, moved);
}

static bool overflowed(struct indicator *indicator)
{
    const uint32_t missed = __atomic_load_n(&indicator->ring.status->missed, __ATOMIC_ACQUIRE);
    if (missed == indicator->missed)
        return false;
    indicator->stats.missed += missed - indicator->missed;
    indicator->missed = missed;
    return true;
}

/* Events were missed, or nothing was found. Not inlined: it is rare, and takes what registers there are. */
static __attribute__((noinline)) int drain_more(struct indicator *indicator, enum indicator_hint hint,
                                                bool missed, uint32_t *moved)
{
    int error = 0;
    bool reset;
    if (missed) {
        if ((error = ask_whether_reset(indicator, &reset)))
            return error;
        if (reset)
            return start_after_reset(indicator, moved);
        indicator->stats.resyncs++;
        if ((error = tell_tail(indicator)) || (error = sweep(indicator, false, moved)))
            return error;
        if (!empty_ring(indicator, moved))
            return start_again(indicator, moved);
    }
    if (*moved == 0 && hint == INDICATOR_CONFIRM) {
        if ((error = ask_whether_reset(indicator, &reset)))
            return error;
        if (reset)
            return start_after_reset(indicator, moved);
        if (!empty_ring(indicator, moved))
            return start_again(indicator, moved);
        indicator->stats.spurious += *moved == 0;
    }
    return tell_tail(indicator);
}

/*
 * The ring first, then its status: an event is missed only while the ring is full, and the status is written
 * before the interrupt of that event, so whoever was called for it sees the status change here.
 */
static INLINE int drain_ring(struct indicator *indicator, enum indicator_hint hint, uint32_t *moved)
{
    if (!take_records(indicator, false, moved))
        return start_again(indicator, moved);
    const bool missed = overflowed(indicator);
    if (missed || (*moved == 0 && hint == INDICATOR_CONFIRM))
        return drain_more(indicator, hint, missed, moved);
    return tell_tail(indicator);
}

int indicator_drain(struct indicator *indicator, enum indicator_hint hint)
{
    uint32_t moved = 0;
    indicator->stats.drains++;
    if (indicator->ring_on) {
        const int error = drain_ring(indicator, hint, &moved);
        return result(error, moved);
    }
    const int error = sweep(indicator, false, &moved);
    indicator->stats.spurious += !error && moved == 0 && hint == INDICATOR_CONFIRM;
    return result(error, moved);
}

int indicator_scan(struct indicator *indicator)
{
    uint32_t moved = 0;
    const int error = sweep(indicator, true, &moved);
    return result(error, moved);
}

void indicator_settle(struct indicator *indicator)
{
    uint32_t moved = 0;
    if (indicator->ring_on)
        (void)take_records(indicator, true, &moved);
}

uint32_t indicator_take(struct indicator *indicator, unsigned source)
{
    __atomic_fetch_and(&indicator->pending[source / 32], ~(1u << (source % 32)), __ATOMIC_ACQ_REL);
    return __atomic_exchange_n(&indicator->source[source].untaken, 0, __ATOMIC_ACQ_REL);
}

int indicator_ack(struct indicator *indicator, unsigned index)
{
    if (index >= indicator->sources || !indicator->source[index].known)
        return CARD_REFUSED;
    struct indicator_source *source = &indicator->source[index];
    const uint32_t taken = source->count - __atomic_load_n(&source->untaken, __ATOMIC_ACQUIRE);
    if (taken == source->acked)
        return 0;
    source->acked = taken;
    return bus_write(indicator, RELAY_SRC_ACKED(index), taken);
}

int indicator_forget(struct indicator *indicator)
{
    int error = bus_write(indicator, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    return error ? error : indicator_scan(indicator);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The indicator reader on the relay of the register map. */
#include "indicator.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "paper_relay.h"

static struct paper_relay relay;
static struct indicator reader;
static struct indicator_event events[256];
static unsigned n_events;

static void listen(void *context, const struct indicator_event *event)
{
    (void)context;
    events[n_events++ % 256] = *event;
}

static void open_reader(bool has_ring)
{
    paper_open(&relay, has_ring);
    n_events = 0;
    cr_assert_eq(indicator_open(&reader, &relay.card, has_ring ? 4 : 0, listen, NULL), 0);
    relay.reads = relay.writes = 0;
}

static void all_delivered(void)
{
    paper_deliver(&relay, UINT32_MAX);
}

Test(indicator, a_ring_drain_reads_no_register)
{
    open_reader(true);
    for (unsigned i = 0; i < 8; i++) {
        paper_message(&relay, 1 + i % 4, (uint16_t)(0x100 + i), 0xfee00000, 0x4020 + i);
        all_delivered();
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
        cr_assert(indicator_pending(&reader, i));
        cr_assert_eq(indicator_take(&reader, i), 1);
        cr_assert_eq(indicator_take(&reader, i), 0);
        cr_assert_eq(indicator_ack(&reader, i), 0);
        cr_assert_eq(relay.source[i].acked, 1);
    }
    cr_assert_eq(relay.reads, 0);
    cr_assert_eq(relay.writes, 8 + 2, "an acknowledge each, and RING_TAIL for every quarter of the ring");
    cr_assert_eq(events[7].requester, 0x107);
    cr_assert_eq(events[7].data, 0x4027);
    cr_assert_eq(events[7].time_ns, 64);
}

Test(indicator, registers_serve_where_there_is_no_ring)
{
    open_reader(false);
    paper_message(&relay, 2, 0x102, 0x1fee00000, 0x4021);
    paper_message(&relay, 2, 0x102, 0x1fee00000, 0x4021);
    paper_wire(&relay, 3, 0x100, 1, true);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 3);
    cr_assert_eq(indicator_take(&reader, 0), 2);
    cr_assert_eq(reader.source[0].address, 0x1fee00000);
    cr_assert_eq(indicator_take(&reader, 1), 1);
    cr_assert(reader.source[1].level);
    cr_assert_eq(indicator_ack(&reader, 0), 0);
    cr_assert_eq(indicator_ack(&reader, 1), 0);

    relay.reads = 0;
    paper_message(&relay, 2, 0x102, 0x1fee00000, 0x4021);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    cr_assert_eq(relay.reads, 3 + 2, "wires, pending, unlisted; key and count of the one that is pending");

    paper_wire(&relay, 3, 0x100, 1, false);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 0);
    cr_assert_not(reader.source[1].level);
    cr_assert_not(events[(n_events - 1) % 256].level);
}

Test(indicator, what_was_pending_before_is_found_at_the_start)
{
    for (int ring = 0; ring <= 1; ring++) {
        paper_open(&relay, ring);
        for (unsigned i = 0; i < 70000; i++)
            paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        relay.source[0].acked = 69000;
        paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021);
        relay.source[1].acked = 1;
        cr_assert_eq(indicator_open(&reader, &relay.card, 4, NULL, NULL), 0);
        cr_assert_eq(reader.ring_on, ring);
        cr_assert_eq(indicator_take(&reader, 0), 1000);
        cr_assert_not(indicator_pending(&reader, 1));
        /* The ring's records carry the low half of a count of which the upper half is known. */
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        all_delivered();
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
        cr_assert_eq(indicator_take(&reader, 0), 1);
        indicator_ack(&reader, 0);
        cr_assert_eq(relay.source[0].acked, 70001);
    }
}

Test(indicator, the_count_crosses_16_and_32_bits)
{
    open_reader(true);
    paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    relay.source[0].count = UINT32_MAX - 2;
    relay.source[0].acked = UINT32_MAX - 2;
    reader.source[0].known = false;
    indicator_close(&reader);
    cr_assert_eq(indicator_open(&reader, &relay.card, 4, NULL, NULL), 0);
    for (unsigned i = 0; i < 5; i++) {
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        all_delivered();
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
        cr_assert_eq(indicator_take(&reader, 0), 1);
        indicator_ack(&reader, 0);
        cr_assert_eq(relay.source[0].acked, relay.source[0].count);
    }
    cr_assert_eq(relay.source[0].count, 2);
}

Test(indicator, an_interrupt_before_its_record_is_confirmed_by_one_read)
{
    open_reader(true);
    paper_wire(&relay, 1, 0x100, 0, true);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 0, "the record is under way");
    cr_assert_eq(relay.reads, 0);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), 1);
    cr_assert_eq(relay.reads, 1);
    cr_assert_eq(indicator_take(&reader, 0), 1);
    cr_assert_eq(reader.stats.spurious, 0);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), 0);
    cr_assert_eq(reader.stats.spurious, 1);
}

Test(indicator, a_full_ring_loses_nothing)
{
    open_reader(true);
    for (unsigned i = 0; i < 100; i++)
        paper_message(&relay, 1 + i % 3, (uint16_t)(0x100 + i % 3), 0xfee00000, 0x4020);
    all_delivered();
    cr_assert_eq(relay.missed, 84);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 100);
    cr_assert_eq(reader.stats.missed, 84);
    cr_assert_eq(reader.stats.resyncs, 1);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(indicator_take(&reader, i), i == 0 ? 34 : 33);
    relay.reads = 0;
    paper_message(&relay, 1, 0x100, 0xfee00000, 0x4020);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1, "the ring serves again");
    cr_assert_eq(relay.reads, 0);
}

Test(indicator, a_wire_that_fell_unrecorded_is_low)
{
    open_reader(true);
    paper_wire(&relay, 1, 0x100, 0, true);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    indicator_take(&reader, 0);
    indicator_ack(&reader, 0);
    cr_assert(reader.source[0].level);
    for (unsigned i = 0; i < 15; i++)
        paper_message(&relay, 2, 0x102, 0xfee00000, 0x4020);
    paper_wire(&relay, 1, 0x100, 0, false);
    all_delivered();
    indicator_drain(&reader, INDICATOR_POLL);
    cr_assert_geq(reader.stats.missed, 1);
    cr_assert_not(reader.source[0].level);
}

Test(indicator, a_wire_that_fell_is_taken_ahead_and_nothing_else)
{
    open_reader(true);
    paper_wire(&relay, 1, 0x100, 0, true);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    cr_assert_eq(indicator_take(&reader, 0), 1);
    paper_wire(&relay, 1, 0x100, 0, false);
    paper_wire(&relay, 1, 0x100, 0, true);
    paper_wire(&relay, 1, 0x100, 0, false);
    all_delivered();
    relay.reads = relay.writes = 0;
    const unsigned before = n_events;
    for (unsigned i = 0; i < 2; i++) {
        indicator_settle(&reader);
        cr_assert_not(reader.source[0].level);
        cr_assert_eq(n_events, before + 1);
        cr_assert_not(indicator_pending(&reader, 0));
        cr_assert_eq(relay.writes, 0);
    }
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1, "it rose once more: that is for the drain");
    cr_assert_eq(n_events, before + 3);
    cr_assert_eq(relay.reads, 0);
}

Test(indicator, a_torn_record_is_not_there_yet)
{
    open_reader(true);
    paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    all_delivered();
    relay.memory[0].check ^= 1;
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 0);
    relay.memory[0].check ^= 1;
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
}

Test(indicator, a_lap_is_a_lap)
{
    open_reader(true);
    for (unsigned i = 0; i < 1000; i++) {
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        all_delivered();
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    }
    cr_assert_eq(relay.missed, 0);
    cr_assert_eq(indicator_take(&reader, 0), 1000);
}

Test(indicator, a_reset_is_found_and_mended)
{
    open_reader(true);
    for (unsigned i = 0; i < 5; i++)
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 5);
    paper_reset(&relay);
    paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021); /* takes the place of the first */
    cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), 1);
    cr_assert_eq(reader.stats.resets, 1);
    cr_assert_eq(indicator_take(&reader, 0), 1, "not the five of the place's former owner");
    cr_assert_eq(reader.stats.discarded, 5);
    cr_assert_eq(reader.source[0].key >> 16, 0x102);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 0, "records of the former life are wiped");
    paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1, "the ring is on again");
}

Test(indicator, a_reset_is_found_by_registers_too)
{
    open_reader(false);
    for (unsigned i = 0; i < 5; i++)
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 5);
    cr_assert_eq(indicator_take(&reader, 0), 5);
    indicator_ack(&reader, 0);
    paper_reset(&relay);
    for (unsigned i = 0; i < 2; i++)
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 2);
    cr_assert_eq(indicator_take(&reader, 0), 2);
    indicator_ack(&reader, 0);
    cr_assert_eq(relay.source[0].acked, 2);
}

Test(indicator, a_dead_card_is_said_and_comes_back)
{
    for (int ring = 0; ring <= 1; ring++) {
        open_reader(ring);
        relay.dead = true;
        cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), CARD_GONE);
        for (unsigned i = 0; i < PAPER_SOURCES; i++)
            cr_assert_not(indicator_pending(&reader, i));
        relay.dead = false;
        paper_reset(&relay);
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), 1);
    }
    relay.dead = true;
    cr_assert_eq(indicator_open(&reader, &relay.card, 0, NULL, NULL), CARD_GONE);
}

Test(indicator, sequence_numbers_from_nowhere_start_the_ring_anew)
{
    open_reader(true);
    paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    relay.memory[1].seq = 12345;
    relay.memory[1].check = 12345;
    paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1, "the registers tell what the ring did not");
    cr_assert_eq(reader.stats.gaps, 1);
    cr_assert_eq(indicator_take(&reader, 0), 1);
    cr_assert_eq(indicator_take(&reader, 1), 1);
    paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
}

Test(indicator, impossible_records_are_counted_and_told_to_nobody)
{
    open_reader(true);
    for (unsigned i = 0; i < 2; i++) {
        paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
        all_delivered();
        relay.memory[i].who = i ? relay.memory[i].who | RELAY_EVENT_WHO_KIND : 0x50;
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 0);
        cr_assert_eq(reader.stats.bad, i + 1);
    }
    cr_assert_eq(n_events, 0);
}

Test(indicator, unlisted_interrupts_carry_their_requester)
{
    for (int ring = 0; ring <= 1; ring++) {
        open_reader(ring);
        relay.learn = false;
        paper_message(&relay, 3, 0x543, 0xfee00000, 0x4099);
        all_delivered();
        cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
        cr_assert_eq(reader.stats.unlisted, 1);
        cr_assert_eq(n_events, 1);
        cr_assert_eq(events[0].source, INDICATOR_UNLISTED);
        cr_assert_eq(events[0].requester, 0x543);
        cr_assert_eq(events[0].data, 0x4099);
        for (unsigned i = 0; i < PAPER_SOURCES; i++)
            cr_assert_not(indicator_pending(&reader, i));
    }
}

Test(indicator, what_nobody_took_is_not_acknowledged_nor_forgotten)
{
    open_reader(true);
    paper_message(&relay, 1, 0x101, 0xfee00000, 0x4020);
    paper_message(&relay, 2, 0x102, 0xfee00000, 0x4021);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 2);
    cr_assert_eq(indicator_ack(&reader, 0), 0);
    cr_assert_eq(relay.source[0].acked, 0);
    cr_assert_eq(indicator_take(&reader, 1), 1);
    cr_assert_eq(indicator_ack(&reader, 1), 0);
    cr_assert_eq(indicator_forget(&reader), 0);
    cr_assert(relay.source[0].valid);
    cr_assert_not(relay.source[1].valid);
    cr_assert_not(reader.source[1].known);
    paper_message(&relay, 3, 0x103, 0xfee00000, 0x4022);
    all_delivered();
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    cr_assert_eq(reader.source[1].key >> 16, 0x103);
    cr_assert_eq(indicator_ack(&reader, 5), CARD_REFUSED);
    cr_assert_eq(indicator_ack(&reader, 1000), CARD_REFUSED);
}

Test(indicator, a_foreign_device_is_refused)
{
    paper_open(&relay, true);
    relay.id = 0x12345678;
    cr_assert_eq(indicator_open(&reader, &relay.card, 4, NULL, NULL), CARD_FOREIGN);
    relay.id = 0x58424753;
    relay.version = (RELAY_MAP_MAJOR + 1) << 16;
    cr_assert_eq(indicator_open(&reader, &relay.card, 4, NULL, NULL), CARD_FOREIGN);
    cr_assert_eq(relay.writes, 0, "nothing is written to what is not known");
}

/* ---- at random ------------------------------------------------------------------------------------- */

enum { FUNCTIONS = 12, STEPS = 300000 };

static struct {
    uint64_t asked[FUNCTIONS], taken[FUNCTIONS];
    bool level[FUNCTIONS];
} truth;

/* Functions 0..7 send messages, 8..11 drive a wire. More than there are entries: they come and go. */
static void raise_one(unsigned function)
{
    if (function < 8) {
        paper_message(&relay, 1 + function % 4, (uint16_t)(0x100 + function), 0xfee00000 + function,
                      function);
        truth.asked[function]++;
    } else {
        truth.level[function] = !truth.level[function];
        paper_wire(&relay, 1 + function % 4, (uint16_t)(0x100 + function), 0, truth.level[function]);
        truth.asked[function] += truth.level[function];
    }
}

static void take_all(void)
{
    for (unsigned i = 0; i < PAPER_SOURCES; i++) {
        const uint32_t n = indicator_take(&reader, i);
        if (n == 0)
            continue;
        const unsigned function = reader.source[i].key >> 16 & 0xff;
        cr_assert_lt(function, FUNCTIONS);
        truth.taken[function] += n;
        cr_assert_leq(truth.taken[function], truth.asked[function], "function %u did not ask", function);
    }
}

static uint64_t unlisted_heard;

static void count_unlisted(void *context, const struct indicator_event *event)
{
    (void)context;
    if (event->source != INDICATOR_UNLISTED)
        return;
    unlisted_heard += event->fresh;
    truth.taken[event->requester & 0xff] += event->fresh;
}

static void random_run(unsigned seed, bool ring)
{
    unsigned long state = seed * 2654435761u + 1;
    memset(&truth, 0, sizeof truth);
    unlisted_heard = 0;
    paper_open(&relay, ring);
    cr_assert_eq(indicator_open(&reader, &relay.card, ring ? 4 : 0, count_unlisted, NULL), 0);
    for (unsigned step = 0; step < STEPS; step++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const unsigned pick = (unsigned)(state >> 40);
        /* At most as many functions at a time as there are entries; a second crowd after a forget. */
        const unsigned crowd = step / 1000 % 2 * 4;
        switch (pick % 32) {
        default:
            raise_one(crowd + pick / 32 % 8);
            break;
        case 16 ... 19:
            paper_deliver(&relay, pick / 32 % 5);
            break;
        case 20 ... 23:
            cr_assert_geq(indicator_drain(&reader, pick & 64 ? INDICATOR_CONFIRM : INDICATOR_POLL), 0);
            break;
        case 24 ... 26:
            take_all();
            break;
        case 27 ... 30:
            for (unsigned i = 0; i < PAPER_SOURCES; i++)
                if (reader.source[i].known)
                    cr_assert_eq(indicator_ack(&reader, i), 0);
            break;
        case 31:
            if (pick / 32 % 16 == 0)
                cr_assert_geq(indicator_drain(&reader, INDICATOR_CONFIRM), 0);
            break;
        }
        if (step % 1000 ==
            999) { /* the crowd leaves: wires down, all taken and acknowledged, entries dropped */
            for (unsigned f = 8; f < FUNCTIONS; f++)
                if (truth.level[f])
                    raise_one(f);
            paper_deliver(&relay, UINT32_MAX);
            cr_assert_geq(indicator_drain(&reader, INDICATOR_CONFIRM), 0);
            take_all();
            for (unsigned f = 0; f < FUNCTIONS; f++)
                cr_assert_eq(truth.taken[f], truth.asked[f],
                             "seed %u, step %u: function %u asked %lu, %lu told", seed, step, f,
                             truth.asked[f], truth.taken[f]);
            for (unsigned i = 0; i < PAPER_SOURCES; i++)
                if (reader.source[i].known)
                    cr_assert_eq(indicator_ack(&reader, i), 0);
            cr_assert_geq(indicator_forget(&reader), 0);
        }
    }
    cr_assert_eq(unlisted_heard, 0);
    cr_assert_eq(reader.stats.discarded, 0);
    if (ring)
        cr_assert_gt(reader.stats.missed, 100, "the run must meet full rings");
}

Test(indicator, random_with_ring)
{
    for (unsigned seed = 1; seed <= 4; seed++)
        random_run(seed, true);
}

Test(indicator, random_without_ring)
{
    for (unsigned seed = 1; seed <= 4; seed++)
        random_run(seed, false);
}

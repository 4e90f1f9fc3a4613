/* SPDX-License-Identifier: BSD-2-Clause */
/* The indicator reader on the Verilated relay: the circuit writes the ring, TLP by TLP, while software reads
 * it. */
#include <criterion/criterion.h>
#include <string.h>

#include "card_sim.h"
#include "indicator.h"
#include "relay_regs.h"
#include "tlp.h"

enum { PORTS = 4, VECTORS = 9, KEYS = PORTS * (VECTORS + 1), NS_A_STEP = 8 };

static struct model *model;
static struct card_sim *sim;
static struct indicator reader;
static uint64_t now_ns;
static unsigned upstream; /* interrupts that reached the root */

/* Keys 0..8 are port 1's messages, 9 its wire; 10..18 port 2's … */
static struct {
    uint64_t asked[KEYS], taken[KEYS];
    bool level[PORTS];
} truth;

static void sink(void *context, const uint32_t *dw, size_t n)
{
    struct tlp t;
    (void)context;
    cr_assert_eq(tlp_unpack(&t, dw, n), TLP_OK);
    upstream++;
}

static uint16_t id_of(unsigned port)
{
    return (uint16_t)(CARD_SIM_BUS << 8 | port);
}

static void send(unsigned port, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    cr_assert(model_send(model, port, dw, tlp_pack(t, dw)));
    card_sim_time(sim, now_ns += NS_A_STEP);
}

static void raise(unsigned key)
{
    const unsigned port = 1 + key / (VECTORS + 1), vector = key % (VECTORS + 1);
    if (vector < VECTORS) {
        const uint32_t data = 0x4020 + vector;
        uint32_t payload;
        tlp_put_bytes(&payload, 0, &data, 4);
        struct tlp t = {.kind = TLP_MWR, .requester = id_of(port), .payload = &payload};
        tlp_set_range(&t, 0xfee00000, 4);
        send(port, &t);
        truth.asked[key]++;
        return;
    }
    bool *level = &truth.level[port - 1];
    *level = !*level;
    const struct tlp t = {.kind = TLP_MSG,
                          .requester = id_of(0),
                          .routing = TLP_LOCAL,
                          .code = *level ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA};
    send(port, &t);
    truth.asked[key] += *level;
}

/* Which key a record or an entry names; it must be one there is. */
static unsigned key_of(unsigned kind, unsigned port, uint16_t requester, uint64_t address, uint32_t data)
{
    cr_assert(port >= 1 && port <= PORTS);
    cr_assert_eq(requester, id_of(port));
    if (kind == RELAY_SRC_KEY_KIND_INTX) {
        cr_assert_eq(address, 0);
        return (port - 1) * (VECTORS + 1) + VECTORS;
    }
    cr_assert_eq(address, 0xfee00000);
    cr_assert(data >= 0x4020 && data < 0x4020 + VECTORS);
    return (port - 1) * (VECTORS + 1) + data - 0x4020;
}

static uint64_t last_time, unlisted;

static void listen(void *context, const struct indicator_event *event)
{
    (void)context;
    const unsigned key = key_of(event->kind, event->port, event->requester, event->address, event->data);
    if (event->time_ns) {
        cr_assert_geq(event->time_ns, last_time, "records are in the order of their times");
        cr_assert_leq(event->time_ns, now_ns);
        last_time = event->time_ns;
    }
    if (event->source == INDICATOR_UNLISTED) {
        truth.taken[key] += event->fresh;
        unlisted += event->fresh;
    }
}

static void take_all(void)
{
    for (unsigned i = 0; i < reader.sources; i++) {
        const uint32_t n = indicator_take(&reader, i);
        if (n == 0)
            continue;
        const struct indicator_source *source = &reader.source[i];
        const unsigned key =
            key_of(RELAY_GET(source->key, RELAY_SRC_KEY_KIND), RELAY_GET(source->key, RELAY_SRC_KEY_PORT),
                   (uint16_t)RELAY_GET(source->key, RELAY_SRC_KEY_REQUESTER), source->address, source->data);
        truth.taken[key] += n;
        cr_assert_leq(truth.taken[key], truth.asked[key], "key %u did not ask", key);
    }
}

static void ack_all(void)
{
    for (unsigned i = 0; i < reader.sources; i++)
        if (reader.source[i].known)
            cr_assert_eq(indicator_ack(&reader, i), 0);
}

static void open_all(const struct model_shape *shape, unsigned log2)
{
    memset(&truth, 0, sizeof truth);
    now_ns = last_time = unlisted = 0;
    upstream = 0;
    model = model_open(shape, NULL);
    cr_assert_not_null(model);
    sim = card_sim_open(model, sink, NULL);
    cr_assert_not_null(sim);
    cr_assert_eq(indicator_open(&reader, card_sim_card(sim), log2, listen, NULL), 0);
    cr_assert_eq(reader.ring_on, log2 != 0);
}

static void close_all(void)
{
    indicator_close(&reader);
    card_sim_close(sim);
    model_close(model);
}

/* All that was sent has arrived, is told, and to nobody else. */
static void settle(unsigned seed, unsigned step)
{
    for (unsigned port = 1; port <= PORTS; port++)
        if (truth.level[port - 1])
            raise((port - 1) * (VECTORS + 1) + VECTORS);
    card_sim_pump(sim);
    cr_assert_geq(indicator_drain(&reader, INDICATOR_CONFIRM), 0);
    take_all();
    for (unsigned key = 0; key < KEYS; key++)
        cr_assert_eq(truth.taken[key], truth.asked[key], "seed %u, step %u: key %u asked %lu, %lu told", seed,
                     step, key, truth.asked[key], truth.taken[key]);
    ack_all();
}

/* `keys` of the keys take part in a crowd; after each crowd entries are dropped and another one comes. */
static void random_run(const struct model_shape *shape, unsigned seed, unsigned log2, unsigned keys)
{
    enum { STEPS = 20000, CROWD = 500 };
    uint64_t state = seed * 2654435761u + 1;
    open_all(shape, log2);
    for (unsigned step = 0; step < STEPS; step++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const unsigned pick = (unsigned)(state >> 40);
        switch (pick % 16) {
        default:
            raise((step / CROWD * 7 + pick / 16 % keys) % KEYS);
            break;
        case 10:
            model_run(model, pick / 16 % 20);
            break;
        case 11:
            card_sim_pump(sim);
            break;
        case 12:
            cr_assert_geq(indicator_drain(&reader, pick & 64 ? INDICATOR_CONFIRM : INDICATOR_POLL), 0);
            break;
        case 13:
            take_all();
            break;
        case 14:
            ack_all();
            break;
        }
        if (step % CROWD == CROWD - 1) {
            settle(seed, step);
            cr_assert_geq(indicator_forget(&reader), 0);
        }
    }
    cr_assert_eq(reader.stats.discarded, 0);
    cr_assert_eq(reader.stats.gaps, 0);
    cr_assert_eq(reader.stats.bad, 0);
    cr_assert_eq(reader.stats.resets, 0);
}

static const struct model_shape narrow = {.ports = PORTS, .width_dw = 2, .sources = 32};
static const struct model_shape wide = {.ports = PORTS, .width_dw = 4, .sources = 32};

Test(verilated, random_with_ring)
{
    random_run(&narrow, 1, 4, 30);
    cr_assert_gt(reader.stats.missed, 100, "the run must meet full rings");
    cr_assert_eq(unlisted, 0);
    close_all();
}

Test(verilated, random_with_ring_wide)
{
    random_run(&wide, 2, 4, 30);
    cr_assert_gt(reader.stats.missed, 100);
    close_all();
}

Test(verilated, random_with_more_sources_than_entries)
{
    random_run(&narrow, 3, 12, KEYS);
    cr_assert_eq(reader.stats.missed, 0);
    cr_assert_gt(unlisted, 100, "the run must meet a full table");
    close_all();
}

Test(verilated, random_without_ring)
{
    random_run(&narrow, 4, 0, 30);
    close_all();
}

Test(verilated, with_the_ring_a_source_costs_no_bus_read)
{
    open_all(&narrow, 8);
    const uint64_t before = reader.stats.bus_reads;
    for (unsigned round = 0; round < 1000; round++) {
        for (unsigned key = 0; key < 30; key++)
            raise(key);
        card_sim_pump(sim);
        cr_assert_geq(indicator_drain(&reader, INDICATOR_POLL), 27);
        take_all();
        ack_all();
    }
    cr_assert_eq(reader.stats.bus_reads, before);
    cr_assert_eq(card_sim_accesses(sim), reader.stats.bus_reads + reader.stats.bus_writes);
    for (unsigned key = 0; key < 30; key++)
        cr_assert_eq(truth.taken[key], truth.asked[key]);
    close_all();
}

/* When the interrupt is at the root, its record is in memory: whatever the sink sees, the ring has told
 * before. */
static void record_is_there(void *context, const uint32_t *dw, size_t n)
{
    (void)context;
    (void)dw;
    (void)n;
    upstream++;
    cr_assert_geq(reader.ring.events[upstream - 1].seq, upstream, "interrupt %u came before its record",
                  upstream);
}

Test(verilated, the_record_is_in_memory_before_the_interrupt)
{
    open_all(&narrow, 12);
    card_sim_close(sim);
    sim = card_sim_open(model, record_is_there, NULL);
    cr_assert_eq(indicator_open(&reader, card_sim_card(sim), 12, NULL, NULL), 0);
    for (unsigned i = 0; i < 3000; i++)
        raise(i % (VECTORS - 1) + i % PORTS * (VECTORS + 1));
    card_sim_pump(sim);
    cr_assert_eq(upstream, 3000);
    close_all();
}

Test(verilated, a_reset_relay_is_set_up_again)
{
    open_all(&narrow, 6);
    raise(0);
    card_sim_pump(sim);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    take_all();
    struct model *dead = model;
    struct card_sim *former = sim;
    model = model_open(&narrow, NULL);
    sim = card_sim_open(model, sink, NULL);
    reader.card = card_sim_card(sim);
    cr_assert_eq(card_sim_card(sim)->ops->ring_memory(card_sim_card(sim), 6, &reader.ring), 0);
    raise(3);
    raise(3);
    card_sim_pump(sim);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_CONFIRM), 2);
    cr_assert_eq(reader.stats.resets, 1);
    take_all();
    cr_assert_eq(truth.taken[3], 2);
    raise(3);
    card_sim_pump(sim);
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    card_sim_close(former);
    model_close(dead);
    close_all();
}

/* A tool that dumps BAR 0 does no harm: every offset is answered, and what stands there stays. */
Test(verilated, all_of_the_bar_can_be_read)
{
    open_all(&narrow, 8);
    raise(0);
    card_sim_pump(sim);
    struct card *card = card_sim_card(sim);
    for (uint32_t offset = 0; offset < RELAY_BAR_BYTES; offset += 4) {
        uint32_t value, id;
        cr_assert_eq(card_read(card, offset, &value), 0);
        cr_assert_eq(card_read(card, RELAY_ID, &id), 0);
        cr_assert_eq(id, RELAY_ID_RESET, "no answer after a read at 0x%x", offset);
    }
    cr_assert_eq(indicator_drain(&reader, INDICATOR_POLL), 1);
    take_all();
    cr_assert_eq(truth.taken[0], 1);
    close_all();
}

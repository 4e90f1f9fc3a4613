/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the indicator reader costs, on the Verilated relay: bus reads a source, and time an event.
 *
 * Seven functions share INTA and each sends three kinds of messages. Rounds are random; in each, some of the
 * sources ask. Bus reads are counted by the transport, TLP by TLP, not by the reader. Times are those of the
 * reader's own instructions: while it is timed, registers are answered from a copy, so that neither the
 * simulated circuit nor a real link (about a microsecond a read) is in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "card_sim.h"
#include "indicator.h"
#include "relay_regs.h"
#include "tlp.h"

enum {
    PORTS = 7,
    MESSAGES = 3,
    SOURCES = PORTS * (MESSAGES + 1),
    ROUNDS = 1000,
    NS_A_STEP = 8,
};

struct bench {
    struct model *model;
    struct card_sim *sim;
    struct indicator reader;
    uint64_t now_ns, random, asked, taken;
    bool level[PORTS];
};

static void fail(const char *what)
{
    fprintf(stderr, "reader_figures: %s\n", what);
    exit(1);
}

static unsigned pick(struct bench *bench, unsigned below)
{
    bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(bench->random >> 33) % below;
}

static void open_bench(struct bench *bench, unsigned ring_log2)
{
    *bench = (struct bench){.random = 1};
    bench->model = model_open(&(struct model_shape){.ports = PORTS, .width_dw = 2, .sources = 32}, NULL);
    bench->sim = bench->model ? card_sim_open(bench->model, NULL, NULL) : NULL;
    if (!bench->sim || indicator_open(&bench->reader, card_sim_card(bench->sim), ring_log2, NULL, NULL) ||
        bench->reader.ring_on != (ring_log2 != 0))
        fail("the relay does not open");
}

static void close_bench(struct bench *bench)
{
    indicator_close(&bench->reader);
    card_sim_close(bench->sim);
    model_close(bench->model);
}

static void ask(struct bench *bench, unsigned which)
{
    const unsigned port = 1 + which % PORTS, vector = which / PORTS;
    const uint16_t function = (uint16_t)(CARD_SIM_BUS << 8 | port);
    uint32_t payload, dw[TLP_MAX_DW];
    struct tlp t = {.kind = TLP_MWR, .requester = function, .payload = &payload};
    if (vector < MESSAGES) {
        const uint32_t data = 0x4020 + vector;
        tlp_put_bytes(&payload, 0, &data, 4);
        tlp_set_range(&t, 0xfee00000, 4);
        bench->asked++;
    } else {
        bool *level = &bench->level[port - 1];
        *level = !*level;
        bench->asked += *level;
        t = (struct tlp){.kind = TLP_MSG,
                         .requester = CARD_SIM_BUS << 8,
                         .routing = TLP_LOCAL,
                         .code = *level ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA};
    }
    if (!model_send(bench->model, port, dw, tlp_pack(&t, dw)))
        fail("the relay takes no TLP");
    card_sim_time(bench->sim, bench->now_ns += NS_A_STEP);
}

/* 1 to 8 sources ask, as many as there may be between an interrupt and its handler. */
static void ask_some(struct bench *bench)
{
    for (unsigned n = 1 + pick(bench, 8); n > 0; n--)
        ask(bench, pick(bench, SOURCES));
    card_sim_pump(bench->sim);
}

static void take_all(struct bench *bench, bool ack)
{
    for (unsigned i = 0; i < bench->reader.sources; i++) {
        bench->taken += indicator_take(&bench->reader, i);
        if (ack && bench->reader.source[i].known && indicator_ack(&bench->reader, i))
            fail("the relay takes no acknowledge");
    }
}

/* ---- bus reads ------------------------------------------------------------------------------------- */

/* Reads the reader had over the link, an interrupt. */
static double bus_reads(unsigned ring_log2)
{
    struct bench bench;
    open_bench(&bench, ring_log2);
    uint64_t accesses = card_sim_accesses(bench.sim), writes = bench.reader.stats.bus_writes;
    for (unsigned i = 0; i < ROUNDS; i++) {
        ask_some(&bench);
        if (indicator_drain(&bench.reader, INDICATOR_POLL) < 0)
            fail("a drain failed");
        take_all(&bench, true);
    }
    accesses = card_sim_accesses(bench.sim) - accesses;
    writes = bench.reader.stats.bus_writes - writes;
    if (bench.asked != bench.taken)
        fail("interrupts were lost");
    close_bench(&bench);
    return (double)(accesses - writes) / (double)bench.asked;
}

/* ---- time ------------------------------------------------------------------------------------------ */

struct copy {
    struct card card;
    uint32_t word[RELAY_BAR_BYTES / 4];
};

static int copy_read(struct card *card, uint32_t offset, uint32_t *value)
{
    const struct copy *copy = card->self;
    *value = copy->word[offset / 4];
    return 0;
}

static int copy_write(struct card *card, uint32_t offset, uint32_t value)
{
    (void)card;
    (void)offset;
    (void)value;
    return 0;
}

static const struct card_ops copy_ops = {.read = copy_read, .write = copy_write};

static uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void copy_range(struct copy *copy, struct card *card, uint32_t from, uint32_t words)
{
    for (uint32_t offset = from; offset < from + 4 * words; offset += 4)
        if (card_read(card, offset, &copy->word[offset / 4]))
            fail("a register can't be read");
}

/* All that a drain may read. */
static void copy_registers(struct copy *copy, struct card *card, unsigned sources)
{
    copy_range(copy, card, RELAY_PENDING(0), 1);
    copy_range(copy, card, RELAY_WIRES_IN, 1);
    copy_range(copy, card, RELAY_COUNTER(RELAY_COUNTER_UNLISTED), 1);
    for (unsigned i = 0; i < sources; i++)
        copy_range(copy, card, RELAY_SRC_KEY(i), (RELAY_SRC_RELAYED(0) - RELAY_SRC_KEY(0)) / 4);
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nanoseconds of the reader's own instructions an event: the median of the rounds. */
static double reader_ns(unsigned ring_log2)
{
    enum { TIMED = 200 };
    static struct copy copy;
    static double ns[TIMED];
    struct bench bench;
    open_bench(&bench, ring_log2);
    struct card *card = card_sim_card(bench.sim);
    for (unsigned i = 0; i < TIMED; i++) {
        ask_some(&bench);
        if (!ring_log2)
            copy_registers(&copy, card, bench.reader.sources);
        copy.card = (struct card){&copy_ops, &copy};
        bench.reader.card = &copy.card;
        const uint64_t start = monotonic_ns();
        const int moved = indicator_drain(&bench.reader, INDICATOR_POLL);
        const uint64_t end = monotonic_ns();
        bench.reader.card = card;
        if (moved < 0 || (ring_log2 && card_write(card, RELAY_RING_TAIL, bench.reader.expected - 1)))
            fail("a drain failed");
        ns[i] = (double)(end - start) / (moved ? moved : 1);
        take_all(&bench, true);
    }
    if (bench.asked != bench.taken)
        fail("interrupts were lost");
    close_bench(&bench);
    qsort(ns, TIMED, sizeof ns[0], rising);
    return ns[TIMED / 2];
}

static void figure(const char *name, double value, const char *unit, double baseline,
                   const char *baseline_name)
{
    printf("{\"name\":\"%s\",\"value\":%.4g,\"unit\":\"%s\",\"baseline\":%.4g,\"baseline_name\":\"%s\"}\n",
           name, value, unit, baseline, baseline_name);
}

int main(void)
{
    figure("bus_reads_per_source", bus_reads(12), "reads", 1, "a status read of each function on the line");
    figure("bus_reads_per_interrupt_registers", bus_reads(0), "reads", PORTS,
           "a status read of each of the 7 functions on the line");
    figure("reader_ns_per_event", reader_ns(12), "ns", reader_ns(0),
           "the reader by registers, the reads for nothing");
    return 0;
}

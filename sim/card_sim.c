/* SPDX-License-Identifier: BSD-2-Clause */
#include "card_sim.h"

#include <stdlib.h>
#include <string.h>

#include "relay_regs.h"
#include "tlp.h"

enum {
    RING_LOG2_MAX = 15,
    STATUS_OFFSET = 32 << RING_LOG2_MAX, /* the status record lies behind the largest ring */
    RING_BYTES = STATUS_OFFSET + 16,
    RUN_CYCLES = 100000, /* enough for anything to come out that does */
    TAGS = 256,
};

struct card_sim {
    struct card card;
    struct model *model;
    card_sim_sink sink;
    void *context;
    uint64_t now_ns;
    uint64_t accesses;
    uint16_t tag;
    bool answered;
    enum tlp_status status;
    uint32_t answer;
    _Alignas(64) uint8_t ring[RING_BYTES];
};

/* ---- what comes up --------------------------------------------------------------------------------- */

static bool to_ring(const struct tlp *t)
{
    const uint64_t base = (uint32_t)CARD_SIM_RING;
    return t->kind == TLP_MWR && t->address >= base && t->address + 4u * t->length <= base + RING_BYTES;
}

/*
 * Lands a write as a memory controller does: word by word in rising order, the record's first word among
 * them. One thread reads and writes here, so there is no order to keep beyond that.
 */
static void land(struct card_sim *sim, const struct tlp *t)
{
    const size_t offset = (size_t)(t->address - (uint32_t)CARD_SIM_RING);
    tlp_get_bytes(t->payload, tlp_be_offset(t), sim->ring + offset + tlp_be_offset(t), tlp_be_bytes(t));
}

static void take(struct card_sim *sim, const uint32_t *dw, size_t n)
{
    struct tlp t;
    if (tlp_unpack(&t, dw, n) == TLP_OK) {
        if (tlp_class(t.kind) == TLP_COMPLETION && t.requester == 0) {
            sim->answered = t.tag == sim->tag;
            sim->status = t.status;
            if (t.kind == TLP_CPLD && t.length == 1)
                tlp_get_bytes(t.payload, 0, &sim->answer, 4);
            return;
        }
        if (to_ring(&t)) {
            land(sim, &t);
            return;
        }
    }
    if (sim->sink)
        sim->sink(sim->context, dw, n);
}

void card_sim_pump(struct card_sim *sim)
{
    uint32_t dw[MODEL_MAX_DW];
    do {
        model_run(sim->model, RUN_CYCLES);
        for (size_t n; (n = model_receive(sim->model, MODEL_ROOT, dw)) > 0;)
            take(sim, dw, n);
    } while (!model_idle(sim->model));
}

/* ---- the transport --------------------------------------------------------------------------------- */

static bool send(struct card_sim *sim, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    sim->accesses++;
    return model_send(sim->model, MODEL_ROOT, dw, tlp_pack(t, dw));
}

static int sim_read(struct card *card, uint32_t offset, uint32_t *value)
{
    struct card_sim *sim = card->self;
    if (offset % 4 || offset >= RELAY_BAR_BYTES)
        return CARD_REFUSED;
    sim->tag = (uint16_t)((sim->tag + 1) % TAGS);
    sim->answered = false;
    struct tlp t = {.kind = TLP_MRD, .tag = sim->tag};
    tlp_set_range(&t, (uint32_t)CARD_SIM_BAR + offset, 4);
    if (!send(sim, &t))
        return CARD_GONE;
    card_sim_pump(sim);
    /* A root port turns an unsupported request, and silence, into all ones. */
    *value = sim->answered && sim->status == TLP_SC ? sim->answer : UINT32_MAX;
    return 0;
}

static int sim_write(struct card *card, uint32_t offset, uint32_t value)
{
    struct card_sim *sim = card->self;
    uint32_t payload;
    if (offset % 4 || offset >= RELAY_BAR_BYTES)
        return CARD_REFUSED;
    tlp_put_bytes(&payload, 0, &value, 4);
    struct tlp t = {.kind = TLP_MWR, .payload = &payload};
    tlp_set_range(&t, (uint32_t)CARD_SIM_BAR + offset, 4);
    if (!send(sim, &t))
        return CARD_GONE;
    card_sim_pump(sim);
    return 0;
}

static int sim_ring(struct card *card, unsigned log2, struct card_ring *ring)
{
    struct card_sim *sim = card->self;
    if (log2 < 4 || log2 > RING_LOG2_MAX)
        return CARD_REFUSED;
    *ring = (struct card_ring){
        .events = (void *)sim->ring,
        .status = (void *)(sim->ring + STATUS_OFFSET),
        .events_bus = (uint32_t)CARD_SIM_RING,
        .status_bus = (uint32_t)CARD_SIM_RING + STATUS_OFFSET,
    };
    return 0;
}

static uint64_t sim_now(struct card *card)
{
    const struct card_sim *sim = card->self;
    return sim->now_ns;
}

/* The ring's memory outlives the card's use: it goes with card_sim_close. */
static const struct card_ops sim_ops = {
    .read = sim_read, .write = sim_write, .ring_memory = sim_ring, .now = sim_now};

struct card_sim *card_sim_open(struct model *model, card_sim_sink sink, void *context)
{
    struct card_sim *sim = aligned_alloc(64, (sizeof *sim + 63) / 64 * 64);
    if (!sim)
        return NULL;
    memset(sim, 0, sizeof *sim);
    sim->card = (struct card){&sim_ops, sim};
    sim->sink = sink;
    sim->context = context;
    card_sim_attach(sim, model);
    return sim;
}

void card_sim_attach(struct card_sim *sim, struct model *model)
{
    sim->model = model;
    model_set_bdf(model, CARD_SIM_BUS, 0);
    model_set_bar(model, MODEL_ROOT, 0, true, (uint32_t)CARD_SIM_BAR, RELAY_BAR_BYTES);
    model_set_bus_master(model, true);
    model_set_time(model, sim->now_ns);
}

void card_sim_close(struct card_sim *sim)
{
    free(sim);
}

struct card *card_sim_card(struct card_sim *sim)
{
    return &sim->card;
}

void card_sim_time(struct card_sim *sim, uint64_t ns)
{
    sim->now_ns = ns;
    model_set_time(sim->model, ns);
}

uint64_t card_sim_accesses(const struct card_sim *sim)
{
    return sim->accesses;
}

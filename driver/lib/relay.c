/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay.h"

#include "relay_regs.h"

enum { RELAY_ID_VALUE = 0x58424753 }; /* "SGBX" */

/* Reads registers one after the other; the first error stays. */
struct reading {
    struct card *card;
    int error;
};

static uint32_t get(struct reading *reading, uint32_t offset)
{
    uint32_t value = 0;
    if (!reading->error)
        reading->error = card_read(reading->card, offset, &value);
    return value;
}

/*
 * High, low, high until both highs agree: a carry between the two reads would tear the value. A high half
 * that differs again and again is none of a clock or a count, but a broken card's, and no reason to hang.
 */
static uint64_t get64(struct reading *reading, uint32_t low_offset, uint32_t high_offset)
{
    enum { TRIES = 8 };
    uint32_t high = get(reading, high_offset), low = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        low = get(reading, low_offset);
        const uint32_t again = get(reading, high_offset);
        if (again == high || reading->error)
            break;
        high = again;
    }
    return (uint64_t)high << 32 | low;
}

int relay_read64(struct card *card, uint32_t low, uint32_t high, uint64_t *value)
{
    struct reading reading = {card, 0};
    *value = get64(&reading, low, high);
    return reading.error;
}

int relay_time(struct card *card, uint64_t *ns)
{
    return relay_read64(card, RELAY_TIME_LO, RELAY_TIME_HI, ns);
}

int relay_identify(struct card *card, struct relay_identity *identity)
{
    struct reading reading = {card, 0};
    *identity = (struct relay_identity){.id = get(&reading, RELAY_ID)};
    if (reading.error)
        return reading.error;
    if (identity->id == UINT32_MAX)
        return CARD_GONE;
    const uint32_t version = get(&reading, RELAY_VERSION);
    identity->map_major = RELAY_GET(version, RELAY_VERSION_MAJOR);
    identity->map_minor = RELAY_GET(version, RELAY_VERSION_MINOR);
    if (!reading.error && (identity->id != RELAY_ID_VALUE || identity->map_major != RELAY_MAP_MAJOR))
        return CARD_FOREIGN;
    const uint32_t shape = get(&reading, RELAY_SHAPE);
    identity->caps = get(&reading, RELAY_CAPS);
    identity->ports = RELAY_GET(shape, RELAY_SHAPE_PORTS);
    identity->width_bits = RELAY_GET(shape, RELAY_SHAPE_WIDTH_DW) * 32;
    identity->sources = RELAY_GET(shape, RELAY_SHAPE_SOURCES);
    if (identity->caps & RELAY_CAPS_TRACE)
        identity->trace_log2 = RELAY_GET(shape, RELAY_SHAPE_TRACE_LOG2);
    identity->build = get(&reading, RELAY_BUILD);
    identity->clock_khz = get(&reading, RELAY_CLOCK_KHZ);
    identity->control = get(&reading, RELAY_CTRL);
    identity->status = get(&reading, RELAY_STATUS);
    if (identity->caps & RELAY_CAPS_LEARN_ACT)
        identity->learn_act = get(&reading, RELAY_LEARN_ACT);
    if (!reading.error && (identity->ports > RELAY_PORTS_MAX || identity->sources > RELAY_SOURCES_MAX ||
                           1u << identity->trace_log2 > RELAY_TRACE_DATA_COUNT / 8))
        return CARD_FOREIGN;
    return reading.error;
}

int relay_read_port(struct card *card, unsigned port, struct relay_port *state)
{
    struct reading reading = {card, 0};
    const uint32_t value = get(&reading, RELAY_PORT_STATE(port));
    state->up = value & RELAY_PORT_STATE_UP;
    state->pins = RELAY_GET(value, RELAY_PORT_STATE_PINS);
    state->requester = (uint16_t)RELAY_GET(get(&reading, RELAY_PORT_BDF(port)), RELAY_PORT_BDF_ID);
    return reading.error;
}

int relay_read_source(struct card *card, unsigned index, struct relay_source *source, bool *listed)
{
    struct reading reading = {card, 0};
    const uint32_t key = get(&reading, RELAY_SRC_KEY(index));
    *listed = key & RELAY_SRC_KEY_VALID;
    if (reading.error || !*listed)
        return reading.error;
    /*
     * ACKED before COUNT: an acknowledge in between then shows a source as pending a moment longer, never as
     * acknowledged beyond what was counted.
     */
    *source = (struct relay_source){
        .index = index,
        .kind =
            RELAY_GET(key, RELAY_SRC_KEY_KIND) == RELAY_SRC_KEY_KIND_INTX ? RELAY_KIND_INTX : RELAY_KIND_MSI,
        .programmed = key & RELAY_SRC_KEY_PROGRAMMED,
        .port = RELAY_GET(key, RELAY_SRC_KEY_PORT),
        .requester = (uint16_t)RELAY_GET(key, RELAY_SRC_KEY_REQUESTER),
    };
    source->address = get(&reading, RELAY_SRC_ADDR_LO(index));
    source->address |= (uint64_t)get(&reading, RELAY_SRC_ADDR_HI(index)) << 32;
    source->data = get(&reading, RELAY_SRC_DATA(index));
    source->acked = get(&reading, RELAY_SRC_ACKED(index));
    source->count = get(&reading, RELAY_SRC_COUNT(index));
    source->relayed = get(&reading, RELAY_SRC_RELAYED(index));
    source->coalesced = get(&reading, RELAY_SRC_COALESCED(index));
    source->state = get(&reading, RELAY_SRC_STATE(index));
    source->act = get(&reading, RELAY_SRC_ACT(index));
    source->first_ns = get64(&reading, RELAY_SRC_FIRST_LO(index), RELAY_SRC_FIRST_HI(index));
    source->last_ns = get64(&reading, RELAY_SRC_LAST_LO(index), RELAY_SRC_LAST_HI(index));
    return reading.error;
}

int relay_read_counters(struct card *card, uint32_t counters[RELAY_COUNTERS])
{
    struct reading reading = {card, 0};
    for (unsigned i = 0; i < RELAY_COUNTERS; i++)
        counters[i] = get(&reading, RELAY_COUNTER(i));
    return reading.error;
}

#define TEXT(NAME, index, text) [index] = {#NAME, text},
static const struct {
    const char *name;
    const char *text;
} counter_table[RELAY_COUNTERS] = {RELAY_COUNTER_LIST(TEXT)};
#undef TEXT

const char *relay_counter_name(unsigned index)
{
    return index < RELAY_COUNTERS ? counter_table[index].name : 0;
}

const char *relay_counter_text(unsigned index)
{
    return index < RELAY_COUNTERS ? counter_table[index].text : 0;
}

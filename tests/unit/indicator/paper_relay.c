/* SPDX-License-Identifier: BSD-2-Clause */
#include "paper_relay.h"

#include <criterion/criterion.h>
#include <string.h>

static struct paper_relay *of(struct card *card)
{
    return card->self;
}

/* ---- memory ---------------------------------------------------------------------------------------- */

void paper_deliver(struct paper_relay *relay, unsigned n)
{
    for (; n > 0 && relay->first != relay->last; n--, relay->first++) {
        const struct paper_write *write = &relay->flight[relay->first % PAPER_FLIGHT];
        if (write->is_status)
            relay->status = write->status;
        else
            relay->memory[write->slot] = write->event;
    }
}

static void send(struct paper_relay *relay, const struct paper_write *write)
{
    cr_assert_lt(relay->last - relay->first, PAPER_FLIGHT);
    relay->flight[relay->last++ % PAPER_FLIGHT] = *write;
}

static void record(struct paper_relay *relay, unsigned index, const struct paper_source *source)
{
    const unsigned log2 = RELAY_GET(relay->ring_ctrl, RELAY_RING_CTRL_LOG2);
    if (!(relay->ring_ctrl & RELAY_RING_CTRL_ENABLE))
        return;
    if (relay->head - relay->tail == 1u << log2) {
        relay->missed++;
        send(relay,
             &(struct paper_write){
                 .is_status = true,
                 .status = {.head = relay->head, .missed = relay->missed, .time_lo = (uint32_t)relay->time}});
        return;
    }
    const uint32_t slot = relay->head & ((1u << log2) - 1);
    const uint32_t seq = ++relay->head;
    send(relay, &(struct paper_write){.slot = slot,
                                      .event = {
                                          .seq = seq,
                                          .who = RELAY_PUT(RELAY_EVENT_WHO_SOURCE, index) |
                                                 RELAY_PUT(RELAY_EVENT_WHO_KIND, source->kind) |
                                                 RELAY_PUT(RELAY_EVENT_WHO_PORT, source->port) |
                                                 RELAY_PUT(RELAY_EVENT_WHO_LEVEL, source->level) |
                                                 RELAY_PUT(RELAY_EVENT_WHO_REQUESTER, source->requester),
                                          .addr_lo = (uint32_t)source->address,
                                          .addr_hi = (uint32_t)(source->address >> 32),
                                          .data = source->data,
                                          .time_lo = (uint32_t)relay->time,
                                          .time_hi = (uint32_t)(relay->time >> 32),
                                          .check = RELAY_PUT(RELAY_EVENT_CHECK_SEQ, seq) |
                                                   RELAY_PUT(RELAY_EVENT_CHECK_COUNT,
                                                             index < PAPER_SOURCES ? source->count : 0),
                                      }});
}

/* ---- interrupts ------------------------------------------------------------------------------------ */

static void arrive(struct paper_relay *relay, const struct paper_source *what, bool counts)
{
    unsigned free = PAPER_SOURCES, index;
    relay->time += 8;
    for (index = 0; index < PAPER_SOURCES; index++) {
        const struct paper_source *source = &relay->source[index];
        if (!source->valid)
            free = free == PAPER_SOURCES ? index : free;
        else if (source->kind == what->kind && source->port == what->port &&
                 source->requester == what->requester && source->address == what->address &&
                 source->data == what->data)
            break;
    }
    if (index == PAPER_SOURCES && free < PAPER_SOURCES && counts && relay->learn) {
        index = free;
        relay->source[index] = *what;
        relay->source[index].valid = true;
    }
    if (index == PAPER_SOURCES) {
        relay->unlisted += counts;
        relay->last_unlisted = *what;
        relay->last_unlisted.valid = true;
        record(relay, 0xff, what);
        return;
    }
    relay->source[index].count += counts;
    relay->source[index].level = what->level;
    record(relay, index, &relay->source[index]);
}

void paper_message(struct paper_relay *relay, unsigned port, uint16_t requester, uint64_t address,
                   uint32_t data)
{
    arrive(relay,
           &(struct paper_source){.kind = RELAY_SRC_KEY_KIND_MSI,
                                  .port = port,
                                  .requester = requester,
                                  .address = address,
                                  .data = data},
           true);
}

void paper_wire(struct paper_relay *relay, unsigned port, uint16_t requester, unsigned pin, bool level)
{
    arrive(relay,
           &(struct paper_source){.kind = RELAY_SRC_KEY_KIND_INTX,
                                  .port = port,
                                  .requester = requester,
                                  .address = pin,
                                  .level = level},
           level);
}

void paper_reset(struct paper_relay *relay)
{
    memset(relay->source, 0, sizeof relay->source);
    relay->unlisted = relay->ring_ctrl = relay->head = relay->tail = relay->missed = 0;
    relay->last_unlisted.valid = false;
}

/* ---- registers ------------------------------------------------------------------------------------- */

static uint32_t key(const struct paper_source *source)
{
    return RELAY_PUT(RELAY_SRC_KEY_VALID, source->valid) | RELAY_PUT(RELAY_SRC_KEY_KIND, source->kind) |
           RELAY_PUT(RELAY_SRC_KEY_PORT, source->port) |
           RELAY_PUT(RELAY_SRC_KEY_REQUESTER, source->requester);
}

static uint32_t read_source(const struct paper_source *source, uint32_t offset)
{
    switch (offset) {
    case RELAY_SRC_KEY(0):
        return key(source);
    case RELAY_SRC_ADDR_LO(0):
        return (uint32_t)source->address;
    case RELAY_SRC_ADDR_HI(0):
        return (uint32_t)(source->address >> 32);
    case RELAY_SRC_DATA(0):
        return source->data;
    case RELAY_SRC_COUNT(0):
        return source->count;
    case RELAY_SRC_ACKED(0):
        return source->acked;
    default:
        cr_assert_fail("read of 0x%x", offset);
        return 0;
    }
}

static uint32_t pending(const struct paper_relay *relay)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < PAPER_SOURCES; i++)
        bits |= (uint32_t)(relay->source[i].valid && relay->source[i].count != relay->source[i].acked) << i;
    return bits;
}

static uint32_t wires(const struct paper_relay *relay)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < PAPER_SOURCES; i++) {
        const struct paper_source *source = &relay->source[i];
        if (source->valid && source->kind == RELAY_SRC_KEY_KIND_INTX)
            bits |= (uint32_t)source->level << (4 * (source->port - 1) + source->address);
    }
    return bits;
}

static int paper_read(struct card *card, uint32_t offset, uint32_t *value)
{
    struct paper_relay *relay = of(card);
    relay->reads++;
    paper_deliver(relay, UINT32_MAX); /* a completion pushes what was written before it */
    *value = UINT32_MAX;
    if (relay->dead)
        return 0;
    if (offset >= RELAY_SRC_KEY(0) && offset < RELAY_SRC_KEY(PAPER_SOURCES)) {
        const unsigned index = (offset - RELAY_SRC_KEY(0)) / RELAY_SRC_KEY_STRIDE;
        *value = read_source(&relay->source[index], offset - index * RELAY_SRC_KEY_STRIDE);
        return 0;
    }
    switch (offset) {
    case RELAY_ID:
        *value = relay->id;
        break;
    case RELAY_VERSION:
        *value = relay->version;
        break;
    case RELAY_CAPS:
        *value = relay->has_ring ? RELAY_CAPS_RING : 0;
        break;
    case RELAY_SHAPE:
        *value = RELAY_PUT(RELAY_SHAPE_PORTS, 4) | RELAY_PUT(RELAY_SHAPE_SOURCES, PAPER_SOURCES);
        break;
    case RELAY_PENDING(0):
        *value = pending(relay);
        break;
    case RELAY_WIRES_IN:
        *value = wires(relay);
        break;
    case RELAY_COUNTER(RELAY_COUNTER_UNLISTED):
        *value = relay->unlisted;
        break;
    case RELAY_UNLISTED_WHO:
        *value = key(&relay->last_unlisted);
        break;
    case RELAY_UNLISTED_ADDR_LO:
        *value = (uint32_t)relay->last_unlisted.address;
        break;
    case RELAY_UNLISTED_ADDR_HI:
        *value = (uint32_t)(relay->last_unlisted.address >> 32);
        break;
    case RELAY_UNLISTED_DATA:
        *value = relay->last_unlisted.data;
        break;
    case RELAY_RING_CTRL:
        *value = relay->ring_ctrl;
        break;
    default:
        cr_assert_fail("read of 0x%x", offset);
    }
    return 0;
}

static int paper_write(struct card *card, uint32_t offset, uint32_t value)
{
    struct paper_relay *relay = of(card);
    relay->writes++;
    if (relay->dead)
        return 0;
    if (offset >= RELAY_SRC_KEY(0) && offset < RELAY_SRC_KEY(PAPER_SOURCES)) {
        const unsigned index = (offset - RELAY_SRC_KEY(0)) / RELAY_SRC_KEY_STRIDE;
        cr_assert_eq(offset, RELAY_SRC_ACKED(index));
        relay->source[index].acked = value;
        return 0;
    }
    switch (offset) {
    case RELAY_COMMAND:
        cr_assert_eq(value, RELAY_COMMAND_FORGET);
        for (unsigned i = 0; i < PAPER_SOURCES; i++)
            if (relay->source[i].count == relay->source[i].acked && !relay->source[i].level)
                relay->source[i] = (struct paper_source){0};
        break;
    case RELAY_RING_CTRL:
        if (value & ~relay->ring_ctrl & RELAY_RING_CTRL_ENABLE)
            relay->head = relay->missed = 0;
        relay->ring_ctrl = value;
        break;
    case RELAY_RING_TAIL:
        cr_assert_leq(relay->head - value, relay->head - relay->tail,
                      "the tail never goes back or beyond the head");
        relay->tail = value;
        break;
    case RELAY_RING_BASE_LO:
        cr_assert_eq(value, 0x1000);
        break;
    case RELAY_RING_STATUS_LO:
        cr_assert_eq(value, 0x8000);
        break;
    case RELAY_RING_BASE_HI:
    case RELAY_RING_STATUS_HI:
        cr_assert_eq(value, 1);
        break;
    default:
        cr_assert_fail("write of 0x%x", offset);
    }
    return 0;
}

static int paper_ring(struct card *card, unsigned log2, struct card_ring *ring)
{
    struct paper_relay *relay = of(card);
    if (!relay->has_ring || log2 > PAPER_LOG2_MAX)
        return CARD_NO_RING;
    *ring = (struct card_ring){relay->memory, &relay->status, 0x100001000, 0x100008000};
    return 0;
}

static const struct card_ops paper_ops = {
    .read = paper_read, .write = paper_write, .ring_memory = paper_ring};

void paper_open(struct paper_relay *relay, bool has_ring)
{
    memset(relay, 0, sizeof *relay);
    relay->card = (struct card){&paper_ops, relay};
    relay->has_ring = has_ring;
    relay->learn = true;
    relay->id = 0x58424753;
    relay->version = RELAY_MAP_MAJOR << 16 | RELAY_MAP_MINOR;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <time.h>

#include "relay.h"
#include "relay_regs.h"
#include "trace.h"

static uint64_t realtime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int make_header(struct recording *recording, const struct relay_identity *identity, struct slot slot,
                       bool tlps, struct trace_header *header)
{
    *header = (struct trace_header){
        .map = identity->map_major << 16 | identity->map_minor,
        .build = identity->build,
        .clock_khz = identity->clock_khz,
        .domain = slot.domain,
        .card = (uint16_t)(slot.bus << 8 | slot.device << 3 | slot.function),
        .tlps = tlps,
        .ports = identity->ports,
    };
    for (unsigned port = 1; port <= identity->ports; port++) {
        struct relay_port state;
        int error = relay_read_port(recording->card, port, &state);
        if (error)
            return error;
        header->port[port] = state.requester;
    }
    /* The system's time between two readings of the relay's: as near as the bus lets it be. */
    int error = relay_time(recording->card, &header->time_ns);
    header->realtime_ns = realtime_ns();
    return error;
}

int recording_begin(struct recording *recording, struct card *card, struct slot slot, bool tlps, FILE *file)
{
    struct relay_identity identity;
    struct trace_header header;
    *recording = (struct recording){.card = card, .file = file};
    int error = relay_identify(card, &identity);
    if (error)
        return error;
    if (!identity.trace_log2)
        return RECORD_NO_TRACE;
    recording->log2 = identity.trace_log2;
    recording->control = identity.control;
    const uint32_t bits = RELAY_CTRL_TRACE_INTERRUPTS | RELAY_CTRL_TRACE_TLPS;
    const uint32_t wanted = RELAY_CTRL_TRACE_INTERRUPTS | (tlps ? RELAY_CTRL_TRACE_TLPS : 0);
    if ((error = card_read(card, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED), &recording->dropped)) ||
        (error = card_read(card, RELAY_TRACE_HEAD, &recording->tail)) ||
        (error = card_write(card, RELAY_TRACE_TAIL, recording->tail)) ||
        (error = make_header(recording, &identity, slot, tlps, &header)))
        return error;
    if (!trace_write_header(file, &header) || fflush(file) != 0)
        return RECORD_FILE;
    return card_write(card, RELAY_CTRL, (identity.control & ~bits) | wanted);
}

static int take(struct recording *recording, uint32_t number)
{
    uint32_t words[8];
    const uint32_t place = number & ((1u << recording->log2) - 1);
    for (unsigned i = 0; i < 8; i++) {
        int error = card_read(recording->card, RELAY_TRACE_DATA(8 * place + i), &words[i]);
        if (error)
            return error;
    }
    return trace_write_record(recording->file, words) ? 0 : RECORD_FILE;
}

int recording_poll(struct recording *recording)
{
    uint32_t head;
    int error = card_read(recording->card, RELAY_TRACE_HEAD, &head);
    if (error)
        return error;
    const uint32_t n = head - recording->tail;
    if (n > 1u << recording->log2) /* no circuit holds so many: the card was reset, or its link is dead */
        return CARD_GONE;
    for (uint32_t i = 0; i < n; i++) {
        if ((error = take(recording, recording->tail)))
            return error;
        recording->tail++;
        recording->records++;
        /* Room for the circuit soon, not only after the whole batch. */
        if (i % 16 == 15 && (error = card_write(recording->card, RELAY_TRACE_TAIL, recording->tail)))
            return error;
    }
    if (n && (error = card_write(recording->card, RELAY_TRACE_TAIL, recording->tail)))
        return error;
    /* What was taken out of the relay is nowhere else. */
    if (n && fflush(recording->file) != 0)
        return RECORD_FILE;
    return (int)n;
}

int recording_end(struct recording *recording, uint32_t *dropped)
{
    uint32_t counter = recording->dropped;
    int error = card_write(recording->card, RELAY_CTRL, recording->control);
    if (!error)
        error = recording_poll(recording);
    if (error >= 0)
        error = card_read(recording->card, RELAY_COUNTER(RELAY_COUNTER_TRACE_DROPPED), &counter);
    *dropped = counter - recording->dropped;
    return error < 0 ? error : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace.h"

#include <inttypes.h>
#include <string.h>

#include "relay_regs.h"

static const uint8_t magic[8] = {'S', 'B', 'X', 'T', 'R', 'A', 'C', 'E'};

enum {
    AT_MAJOR = 8,
    AT_MINOR = 10,
    AT_HEADER_BYTES = 12,
    AT_RECORD_BYTES = 16,
    AT_MAP = 20,
    AT_BUILD = 24,
    AT_CLOCK = 28,
    AT_TIME = 32,
    AT_REALTIME = 40,
    AT_DOMAIN = 48,
    AT_CARD = 52,
    AT_FLAGS = 54,
    AT_PORTS = 56,
    AT_PORT = 64,

    FLAG_TLPS = 1,
    HEADER_MOST = 65536, /* a later minor version may have more fields */
};

/* ---- bytes ----------------------------------------------------------------------------------------- */

static uint64_t get(const uint8_t *bytes, unsigned n)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void put(uint8_t *bytes, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* ---- header ---------------------------------------------------------------------------------------- */

static bool skip(FILE *file, uint64_t n)
{
    while (n > 0 && getc(file) != EOF)
        n--;
    return n == 0;
}

bool trace_open(struct trace_reader *reader, FILE *file, struct sb_error *error)
{
    uint8_t bytes[TRACE_HEADER_BYTES];
    *reader = (struct trace_reader){.file = file};
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    if (n < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0) {
        sb_error_set(error, NULL, "offset 0: not a trace: it does not begin with \"SBXTRACE\"");
        return false;
    }
    if (n < sizeof bytes) {
        sb_error_set(error, NULL, "offset %zu: the header ends early: it has %d bytes", n,
                     TRACE_HEADER_BYTES);
        return false;
    }
    const uint64_t header_bytes = get(bytes + AT_HEADER_BYTES, 4),
                   record_bytes = get(bytes + AT_RECORD_BYTES, 4);
    struct trace_header *header = &reader->header;
    header->major = (uint16_t)get(bytes + AT_MAJOR, 2);
    header->minor = (uint16_t)get(bytes + AT_MINOR, 2);
    if (header->major != TRACE_MAJOR) {
        sb_error_set(error, "Take a newer signalbox to read it.",
                     "offset %d: version %u.%u, this program reads %d", AT_MAJOR, header->major,
                     header->minor, TRACE_MAJOR);
        return false;
    }
    if (header_bytes < TRACE_HEADER_BYTES || header_bytes > HEADER_MOST) {
        sb_error_set(error, NULL, "offset %d: a header of %" PRIu64 " bytes: %d to %d are possible",
                     AT_HEADER_BYTES, header_bytes, TRACE_HEADER_BYTES, HEADER_MOST);
        return false;
    }
    if (record_bytes != TRACE_RECORD_BYTES) {
        sb_error_set(error, NULL, "offset %d: records of %" PRIu64 " bytes, a relay's have %d",
                     AT_RECORD_BYTES, record_bytes, TRACE_RECORD_BYTES);
        return false;
    }
    header->map = (uint32_t)get(bytes + AT_MAP, 4);
    header->build = (uint32_t)get(bytes + AT_BUILD, 4);
    header->clock_khz = (uint32_t)get(bytes + AT_CLOCK, 4);
    header->time_ns = get(bytes + AT_TIME, 8);
    header->realtime_ns = get(bytes + AT_REALTIME, 8);
    header->domain = (uint32_t)get(bytes + AT_DOMAIN, 4);
    header->card = (uint16_t)get(bytes + AT_CARD, 2);
    header->tlps = get(bytes + AT_FLAGS, 2) & FLAG_TLPS;
    header->ports = (uint32_t)get(bytes + AT_PORTS, 4);
    for (unsigned i = 0; i < 8; i++)
        header->port[i] = (uint16_t)get(bytes + AT_PORT + 2 * i, 2);
    if (header->ports > 7) {
        sb_error_set(error, NULL, "offset %d: %u ports, a relay has 7 at most", AT_PORTS, header->ports);
        return false;
    }
    if (!skip(file, header_bytes - TRACE_HEADER_BYTES)) {
        sb_error_set(error, NULL, "offset %d: the header ends early: it says %" PRIu64 " bytes",
                     TRACE_HEADER_BYTES, header_bytes);
        return false;
    }
    reader->offset = header_bytes;
    reader->last_ns = header->time_ns;
    return true;
}

bool trace_write_header(FILE *file, const struct trace_header *header)
{
    uint8_t bytes[TRACE_HEADER_BYTES] = {0};
    memcpy(bytes, magic, sizeof magic);
    put(bytes + AT_MAJOR, 2, TRACE_MAJOR);
    put(bytes + AT_MINOR, 2, TRACE_MINOR);
    put(bytes + AT_HEADER_BYTES, 4, TRACE_HEADER_BYTES);
    put(bytes + AT_RECORD_BYTES, 4, TRACE_RECORD_BYTES);
    put(bytes + AT_MAP, 4, header->map);
    put(bytes + AT_BUILD, 4, header->build);
    put(bytes + AT_CLOCK, 4, header->clock_khz);
    put(bytes + AT_TIME, 8, header->time_ns);
    put(bytes + AT_REALTIME, 8, header->realtime_ns);
    put(bytes + AT_DOMAIN, 4, header->domain);
    put(bytes + AT_CARD, 2, header->card);
    put(bytes + AT_FLAGS, 2, header->tlps ? FLAG_TLPS : 0);
    put(bytes + AT_PORTS, 4, header->ports);
    for (unsigned i = 0; i < 8; i++)
        put(bytes + AT_PORT + 2 * i, 2, header->port[i]);
    return fwrite(bytes, sizeof bytes, 1, file) == 1;
}

/* ---- records --------------------------------------------------------------------------------------- */

bool trace_write_record(FILE *file, const uint32_t words[8])
{
    uint8_t bytes[TRACE_RECORD_BYTES];
    for (unsigned i = 0; i < 8; i++)
        put(bytes + 4 * i, 4, words[i]);
    return fwrite(bytes, sizeof bytes, 1, file) == 1;
}

/* The record has 48 bits of time: the full one is the nearest to the record before it. */
static uint64_t whole_time(uint64_t low48, uint64_t near)
{
    const uint64_t ahead = (low48 - near) << 16;
    return near + (uint64_t)((int64_t)ahead >> 16);
}

int trace_next(struct trace_reader *reader, struct trace_entry *entry, struct sb_error *error)
{
    uint8_t bytes[TRACE_RECORD_BYTES];
    const size_t n = fread(bytes, 1, sizeof bytes, reader->file);
    if (n == 0)
        return 0;
    if (n < sizeof bytes) {
        sb_error_set(error, "The recording was cut off; the records before this one are whole.",
                     "offset %" PRIu64 ": a record ends after %zu of its %d bytes", reader->offset, n,
                     TRACE_RECORD_BYTES);
        return -1;
    }
    uint32_t words[8];
    for (unsigned i = 0; i < 8; i++)
        words[i] = (uint32_t)get(bytes + 4 * i, 4);
    const uint32_t who = words[0];
    const unsigned kind = RELAY_GET(who, RELAY_TRACE_WHO_KIND),
                   n_dw = RELAY_GET(who, RELAY_TRACE_WHO_HEADER_DW);
    if (kind > TRACE_TLP || n_dw > TRACE_DW) {
        sb_error_set(error, NULL, "offset %" PRIu64 ": not a record: kind %u, %u DW", reader->offset, kind,
                     n_dw);
        return -1;
    }
    const uint16_t number = (uint16_t)(words[2] >> 16);
    const uint16_t ahead = (uint16_t)(number - (uint16_t)reader->number);
    const bool lost = who & RELAY_TRACE_WHO_LOST;
    *entry = (struct trace_entry){
        .number = reader->any ? reader->number + ahead : number,
        /* What the relay dropped has numbers, too; before the first record they are not known. */
        .missing = reader->any && ahead ? ahead : lost,
        .time_ns = whole_time((uint64_t)(words[2] & 0xffff) << 32 | words[1], reader->last_ns),
        .kind = kind,
        .source = (uint8_t)RELAY_GET(who, RELAY_TRACE_WHO_SOURCE),
        .port = (uint8_t)RELAY_GET(who, RELAY_TRACE_WHO_PORT),
        .level = who & RELAY_TRACE_WHO_LEVEL,
        .odd = who & RELAY_TRACE_WHO_ODD,
        .kept = who & RELAY_TRACE_WHO_KEPT,
        .down = who & RELAY_TRACE_WHO_DOWN,
        .lost = lost,
        .replay = who & RELAY_TRACE_WHO_REPLAY,
        .n_dw = n_dw,
    };
    memcpy(entry->dw, words + 3, n_dw * sizeof *words);
    reader->any = true;
    reader->number = entry->number + 1;
    reader->last_ns = entry->time_ns;
    reader->offset += TRACE_RECORD_BYTES;
    return 1;
}

/* ---- what an entry says ---------------------------------------------------------------------------- */

bool trace_requester(const struct trace_entry *entry, uint16_t *requester)
{
    if (entry->n_dw < 2)
        return false;
    /* Bits 31:16 of DW1: of requests and messages the requester, of completions the completer. */
    *requester = (uint16_t)(entry->dw[1] >> 16);
    return true;
}

struct slot trace_slot(const struct trace_header *header, const struct trace_entry *entry)
{
    uint16_t id = header->card;
    const uint16_t behind = header->port[entry->port & 7];
    const bool from_port = entry->kind != TRACE_INTX && !entry->down;
    if (entry->port == 0 && !entry->replay)
        id = header->card;
    else if (!(from_port && trace_requester(entry, &id)) && behind)
        id = behind;
    return slot_of_requester(header->domain, id);
}

static uint32_t swap(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

bool trace_message(const struct trace_entry *entry, uint64_t *address, uint32_t *data)
{
    if (entry->kind != TRACE_MSI || entry->n_dw < 4)
        return false;
    const bool long_header = entry->dw[0] >> 29 & 1;
    if (long_header && entry->n_dw < 5)
        return false;
    *address = long_header ? (uint64_t)entry->dw[2] << 32 | (entry->dw[3] & ~3u) : entry->dw[2] & ~3u;
    *data = swap(entry->dw[long_header ? 4 : 3]);
    return true;
}

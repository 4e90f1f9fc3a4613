/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng (draft-ietf-opsawg-pcapng), an interface for each port. Link type 147, DLT_USER0: the registered one
 * for PCI Express, 125, has no layout, and Wireshark does not read it. A packet is a pseudo header of 16
 * bytes, which driver/wireshark/signalbox.lua knows, and the TLP's first DW as on the wire.
 */
#include <string.h>

#include "export.h"
#include "tlp_text.h"

enum {
    SECTION_BLOCK = 0x0a0d0d0a,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    DLT_USER0 = 147,
    OPTION_END = 0,
    OPTION_IF_NAME = 2,
    OPTION_IF_RESOLUTION = 9,
    OPTION_PACKET_FLAGS = 2,
    PSEUDO_BYTES = 16,
    PSEUDO_VERSION = 1,
    BLOCK_BYTES = 256, /* of the largest block written here */
};

struct block {
    uint8_t bytes[BLOCK_BYTES];
    uint32_t used;
};

/* The file is little-endian, as its section header says. */
static void add32(struct block *block, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        block->bytes[block->used++] = (uint8_t)(value >> (8 * i));
}

static void add16(struct block *block, unsigned value)
{
    block->bytes[block->used++] = (uint8_t)value;
    block->bytes[block->used++] = (uint8_t)(value >> 8);
}

static void add_bytes(struct block *block, const void *bytes, uint32_t n)
{
    if (n)
        memcpy(block->bytes + block->used, bytes, n);
    block->used += n;
    while (block->used % 4)
        block->bytes[block->used++] = 0;
}

static void add_option(struct block *block, unsigned code, const void *value, uint32_t n)
{
    add16(block, code);
    add16(block, n);
    add_bytes(block, value, n);
}

static void begin(struct block *block, uint32_t type)
{
    block->used = 0;
    add32(block, type);
    add32(block, 0); /* its length, known at the end */
}

static void end(struct block *block, FILE *out)
{
    const uint32_t length = block->used + 4;
    block->used = 4;
    add32(block, length);
    block->used = length - 4;
    add32(block, length);
    fwrite(block->bytes, 1, length, out);
}

static void write_section(FILE *out)
{
    struct block block;
    begin(&block, SECTION_BLOCK);
    add32(&block, 0x1a2b3c4d); /* the byte order */
    add16(&block, 1);
    add16(&block, 0);
    add32(&block, UINT32_MAX); /* the section's length: not said */
    add32(&block, UINT32_MAX);
    end(&block, out);
}

static void write_interface(FILE *out, const struct trace_header *header, unsigned port)
{
    struct block block;
    char name[64], slot[SLOT_NAME];
    const uint8_t nanoseconds = 9;
    slot_name(slot_of_requester(header->domain, port ? header->port[port] : header->card), slot);
    if (port)
        snprintf(name, sizeof name, "port%u %s", port, slot);
    else
        snprintf(name, sizeof name, "relay %s", slot);
    begin(&block, INTERFACE_BLOCK);
    add16(&block, DLT_USER0);
    add16(&block, 0);
    add32(&block, 0);
    add_option(&block, OPTION_IF_NAME, name, (uint32_t)strlen(name));
    add_option(&block, OPTION_IF_RESOLUTION, &nanoseconds, 1);
    add_option(&block, OPTION_END, NULL, 0);
    end(&block, out);
}

static void add_pseudo_header(uint8_t *bytes, const struct trace_entry *entry)
{
    bytes[0] = PSEUDO_VERSION;
    bytes[1] = (uint8_t)(entry->down | entry->level << 1 | entry->kept << 2 | entry->odd << 3 |
                         entry->replay << 4 | (entry->missing != 0) << 5);
    bytes[2] = (uint8_t)entry->kind;
    bytes[3] = entry->port;
    bytes[4] = entry->source;
    bytes[5] = (uint8_t)entry->n_dw;
    bytes[6] = (uint8_t)(entry->number >> 8);
    bytes[7] = (uint8_t)entry->number;
    for (unsigned i = 0; i < 8; i++)
        bytes[8 + i] = (uint8_t)(entry->time_ns >> (56 - 8 * i));
}

static void write_packet(FILE *out, const struct trace_header *header, const struct trace_entry *entry)
{
    struct block block;
    uint8_t packet[PSEUDO_BYTES + 4 * TRACE_DW];
    add_pseudo_header(packet, entry);
    for (unsigned i = 0; i < entry->n_dw; i++)
        for (unsigned j = 0; j < 4; j++)
            packet[PSEUDO_BYTES + 4 * i + j] = (uint8_t)(entry->dw[i] >> (24 - 8 * j));
    const uint32_t captured = PSEUDO_BYTES + 4 * entry->n_dw, whole = PSEUDO_BYTES + tlp_bytes(entry);
    const uint64_t time =
        header->realtime_ns ? header->realtime_ns + (entry->time_ns - header->time_ns) : entry->time_ns;
    begin(&block, PACKET_BLOCK);
    add32(&block, entry->port <= header->ports ? entry->port : 0);
    add32(&block, (uint32_t)(time >> 32));
    add32(&block, (uint32_t)time);
    add32(&block, captured);
    add32(&block, whole > captured ? whole : captured);
    add_bytes(&block, packet, captured);
    const uint8_t direction[4] = {entry->down ? 2 : 1, 0, 0, 0}; /* outbound, inbound: seen from the root */
    add_option(&block, OPTION_PACKET_FLAGS, direction, sizeof direction);
    add_option(&block, OPTION_END, NULL, 0);
    end(&block, out);
}

int export_pcapng(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    struct trace_entry entry;
    int got;
    write_section(out);
    for (unsigned port = 0; port <= reader->header.ports; port++)
        write_interface(out, &reader->header, port);
    while ((got = trace_next(reader, &entry, error)) > 0)
        write_packet(out, &reader->header, &entry);
    return got;
}

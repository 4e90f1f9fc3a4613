/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms of one line for each entry: text, JSON lines, CSV. */
#include <inttypes.h>

#include "export.h"
#include "tlp_text.h"

static const char *const kind_words[] = {[TRACE_MSI] = "msi", [TRACE_INTX] = "intx", [TRACE_TLP] = "tlp"};

/* Calls `line` for each entry. */
static int each(struct trace_reader *reader, FILE *out, struct sb_error *error,
                void (*line)(FILE *out, const struct trace_header *header, const struct trace_entry *entry))
{
    struct trace_entry entry;
    int got;
    while ((got = trace_next(reader, &entry, error)) > 0)
        line(out, &reader->header, &entry);
    return got;
}

/* ---- text ------------------------------------------------------------------------------------------ */

static void text_line(FILE *out, const struct trace_header *header, const struct trace_entry *entry)
{
    char name[SLOT_NAME], text[TLP_TEXT];
    if (entry->missing)
        fprintf(out, "                   -- %s%" PRIu64 " records are missing\n",
                entry->lost ? "at least " : "", entry->missing);
    const uint64_t ns = entry->time_ns - header->time_ns;
    fprintf(out, "%6" PRIu64 ".%09" PRIu64 "  %s  %-4s %s%s%s%s\n", ns / 1000000000, ns % 1000000000,
            slot_name(trace_slot(header, entry), name), entry->down ? "down" : "up", entry_text(entry, text),
            entry->kept ? "  [kept back]" : "",
            !entry->replay ? ""
            : entry->kept  ? "  [the relay's own]"
                           : "  [sent by the relay]",
            entry->odd ? "  [odd]" : "");
}

int export_text(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    return each(reader, out, error, text_line);
}

/* ---- JSON lines ------------------------------------------------------------------------------------ */

static const char *boolean(bool value)
{
    return value ? "true" : "false";
}

static void json_line(FILE *out, const struct trace_header *header, const struct trace_entry *entry)
{
    char name[SLOT_NAME], tlp[16];
    uint64_t address;
    uint32_t data;
    fprintf(out,
            "{\"number\":%" PRIu64 ",\"time_ns\":%" PRIu64 ",\"function\":\"%s\",\"port\":%u,\"kind\":\"%s\"",
            entry->number, entry->time_ns, slot_name(trace_slot(header, entry), name), entry->port,
            kind_words[entry->kind]);
    if (entry->source != TRACE_NO_SOURCE)
        fprintf(out, ",\"source\":%u", entry->source);
    if (entry->kind == TRACE_INTX)
        fprintf(out, ",\"level\":%s", boolean(entry->level));
    if (trace_message(entry, &address, &data))
        fprintf(out, ",\"address\":\"0x%08" PRIx64 "\",\"data\":\"0x%04" PRIx32 "\"", address, data);
    fprintf(out,
            ",\"down\":%s,\"kept\":%s,\"replay\":%s,\"odd\":%s,\"missing\":%" PRIu64
            ",\"tlp\":\"%s\",\"dw\":[",
            boolean(entry->down), boolean(entry->kept), boolean(entry->replay), boolean(entry->odd),
            entry->missing, tlp_name(entry, tlp));
    for (unsigned i = 0; i < entry->n_dw; i++)
        fprintf(out, "%s\"0x%08" PRIx32 "\"", i ? "," : "", entry->dw[i]);
    fputs("]}\n", out);
}

int export_jsonl(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    const struct trace_header *header = &reader->header;
    char name[SLOT_NAME];
    fprintf(out,
            "{\"schema\":\"signalbox.trace/1\",\"card\":\"%s\",\"build\":\"0x%08" PRIx32
            "\",\"clock_khz\":%" PRIu32 ",\"ports\":%" PRIu32 ",\"start_ns\":%" PRIu64
            ",\"start_realtime_ns\":%" PRIu64 ",\"tlps\":%s}\n",
            slot_name(slot_of_requester(header->domain, header->card), name), header->build,
            header->clock_khz, header->ports, header->time_ns, header->realtime_ns, boolean(header->tlps));
    return each(reader, out, error, json_line);
}

/* ---- CSV ------------------------------------------------------------------------------------------- */

static void csv_line(FILE *out, const struct trace_header *header, const struct trace_entry *entry)
{
    char name[SLOT_NAME], tlp[16];
    uint64_t address = 0;
    uint32_t data = 0;
    const bool message = trace_message(entry, &address, &data);
    fprintf(out, "%" PRIu64 ",%" PRIu64 ",%s,%u,%s,", entry->number, entry->time_ns,
            slot_name(trace_slot(header, entry), name), entry->port, kind_words[entry->kind]);
    if (entry->source != TRACE_NO_SOURCE)
        fprintf(out, "%u", entry->source);
    fprintf(out, ",%d,", entry->level);
    if (message)
        fprintf(out, "0x%08" PRIx64 ",0x%04" PRIx32, address, data);
    else
        fputc(',', out);
    fprintf(out, ",%d,%d,%d,%d,%" PRIu64 ",%s", entry->down, entry->kept, entry->replay, entry->odd,
            entry->missing, tlp_name(entry, tlp));
    for (unsigned i = 0; i < TRACE_DW; i++) {
        fputc(',', out);
        if (i < entry->n_dw)
            fprintf(out, "0x%08" PRIx32, entry->dw[i]);
    }
    fputc('\n', out);
}

int export_csv(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    fputs(
        "number,time_ns,function,port,kind,source,level,address,data,down,kept,replay,odd,missing,tlp,dw0,"
        "dw1,dw2,"
        "dw3,dw4\n",
        out);
    return each(reader, out, error, csv_line);
}

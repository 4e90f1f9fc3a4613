/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace Event JSON: a process for the card, a thread for each lane. A wire that is high is a slice, a message
 * an instant. Times are microseconds since the recording began, to the nanosecond.
 */
#include <inttypes.h>

#include "export.h"
#include "lanes.h"
#include "tlp_text.h"

struct chrome {
    FILE *out;
    const struct trace_header *header;
    struct lanes lanes;
    unsigned named; /* lanes whose names are written */
    bool any;
    int64_t last_ns;
};

static void next_event(struct chrome *chrome)
{
    fputs(chrome->any ? ",\n" : "\n", chrome->out);
    chrome->any = true;
}

static void write_time(FILE *out, int64_t ns)
{
    const uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    fprintf(out, "\"ts\":%s%" PRIu64 ".%03" PRIu64, ns < 0 ? "-" : "", size / 1000, size % 1000);
}

static void name_lanes(struct chrome *chrome)
{
    char name[LANE_NAME];
    for (; chrome->named < chrome->lanes.n; chrome->named++) {
        next_event(chrome);
        fprintf(chrome->out,
                "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
                chrome->named + 1, lane_name(&chrome->lanes.lane[chrome->named], name));
    }
}

static void write_slice_edge(struct chrome *chrome, const struct lane *lane, bool begins, int64_t ns,
                             bool kept)
{
    next_event(chrome);
    fprintf(chrome->out, "{\"ph\":\"%c\",\"pid\":1,\"tid\":%u,\"name\":\"%s\",\"args\":{\"kept\":%s},",
            begins ? 'B' : 'E', (unsigned)(lane - chrome->lanes.lane) + 1, kept ? "high, kept back" : "high",
            kept ? "true" : "false");
    write_time(chrome->out, ns);
    fputc('}', chrome->out);
}

static void write_instant(struct chrome *chrome, const struct lane *lane, const struct trace_entry *entry,
                          int64_t ns)
{
    char text[TLP_TEXT];
    next_event(chrome);
    fprintf(chrome->out,
            "{\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":%u,\"name\":\"%s\",\"args\":{\"message\":\"%s\","
            "\"source\":%u,"
            "\"kept\":%s,\"sent_by_relay\":%s},",
            (unsigned)(lane - chrome->lanes.lane) + 1, entry->kept ? "kept back" : "sent",
            entry_text(entry, text), entry->source, entry->kept ? "true" : "false",
            entry->replay ? "true" : "false");
    write_time(chrome->out, ns);
    fputc('}', chrome->out);
}

static void write_entry(struct chrome *chrome, const struct trace_entry *entry)
{
    struct lane *lane = lanes_find(&chrome->lanes, chrome->header, entry);
    const int64_t ns = (int64_t)(entry->time_ns - chrome->header->time_ns);
    chrome->last_ns = ns;
    if (!lane)
        return;
    name_lanes(chrome);
    if (!lane->wire) {
        write_instant(chrome, lane, entry, ns);
    } else if (entry->level != lane->high) {
        write_slice_edge(chrome, lane, entry->level, ns, entry->kept);
        lane->high = entry->level;
    }
}

int export_chrome(struct trace_reader *reader, FILE *out, struct sb_error *error)
{
    struct chrome chrome = {.out = out, .header = &reader->header};
    struct trace_entry entry;
    char name[SLOT_NAME];
    int got;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
    next_event(&chrome);
    fprintf(out, "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"relay %s\"}}",
            slot_name(slot_of_requester(reader->header.domain, reader->header.card), name));
    while ((got = trace_next(reader, &entry, error)) > 0)
        write_entry(&chrome, &entry);
    /* A wire still high at the end: its slice ends with the recording. */
    for (unsigned i = 0; i < chrome.lanes.n; i++)
        if (chrome.lanes.lane[i].high)
            write_slice_edge(&chrome, &chrome.lanes.lane[i], false, chrome.last_ns, false);
    fputs("\n]}\n", out);
    return got;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.signalbox.trace: a relay's trace file as a babeltrace2 source. Parameter: path, a string.
 * One stream, in packets of up to PACKET_EVENTS; an event class each for messages, wires, and other TLPs.
 */
#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tlp_text.h"
#include "trace.h"

/* A field of an event class, in order. */
enum field {
    FIELD_FUNCTION,
    FIELD_PORT,
    FIELD_SOURCE,
    FIELD_KEPT,
    FIELD_REPLAY,
    FIELD_ODD,
    FIELD_MISSING,
    FIELD_COMMON, /* from here on the class' own */
    FIELD_ADDRESS = FIELD_COMMON,
    FIELD_DATA,
    FIELD_LEVEL = FIELD_COMMON,
    FIELD_PIN,
    FIELD_DOWN = FIELD_COMMON,
    FIELD_NAME,
    FIELD_TEXT,
};

struct source {
    FILE *file;
    struct trace_reader reader;
    bt_trace_class *trace_class;
    bt_stream_class *stream_class;
    bt_event_class *event_class[TRACE_TLP + 1];
    bt_trace *trace;
    bt_stream *stream;
};

/* Viewers look a time up by packets; and babeltrace2 2.1 does not read CTF 1.8 back that has none with times.
 */
enum { PACKET_EVENTS = 4096 };

struct iterator {
    struct source *source;
    bt_self_message_iterator *self;
    bool begun, ended;
    bool more; /* entry is one that was read and not told yet */
    struct trace_entry entry;
    uint64_t last_ns;   /* of the last message */
    bt_packet *packet;  /* open, or null */
    unsigned in_packet; /* events */
};

/* ---- classes --------------------------------------------------------------------------------------- */

static void add(bt_field_class *structure, const char *name, bt_field_class *field)
{
    bt_field_class_structure_append_member(structure, name, field);
    bt_field_class_put_ref(field);
}

static bt_field_class *number(bt_trace_class *trace_class, unsigned bits, bool hexadecimal)
{
    bt_field_class *field = bt_field_class_integer_unsigned_create(trace_class);
    bt_field_class_integer_set_field_value_range(field, bits);
    if (hexadecimal)
        bt_field_class_integer_set_preferred_display_base(
            field, BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL);
    return field;
}

static void make_event_class(struct source *source, enum trace_kind kind)
{
    static const char *const names[] = {[TRACE_MSI] = "msi", [TRACE_INTX] = "intx", [TRACE_TLP] = "tlp"};
    bt_trace_class *tc = source->trace_class;
    bt_event_class *class = bt_event_class_create(source->stream_class);
    bt_field_class *fields = bt_field_class_structure_create(tc);
    bt_event_class_set_name(class, names[kind]);
    add(fields, "function", bt_field_class_string_create(tc));
    add(fields, "port", number(tc, 8, false));
    add(fields, "source", number(tc, 8, false));
    add(fields, "kept", number(tc, 8, false));
    add(fields, "replay", number(tc, 8, false));
    add(fields, "odd", number(tc, 8, false));
    add(fields, "missing", number(tc, 64, false));
    switch (kind) {
    case TRACE_MSI:
        add(fields, "address", number(tc, 64, true));
        add(fields, "data", number(tc, 32, true));
        break;
    case TRACE_INTX:
        add(fields, "level", number(tc, 8, false));
        add(fields, "text", bt_field_class_string_create(tc));
        break;
    case TRACE_TLP:
        add(fields, "down", number(tc, 8, false));
        add(fields, "type", bt_field_class_string_create(tc));
        add(fields, "text", bt_field_class_string_create(tc));
        break;
    }
    bt_event_class_set_payload_field_class(class, fields);
    bt_field_class_put_ref(fields);
    source->event_class[kind] = class;
}

/* The relay's clock counts ns from its reset; the header says what the system's was at one moment of it. */
static bt_clock_class *make_clock(bt_self_component *self, const struct trace_header *header)
{
    bt_clock_class *clock = bt_clock_class_create(self);
    bt_clock_class_set_frequency(clock, 1000000000);
    bt_clock_class_set_name(clock, "relay");
    if (header->realtime_ns >= header->time_ns && header->realtime_ns) {
        const uint64_t offset = header->realtime_ns - header->time_ns;
        bt_clock_class_set_offset(clock, (int64_t)(offset / 1000000000), offset % 1000000000);
    } else {
        bt_clock_class_set_origin_is_unix_epoch(clock, BT_FALSE);
    }
    return clock;
}

static void make_stream(struct source *source, bt_self_component *self)
{
    char name[SLOT_NAME];
    const struct trace_header *header = &source->reader.header;
    bt_clock_class *clock = make_clock(self, header);
    source->trace_class = bt_trace_class_create(self);
    source->stream_class = bt_stream_class_create(source->trace_class);
    bt_stream_class_set_default_clock_class(source->stream_class, clock);
    bt_clock_class_put_ref(clock);
    bt_stream_class_set_supports_packets(source->stream_class, BT_TRUE, BT_TRUE, BT_TRUE);
    for (enum trace_kind kind = TRACE_MSI; kind <= TRACE_TLP; kind++)
        make_event_class(source, kind);
    source->trace = bt_trace_create(source->trace_class);
    bt_trace_set_name(source->trace, "signalbox");
    bt_trace_set_environment_entry_string(source->trace, "card",
                                          slot_name(slot_of_requester(header->domain, header->card), name));
    source->stream = bt_stream_create(source->stream_class, source->trace);
    bt_stream_set_name(source->stream, name);
}

/* ---- the component --------------------------------------------------------------------------------- */

static void free_source(struct source *source)
{
    if (!source)
        return;
    if (source->file)
        fclose(source->file);
    bt_stream_put_ref(source->stream);
    bt_trace_put_ref(source->trace);
    for (enum trace_kind kind = TRACE_MSI; kind <= TRACE_TLP; kind++)
        bt_event_class_put_ref(source->event_class[kind]);
    bt_stream_class_put_ref(source->stream_class);
    bt_trace_class_put_ref(source->trace_class);
    free(source);
}

static const char *path_of(const bt_value *params)
{
    const bt_value *path = bt_value_map_borrow_entry_value_const(params, "path");
    return path && bt_value_is_string(path) ? bt_value_string_get(path) : NULL;
}

/* Nothing here differs between version 0 of the interchange protocol (CTF 1.8) and 1 (CTF 2). */
static bt_component_class_get_supported_mip_versions_method_status
trace_versions(bt_self_component_class_source *self, const bt_value *params, void *data,
               bt_logging_level level, bt_integer_range_set_unsigned *versions)
{
    (void)self;
    (void)params;
    (void)data;
    (void)level;
    return (bt_component_class_get_supported_mip_versions_method_status)
        bt_integer_range_set_unsigned_add_range(versions, 0, bt_get_maximal_mip_version() < 1 ? 0 : 1);
}

static bt_component_class_initialize_method_status
trace_initialize(bt_self_component_source *self_source, bt_self_component_source_configuration *configuration,
                 const bt_value *params, void *data)
{
    (void)configuration;
    (void)data;
    bt_self_component *self = bt_self_component_source_as_self_component(self_source);
    struct source *source = calloc(1, sizeof *source);
    struct sb_error error = {0};
    const char *path = path_of(params);
    if (!source)
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    if (!path)
        sb_error_set(&error, NULL, "the parameter path, a string, is missing");
    else if (!(source->file = fopen(path, "re")))
        sb_error_set(&error, NULL, "%s", strerror(errno));
    else
        trace_open(&source->reader, source->file, &error);
    if (error.what[0]) {
        BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(self, "%s: %s", path ? path : "signalbox",
                                                            error.what);
        free_source(source);
        return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
    }
    make_stream(source, self);
    bt_self_component_set_data(self, source);
    bt_self_component_source_add_output_port(self_source, "out", NULL, NULL);
    return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static void trace_finalize(bt_self_component_source *self)
{
    free_source(bt_self_component_get_data(bt_self_component_source_as_self_component(self)));
}

/* ---- messages -------------------------------------------------------------------------------------- */

static bt_message_iterator_class_initialize_method_status
trace_iterate(bt_self_message_iterator *self, bt_self_message_iterator_configuration *configuration,
              bt_self_component_port_output *port)
{
    (void)configuration;
    (void)port;
    struct iterator *iterator = calloc(1, sizeof *iterator);
    if (!iterator)
        return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
    iterator->self = self;
    iterator->source = bt_self_component_get_data(bt_self_message_iterator_borrow_component(self));
    bt_self_message_iterator_set_data(self, iterator);
    return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static void trace_iterated(bt_self_message_iterator *self)
{
    struct iterator *iterator = bt_self_message_iterator_get_data(self);
    bt_packet_put_ref(iterator->packet);
    free(iterator);
}

static void set_number(bt_field *fields, enum field field, uint64_t value)
{
    bt_field_integer_unsigned_set_value(bt_field_structure_borrow_member_field_by_index(fields, field),
                                        value);
}

static void set_text(bt_field *fields, enum field field, const char *text)
{
    bt_field_string_set_value(bt_field_structure_borrow_member_field_by_index(fields, field), text);
}

static bt_message *event_message(struct iterator *iterator)
{
    const struct source *source = iterator->source;
    const struct trace_entry *entry = &iterator->entry;
    char text[TLP_TEXT];
    bt_message *message = bt_message_event_create_with_packet_and_default_clock_snapshot(
        iterator->self, source->event_class[entry->kind], iterator->packet, iterator->last_ns);
    if (!message)
        return NULL;
    iterator->more = false;
    iterator->in_packet++;
    bt_field *fields = bt_event_borrow_payload_field(bt_message_event_borrow_event(message));
    set_text(fields, FIELD_FUNCTION, slot_name(trace_slot(&source->reader.header, entry), text));
    set_number(fields, FIELD_PORT, entry->port);
    set_number(fields, FIELD_SOURCE, entry->source);
    set_number(fields, FIELD_KEPT, entry->kept);
    set_number(fields, FIELD_REPLAY, entry->replay);
    set_number(fields, FIELD_ODD, entry->odd);
    set_number(fields, FIELD_MISSING, entry->missing);
    uint64_t address = 0;
    uint32_t data = 0;
    switch (entry->kind) {
    case TRACE_MSI:
        trace_message(entry, &address, &data);
        set_number(fields, FIELD_ADDRESS, address);
        set_number(fields, FIELD_DATA, data);
        break;
    case TRACE_INTX:
        set_number(fields, FIELD_LEVEL, entry->level);
        set_text(fields, FIELD_PIN, entry_text(entry, text));
        break;
    case TRACE_TLP:
        set_number(fields, FIELD_DOWN, entry->down);
        set_text(fields, FIELD_NAME, tlp_name(entry, text));
        set_text(fields, FIELD_TEXT, tlp_text(entry, text));
        break;
    }
    return message;
}

static bt_message *packet_message(struct iterator *iterator, bool begins)
{
    bt_message *message;
    if (begins) {
        iterator->packet = bt_packet_create(iterator->source->stream);
        iterator->in_packet = 0;
        return iterator->packet ? bt_message_packet_beginning_create_with_default_clock_snapshot(
                                      iterator->self, iterator->packet, iterator->last_ns)
                                : NULL;
    }
    message = bt_message_packet_end_create_with_default_clock_snapshot(iterator->self, iterator->packet,
                                                                       iterator->last_ns);
    bt_packet_put_ref(iterator->packet);
    iterator->packet = NULL;
    return message;
}

/* Reads ahead by one entry: a packet begins with the time of its first event, and ends before the stream
 * does. */
static int read_ahead(struct iterator *iterator, struct sb_error *error)
{
    if (iterator->more)
        return 1;
    const int got = trace_next(&iterator->source->reader, &iterator->entry, error);
    iterator->more = got > 0;
    return got;
}

static bt_message_iterator_class_next_method_status trace_next_message(struct iterator *iterator,
                                                                       bt_message **message)
{
    struct sb_error error;
    *message = NULL;
    if (iterator->ended)
        return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
    if (!iterator->begun) {
        *message = bt_message_stream_beginning_create(iterator->self, iterator->source->stream);
        iterator->begun = true;
    } else if (iterator->packet && iterator->in_packet == PACKET_EVENTS) {
        *message = packet_message(iterator, false);
    } else {
        const int got = read_ahead(iterator, &error);
        if (got < 0) {
            BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(iterator->self, "%s", error.what);
            return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_ERROR;
        }
        /* Messages never go back in time; records of different ports may, by a clock or two. */
        if (got && iterator->entry.time_ns > iterator->last_ns)
            iterator->last_ns = iterator->entry.time_ns;
        if (got) {
            *message = iterator->packet ? event_message(iterator) : packet_message(iterator, true);
        } else if (iterator->packet) {
            *message = packet_message(iterator, false);
        } else {
            *message = bt_message_stream_end_create(iterator->self, iterator->source->stream);
            iterator->ended = true;
        }
    }
    return *message ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK
                    : BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_MEMORY_ERROR;
}

/* One message a call: an error may be told only after the messages before it were handed over. */
static bt_message_iterator_class_next_method_status trace_messages(bt_self_message_iterator *self,
                                                                   bt_message_array_const messages,
                                                                   uint64_t capacity, uint64_t *count)
{
    struct iterator *iterator = bt_self_message_iterator_get_data(self);
    (void)capacity;
    bt_message *message;
    const bt_message_iterator_class_next_method_status status = trace_next_message(iterator, &message);
    *count = 0;
    if (status == BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK)
        messages[(*count)++] = message;
    return status;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* of babeltrace2's own macros */
BT_PLUGIN_MODULE();
BT_PLUGIN(signalbox);
BT_PLUGIN_DESCRIPTION("Traces of a Signalbox relay");
BT_PLUGIN_LICENSE("BSD-2-Clause");
BT_PLUGIN_SOURCE_COMPONENT_CLASS(trace, trace_messages);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_DESCRIPTION(trace, "Reads a trace file of `signalbox trace record`.");
BT_PLUGIN_SOURCE_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD(trace, trace_versions);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_INITIALIZE_METHOD(trace, trace_initialize);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_FINALIZE_METHOD(trace, trace_finalize);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD(trace, trace_iterate);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_FINALIZE_METHOD(trace, trace_iterated);
#pragma GCC diagnostic pop

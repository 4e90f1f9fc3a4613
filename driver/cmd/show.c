/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "describe.h"
#include "isolation.h"
#include "output.h"
#include "relay_regs.h"

static bool shown(const struct roster_card *card, unsigned source)
{
    return card->selected || card->function[card->function_of[source]].selected;
}

/* ---- text ------------------------------------------------------------------------------------------ */

enum { INDEX, FUNCTION, MESSAGE, COUNT, ACKNOWLEDGED, RELAYED, COALESCED, LAST, STATE, COLUMNS };

static const struct column columns[COLUMNS] = {
    [INDEX] = {"SOURCE", COLUMN_RIGHT},       [FUNCTION] = {"FUNCTION", COLUMN_LEFT},
    [MESSAGE] = {"MESSAGE", COLUMN_LEFT},     [COUNT] = {"COUNT", COLUMN_RIGHT},
    [ACKNOWLEDGED] = {"ACKED", COLUMN_RIGHT}, [RELAYED] = {"RELAYED", COLUMN_RIGHT},
    [COALESCED] = {"KEPT", COLUMN_RIGHT},     [LAST] = {"LAST", COLUMN_RIGHT},
    [STATE] = {"STATE", COLUMN_LEFT},
};

static void source_line(struct libscols_line *line, const struct roster_card *card, unsigned i, uint64_t now,
                        const struct isolation_rewrite *rewrite)
{
    char becomes[64] = "";
    if (rewrite->rewritten)
        snprintf(becomes, sizeof becomes, " as 0x%08x = 0x%04x", rewrite->address, rewrite->data);
    char name[SLOT_NAME], text[DESCRIBE_TEXT], age[DURATION_TEXT];
    const struct relay_source *source = &card->source[i];
    table_cell(line, INDEX, "%u", source->index);
    table_cell(line, FUNCTION, "%s", slot_name(card->function[card->function_of[i]].slot, name));
    table_cell(line, MESSAGE, "%s", describe_message(source, text));
    table_cell(line, COUNT, "%u", source->count);
    table_cell(line, ACKNOWLEDGED, "%u", source->acked);
    table_cell(line, RELAYED, "%u", source->relayed);
    table_cell(line, COALESCED, "%u", source->coalesced);
    table_cell(line, LAST, "%s%s",
               source->count ? duration_text(now > source->last_ns ? now - source->last_ns : 0, age) : "-",
               source->count ? " ago" : "");
    table_cell(line, STATE, "%s%s", describe_source_state(source, text), becomes);
}

static void print_identity(struct invocation *invocation, const struct roster_card *card, uint64_t now)
{
    char name[SLOT_NAME], caps[128], age[DURATION_TEXT], acts[DESCRIBE_TEXT];
    const struct relay_identity *id = &card->identity;
    FILE *out = invocation->out;
    fprintf(out, "%s relay, register map %u.%u, build %08x\n", slot_name(card->slot, name), id->map_major,
            id->map_minor, id->build);
    fprintf(out, "  Circuit:  %u port%s, %u bit, ", id->ports, id->ports == 1 ? "" : "s", id->width_bits);
    if (id->clock_khz)
        fprintf(out, "%u.%03u MHz\n", id->clock_khz / 1000, id->clock_khz % 1000);
    else
        fprintf(out, "simulated\n");
    fprintf(out, "  Has:      %s\n", describe_caps(id->caps, caps, sizeof caps));
    fprintf(out, "  Mode:     %s%s%s%s\n",
            id->control & RELAY_CTRL_INDICATOR_FIRST ? "indicator-first" : "tap",
            id->control & RELAY_CTRL_LEARN ? ", learns sources" : "", id->learn_act ? ", new ones " : "",
            describe_acts(id->learn_act, acts));
    fprintf(out, "  Sources:  %u of %u in use%s\n", card->n_sources, id->sources,
            id->status & RELAY_STATUS_TABLE_FULL ? ": the table is full" : "");
    fprintf(out, "  Running:  %s\n", duration_text(now, age));
}

static bool isolates(const struct roster_card *card)
{
    const uint32_t both = RELAY_CAPS_DMA_WINDOWS | RELAY_CAPS_MSI_REWRITE;
    return (card->identity.caps & both) == both;
}

/* What a port may reach, where it is checked; and what was stopped. */
static int print_isolation(struct invocation *invocation, const struct roster_card *card, unsigned port)
{
    struct isolation_port state;
    if (!isolates(card))
        return 0;
    const int error = isolation_read_port(card->card, port, &state);
    if (error || (!state.checked && !state.fault))
        return error;
    FILE *out = invocation->out;
    fprintf(out, "            %s; %u requests stopped, %u interrupts refused\n",
            state.checked ? "checked" : "not checked now", state.blocked, state.refused);
    for (unsigned w = 0; w < ISOLATION_WINDOWS; w++)
        if (state.window[w].open)
            fprintf(out, "            window %u: from 0x%llx up to 0x%llx, moved by 0x%llx\n", w,
                    (unsigned long long)state.window[w].base, (unsigned long long)state.window[w].bound,
                    (unsigned long long)state.window[w].offset);
    if (state.fault)
        fprintf(out, "            first stopped: %s of %02x:%02x.%x at 0x%llx, %s%s\n",
                isolation_kind(state.type), state.requester >> 8, state.requester >> 3 & 0x1f,
                state.requester & 7, (unsigned long long)state.address, isolation_reason(state.reason),
                state.more ? "; others after it" : "");
    return 0;
}

static int print_functions(struct invocation *invocation, const struct roster_card *card)
{
    int error = 0;
    char name[SLOT_NAME], text[DESCRIBE_TEXT];
    for (unsigned f = 0; f < card->n_functions; f++) {
        const struct roster_function *function = &card->function[f];
        if (!card->selected && !function->selected)
            continue;
        fprintf(invocation->out, "  Port %u:   %s %s", function->port, slot_name(function->slot, name),
                function->present ? function->name : "(not on the bus)");
        if (function->driver[0])
            fprintf(invocation->out, ", driver %s", function->driver);
        fprintf(invocation->out, ", %s", describe_lines(function, text));
        fprintf(invocation->out, ": %s\n", describe_function_state(function, text));
        if (!error)
            error = print_isolation(invocation, card, function->port);
    }
    return error;
}

static void print_counters(struct invocation *invocation, const uint32_t counters[RELAY_COUNTERS])
{
    static const struct column counter_columns[] = {
        {"COUNTER", COLUMN_LEFT}, {"VALUE", COLUMN_RIGHT}, {"MEANING", COLUMN_CUT}};
    struct libscols_table *table = table_new(invocation, counter_columns, 3);
    for (unsigned i = 0; i < RELAY_COUNTERS; i++) {
        if (!relay_counter_name(i) || counters[i] == 0)
            continue;
        struct libscols_line *line = table_line(table, NULL);
        table_cell(line, 0, "%s", relay_counter_name(i));
        table_cell(line, 1, "%u", counters[i]);
        table_cell(line, 2, "%s", relay_counter_text(i));
    }
    fputc('\n', invocation->out);
    table_print(table);
}

static int print_card(struct invocation *invocation, struct roster_card *card)
{
    uint64_t now;
    uint32_t counters[RELAY_COUNTERS];
    int error = relay_time(card->card, &now);
    if (error || (error = relay_read_counters(card->card, counters)))
        return error;
    print_identity(invocation, card, now);
    if ((error = print_functions(invocation, card)))
        return error;
    struct libscols_table *table = table_new(invocation, columns, COLUMNS);
    unsigned lines = 0;
    for (unsigned i = 0; i < card->n_sources; i++)
        if (shown(card, i)) {
            struct isolation_rewrite rewrite = {0};
            if (isolates(card) &&
                (error = isolation_read_rewrite(card->card, card->source[i].index, &rewrite)))
                break;
            source_line(table_line(table, NULL), card, i, now, &rewrite);
            lines++;
        }
    if (lines && !error) {
        fputc('\n', invocation->out);
        table_print(table);
    } else {
        scols_unref_table(table);
    }
    if (card->selected && !error)
        print_counters(invocation, counters);
    return error;
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *counters_json(const uint32_t counters[RELAY_COUNTERS])
{
    json_t *object = json_object();
    for (unsigned i = 0; i < RELAY_COUNTERS; i++) {
        char name[64];
        if (!relay_counter_name(i))
            continue;
        snprintf(name, sizeof name, "%s", relay_counter_name(i));
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        json_object_set_new(object, name, json_integer(counters[i]));
    }
    return object;
}

static json_t *isolation_json(const struct isolation_port *state)
{
    json_t *windows = json_array();
    for (unsigned w = 0; w < ISOLATION_WINDOWS; w++)
        json_array_append_new(windows, json_pack("{s:b, s:o, s:o, s:o}", "open", state->window[w].open,
                                                 "base", json_hex(state->window[w].base, 8), "bound",
                                                 json_hex(state->window[w].bound, 8), "offset",
                                                 json_hex(state->window[w].offset, 8)));
    json_t *object =
        json_pack("{s:b, s:I, s:I, s:o}", "checked", state->checked, "blocked", (json_int_t)state->blocked,
                  "refused", (json_int_t)state->refused, "windows", windows);
    if (state->fault)
        json_object_set_new(object, "fault",
                            json_pack("{s:s, s:s, s:o, s:o, s:b}", "kind", isolation_kind(state->type),
                                      "reason", isolation_reason(state->reason), "requester",
                                      json_hex(state->requester, 4), "address", json_hex(state->address, 8),
                                      "more", state->more));
    return object;
}

static int add_isolation(json_t *function, const struct roster_card *card, unsigned port)
{
    struct isolation_port state;
    const int error = isolates(card) ? isolation_read_port(card->card, port, &state) : 0;
    if (!error && isolates(card))
        json_object_set_new(function, "isolation", isolation_json(&state));
    return error;
}

static int add_source(json_t *sources, const struct roster_card *card, const struct relay_source *source)
{
    struct isolation_rewrite rewrite = {0};
    const int error = isolates(card) ? isolation_read_rewrite(card->card, source->index, &rewrite) : 0;
    json_t *object = describe_source_json(source);
    if (rewrite.rewritten)
        json_object_set_new(object, "rewritten",
                            json_pack("{s:o, s:o}", "address", json_hex(rewrite.address, 8), "data",
                                      json_hex(rewrite.data, 4)));
    json_array_append_new(sources, object);
    return error;
}

static int add_card(json_t *cards, struct roster_card *card)
{
    uint64_t now;
    uint32_t counters[RELAY_COUNTERS];
    int error = relay_time(card->card, &now);
    if (error || (error = relay_read_counters(card->card, counters)))
        return error;
    json_t *object = describe_card_json(card), *functions = json_array();
    for (unsigned f = 0; f < card->n_functions; f++) {
        if (!card->selected && !card->function[f].selected)
            continue;
        json_t *sources = json_array(), *function = describe_function_json(&card->function[f]);
        for (unsigned i = 0; i < card->n_sources; i++)
            if (card->function_of[i] == f)
                error = error ? error : add_source(sources, card, &card->source[i]);
        json_object_set_new(function, "sources", sources);
        error = error ? error : add_isolation(function, card, card->function[f].port);
        json_array_append_new(functions, function);
    }
    json_object_set_new(object, "time_ns", json_integer((json_int_t)now));
    json_object_set_new(object, "functions", functions);
    json_object_set_new(object, "counters", counters_json(counters));
    json_array_append_new(cards, object);
    return error;
}

/* ---- the subcommand -------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct invocation *invocation = state->input;
    struct sb_error error;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (!roster_filter_slot(&invocation->roster, arg, &error))
        return argp_error(state, "%s. %s", error.what, error.advice), EINVAL;
    return 0;
}

int show_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "[SLOT]",
        .doc = "Shows a card, or a function behind one, in full. SLOT is the same as -s SLOT."};
    int status = command_parse(invocation, &argp, argc, argv, invocation);
    if (status || (status = command_cards(invocation, CARD_PCI_READ, true)))
        return status;
    json_t *cards = json_array();
    for (unsigned c = 0; c < invocation->roster.n_cards; c++) {
        struct roster_card *card = invocation->roster.card[c];
        if (!card->card)
            continue;
        int error = invocation->json ? add_card(cards, card) : print_card(invocation, card);
        if (error) {
            char name[SLOT_NAME];
            fprintf(invocation->err, "signalbox: %s: %s\n", slot_name(card->slot, name),
                    card_error_text(error));
            status = EXIT_FAILED;
        } else if (!invocation->json && c + 1 < invocation->roster.n_cards) {
            fputc('\n', invocation->out);
        }
    }
    if (invocation->json) {
        json_t *result = json_schema("show", 1);
        json_object_set(result, "cards", cards);
        json_print(invocation, result);
    }
    json_decref(cards);
    return status;
}

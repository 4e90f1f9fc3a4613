/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "describe.h"
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

static void source_line(struct libscols_line *line, const struct roster_card *card, unsigned i, uint64_t now)
{
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
    table_cell(line, STATE, "%s", describe_source_state(source, text));
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

static void print_functions(struct invocation *invocation, const struct roster_card *card)
{
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
    }
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
    print_functions(invocation, card);
    struct libscols_table *table = table_new(invocation, columns, COLUMNS);
    unsigned lines = 0;
    for (unsigned i = 0; i < card->n_sources; i++)
        if (shown(card, i)) {
            source_line(table_line(table, NULL), card, i, now);
            lines++;
        }
    if (lines) {
        fputc('\n', invocation->out);
        table_print(table);
    } else {
        scols_unref_table(table);
    }
    if (card->selected)
        print_counters(invocation, counters);
    return 0;
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
                json_array_append_new(sources, describe_source_json(&card->source[i]));
        json_object_set_new(function, "sources", sources);
        json_array_append_new(functions, function);
    }
    json_object_set_new(object, "time_ns", json_integer((json_int_t)now));
    json_object_set_new(object, "functions", functions);
    json_object_set_new(object, "counters", counters_json(counters));
    json_array_append_new(cards, object);
    return 0;
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

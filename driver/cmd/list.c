/* SPDX-License-Identifier: BSD-2-Clause */
#include "list.h"

#include <limits.h>
#include <unistd.h>

#include "describe.h"
#include "output.h"
#include "relay_regs.h"

enum { SLOT, PORT, DEVICE, DRIVER, IRQ, SOURCES, INTERRUPTS, STATE, COLUMNS };

static const struct column columns[COLUMNS] = {
    [SLOT] = {"SLOT", COLUMN_TREE},
    [PORT] = {"PORT", COLUMN_RIGHT},
    [DEVICE] = {"DEVICE", COLUMN_LEFT},
    [DRIVER] = {"DRIVER", COLUMN_LEFT},
    [IRQ] = {"IRQ", COLUMN_LEFT},
    [SOURCES] = {"SOURCES", COLUMN_RIGHT},
    [INTERRUPTS] = {"INTERRUPTS", COLUMN_RIGHT},
    [STATE] = {"STATE", COLUMN_LEFT},
};

static void card_line(struct libscols_line *line, const struct roster_card *card)
{
    char name[SLOT_NAME];
    const struct relay_identity *id = &card->identity;
    table_cell(line, SLOT, "%s", slot_name(card->slot, name));
    if (!card->card) {
        table_cell(line, DEVICE, "relay");
        table_cell(line, STATE, "not accessible");
        return;
    }
    table_cell(line, DEVICE, "relay, %u port%s, %u bit", id->ports, id->ports == 1 ? "" : "s",
               id->width_bits);
    table_cell(line, SOURCES, "%u/%u", card->n_sources, id->sources);
    table_cell(line, STATE, "%s%s", id->control & RELAY_CTRL_INDICATOR_FIRST ? "indicator-first" : "tap",
               id->status & RELAY_STATUS_TABLE_FULL ? ", table full" : "");
}

static void function_line(struct libscols_line *line, const struct roster_function *function, int name_most)
{
    char name[SLOT_NAME], text[DESCRIBE_TEXT];
    table_cell(line, SLOT, "%s", slot_name(function->slot, name));
    table_cell(line, PORT, "%u", function->port);
    table_cell(line, DEVICE, "%.*s", name_most, function->present ? function->name : "-");
    table_cell(line, DRIVER, "%s", function->driver[0] ? function->driver : "-");
    table_cell(line, IRQ, "%s", describe_lines(function, text));
    table_cell(line, SOURCES, "%u", function->n_sources);
    table_cell(line, INTERRUPTS, "%llu", (unsigned long long)function->count);
    table_cell(line, STATE, "%s", describe_function_state(function, text));
}

static void print_table(struct invocation *invocation)
{
    const struct roster *roster = &invocation->roster;
    struct libscols_table *table = table_new(invocation, columns, COLUMNS);
    /* A screen is too narrow for the long names; a program that reads us gets them whole. */
    const int name_most = isatty(fileno(invocation->out)) ? 24 : INT_MAX;
    for (unsigned c = 0; c < roster->n_cards; c++) {
        const struct roster_card *card = roster->card[c];
        struct libscols_line *line = table_line(table, NULL);
        card_line(line, card);
        for (unsigned f = 0; f < card->n_functions; f++)
            if (card->selected || card->function[f].selected)
                function_line(table_line(table, line), &card->function[f], name_most);
    }
    table_print(table);
    for (unsigned c = 0; c < roster->n_cards; c++)
        if (!roster->card[c]->card)
            command_error(invocation, &roster->card[c]->error);
}

static void print_objects(struct invocation *invocation)
{
    const struct roster *roster = &invocation->roster;
    json_t *cards = json_array();
    for (unsigned c = 0; c < roster->n_cards; c++) {
        const struct roster_card *card = roster->card[c];
        json_t *object = describe_card_json(card), *functions = json_array();
        for (unsigned f = 0; f < card->n_functions; f++)
            if (card->selected || card->function[f].selected)
                json_array_append_new(functions, describe_function_json(&card->function[f]));
        if (card->card)
            json_object_set_new(object, "functions", functions);
        else
            json_decref(functions);
        json_array_append_new(cards, object);
    }
    json_t *result = json_schema("list", 1);
    json_object_set_new(result, "cards", cards);
    json_print(invocation, result);
}

int list_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {
        .doc =
            "Lists the cards, and below each the functions whose interrupts pass it. \"asking\": the "
            "function has "
            "raised an interrupt that software has not acknowledged to the relay."};
    int status = command_parse(invocation, &argp, argc, argv, NULL);
    if (status || (status = command_cards(invocation, CARD_PCI_READ, false)))
        return status;
    if (invocation->json)
        print_objects(invocation);
    else
        print_table(invocation);
    return EXIT_OK;
}

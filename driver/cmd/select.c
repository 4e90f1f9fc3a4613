/* SPDX-License-Identifier: BSD-2-Clause */
#include "select.h"

#include <errno.h>
#include <stdlib.h>

#include "describe.h"
#include "output.h"

enum { KEY_ALL = 0x100, KEY_SOURCE, KEY_DRY_RUN };

static const struct argp_option options[] = {
    {"all", KEY_ALL, 0, 0, "Every source of every card", 2},
    {"source", KEY_SOURCE, "N", 0, "Only source N of the card's table, as `signalbox show` numbers them", 2},
    {"dry-run", KEY_DRY_RUN, 0, 0, "Say what would be done, and do nothing", 2},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct selection *selection = state->input;
    char *end;
    unsigned long value;
    switch (key) {
    case KEY_ALL:
        selection->all = true;
        return 0;
    case KEY_DRY_RUN:
        selection->dry_run = true;
        return 0;
    case KEY_SOURCE:
        value = strtoul(arg, &end, 10);
        if (end == arg || *end || value >= RELAY_SOURCES_MAX) {
            argp_error(state, "\"%s\" is no source: 0 to %d", arg, RELAY_SOURCES_MAX - 1);
            return EINVAL;
        }
        selection->source = (int)value;
        return 0;
    case ARGP_KEY_INIT:
        *selection = (struct selection){.source = -1};
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp select_argp = {.options = options, .parser = parse};

static bool chosen(const struct selection *selection, const struct roster_card *card, unsigned i)
{
    if (selection->source >= 0 && card->source[i].index != (unsigned)selection->source)
        return false;
    return card->selected || card->function[card->function_of[i]].selected;
}

int select_sources(struct invocation *invocation, const struct selection *selection, uint32_t caps,
                   const char *doing, struct selected **list, size_t *n)
{
    const struct roster *roster = &invocation->roster;
    char name[SLOT_NAME];
    *list = NULL;
    *n = 0;
    if (!roster->filtered && !selection->all) {
        fprintf(invocation->err, "signalbox: say which: -s SLOT, -d ID, or --all\n");
        return EXIT_USE;
    }
    int status = command_cards(invocation, selection->dry_run ? CARD_PCI_READ : CARD_PCI_STEER, true);
    if (status)
        return status;
    struct selected *found = malloc(roster->n_cards * RELAY_SOURCES_MAX * sizeof *found);
    if (!found)
        return command_no_memory(invocation);
    for (unsigned c = 0; c < roster->n_cards; c++) {
        struct roster_card *card = roster->card[c];
        for (unsigned i = 0; card->card && i < card->n_sources; i++) {
            if (!chosen(selection, card, i))
                continue;
            if ((card->identity.caps & caps) != caps) {
                fprintf(invocation->err, "signalbox: %s: this build of the circuit can't %s\n",
                        slot_name(card->slot, name), doing);
                free(found);
                return EXIT_FAILED;
            }
            found[(*n)++] = (struct selected){card, &card->source[i], &card->function[card->function_of[i]]};
        }
    }
    bool none_is_fine = false;
    for (unsigned c = 0; c < roster->n_cards; c++)
        none_is_fine |= roster->card[c]->card && roster->card[c]->identity.caps & selection->none_caps;
    if (*n == 0 && !none_is_fine) {
        free(found);
        fprintf(invocation->err, "signalbox: no such source: what was chosen has raised no interrupt yet\n");
        return EXIT_NO_SUCH;
    }
    *list = found;
    return EXIT_OK;
}

int select_failed(struct invocation *invocation, const struct roster_card *card, int error)
{
    char name[SLOT_NAME];
    fprintf(invocation->err, "signalbox: %s: %s\n", slot_name(card->slot, name), card_error_text(error));
    return EXIT_FAILED;
}

void select_report(struct invocation *invocation, const char *schema, const struct selection *selection,
                   const struct selected *list, size_t n, json_t *more)
{
    char name[SLOT_NAME], message[DESCRIBE_TEXT], state[DESCRIBE_TEXT];
    json_t *sources = json_array();
    for (size_t i = 0; i < n; i++) {
        slot_name(list[i].function->slot, name);
        if (invocation->json) {
            json_t *object = describe_source_json(list[i].source);
            json_object_set_new(object, "function", json_string(name));
            json_object_set_new(object, "card", json_string(slot_name(list[i].card->slot, name)));
            json_array_append_new(sources, object);
        } else {
            fprintf(invocation->out, "%s%s, source %u, %s: %s\n", selection->dry_run ? "(dry run) " : "",
                    name, list[i].source->index, describe_message(list[i].source, message),
                    describe_source_state(list[i].source, state));
        }
    }
    if (invocation->json) {
        json_t *object = json_schema(schema, 1);
        json_object_update_new(object,
                               json_pack("{s:b, s:o}", "dry_run", selection->dry_run, "sources", sources));
        if (more)
            json_object_update_new(object, more);
        json_print(invocation, object);
    } else {
        json_decref(sources);
        json_decref(more);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "mode.h"

#include <errno.h>
#include <string.h>

#include "output.h"
#include "relay_regs.h"
#include "select.h"

struct mode {
    bool set, first;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct mode *mode = state->input;
    if (key != ARGP_KEY_ARG || mode->set)
        return ARGP_ERR_UNKNOWN;
    mode->set = true;
    mode->first = strcmp(arg, "indicator-first") == 0;
    if (!mode->first && strcmp(arg, "tap") != 0) {
        argp_error(state, "\"%s\" is no mode: tap or indicator-first", arg);
        return EINVAL;
    }
    return 0;
}

static int change(struct invocation *invocation, struct roster_card *card, bool first)
{
    char name[SLOT_NAME];
    const uint32_t needed = first ? RELAY_CAPS_INDICATOR_FIRST : RELAY_CAPS_TAP;
    if (!(card->identity.caps & needed)) {
        fprintf(invocation->err, "signalbox: %s: this build of the circuit has no such mode\n",
                slot_name(card->slot, name));
        return EXIT_FAILED;
    }
    const uint32_t others = card->identity.control & ~RELAY_CTRL_INDICATOR_FIRST;
    int error = card_write(card->card, RELAY_CTRL, others | RELAY_PUT(RELAY_CTRL_INDICATOR_FIRST, first));
    if (!error)
        error = card_read(card->card, RELAY_CTRL, &card->identity.control);
    return error ? select_failed(invocation, card, error) : EXIT_OK;
}

int mode_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {.parser = parse,
                                     .args_doc = "[tap|indicator-first]",
                                     .doc =
                                         "Says or sets the mode of cards. indicator-first: no interrupt "
                                         "leaves the relay before its record can be "
                                         "read. tap: lowest latency, no such promise; mask, limit and "
                                         "one-shot then do not act on messages."};
    struct mode mode = {0};
    int status = command_parse(invocation, &argp, argc, argv, &mode);
    if (status || (status = command_cards(invocation, mode.set ? CARD_PCI_SWITCH : CARD_PCI_READ, true)))
        return status;
    json_t *cards = json_array();
    for (unsigned c = 0; c < invocation->roster.n_cards && !status; c++) {
        struct roster_card *card = invocation->roster.card[c];
        char name[SLOT_NAME];
        if (!card->card || (mode.set && (status = change(invocation, card, mode.first))))
            continue;
        const char *word = card->identity.control & RELAY_CTRL_INDICATOR_FIRST ? "indicator-first" : "tap";
        slot_name(card->slot, name);
        if (!invocation->json)
            fprintf(invocation->out, "%s: %s\n", name, word);
        json_array_append_new(cards, json_pack("{s:s, s:s}", "slot", name, "mode", word));
    }
    if (invocation->json && !status) {
        json_t *object = json_schema("mode", 1);
        json_object_set(object, "cards", cards);
        json_print(invocation, object);
    }
    json_decref(cards);
    return status;
}

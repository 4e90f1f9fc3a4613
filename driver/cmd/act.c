/* SPDX-License-Identifier: BSD-2-Clause */
#include "act.h"

#include <errno.h>
#include <stdlib.h>

#include "describe.h"
#include "relay_regs.h"
#include "select.h"
#include "timespan.h"

struct act {
    struct selection selection;
    bool off;
    bool new_sources; /* limit: those a card learns later, too */
    /* limit: 0 leaves what is set */
    uint32_t every_ns, high_ns, low_ns;
};

/* ---- options --------------------------------------------------------------------------------------- */

enum { KEY_OFF = 0x200, KEY_EVERY, KEY_HIGH, KEY_LOW };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct act *act = state->input;
    uint32_t *time = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &act->selection;
        return 0;
    case KEY_OFF:
        act->off = true;
        return 0;
    case KEY_EVERY:
        time = &act->every_ns;
        break;
    case KEY_HIGH:
        time = &act->high_ns;
        break;
    case KEY_LOW:
        time = &act->low_ns;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (!timespan_parse(arg, time)) {
        argp_error(state, "\"%s\" is no time: a number from 1ns to 4294ms, with ns, us, ms or s", arg);
        return EINVAL;
    }
    return 0;
}

static const struct argp_child children[] = {{&select_argp, 0, NULL, 0}, {0}};

/* ---- doing ----------------------------------------------------------------------------------------- */

/* Sets and clears bits of SRC_ACT; what reads back is what holds. */
static int change(struct invocation *invocation, const struct selected *item, uint32_t set, uint32_t clear)
{
    struct card *card = item->card->card;
    const uint32_t offset = RELAY_SRC_ACT(item->source->index), wanted = (item->source->act & ~clear) | set;
    uint32_t got = 0;
    int error = card_write(card, offset, wanted);
    if (!error)
        error = card_read(card, offset, &got);
    if (error)
        return select_failed(invocation, item->card, error);
    item->source->act = got;
    if (got == wanted)
        return EXIT_OK;
    fprintf(invocation->err, "signalbox: source %u: wrote 0x%x, the relay holds 0x%x\n", item->source->index,
            wanted, got);
    return EXIT_FAILED;
}

/* In tap mode messages leave before the relay can hold them back. */
static void warn_of_tap(struct invocation *invocation, const struct selected *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].source->kind == RELAY_KIND_MSI &&
            !(list[i].card->identity.control & RELAY_CTRL_INDICATOR_FIRST)) {
            fprintf(invocation->err,
                    "signalbox: in tap mode this does not act on messages, only on INTx; "
                    "`signalbox mode indicator-first` changes that\n");
            return;
        }
}

/* The limit's times hold for a card: they are written once for each, before any source is limited by them. */
static int write_times(struct invocation *invocation, const struct act *act)
{
    const struct {
        uint32_t offset, value;
    } times[] = {{RELAY_LIMIT_EDGE_NS, act->every_ns},
                 {RELAY_LIMIT_ON_NS, act->high_ns},
                 {RELAY_LIMIT_OFF_NS, act->low_ns}};
    for (unsigned c = 0; c < invocation->roster.n_cards; c++) {
        const struct roster_card *card = invocation->roster.card[c];
        for (unsigned i = 0; card->card && i < sizeof times / sizeof *times; i++) {
            int error = times[i].value ? card_write(card->card, times[i].offset, times[i].value) : 0;
            if (error)
                return select_failed(invocation, card, error);
        }
    }
    return EXIT_OK;
}

/*
 * Sources that a card will learn from traffic begin with the limit, or no longer. 0 and the card's place in
 * the report, a line or an object of `list`; an exit status where the card can't be written to.
 */
static int limit_new_sources(struct invocation *invocation, const struct act *act, struct roster_card *card,
                             json_t *list)
{
    char name[SLOT_NAME], text[DESCRIBE_TEXT];
    slot_name(card->slot, name);
    if (!(card->identity.caps & RELAY_CAPS_LEARN_ACT)) {
        if (!act->off)
            fprintf(invocation->err,
                    "signalbox: %s: this build of the circuit can't limit sources before their first "
                    "interrupt: say it again when others have come\n",
                    name);
        return EXIT_OK;
    }
    const uint32_t had = card->identity.learn_act;
    uint32_t got = act->off ? had & ~RELAY_LEARN_ACT_LIMIT : had | RELAY_LEARN_ACT_LIMIT;
    if (!act->selection.dry_run) {
        int error = card_write(card->card, RELAY_LEARN_ACT, got);
        if (!error)
            error = card_read(card->card, RELAY_LEARN_ACT, &got);
        if (error)
            return select_failed(invocation, card, error);
    }
    if (invocation->json)
        json_array_append_new(list, json_pack("{s:s, s:o}", "card", name, "acts", describe_acts_json(got)));
    else
        fprintf(invocation->out, "%s%s, sources to come: %s\n", act->selection.dry_run ? "(dry run) " : "",
                name, got ? describe_acts(got, text) : "as they are");
    return EXIT_OK;
}

static int act_on(struct invocation *invocation, const struct act *act, const char *schema, uint32_t caps,
                  const char *doing, uint32_t set, uint32_t clear)
{
    struct selected *list;
    size_t n;
    int status = select_sources(invocation, &act->selection, caps, doing, &list, &n);
    if (status)
        return status;
    if (!act->selection.dry_run)
        status = write_times(invocation, act);
    for (size_t i = 0; i < n && !status; i++) {
        if (act->selection.dry_run)
            list[i].source->act = (list[i].source->act & ~clear) | set;
        else
            status = change(invocation, &list[i], set, clear);
    }
    json_t *new_sources = json_array();
    if (act->new_sources)
        for (unsigned c = 0; c < invocation->roster.n_cards && !status; c++)
            if (invocation->roster.card[c]->card)
                status = limit_new_sources(invocation, act, invocation->roster.card[c], new_sources);
    if (!status) {
        if (set)
            warn_of_tap(invocation, list, n);
        json_t *more = act->new_sources ? json_pack("{s:O}", "new_sources", new_sources) : NULL;
        select_report(invocation, schema, &act->selection, list, n, more);
    }
    json_decref(new_sources);
    free(list);
    return status;
}

int mask_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {.parser = parse,
                                     .children = children,
                                     .doc =
                                         "Masks sources in the relay: nothing of them is sent upstream; "
                                         "their requests stay pending and are "
                                         "sent when they are unmasked."};
    struct act act = {0};
    int status = command_parse(invocation, &argp, argc, argv, &act);
    return status ? status : act_on(invocation, &act, "mask", RELAY_CAPS_MASK, "mask", RELAY_SRC_ACT_MASK, 0);
}

int unmask_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .children = children, .doc = "Ends what `signalbox mask` did."};
    struct act act = {0};
    int status = command_parse(invocation, &argp, argc, argv, &act);
    return status ? status
                  : act_on(invocation, &act, "unmask", RELAY_CAPS_MASK, "mask", 0, RELAY_SRC_ACT_MASK);
}

int one_shot_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {{"off", KEY_OFF, 0, 0, "End it", 1}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .children = children,
                                     .doc =
                                         "Delivers INTx sources once: after delivery the relay takes the "
                                         "wire down upstream, until software "
                                         "acknowledges the source (signalbox ack) or re-arms it."};
    struct act act = {0};
    int status = command_parse(invocation, &argp, argc, argv, &act);
    return status ? status
                  : act_on(invocation, &act, "one-shot", RELAY_CAPS_ONE_SHOT, "deliver once",
                           act.off ? 0 : RELAY_SRC_ACT_ONE_SHOT, act.off ? RELAY_SRC_ACT_ONE_SHOT : 0);
}

/* ---- limit ----------------------------------------------------------------------------------------- */

int limit_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"off", KEY_OFF, 0, 0, "End the limit of these sources", 1},
        {"every", KEY_EVERY, "TIME", 0, "Messages: send one at most in this time (100us)", 1},
        {"high", KEY_HIGH, "TIME", 0, "INTx: take the wire down upstream when it stays high longer (1ms)", 1},
        {"low", KEY_LOW, "TIME", 0, "INTx: raise it again after this, or when acknowledged (10ms)", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc =
            "Limits storms: of a source that sends too many messages the relay sends one in a while and "
            "counts the "
            "rest; an INTx wire that stays high is taken down upstream for a while, so that the kernel keeps "
            "the "
            "line. TIME is a number with ns, us, ms or s. The three times hold for all limited sources of a "
            "card "
            "and stay until they are changed; those in parentheses are the relay's own after a reset. --all "
            "limits "
            "sources that raise their first interrupt later, too, where the circuit can."};
    struct act act = {0};
    int status = command_parse(invocation, &argp, argc, argv, &act);
    act.new_sources = act.selection.all && !invocation->roster.filtered && act.selection.source < 0;
    act.selection.none_caps = act.new_sources ? RELAY_CAPS_LEARN_ACT : 0;
    return status ? status
                  : act_on(invocation, &act, "limit", RELAY_CAPS_STORM_LIMIT, "limit storms",
                           act.off ? 0 : RELAY_SRC_ACT_LIMIT, act.off ? RELAY_SRC_ACT_LIMIT : 0);
}

/* ---- ack ------------------------------------------------------------------------------------------- */

int ack_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {.parser = parse,
                                     .children = children,
                                     .doc =
                                         "Acknowledges, by writing back the count that was read, so that an "
                                         "interrupt in between stays pending. "
                                         "Not for a machine whose hypervisor acknowledges itself."};
    struct act act = {0};
    struct selected *list;
    size_t n;
    int status = command_parse(invocation, &argp, argc, argv, &act);
    if (status || (status = select_sources(invocation, &act.selection, 0, "", &list, &n)))
        return status;
    for (size_t i = 0; i < n && !status; i++) {
        const uint32_t seen = list[i].source->count;
        int error = act.selection.dry_run
                        ? 0
                        : card_write(list[i].card->card, RELAY_SRC_ACKED(list[i].source->index), seen);
        if (error)
            status = select_failed(invocation, list[i].card, error);
        list[i].source->acked = seen;
    }
    if (!status)
        select_report(invocation, "ack", &act.selection, list, n, NULL);
    free(list);
    return status;
}

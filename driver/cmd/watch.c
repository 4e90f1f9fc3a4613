/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"

#include <stdlib.h>

#include "describe.h"
#include "indicator.h"
#include "output.h"
#include "pace.h"
#include "relay_regs.h"

/* A card and its reader. The reader only reads: nothing is acknowledged. */
struct watched {
    struct invocation *invocation;
    struct roster_card *card;
    struct indicator indicator;
    bool started; /* what was there before the watch began is not told */
};

/* When it was: the relay keeps the time of a source's last interrupt. */
static uint64_t event_time(struct watched *watched, const struct indicator_event *event)
{
    uint64_t ns = event->time_ns;
    if (!ns && event->source != INDICATOR_UNLISTED)
        (void)relay_read64(watched->card->card, RELAY_SRC_LAST_LO(event->source),
                           RELAY_SRC_LAST_HI(event->source), &ns);
    return ns;
}

static void tell_text(const struct watched *watched, const struct indicator_event *event, struct slot slot,
                      uint64_t ns)
{
    char name[SLOT_NAME], message[DESCRIBE_TEXT];
    const struct relay_source source = {.kind = event->kind == RELAY_SRC_KEY_KIND_INTX ? RELAY_KIND_INTX
                                                                                       : RELAY_KIND_MSI,
                                        .address = event->address,
                                        .data = event->data};
    FILE *out = watched->invocation->out;
    fprintf(out, "%6llu.%09llu  %s  %s", (unsigned long long)(ns / 1000000000),
            (unsigned long long)(ns % 1000000000), slot_name(slot, name), describe_message(&source, message));
    if (event->fresh)
        fprintf(out, "  +%u", event->fresh);
    if (source.kind == RELAY_KIND_INTX)
        fprintf(out, "  wire %s", event->level ? "high" : "low");
    fprintf(out, "%s\n", event->source == INDICATOR_UNLISTED ? "  not in the source table" : "");
}

static void tell_json(const struct watched *watched, const struct indicator_event *event, struct slot slot,
                      uint64_t ns)
{
    char name[SLOT_NAME], card[SLOT_NAME];
    const bool intx = event->kind == RELAY_SRC_KEY_KIND_INTX;
    json_t *object = json_object();
    json_object_update_new(
        object, json_pack("{s:s, s:s, s:s, s:i, s:I, s:I}", "card", slot_name(watched->card->slot, card),
                          "function", slot_name(slot, name), "kind", intx ? "intx" : "msi", "port",
                          event->port, "time_ns", (json_int_t)ns, "fresh", (json_int_t)event->fresh));
    if (event->source != INDICATOR_UNLISTED)
        json_object_set_new(object, "source", json_integer(event->source));
    if (intx)
        json_object_update_new(object, json_pack("{s:o, s:b}", "pin",
                                                 json_sprintf("INT%c", (char)('A' + (event->address & 3))),
                                                 "level", event->level));
    else
        json_object_update_new(object, json_pack("{s:o, s:o}", "address", json_hex(event->address, 8), "data",
                                                 json_hex(event->data, 4)));
    json_print_line(watched->invocation, object);
}

static void tell(void *context, const struct indicator_event *event)
{
    struct watched *watched = context;
    if (!watched->started)
        return;
    const struct slot slot =
        roster_owner(watched->card, event->kind == RELAY_SRC_KEY_KIND_INTX ? RELAY_KIND_INTX : RELAY_KIND_MSI,
                     event->port, event->requester);
    if (!watched->card->selected && !roster_selects(&watched->invocation->roster, slot))
        return;
    const uint64_t ns = event_time(watched, event);
    (watched->invocation->json ? tell_json : tell_text)(watched, event, slot, ns);
}

static int failed(struct invocation *invocation, const struct roster_card *card, int error)
{
    char name[SLOT_NAME];
    fprintf(invocation->err, "signalbox: %s: %s\n", slot_name(card->slot, name), card_error_text(error));
    return EXIT_FAILED;
}

/* The first line says what is watched; it is there when the watch has begun. */
static void tell_start(struct invocation *invocation, const struct watched *watched, unsigned n,
                       double seconds)
{
    char name[SLOT_NAME];
    json_t *object = json_schema("watch", 1), *cards = json_array();
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(cards, json_string(slot_name(watched[i].card->slot, name)));
    json_object_update_new(object, json_pack("{s:f, s:o}", "interval", seconds, "cards", cards));
    json_print_line(invocation, object);
    fflush(invocation->out);
}

static int watch_all(struct invocation *invocation, struct watched *watched, unsigned n,
                     const struct pace *pace)
{
    for (unsigned long round = 0; !pace->rounds || round < pace->rounds; round++) {
        if (!pace_wait(pace->seconds))
            break;
        for (unsigned i = 0; i < n; i++) {
            int error = roster_lost(watched[i].card) ? CARD_GONE : indicator_scan(&watched[i].indicator);
            if (error < 0)
                return failed(invocation, watched[i].card, error);
        }
        if (fflush(invocation->out) != 0)
            break;
    }
    return EXIT_OK;
}

int watch_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_child children[] = {{&pace_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {.parser = pace_only,
                                     .children = children,
                                     .doc =
                                         "Tells of interrupts as the relay counts them, looking every 0.1 s "
                                         "or as -i says: time by the relay's "
                                         "clock, function, message or wire, and how many came since the last "
                                         "look. Nothing is acknowledged. For "
                                         "every single one with its time, record a trace."};
    struct pace pace = {.seconds = 0.1};
    int status = command_parse(invocation, &argp, argc, argv, &pace);
    if (status || (status = command_cards(invocation, CARD_PCI_READ, true)))
        return status;
    struct watched *watched = calloc(invocation->roster.n_cards, sizeof *watched);
    if (!watched)
        return command_no_memory(invocation);
    unsigned n = 0;
    for (unsigned c = 0; c < invocation->roster.n_cards && !status; c++) {
        struct roster_card *card = invocation->roster.card[c];
        if (!card->card)
            continue;
        struct watched *next = &watched[n++];
        *next = (struct watched){.invocation = invocation, .card = card};
        int error = indicator_open(&next->indicator, card->card, 0, tell, next);
        if (error)
            status = failed(invocation, card, error);
        next->started = true;
    }
    if (!status) {
        pace_prepare();
        if (invocation->json)
            tell_start(invocation, watched, n, pace.seconds);
        status = watch_all(invocation, watched, n, &pace);
    }
    free(watched);
    return status;
}

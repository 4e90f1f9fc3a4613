/* SPDX-License-Identifier: BSD-2-Clause */
#include "roster.h"

#include <pci/pci.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "relay_regs.h"

/* libpci calls this where it can't go on, and it must not return. */
__attribute__((noreturn, format(printf, 1, 2))) static void give_up(char *text, ...)
{
    va_list list;
    va_start(list, text);
    fputs("signalbox: the PCI bus can't be read: ", stderr);
    vfprintf(stderr, text, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

static void ignore(char *text, ...)
{
    (void)text;
}

bool roster_open(struct roster *roster)
{
    *roster = (struct roster){.pci = pci_alloc(), .filter = calloc(1, sizeof *roster->filter)};
    if (!roster->pci || !roster->filter) {
        roster_close(roster);
        return false;
    }
    roster->pci->error = give_up;
    roster->pci->warning = ignore;
    pci_filter_init(roster->pci, roster->filter);
    /* Names come from pci.ids only, of which names_readable has made sure, and never from the network. */
    pci_set_param(roster->pci, (char[]){"hwdb.disable"}, (char[]){"1"});
    return true;
}

static void clear_functions(struct roster_card *card)
{
    for (unsigned i = 0; i < card->n_functions; i++)
        kernel_lines_free(&card->function[i].lines);
    card->n_functions = 0;
    card->n_sources = 0;
}

static void close_card(struct roster_card *card)
{
    if (card->card && card->card->ops->close)
        card->card->ops->close(card->card);
    card->card = NULL;
}

void roster_close(struct roster *roster)
{
    for (unsigned i = 0; i < roster->n_cards; i++) {
        clear_functions(roster->card[i]);
        close_card(roster->card[i]);
        free(roster->card[i]);
    }
    if (roster->pci)
        pci_cleanup(roster->pci);
    free(roster->filter);
    *roster = (struct roster){0};
}

/* libpci writes into the text it parses. */
static bool parse(struct roster *roster, const char *text, char *(*parser)(struct pci_filter *, char *),
                  const char *form, struct sb_error *error)
{
    char copy[64];
    if (strlen(text) >= sizeof copy) {
        sb_error_set(error, form, "\"%.20s...\" is too long for a selector", text);
        return false;
    }
    strcpy(copy, text);
    const char *problem = parser(roster->filter, copy);
    if (problem)
        sb_error_set(error, form, "\"%s\": %s", text, problem);
    roster->filtered = true;
    return !problem;
}

bool roster_filter_slot(struct roster *roster, const char *text, struct sb_error *error)
{
    return parse(roster, text, pci_filter_parse_slot, "A slot is [[[[domain]:]bus]:][device][.[function]]",
                 error);
}

bool roster_filter_id(struct roster *roster, const char *text, struct sb_error *error)
{
    return parse(roster, text, pci_filter_parse_id, "An id is [vendor]:[device][:class[:prog-if]]", error);
}

/* ---- functions ------------------------------------------------------------------------------------- */

static struct pci_dev *find_device(const struct roster *roster, struct slot slot)
{
    for (struct pci_dev *dev = roster->pci->devices; dev; dev = dev->next)
        if (slot_equal(slot, (struct slot){(uint32_t)dev->domain, dev->bus, dev->dev, dev->func}))
            return dev;
    return NULL;
}

static bool slot_selected(const struct roster *roster, struct slot slot)
{
    const struct pci_filter *filter = roster->filter;
    return (filter->domain < 0 || (uint32_t)filter->domain == slot.domain) &&
           (filter->bus < 0 || filter->bus == slot.bus) &&
           (filter->slot < 0 || filter->slot == slot.device) &&
           (filter->func < 0 || filter->func == slot.function) && filter->vendor < 0 && filter->device < 0 &&
           filter->device_class < 0;
}

static bool selected(const struct roster *roster, struct slot slot, struct pci_dev *dev)
{
    if (!roster->filtered)
        return true;
    return dev ? pci_filter_match(roster->filter, dev) != 0 : slot_selected(roster, slot);
}

static struct roster_function *add_function(struct roster *roster, struct roster_card *card, struct slot slot,
                                            unsigned port)
{
    struct roster_function *function = &card->function[card->n_functions++];
    *function = (struct roster_function){.slot = slot, .port = port, .up = card->port[port].up};
    struct pci_dev *dev = find_device(roster, slot);
    function->selected = selected(roster, slot, dev);
    if (!dev)
        return function;
    pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS);
    function->present = true;
    function->vendor = dev->vendor_id;
    function->device = dev->device_id;
    if (roster->names && dev->vendor_id == ROSTER_VENDOR && dev->device_id == ROSTER_EXERCISER)
        snprintf(function->name, sizeof function->name, "Signalbox exerciser");
    else if (roster->names)
        pci_lookup_name(roster->pci, function->name, sizeof function->name,
                        PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor_id, dev->device_id);
    else
        snprintf(function->name, sizeof function->name, "%04x:%04x", dev->vendor_id, dev->device_id);
    kernel_driver(slot, function->driver);
    kernel_lines(slot, &function->lines);
    return function;
}

struct slot roster_owner(const struct roster_card *card, enum relay_kind kind, unsigned port,
                         uint16_t requester)
{
    const uint16_t behind = card->port[port & RELAY_PORTS_MAX].requester;
    return slot_of_requester(card->slot.domain, kind == RELAY_KIND_INTX && behind ? behind : requester);
}

bool roster_selects(const struct roster *roster, struct slot slot)
{
    return selected(roster, slot, find_device(roster, slot));
}

static unsigned function_index(struct roster *roster, struct roster_card *card, struct slot slot,
                               unsigned port)
{
    for (unsigned i = 0; i < card->n_functions; i++)
        if (slot_equal(card->function[i].slot, slot) && card->function[i].port == port)
            return i;
    add_function(roster, card, slot, port);
    return card->n_functions - 1;
}

static void count_source(struct roster_function *function, const struct relay_source *source)
{
    function->n_sources++;
    function->count += source->count;
    function->pending += relay_pending(source);
    function->level |= source->kind == RELAY_KIND_INTX && source->state & RELAY_SRC_STATE_LEVEL;
}

static int read_card(struct roster *roster, struct roster_card *card)
{
    int error = relay_identify(card->card, &card->identity);
    if (error)
        return error;
    for (unsigned port = 1; port <= card->identity.ports; port++) {
        if ((error = relay_read_port(card->card, port, &card->port[port])))
            return error;
        if (card->port[port].requester)
            add_function(roster, card, slot_of_requester(card->slot.domain, card->port[port].requester),
                         port);
    }
    for (unsigned i = 0; i < card->identity.sources; i++) {
        struct relay_source *source = &card->source[card->n_sources];
        bool listed;
        if ((error = relay_read_source(card->card, i, source, &listed)))
            return error;
        if (!listed)
            continue;
        unsigned index = function_index(
            roster, card, roster_owner(card, source->kind, source->port, source->requester), source->port);
        count_source(&card->function[index], source);
        card->function_of[card->n_sources++] = index;
    }
    return 0;
}

bool roster_lost(const struct roster_card *card)
{
    return card->card == &card->pci.card && !kernel_present(card->slot);
}

int roster_refresh(struct roster *roster, struct roster_card *card)
{
    char name[SLOT_NAME];
    clear_functions(card);
    if (!card->card)
        return CARD_GONE;
    int error = roster_lost(card) ? CARD_GONE : read_card(roster, card);
    if (error) {
        sb_error_set(&card->error, NULL, "%s: %s", slot_name(card->slot, name), card_error_text(error));
        clear_functions(card);
        close_card(card);
    }
    return error;
}

/* ---- cards ----------------------------------------------------------------------------------------- */

static struct roster_card *new_card(struct roster *roster, struct slot slot)
{
    if (roster->n_cards == ROSTER_CARDS_MAX)
        return NULL;
    struct roster_card *card = calloc(1, sizeof *card);
    if (!card)
        return NULL;
    card->slot = slot;
    card->selected = selected(roster, slot, find_device(roster, slot));
    roster->card[roster->n_cards++] = card;
    return card;
}

/* A card no part of which is selected leaves again. */
static void keep_if_selected(struct roster *roster)
{
    struct roster_card *card = roster->card[roster->n_cards - 1];
    bool keep = card->selected;
    for (unsigned i = 0; i < card->n_functions; i++)
        keep |= card->function[i].selected;
    if (keep)
        return;
    clear_functions(card);
    close_card(card);
    free(card);
    roster->n_cards--;
}

static int by_slot(const void *a, const void *b)
{
    const struct roster_card *left = *(struct roster_card *const *)a,
                             *right = *(struct roster_card *const *)b;
    char left_name[SLOT_NAME], right_name[SLOT_NAME];
    return strcmp(slot_name(left->slot, left_name), slot_name(right->slot, right_name));
}

bool roster_find(struct roster *roster, enum card_pci_mode mode, struct sb_error *error)
{
    enum { NAMES_MS = 500 };
    pci_init(roster->pci);
    pci_scan_bus(roster->pci);
    roster->names = roster->names && names_readable(roster->pci->id_file_name, NAMES_MS);
    for (struct pci_dev *dev = roster->pci->devices; dev; dev = dev->next) {
        pci_fill_info(dev, PCI_FILL_IDENT);
        if (dev->vendor_id != ROSTER_VENDOR || dev->device_id != ROSTER_DEVICE)
            continue;
        const struct slot slot = {(uint32_t)dev->domain, dev->bus, dev->dev, dev->func};
        struct roster_card *card = new_card(roster, slot);
        if (!card) {
            sb_error_set(error, NULL, "more than %d cards, or no memory", ROSTER_CARDS_MAX);
            return false;
        }
        if (card_pci_open(&card->pci, slot, mode, &card->error) == 0) {
            card->card = &card->pci.card;
            roster_refresh(roster, card);
        }
        keep_if_selected(roster);
    }
    qsort(roster->card, roster->n_cards, sizeof roster->card[0], by_slot);
    return true;
}

bool roster_add(struct roster *roster, struct slot slot, struct card *handle, struct sb_error *error)
{
    struct roster_card *card = new_card(roster, slot);
    if (!card) {
        sb_error_set(error, NULL, "more than %d cards, or no memory", ROSTER_CARDS_MAX);
        return false;
    }
    card->card = handle;
    int result = roster_refresh(roster, card);
    if (result && error)
        *error = card->error;
    keep_if_selected(roster);
    return result == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The roster: every relay of this machine, the functions behind it, the interrupt sources of each, and what
 * Linux knows of them.
 */
#ifndef ROSTER_H
#define ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "card_pci.h"
#include "error.h"
#include "kernel.h"
#include "relay.h"
#include "slot.h"

struct pci_access;
struct pci_filter;

enum {
    ROSTER_VENDOR = 0x1209, /* pid.codes */
    ROSTER_DEVICE = 0x5160,
    ROSTER_EXERCISER = 0x5161, /* a function of the simulation, and of this project */
    ROSTER_CARDS_MAX = 16,
    ROSTER_NAME = 128,
};

/* A function whose interrupts pass a relay. */
struct roster_function {
    struct slot slot;
    unsigned port;
    bool present; /* Linux has it */
    bool up;      /* its port's link is up */
    bool selected;
    uint16_t vendor, device;
    char name[ROSTER_NAME];
    char driver[KERNEL_NAME]; /* empty: none */
    struct kernel_lines lines;
    unsigned n_sources;
    uint64_t count;   /* interrupts of all its sources */
    unsigned pending; /* sources with unacknowledged interrupts */
    bool level;       /* one of its INTx wires is high */
};

struct roster_card {
    struct slot slot;
    bool selected;     /* chosen by the filter itself, not only by one of its functions */
    struct card *card; /* null: not accessible, see error */
    struct card_pci pci;
    struct sb_error error;
    struct relay_identity identity;
    struct relay_port port[RELAY_PORTS_MAX + 1];
    struct relay_source source[RELAY_SOURCES_MAX];
    unsigned function_of[RELAY_SOURCES_MAX]; /* of source[i]: index in function */
    unsigned n_sources;
    struct roster_function function[RELAY_PORTS_MAX + RELAY_SOURCES_MAX];
    unsigned n_functions;
};

struct roster {
    struct pci_access *pci;
    struct pci_filter *filter;
    bool filtered;
    bool names; /* look names up in the machine's pci.ids */
    struct roster_card *card[ROSTER_CARDS_MAX];
    unsigned n_cards;
};

/* Must be closed, whatever it returns later. False: out of memory. */
bool roster_open(struct roster *roster);
void roster_close(struct roster *roster);

/* Selectors as lspci -s and -d take them; both may be used. False, with an error, when `text` is none. */
bool roster_filter_slot(struct roster *roster, const char *text, struct sb_error *error);
bool roster_filter_id(struct roster *roster, const char *text, struct sb_error *error);

/*
 * Finds cards and functions, and reads their state, as far as the filter selects them. A card that can't be
 * reached is in the roster, too, with its error. False: the machine's PCI bus can't be read.
 */
bool roster_find(struct roster *roster, enum card_pci_mode mode, struct sb_error *error);

/* Puts a card that was not found by PCI (a simulated one) into the roster, which closes it in the end. */
bool roster_add(struct roster *roster, struct slot slot, struct card *card, struct sb_error *error);

/*
 * Whose interrupts a source stands for. A message names its function. An INTx message names port, device and
 * pin only (PCIe Base, 2.2.8.1): behind a port of this card that is the port's one function.
 */
struct slot roster_owner(const struct roster_card *card, enum relay_kind kind, unsigned port,
                         uint16_t requester);

/* Whether the filter selects a function, known to Linux or not. */
bool roster_selects(const struct roster *roster, struct slot slot);

/*
 * Whether Linux has removed a card that is open. Its memory may stay mapped and answer, and then belong to
 * another.
 */
bool roster_lost(const struct roster_card *card);

/* Reads a card's ports, sources and functions anew. 0 or a card_error, after which the card is closed. */
int roster_refresh(struct roster *roster, struct roster_card *card);

#endif

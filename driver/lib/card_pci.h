/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pci transport: BAR 0 of a relay, mapped by way of Linux's sysfs.
 *
 * It has no event ring: nothing would stop the card's writes to this process' memory when it dies. (vfio-pci
 * does that; a transport on it can have the ring.)
 */
#ifndef CARD_PCI_H
#define CARD_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "card.h"
#include "error.h"
#include "slot.h"

struct card_pci {
    struct card card;
    struct slot slot;
    int fd;
    volatile uint32_t *bar;
    bool writable;
};

/* What of a card is written to: each part has one writer at a time. */
enum card_pci_mode {
    CARD_PCI_READ = 0,
    CARD_PCI_STEER = 1,  /* what is done to sources */
    CARD_PCI_TRACE = 2,  /* the trace, and its bits of CTRL */
    CARD_PCI_SWITCH = 3, /* CTRL */
};

/*
 * Maps BAR 0 and checks that a relay answers. 0, or a card_error with `error` saying what is in the way and
 * what helps. The parts that are written to are locked (advisory) as long as the card is open.
 */
int card_pci_open(struct card_pci *pci, struct slot slot, enum card_pci_mode mode, struct sb_error *error);

#endif

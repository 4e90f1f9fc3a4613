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

enum card_pci_mode { CARD_PCI_READ, CARD_PCI_WRITE };

/*
 * Maps BAR 0 and checks that a relay answers. 0, or a card_error with `error` saying what is in the way and
 * what helps. CARD_PCI_WRITE takes the card's advisory lock, so that two programs don't steer it at once.
 */
int card_pci_open(struct card_pci *pci, struct slot slot, enum card_pci_mode mode, struct sb_error *error);

#endif

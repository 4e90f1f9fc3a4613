/* SPDX-License-Identifier: BSD-2-Clause */
/* The card's registers, mapped, and a ring in the hypervisor's own memory. */
#ifndef CARD_MMIO_H
#define CARD_MMIO_H

#include "card.h"

/* @pre the BAR is mapped, decoded, and nobody else's; function 0 may master the bus */
void card_mmio_open(struct card *card, uint64_t bar);

#endif

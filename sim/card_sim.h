/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sim transport: the Verilated relay in this process, driven as a root port would drive it.
 *
 * Register accesses are TLPs to BAR 0. Memory of this process serves the event ring: what the relay writes to
 * its bus addresses lands there. All else that leaves the relay upstream goes to a sink, so that a test sees
 * the interrupts themselves, in their order against the ring's records.
 */
#ifndef CARD_SIM_H
#define CARD_SIM_H

#include <stddef.h>
#include <stdint.h>

#include "card.h"
#include "model.h"

/* A TLP that left the relay towards the root and is neither a completion of this transport nor for its ring.
 */
typedef void (*card_sim_sink)(void *context, const uint32_t *dw, size_t n);

struct card_sim;

enum {
    CARD_SIM_BUS = 1,                /* where the card is: bus 1, device 0 */
    CARD_SIM_BAR = (int)0xfe000000,  /* its BAR 0 */
    CARD_SIM_RING = (int)0x10000000, /* the ring's bus address */
};

/*
 * Gives the model its place and its BAR, and bus mastering. Null: out of memory. The sink may be null.
 * @pre the model outlives the card
 */
struct card_sim *card_sim_open(struct model *model, card_sim_sink sink, void *context);
void card_sim_close(struct card_sim *sim);

/*
 * Another circuit takes the place of the one before, as after a reset of the card whose configuration space
 * somebody has restored. @pre the model has not gone beyond the time of the card
 */
void card_sim_attach(struct card_sim *sim, struct model *model);
struct card *card_sim_card(struct card_sim *sim);

/* Runs the model until nothing moves, and takes what left it upstream. */
void card_sim_pump(struct card_sim *sim);

/* Sets the model's time (ns, never back), and what card->now says. */
void card_sim_time(struct card_sim *sim, uint64_t ns);

/* How many register accesses went over the link. */
uint64_t card_sim_accesses(const struct card_sim *sim);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command reads of a card, on the Verilated relay. */
#include "card_sim.h"

#include <criterion/criterion.h>

#include "relay.h"
#include "relay_regs.h"

static struct model *model;
static struct card_sim *sim;
static struct card *card;

static void open_sim(void)
{
    model = model_open(&(struct model_shape){.ports = 4, .width_dw = 2, .sources = 32}, NULL);
    cr_assert_not_null(model);
    sim = card_sim_open(model, NULL, NULL);
    cr_assert_not_null(sim);
    card = card_sim_card(sim);
}

static void close_sim(void)
{
    card_sim_close(sim);
    model_close(model);
}

TestSuite(card_sim, .init = open_sim, .fini = close_sim);

Test(card_sim, a_relay_is_identified)
{
    struct relay_identity identity;
    cr_assert_eq(relay_identify(card, &identity), 0);
    cr_assert_eq(identity.ports, 4);
    cr_assert_eq(identity.sources, 32);
    cr_assert_eq(identity.width_bits, 64);
    cr_assert_eq(identity.clock_khz, 0);
}

Test(card_sim, writes_are_read_back)
{
    uint32_t value;
    cr_assert_eq(card_write(card, RELAY_SCRATCH, 0x12345678), 0);
    cr_assert_eq(card_read(card, RELAY_SCRATCH, &value), 0);
    cr_assert_eq(value, 0x12345678);
    cr_assert_eq(card_read(card, RELAY_BAR_BYTES, &value), CARD_REFUSED);
    cr_assert_eq(card_write(card, 2, 0), CARD_REFUSED);
}

Test(card_sim, time_is_the_models)
{
    uint64_t ns;
    card_sim_time(sim, 0x123456789abc);
    cr_assert_eq(relay_time(card, &ns), 0);
    cr_assert_eq(ns, 0x123456789abc);
    cr_assert_eq(card->ops->now(card), 0x123456789abc);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* An endpoint of one's own behind the relay: this is what your CI could look like. */
#include "machine.h"
#include "relay_regs.h"
#include "ticker.h"

#include <criterion/criterion.h>

enum { F = 1 };

static struct machine *m;

static void build(void)
{
    m = machine_with(ticker_open());
}

static void end(void)
{
    machine_close(m);
}

TestSuite(ticker, .init = build, .fini = end);

static uint32_t get(unsigned reg)
{
    return machine_read(m, F, 0, reg, 4);
}

static void set(unsigned reg, uint32_t value)
{
    machine_write(m, F, 0, reg, 4, value);
}

Test(ticker, is_found_and_answers)
{
    cr_expect_eq(machine_read(m, F, ROOT_CONFIG, 0, 4), TICKER_DEVICE << 16 | TICKER_VENDOR);
    cr_expect_eq(get(TICKER_ID), TICKER_ID_VALUE);
    cr_expect_eq(machine_read(m, F, 0, TICKER_ID + 1, 1), TICKER_ID_VALUE >> 8 & 0xff, "byte enables");
    cr_expect_eq(machine_read(m, F, 0, TICKER_ID + 2, 2), TICKER_ID_VALUE >> 16);
    uint8_t bytes[16];
    machine_access(m, F, 0, 0, bytes, sizeof bytes, false);
    cr_expect_eq(bytes[0], 0xff, "one DW at a time");
    machine_access(m, F, 0, 0, bytes, sizeof bytes, true);
    cr_expect_eq(get(TICKER_PERIOD_US), 0, "the same for writes");
    const struct root_counters *c = root_counters(m->root);
    cr_expect_eq(c->unexpected + c->malformed + c->timeouts, 0);
}

Test(ticker, interrupts_and_the_relay_knows_whose_they_are)
{
    set(TICKER_PERIOD_US, 200);
    for (unsigned i = 0; i < 1000 && get(TICKER_TICKS) < 2; i++) {
        machine_run_ms(m, 1);
    }
    set(TICKER_PERIOD_US, 0);
    cr_expect_geq(get(TICKER_TICKS), 2);
    cr_expect_eq(m->lines[F], 1);
    cr_expect_eq(machine_read(m, 0, 0, RELAY_WIRES_IN, 4), 1, "INTA of port 1");
    set(TICKER_ACK, 1);
    cr_expect_eq(get(TICKER_ACK), 0);
    cr_expect_eq(machine_read(m, 0, 0, RELAY_WIRES_IN, 4), 0);
    cr_expect_eq(board_counters(m->board)->interrupts[F], 1);
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 1);
}

Test(ticker, a_reset_takes_the_wire_down)
{
    set(TICKER_PERIOD_US, 10);
    for (unsigned i = 0; i < 1000 && !get(TICKER_ACK); i++) {
        machine_run_ms(m, 1);
    }
    cr_expect_eq(get(TICKER_ACK), 1, "it's up");
    unsigned cap = root_capability(m->root, F, PCI_CAP_ID_EXP);
    machine_write(m, F, ROOT_CONFIG, cap + (unsigned)PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
    cr_expect_eq(machine_read(m, 0, 0, RELAY_WIRES_IN, 4), 0);
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 1);
}

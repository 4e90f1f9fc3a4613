/* SPDX-License-Identifier: BSD-2-Clause */
/* The event ring runs over, the card is reset: nobody is lost, and nobody is taken for another. */
#include <criterion/criterion.h>

#include "card_rig.h"
#include "pci_config.h"

static void set_up(void)
{
    rig_open(&(struct rig_plan){.ports = 4, .owner = {[1] = 1, [2] = 2, [3] = 1}});
}

TestSuite(recovery, .init = set_up, .timeout = 60);

Test(recovery, an_overflow_of_the_ring_loses_nobody)
{
    rig_use_msix(1);
    rig_use_msix(2);
    for (unsigned i = 0; i < 300; i++)
        rig_message(1, 0);
    rig_message(2, 1);
    rig_want(3, true);
    rig_settle();
    cr_assert_eq(rig.device[1].messages, 1, "all 300 wait as one");
    cr_assert_eq(rig.device[1].owed[0], 0);
    cr_assert_eq(rig.device[2].messages, 1);
    cr_assert_eq(rig.device[3].lines, 1);
    cr_assert_gt(router.indicator.stats.missed, 0);
    cr_assert_eq(rig_in_vain(), 0);
}

/* ---- the card is reset ---- */

/* One call more than asked may come where a message waited at its CPU; none less, and nobody else's. */
static void expect_served(unsigned f, unsigned entry, unsigned sent_before)
{
    cr_assert_eq(rig.device[f].owed[entry], 0, "function %u: a message is lost", f);
    cr_assert_leq(rig.device[f].messages, sent_before + 1);
}

Test(recovery, lines_that_were_up_at_a_reset_of_the_card)
{
    unsigned long before = 0;

    for (unsigned i = 0; i < 8; i++) {
        /* In service, waiting for its CPU, and asked afterwards. */
        rig_want(1, true);
        rig_interrupt(0);
        rig_want(2, i & 1);
        if (i & 2)
            rig_interrupt(0);
        rig_reset_card();
        rig_want(3, i & 4);
        rig_settle();
        cr_assert_eq(rig_handled() - rig_in_vain() - before, 1 + (i & 1) + (i >> 2), "%u", i);
        cr_assert_leq(rig_in_vain(), i + 1, "%u: called again once at most", i);
        before = rig_handled() - rig_in_vain();
        cr_assert_eq(rig.wrong_lpar, 0);
        cr_assert(rig.input_on);
    }
    cr_assert_geq(router.indicator.stats.resets, 7);
}

Test(recovery, messages_under_way_at_a_reset_of_the_card)
{
    for (unsigned i = 0; i < 24; i++) {
        rig_use_msix(1);
        rig_use_msix(2);
        rig_use_msi(3);
        rig_settle();
        for (unsigned f = 1; f <= 3; f++)
            rig.device[f].messages = rig.device[f].lines = 0;
        /* Recorded only; at its CPU; told and not handled; sent to a circuit that knows nobody. */
        rig_message(1, 0);
        if (i & 1)
            rig_interrupt(0);
        if (i & 2)
            rig_guest(rig.red, 1);
        rig_message(2, 1);
        rig_reset_card();
        if (i & 4)
            rig_message(3, 0);
        if (i & 8)
            rig_message(1, 1);
        if (i & 16)
            rig_message(2, 0);
        rig_settle();
        expect_served(1, 0, 1 + (i >> 3 & 1));
        expect_served(1, 1, 1 + (i >> 3 & 1));
        expect_served(2, 1, 1 + (i >> 4 & 1));
        expect_served(2, 0, 1 + (i >> 4 & 1));
        expect_served(3, 0, i >> 2 & 1);
        cr_assert_eq(rig.wrong_lpar, 0);
        cr_assert_eq(router.port[1].turning | router.port[2].turning, 0);
        cr_assert_eq(router.port[1].by_vector | router.port[2].by_vector, 0, "%u: the relay is used again",
                     i);
    }
}

/* A circuit without tables lets all pass: the first that hypervisor or guest do with it ends that. */
Test(recovery, a_reset_card_confines_again)
{
    rig_use_msix(1);
    rig_reset_card();
    rig_write(2, 0xfee00000, ROUTER_VECTOR + router.port[1].first + 1, 2); /* a forged one gets out */
    cr_assert_eq(rig.messages, 1);
    rig_settle();
    cr_assert_eq(router.indicator.stats.resets, 1);
    rig_write(2, (uintptr_t)rig.red->memory.range[0].host, 1, 2);
    cr_assert_eq(rig.writes, 0);
    rig_write(2, 0x1000, 1, 2);
    cr_assert_eq(rig.writes, 1);
    cr_assert_eq(rig.last, (uintptr_t)rig.blue->memory.range[0].host + 0x1000,
                 "its own memory is open again");
}

Test(recovery, no_function_masters_the_bus_of_a_reset_card_before_it_is_set_up)
{
    rig_reset_card();
    rig_guest_set_config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
    cr_assert_eq(router.indicator.stats.resets, 1);
    rig_write(2, (uintptr_t)rig.red->memory.range[0].host, 1, 2);
    cr_assert_eq(rig.writes, 0);
}

Test(recovery, a_reset_card_and_a_full_ring_at_once)
{
    rig_use_msix(1);
    rig_use_msix(2);
    for (unsigned i = 0; i < 300; i++)
        rig_message(2, 0);
    rig_want(3, true);
    rig_reset_card();
    rig_message(1, 1);
    rig_settle();
    cr_assert_eq(rig.device[2].owed[0] + rig.device[1].owed[1], 0);
    cr_assert_eq(rig.device[3].lines, 1);
    cr_assert_eq(rig.device[1].messages, 1);
    cr_assert_leq(rig.device[2].messages, 2);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of functions behind the Verilated relay, to the LPARs that own them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "card_rig.h"
#include "pci_config.h"

/* Functions 1 and 3 are red's, 2 is blue's, nobody has 4. */
static void set_up(void)
{
    rig_open(&(struct rig_plan){.ports = 4, .owner = {[1] = 1, [2] = 2, [3] = 1}});
}

TestSuite(router, .init = set_up, .timeout = 60);

static void interrupts(void)
{
    while (rig_interrupt(0) || rig_interrupt(1))
        ;
}

Test(router, a_line_reaches_its_owner_and_no_status_register_is_read)
{
    for (unsigned i = 0; i < 20; i++) {
        rig_want(2, true);
        interrupts();
        rig_guest(rig.red, 9);
        cr_assert_eq(rig.device[2].lines, i);
        rig_guest(rig.blue, 9);
        cr_assert_eq(rig.device[2].lines, i + 1);
    }
    rig_settle();
    cr_assert_eq(rig_in_vain(), 0);
    cr_assert_eq(rig_handled(), 20);
    cr_assert_eq(router.stats.scan_reads, 0);
    cr_assert_eq(router.stats.spurious, 0);
    cr_assert_eq(router.indicator.stats.bus_reads, 0, "not one bus read for 20 interrupts");
}

Test(router, a_wire_that_joins_a_line_in_service_is_served_too)
{
    rig_want(2, true);
    interrupts();
    rig_want(1, true);
    interrupts();
    rig_want(3, true);
    rig_settle();
    for (unsigned f = 1; f <= 3; f++)
        cr_assert_eq(rig.device[f].lines, 1);
    cr_assert_eq(rig_in_vain(), 0);
    cr_assert_not(rig.level);
}

Test(router, a_function_that_asks_again_before_the_end_is_told_again)
{
    rig_want(1, true);
    interrupts();
    rig_want(1, false);
    rig_want(1, true);
    rig_settle();
    cr_assert_geq(rig.device[1].lines, 1);
    cr_assert_not(rig.device[1].wants);
    cr_assert_eq(rig_in_vain(), 0);
}

Test(router, messages_reach_their_owner_rewritten)
{
    rig_use_msix(1);
    rig_use_msix(2);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(rig_message(1, i & 1));
        rig_settle();
        cr_assert_eq(rig.device[1].messages, i + 1);
        cr_assert_eq(rig.device[2].messages, i);
        cr_assert(rig_message(2, i & 1));
        rig_settle();
        cr_assert_eq(rig.device[2].messages, i + 1);
    }
    cr_assert_eq(router.stats.spurious, 0);
    /* Its CPU, and the vector of its source. */
    rig_message(2, 1);
    cr_assert_eq(rig.address, 0xfee01000);
    cr_assert_eq(rig.data, ROUTER_VECTOR + router.port[2].first + 2);
}

Test(router, a_message_by_msi_and_the_line_again)
{
    rig_use_msi(3);
    rig_message(3, 0);
    rig_settle();
    cr_assert_eq(rig.device[3].messages, 1);
    rig_use_line(3);
    cr_assert_not(rig_message(3, 0));
    rig_want(3, true);
    rig_settle();
    cr_assert_eq(rig.device[3].messages, 1);
    cr_assert_eq(rig.device[3].lines, 1);
    cr_assert_eq(rig_in_vain(), 0);
}

Test(router, what_asks_while_the_line_is_paused_is_not_lost)
{
    rig_stray_line();
    rig_stray_line();
    cr_assert_eq(router.stats.spurious, 2);
    cr_assert_eq(router.stats.pauses, 1);
    cr_assert_not(rig.input_on);
    rig_want(1, true);
    cr_assert_not(rig.level, "a one-shot: it came and went");
    rig_settle();
    cr_assert(rig.input_on);
    cr_assert_eq(rig.device[1].lines, 1);
}

/* ---- figures ---- */

Test(router, what_a_service_lpar_reads_is_what_happened)
{
    const struct statistics_function *line = &router_page.figures.function[2],
                                     *messages = &router_page.figures.function[1];

    router_begin();
    rig_use_msix(1);
    for (unsigned i = 0; i < 3; i++) {
        rig_message(1, 0);
        rig_settle();
        rig_want(2, true);
        rig_settle();
    }
    cr_expect_str_eq(line->lpar, "blue");
    cr_expect_str_eq(messages->lpar, "red");
    cr_expect_eq(line->id, rig_id(2));
    cr_expect_eq(line->route, STATISTICS_ROUTE_LINE_BY_RELAY);
    cr_expect_eq(messages->route, STATISTICS_ROUTE_MESSAGE_BY_RELAY);
    cr_expect_eq(line->recorded, 3);
    cr_expect_eq(line->lines, 3);
    cr_expect_eq(line->exits, 6, "each arrives, and is ended");
    cr_expect_eq(messages->messages, 3);
    cr_expect_eq(messages->exits, 6);
    cr_expect_eq(messages->timed, 3);
    rig_switch(rig.blue, false);
    rig_settle();
    rig_want(2, true);
    rig_settle();
    cr_expect_eq(line->route, STATISTICS_ROUTE_LINE_BY_SCAN);
    cr_expect_eq(line->timed, 3, "found by status, it has no record's time");
    cr_expect_eq(router_page.figures.function[4].lpar[0], 0, "nobody's");
}

Test(router, the_wait_from_record_to_controller_is_measured)
{
    const struct statistics_function *f = &router_page.figures.function[2];
    const uint64_t asleep = 300000;

    router_begin();
    rig_pass(asleep);
    rig_want(2, true);
    rig_pass(asleep);
    interrupts();
    rig_pass(asleep);
    rig_settle();
    cr_assert_eq(f->timed, 1, "reckoned when it ends, as of when it was given");
    cr_expect_geq(f->waited_ns + router_page.figures.clock_error_ns + 1000, asleep);
    cr_expect_leq(f->waited_ns, asleep + router_page.figures.clock_error_ns + 20000);
    cr_expect_eq(f->waited_most_ns, f->waited_ns);
    cr_expect_leq(router_page.figures.clock_error_ns, 20000);
}

Test(router, a_wire_that_came_and_went_leaves_no_time_behind)
{
    const struct statistics_function *f = &router_page.figures.function[2];

    router_begin();
    rig_want(2, true);
    interrupts();
    rig_want(2, false);
    rig_want(2, true); /* while it is in service */
    rig_want(2, false);
    rig_settle();
    const uint64_t timed = f->timed;
    rig_pass(1000000000);
    rig_want(2, true);
    rig_settle();
    cr_expect_eq(f->timed, timed + 1);
    cr_expect_leq(f->waited_most_ns, 100000000);
}

/* ---- the mechanism goes off and on while a message is on its way ---- */

static void switched_under_way(bool from, unsigned sent_before, unsigned taken_before, unsigned sent_after)
{
    rig_use_msix(2);
    rig_switch(rig.blue, from);
    rig_settle();
    for (unsigned i = 0; i < sent_before; i++)
        rig_message(2, i & 1);
    for (unsigned i = 0; i < taken_before; i++)
        rig_interrupt(1);
    rig_switch(rig.blue, !from);
    for (unsigned i = 0; i < sent_after; i++)
        rig_message(2, i & 1);
    rig_settle();
    cr_assert_eq(rig.device[2].in_vain, 0, "told twice: %u %u %u %u", from, sent_before, taken_before,
                 sent_after);
    cr_assert_eq(rig.device[2].owed[0] + rig.device[2].owed[1], 0, "lost: %u %u %u %u", from, sent_before,
                 taken_before, sent_after);
    /* It goes on so. */
    rig_message(2, 0);
    rig_settle();
    cr_assert_eq(rig.device[2].owed[0] + rig.device[2].in_vain, 0);
}

Test(router, a_message_on_its_way_at_a_switch_is_told_once)
{
    for (unsigned i = 0; i < 2 * 4 * 3 * 3; i++)
        switched_under_way(i & 1, i / 2 % 4, i / 8 % 3, i / 24);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The event ring runs over, the card is reset: nobody is lost, and nobody is taken for another. */
#include <criterion/criterion.h>

#include "card_rig.h"

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

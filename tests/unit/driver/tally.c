/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts of the tally: what two counts that were not read in the same instant can say. */
#include "tally.h"

#include <criterion/criterion.h>

static enum tally_verdict verdict(struct tally_row row, uint64_t *difference)
{
    return tally_verdict(&row, difference);
}

Test(tally, a_message_difference_counts_only_beyond_the_timing_of_the_reads)
{
    uint64_t d;
    const struct tally_row row = {.sent = 100, .kernel_known = true, .kernel_min = 95, .kernel_max = 105};
    struct tally_row other = row;
    cr_assert_eq(verdict(row, &d), TALLY_AGREE);
    other.sent = 105;
    cr_assert_eq(verdict(other, &d), TALLY_AGREE);
    other.sent = 106;
    cr_assert_eq(verdict(other, &d), TALLY_LOST);
    cr_assert_eq(d, 1);
    other.sent = 95;
    cr_assert_eq(verdict(other, &d), TALLY_AGREE);
    other.sent = 90;
    cr_assert_eq(verdict(other, &d), TALLY_MORE);
    cr_assert_eq(d, 5);
    other.since_start = true;
    cr_assert_eq(verdict(other, &d), TALLY_AGREE,
                 "the kernel may have counted before the relay knew the source");
}

Test(tally, what_the_relay_kept_back_is_not_lost)
{
    uint64_t d;
    const struct tally_row row = {
        .wire = 1000, .sent = 10, .kept = 990, .kernel_known = true, .kernel_min = 10, .kernel_max = 10};
    cr_assert_eq(verdict(row, &d), TALLY_AGREE);
}

Test(tally, a_shared_line_is_compared_as_a_line)
{
    uint64_t d;
    struct tally_row row = {.sent = 10,
                            .sharers = 2,
                            .line_most = 100,
                            .kernel_known = true,
                            .kernel_min = 102,
                            .kernel_max = 104};
    cr_assert_eq(verdict(row, &d), TALLY_SHARED_AGREE);
    row.line_most = 105;
    cr_assert_eq(verdict(row, &d), TALLY_LOST);
    cr_assert_eq(d, 1);
    row.line_most = 50;
    cr_assert_eq(verdict(row, &d), TALLY_SHARED_AGREE, "a level fires again until it is served");
    row.high_ns = TALLY_STUCK_NS - 1;
    cr_assert_eq(verdict(row, &d), TALLY_SHARED_AGREE, "high while it is being served");
    row.high_ns = TALLY_STUCK_NS;
    cr_assert_eq(verdict(row, &d), TALLY_LINE_HIGH);
}

Test(tally, no_kernel_no_verdict)
{
    uint64_t d;
    cr_assert_eq(verdict((struct tally_row){.sent = 100}, &d), TALLY_NO_KERNEL);
}

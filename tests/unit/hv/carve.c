/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "carve.h"

#define MIB 0x100000ull

Test(carve, overlapping_ranges_become_one)
{
    struct carve carve = {0};

    cr_assert(carve_add(&carve, 4 * MIB, 8 * MIB));
    cr_assert(carve_add(&carve, 16 * MIB, 20 * MIB));
    cr_assert(carve_add(&carve, 6 * MIB, 16 * MIB));
    cr_assert_eq(carve.count, 1);
    cr_assert_eq(carve_free(&carve, MIB), 16 * MIB);
}

Test(carve, what_is_removed_is_never_given)
{
    struct carve carve = {0};
    uint64_t start, size, sum = 0;

    carve_add(&carve, 0, 64 * MIB);
    carve_remove(&carve, 0, MIB);
    carve_remove(&carve, 10 * MIB + 4096, 10 * MIB + 8192);
    carve_remove(&carve, 62 * MIB, 70 * MIB);
    while ((size = carve_take(&carve, 8 * MIB, 2 * MIB, &start)) > 0) {
        cr_assert_eq(start % (2 * MIB), 0);
        cr_assert_eq(size % (2 * MIB), 0);
        cr_assert_geq(start, MIB);
        cr_assert_leq(start + size, 62 * MIB);
        cr_assert(start + size <= 10 * MIB || start >= 12 * MIB);
        sum += size;
    }
    cr_assert_eq(sum, 8 * MIB + 50 * MIB);
    cr_assert_eq(carve_free(&carve, 2 * MIB), 0);
}

Test(carve, the_largest_range_comes_first)
{
    struct carve carve = {0};
    uint64_t start;

    carve_add(&carve, 2 * MIB, 6 * MIB);
    carve_add(&carve, 100 * MIB, 200 * MIB);
    cr_assert_eq(carve_take(&carve, 64 * MIB, 2 * MIB, &start), 64 * MIB);
    cr_assert_eq(start, 100 * MIB);
    cr_assert_eq(carve_take(&carve, 64 * MIB, 2 * MIB, &start), 36 * MIB);
    cr_assert_eq(start, 164 * MIB);
    cr_assert_eq(carve_take(&carve, 64 * MIB, 2 * MIB, &start), 4 * MIB);
    cr_assert_eq(carve_take(&carve, 64 * MIB, 2 * MIB, &start), 0);
}

Test(carve, a_full_list_loses_free_memory_and_nothing_else)
{
    struct carve carve = {0};
    bool whole = true;
    uint64_t start, size;

    carve_add(&carve, 0, 1000 * MIB);
    for (unsigned i = 1; i < 200; i++)
        whole &= carve_remove(&carve, 5 * i * MIB, 5 * i * MIB + 4096);
    cr_assert_not(whole);
    while ((size = carve_take(&carve, MIB, MIB, &start)) > 0)
        cr_assert_neq(start % (5 * MIB), start ? 0 : 1);
}

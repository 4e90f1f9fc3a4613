/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "gpmap.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define MIB 0x100000ull
#define GIB 0x40000000ull

Test(memory, fills_up_to_the_device_hole_and_goes_on_at_4_gib)
{
    struct memory memory = {0};
    uint8_t *host = (uint8_t *)(8 * GIB);
    uint64_t left;

    cr_assert(memory_add(&memory, host, 2 * GIB));
    cr_assert(memory_add(&memory, host + 4 * GIB, 2 * GIB));
    cr_assert_eq(memory.count, 3);
    cr_assert_eq(memory_at(&memory, 3 * GIB - 1, &left), host + 5 * GIB - 1);
    cr_assert_eq(left, 1);
    cr_assert_null(memory_at(&memory, 3 * GIB, &left));
    cr_assert_null(memory_at(&memory, 4 * GIB - 1, &left));
    cr_assert_eq(memory_at(&memory, 4 * GIB, &left), host + 5 * GIB);
    cr_assert_eq(left, GIB);
    cr_assert_null(memory_at(&memory, 5 * GIB, 0));
    cr_assert_null(memory_at(&memory, UINT64_MAX, 0));
}

Test(memory, neighbours_become_one_range)
{
    struct memory memory = {0};

    for (unsigned i = 0; i < 100; i++)
        cr_assert(memory_add(&memory, (uint8_t *)(GIB + i * MIB), MIB));
    cr_assert_eq(memory.count, 1);
}

Test(memory, too_many_pieces_change_nothing)
{
    struct memory memory = {0};

    for (unsigned i = 0; i < MEMORY_RANGES; i++)
        cr_assert(memory_add(&memory, (uint8_t *)(GIB + 2 * i * MIB), MIB));
    cr_assert_not(memory_add(&memory, (uint8_t *)(4 * GIB), MIB));
    cr_assert_eq(memory.size, MEMORY_RANGES * MIB);
}

Test(memory, copies_cross_ranges_and_stop_at_the_end)
{
    static uint8_t a[8192], b[4096];
    struct memory memory = {0};
    uint8_t out[8];

    memory_add(&memory, a, sizeof a);
    memory_add(&memory, b, sizeof b);
    cr_assert(memory_write(&memory, 8188, "12345678", 8));
    cr_assert_eq(memcmp(a + 8188, "1234", 4), 0);
    cr_assert_eq(memcmp(b, "5678", 4), 0);
    cr_assert(memory_read(&memory, 8188, out, 8));
    cr_assert_eq(memcmp(out, "12345678", 8), 0);
    cr_assert_not(memory_read(&memory, 12284, out, 8));
    cr_assert_not(memory_write(&memory, 12288, out, 1));
}

/* ---- nested tables ---- */

static uint64_t leaf(uint64_t address, unsigned level, unsigned rights, enum memory_type type)
{
    (void)type;
    return address | rights | (level > 1 ? 0x80 : 0);
}

static uint64_t table(uint64_t address)
{
    return address | 7;
}

static unsigned rights_of(uint64_t entry)
{
    return entry & 7;
}

static unsigned frames_left;

/* Each test is a process of its own, so nothing is given back. */
static void *frames(size_t bytes)
{
    static _Alignas(4096) unsigned char pool[100][4096];

    if (frames_left-- == 0)
        return 0;
    cr_assert_leq(bytes, sizeof pool[0]);
    return pool[frames_left];
}

static const struct paging_format format = {.levels = 4,
                                            .largest_leaf = 3,
                                            .present_mask = 7,
                                            .leaf_mask = 0x80,
                                            .address_mask = 0x000ffffffffff000,
                                            .leaf = leaf,
                                            .table = table,
                                            .rights = rights_of};
static const struct machine_ops machine = {.paging = &format, .frames = frames};

Test(gpmap, takes_the_largest_pages_that_fit)
{
    struct gpmap map;
    unsigned rights;

    frames_left = 100;
    cr_assert_eq(gpmap_init(&map, &machine), 0);
    /* 2 MiB - 4 KiB below a GiB, and 2 GiB from there, at an address with the same offset. */
    cr_assert_eq(
        gpmap_add(&map, GIB - 2 * MIB, 9 * GIB - 2 * MIB, 2 * GIB + 4 * MIB + 4096, RIGHT_ALL, MEMORY_WB), 0);
    cr_assert_eq(map.leaves[3], 2);
    cr_assert_eq(map.leaves[2], 2);
    cr_assert_eq(map.leaves[1], 1);
    cr_assert_eq(gpmap_lookup(&map, GIB + 12345, &rights), 9 * GIB + 12345);
    cr_assert_eq(rights, RIGHT_ALL);
    cr_assert_eq(gpmap_lookup(&map, GIB - 1, 0), 9 * GIB - 1);
    cr_assert_eq(gpmap_lookup(&map, 3 * GIB + 2 * MIB + 4095, 0), 11 * GIB + 2 * MIB + 4095);
    cr_assert_eq(gpmap_lookup(&map, 3 * GIB + 2 * MIB + 4096, 0), ~0ull);
    cr_assert_eq(gpmap_lookup(&map, GIB - 2 * MIB - 1, 0), ~0ull);
}

Test(gpmap, addresses_that_do_not_match_get_small_pages)
{
    struct gpmap map;

    frames_left = 100;
    gpmap_init(&map, &machine);
    cr_assert_eq(gpmap_add(&map, 0, GIB + 4096, 4 * MIB, RIGHT_READ, MEMORY_UC), 0);
    cr_assert_eq(map.leaves[1], 1024);
}

Test(gpmap, nothing_is_mapped_twice)
{
    struct gpmap map;

    frames_left = 100;
    gpmap_init(&map, &machine);
    cr_assert_eq(gpmap_add(&map, 0, GIB, 2 * MIB, RIGHT_ALL, MEMORY_WB), 0);
    cr_assert_lt(gpmap_add(&map, 0, GIB, 2 * MIB, RIGHT_ALL, MEMORY_WB), 0);
    cr_assert_lt(gpmap_add(&map, 4096, GIB, 4096, RIGHT_ALL, MEMORY_WB), 0);
    cr_assert_eq(gpmap_lookup(&map, 4096, 0), GIB + 4096);
}

Test(gpmap, says_when_frames_are_used_up)
{
    struct gpmap map;

    frames_left = 2;
    cr_assert_eq(gpmap_init(&map, &machine), 0);
    cr_assert_lt(gpmap_add(&map, 0, GIB, 4096, RIGHT_ALL, MEMORY_WB), 0);
}

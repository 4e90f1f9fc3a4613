/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, RW = GUEST_READ | GUEST_WRITE };

static struct guest_memory m;
static int file;

static void build(void)
{
    file = memfd_create("guest", MFD_CLOEXEC);
    cr_assert_geq(file, 0);
    cr_assert_eq(ftruncate(file, 16 * PAGE), 0);
}

static void end(void)
{
    guest_memory_clear(&m);
    close(file);
}

TestSuite(guest_memory, .init = build, .fini = end);

Test(guest_memory, what_is_written_is_in_the_file)
{
    char bytes[8] = {0};
    cr_assert_eq(guest_memory_map(&m, 0x10000, 4 * PAGE, RW, file, 2 * PAGE), 0);
    cr_expect(guest_memory_write(&m, 0x10123, "signal", 6));
    cr_expect_eq(pread(file, bytes, 6, 2 * PAGE + 0x123), 6);
    cr_expect_str_eq(bytes, "signal");
    cr_expect(guest_memory_read(&m, 0x10123, bytes, 6));
    cr_expect_str_eq(bytes, "signal");
}

Test(guest_memory, ranges_join_seamlessly)
{
    uint8_t in[3 * PAGE], out[3 * PAGE];
    memset(in, 0x5a, sizeof in);
    cr_assert_eq(guest_memory_map(&m, 3 * PAGE, PAGE, RW, file, 0), 0);
    cr_assert_eq(guest_memory_map(&m, 1 * PAGE, PAGE, RW, file, 4 * PAGE), 0);
    cr_assert_eq(guest_memory_map(&m, 2 * PAGE, PAGE, RW, file, 8 * PAGE), 0);
    cr_expect(guest_memory_write(&m, PAGE + 100, in, 2 * PAGE + 500));
    cr_expect(guest_memory_read(&m, PAGE, out, sizeof out));
    cr_expect_eq(out[99], 0);
    cr_expect_arr_eq(out + 100, in, 2 * PAGE + 500);
    cr_expect_eq(out[2 * PAGE + 600], 0);
}

Test(guest_memory, outside_nothing_is_copied)
{
    uint8_t bytes[2 * PAGE];
    cr_assert_eq(guest_memory_map(&m, PAGE, PAGE, RW, file, 0), 0);
    memset(bytes, 0x11, sizeof bytes);
    cr_expect_not(guest_memory_write(&m, PAGE + 1, bytes, PAGE));
    cr_expect_not(guest_memory_write(&m, PAGE - 1, bytes, 4));
    cr_expect_not(guest_memory_write(&m, UINT64_MAX, bytes, 4));
    cr_expect_not(guest_memory_read(&m, 5 * PAGE, bytes, 1));
    cr_expect(guest_memory_read(&m, PAGE, bytes, PAGE));
    for (unsigned i = 0; i < PAGE; i++) {
        cr_assert_eq(bytes[i], 0);
    }
}

Test(guest_memory, rights_are_kept)
{
    uint8_t bytes[4] = {0};
    cr_assert_eq(guest_memory_map(&m, 0, PAGE, GUEST_READ, file, 0), 0);
    cr_assert_eq(guest_memory_map(&m, PAGE, PAGE, GUEST_WRITE, file, PAGE), 0);
    cr_expect(guest_memory_read(&m, 0, bytes, 4));
    cr_expect_not(guest_memory_write(&m, 0, bytes, 4));
    cr_expect_not(guest_memory_read(&m, PAGE, bytes, 4));
    cr_expect(guest_memory_write(&m, PAGE, bytes, 4));
}

Test(guest_memory, announced_only_is_known_but_not_reached)
{
    uint8_t bytes[4];
    cr_assert_eq(guest_memory_map(&m, 0xc0000, PAGE, GUEST_READ, -1, 0), 0);
    cr_expect(guest_memory_known(&m, 0xc0000, PAGE));
    cr_expect_not(guest_memory_known(&m, 0xc0000, PAGE + 1));
    cr_expect_not(guest_memory_read(&m, 0xc0000, bytes, 4));
}

Test(guest_memory, wrong_ranges_are_refused)
{
    cr_expect_eq(guest_memory_map(&m, 0, 0, RW, file, 0), EINVAL);
    cr_expect_eq(guest_memory_map(&m, UINT64_MAX - 10, PAGE, RW, file, 0), EINVAL, "wraps");
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, 0, file, 0), EINVAL, "no right at all");
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, 8, file, 0), EINVAL, "unknown right");
    cr_expect_eq(guest_memory_map(&m, 0, 17 * PAGE, RW, file, 0), EINVAL, "beyond the file");
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, RW, file, 16 * PAGE), EINVAL);
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, RW, file, UINT64_MAX), EINVAL);
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, RW, file, 1), EINVAL, "an offset mmap can't do");
    cr_expect_neq(guest_memory_map(&m, 0, PAGE, RW, 12345, 0), 0, "no such descriptor");
    cr_expect_eq(m.count, 0);
    cr_assert_eq(guest_memory_map(&m, 4 * PAGE, 4 * PAGE, RW, file, 0), 0);
    cr_expect_eq(guest_memory_map(&m, 0, 4 * PAGE + 1, RW, -1, 0), EEXIST);
    cr_expect_eq(guest_memory_map(&m, 5 * PAGE, PAGE, RW, -1, 0), EEXIST);
    cr_expect_eq(guest_memory_map(&m, 8 * PAGE - 1, PAGE, RW, -1, 0), EEXIST);
    cr_expect_eq(guest_memory_map(&m, 0, 4 * PAGE, RW, -1, 0), 0, "neighbours are fine");
    cr_expect_eq(guest_memory_map(&m, UINT64_MAX - PAGE + 1, PAGE, RW, -1, 0), 0, "the last page, too");
}

Test(guest_memory, as_many_as_there_are_places)
{
    for (unsigned i = 0; i < GUEST_MEMORY_MAPS; i++) {
        cr_assert_eq(guest_memory_map(&m, (GUEST_MEMORY_MAPS - i) * (uint64_t)PAGE, PAGE, RW, -1, 0), 0);
    }
    cr_expect_eq(guest_memory_map(&m, 0, PAGE, RW, -1, 0), ENOSPC);
    cr_expect(guest_memory_known(&m, PAGE, GUEST_MEMORY_MAPS * PAGE));
}

Test(guest_memory, whole_ranges_are_unmapped_parts_are_not)
{
    uint8_t bytes[4];
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(guest_memory_map(&m, 2 * i * PAGE, PAGE, RW, file, i * PAGE), 0);
    }
    cr_expect_eq(guest_memory_unmap(&m, PAGE / 2, 3 * PAGE), EINVAL, "cuts one");
    cr_expect_eq(guest_memory_unmap(&m, 0, PAGE + PAGE + 1), EINVAL, "cuts one at its end");
    cr_expect_eq(m.count, 4);
    cr_expect_eq(guest_memory_unmap(&m, PAGE, 4 * PAGE), 0);
    cr_expect_eq(m.count, 2);
    cr_expect(guest_memory_read(&m, 0, bytes, 4));
    cr_expect_not(guest_memory_read(&m, 2 * PAGE, bytes, 4));
    cr_expect_not(guest_memory_read(&m, 4 * PAGE, bytes, 4));
    cr_expect(guest_memory_read(&m, 6 * PAGE, bytes, 4));
    cr_expect_eq(guest_memory_unmap(&m, 0, 0), EINVAL);
    cr_expect_eq(guest_memory_unmap(&m, UINT64_MAX, 2), EINVAL);
    cr_expect_eq(guest_memory_unmap(&m, 100 * PAGE, PAGE), 0, "nothing there is fine");
}

/* The other side owns the file, and cuts it while it's mapped. */
Test(guest_memory, a_file_cut_short_is_no_crash)
{
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    cr_assert_eq(guest_memory_map(&m, 0, 16 * PAGE, RW, file, 0), 0);
    cr_assert_eq(ftruncate(file, PAGE), 0);
    cr_expect(guest_memory_read(&m, 8 * PAGE, bytes, sizeof bytes));
    cr_expect_eq(bytes[0], 0);
    cr_expect(guest_memory_write(&m, 12 * PAGE, "12345678", 8));
    cr_expect_eq(guest_memory_lost(), 2);
    cr_expect(guest_memory_write(&m, 0, "12345678", 8), "what's left still works");
    cr_expect_eq(guest_memory_lost(), 2);
}

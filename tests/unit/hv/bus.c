/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "device.h"

struct probe {
    uint64_t offset, value;
    unsigned size, reads, writes, resets;
};

static uint64_t probe_read(void *device, uint64_t offset, unsigned size)
{
    struct probe *p = device;

    p->offset = offset;
    p->size = size;
    p->reads++;
    return 0x1122334455667788;
}

static void probe_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct probe *p = device;

    p->offset = offset;
    p->size = size;
    p->value = value;
    p->writes++;
}

static void probe_reset(void *device)
{
    ((struct probe *)device)->resets++;
}

static const struct device_ops probe_ops = {
    .name = "probe", .read = probe_read, .write = probe_write, .reset = probe_reset};

Test(bus, an_access_reaches_its_range)
{
    struct bus bus = {0};
    struct probe a = {0}, b = {0};
    uint64_t value;

    cr_assert_eq(bus_add(&bus, 0x3f8, 8, &probe_ops, &b), 0);
    cr_assert_eq(bus_add(&bus, 0x70, 2, &probe_ops, &a), 0);
    cr_assert(bus_read(&bus, 0x71, 1, &value));
    cr_assert_eq(value, 0x88);
    cr_assert_eq(a.offset, 1);
    cr_assert(bus_write(&bus, 0x3f8, 2, 0xabcdef));
    cr_assert_eq(b.value, 0xcdef);
    cr_assert(bus_read(&bus, 0x3f8, 8, &value));
    cr_assert_eq(value, 0x1122334455667788);
    cr_assert_eq(bus.unclaimed, 0);
}

Test(bus, nobody_there_is_all_ones_and_counted)
{
    struct bus bus = {0};
    struct probe a = {0};
    uint64_t value;

    bus_add(&bus, 0x70, 2, &probe_ops, &a);
    cr_assert_not(bus_read(&bus, 0x6f, 1, &value));
    cr_assert_eq(value, 0xff);
    cr_assert_not(bus_read(&bus, 0x71, 2, &value), "half of the access lies outside");
    cr_assert_eq(value, 0xffff);
    cr_assert_not(bus_write(&bus, 0x72, 4, 1));
    cr_assert_eq(bus.unclaimed, 3);
    cr_assert_eq(a.reads + a.writes, 0);
}

Test(bus, ranges_do_not_overlap)
{
    struct bus bus = {0};
    struct probe a = {0};

    cr_assert_eq(bus_add(&bus, 0x100, 0x10, &probe_ops, &a), 0);
    cr_assert_eq(bus_add(&bus, 0x10f, 1, &probe_ops, &a), BUS_OVERLAP);
    cr_assert_eq(bus_add(&bus, 0xff, 2, &probe_ops, &a), BUS_OVERLAP);
    cr_assert_eq(bus_add(&bus, 0x80, 0x1000, &probe_ops, &a), BUS_OVERLAP);
    cr_assert_eq(bus_add(&bus, 0x110, 0, &probe_ops, &a), BUS_EMPTY);
    cr_assert_eq(bus_add(&bus, UINT64_MAX, 2, &probe_ops, &a), BUS_EMPTY, "wraps");
    cr_assert_eq(bus_add(&bus, 0xff, 1, &probe_ops, &a), 0);
    cr_assert_eq(bus_add(&bus, 0x110, 1, &probe_ops, &a), 0);
    cr_assert_eq(bus_add(&bus, UINT64_MAX, 1, &probe_ops, &a), 0);
    bus_reset(&bus);
    cr_assert_eq(a.resets, 4);
}

Test(bus, a_full_bus_says_so)
{
    struct bus bus = {0};
    struct probe a = {0};

    for (unsigned i = 0; i < BUS_RANGES; i++)
        cr_assert_eq(bus_add(&bus, 2 * i, 1, &probe_ops, &a), 0);
    cr_assert_eq(bus_add(&bus, 2 * BUS_RANGES, 1, &probe_ops, &a), BUS_FULL);
}

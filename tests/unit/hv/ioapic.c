/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "ioapic.h"

static struct ioapic io;
static struct bus space;
static struct apic_message last;
static unsigned routed, takers;

static unsigned route(void *owner, const struct apic_message *message)
{
    cr_assert_eq(owner, &io);
    last = *message;
    routed++;
    return takers;
}

static const struct ioapic_env env = {.route = route};

static void set_up(void)
{
    memset(&space, 0, sizeof space);
    routed = 0;
    takers = 1;
    cr_assert_eq(ioapic_add(&io, &env, &io, &space), 0);
}

static uint32_t read(unsigned number)
{
    uint64_t value;
    bus_write(&space, IOAPIC_BASE, 4, number);
    cr_assert(bus_read(&space, IOAPIC_BASE + 0x10, 4, &value));
    return (uint32_t)value;
}

static void write(unsigned number, uint32_t value)
{
    bus_write(&space, IOAPIC_BASE, 4, number);
    bus_write(&space, IOAPIC_BASE + 0x10, 4, value);
}

static void set_entry(unsigned pin, uint64_t value)
{
    write(0x11 + 2 * pin, (uint32_t)(value >> 32));
    write(0x10 + 2 * pin, (uint32_t)value);
}

TestSuite(ioapic, .init = set_up);

Test(ioapic, registers)
{
    cr_assert_eq(read(1), 0x170020);
    write(1, 0);
    cr_assert_eq(read(1), 0x170020);
    write(0, ~0u);
    cr_assert_eq(read(0), 0x0f000000);
    cr_assert_eq(read(2), 0x0f000000);
    cr_assert_eq(read(0x10 + 46), 0x10000);
    cr_assert_eq(read(0x10 + 48), 0, "no pin 24");
    write(0x10 + 48, 0x31);
    cr_assert_eq(read(3), 0);
    set_entry(5, ~0ull);
    cr_assert_eq(read(0x10 + 10), 0x1afff, "status bits are read-only");
    cr_assert_eq(read(0x10 + 11), 0xff000000);
}

Test(ioapic, edges)
{
    set_entry(14, 0x0300000000000831);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 1);
    cr_assert_eq(last.vector, 0x31);
    cr_assert_eq(last.destination, 3);
    cr_assert(last.logical);
    cr_assert_not(last.level);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 1, "no second edge");
    ioapic_line(&io, 14, false);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 2);
    ioapic_eoi(&io, 0x31);
    cr_assert_eq(routed, 2);
}

Test(ioapic, a_masked_edge_is_lost)
{
    set_entry(14, 0x10031);
    ioapic_line(&io, 14, true);
    ioapic_line(&io, 14, false);
    set_entry(14, 0x31);
    cr_assert_eq(routed, 0);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 1);
}

Test(ioapic, levels)
{
    set_entry(14, 0x8042);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 1);
    cr_assert(last.level);
    cr_assert_eq(read(0x10 + 28), 0xc042, "remote IRR");
    ioapic_line(&io, 14, false);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 1, "not before the EOI");
    ioapic_eoi(&io, 0x43);
    cr_assert_eq(routed, 1, "another's EOI");
    ioapic_eoi(&io, 0x42);
    cr_assert_eq(routed, 2, "still high");
    ioapic_line(&io, 14, false);
    ioapic_eoi(&io, 0x42);
    cr_assert_eq(routed, 2);
    cr_assert_eq(read(0x10 + 28), 0x8042);
}

Test(ioapic, a_masked_level_comes_when_unmasked)
{
    set_entry(14, 0x18042);
    ioapic_line(&io, 14, true);
    cr_assert_eq(routed, 0);
    set_entry(14, 0x8042);
    cr_assert_eq(routed, 1);
    set_entry(14, 0x18042);
    ioapic_eoi(&io, 0x42);
    cr_assert_eq(routed, 1);
    set_entry(14, 0x8042);
    cr_assert_eq(routed, 2);
}

Test(ioapic, the_destination_may_change_in_service)
{
    set_entry(14, 0x8042);
    ioapic_line(&io, 14, true);
    write(0x11 + 28, 0x01000000);
    ioapic_line(&io, 14, false);
    cr_assert_eq(read(0x10 + 28), 0xc042);
    ioapic_eoi(&io, 0x42);
    cr_assert_eq(read(0x10 + 28), 0x8042);
}

Test(ioapic, ways_to_clear_the_remote_irr)
{
    set_entry(14, 0x8042);
    ioapic_line(&io, 14, true);
    ioapic_line(&io, 14, false);
    bus_write(&space, IOAPIC_BASE + 0x40, 4, 0x42);
    cr_assert_eq(read(0x10 + 28), 0x8042, "EOI register");
    ioapic_line(&io, 14, true);
    ioapic_line(&io, 14, false);
    set_entry(14, 0x10042);
    set_entry(14, 0x8042);
    cr_assert_eq(read(0x10 + 28), 0x8042, "edge mode");
}

Test(ioapic, a_level_that_nobody_took_waits_for_nobodys_eoi)
{
    takers = 0;
    set_entry(14, 0x8042);
    ioapic_line(&io, 14, true);
    cr_assert_eq(io.nowhere, 1);
    cr_assert_eq(read(0x10 + 28), 0x8042);
    takers = 1;
    write(0x10 + 28, 0x8043);
    cr_assert_eq(last.vector, 0x43);
}

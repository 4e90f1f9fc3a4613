/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices on their buses, with a clock that stands still unless it is moved. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "acpi_pm.h"
#include "pc_reset.h"
#include "pci.h"
#include "pit.h"
#include "rtc.h"
#include "test_device.h"
#include "uart.h"

#define NEVER (~0ull)

static struct bus ports, space;
static uint64_t now, timer;
static uint32_t lines;
static unsigned rises[32], resets, offs;
static char output[256];
static unsigned written;

static uint64_t env_now(void *owner)
{
    (void)owner;
    return now;
}

static void env_line(void *owner, unsigned gsi, bool high)
{
    (void)owner;
    rises[gsi] += high && !(lines >> gsi & 1);
    lines = high ? lines | 1u << gsi : lines & ~(1u << gsi);
}

static void env_power(void *owner, enum power what)
{
    (void)owner;
    resets += what == POWER_RESET;
    offs += what == POWER_OFF;
}

static void env_console(void *owner, unsigned port, uint8_t byte)
{
    (void)owner;
    cr_assert_eq(port, 3);
    output[written++] = (char)byte;
}

static void env_timer(void *owner, enum device_timer which, uint64_t at)
{
    (void)owner;
    cr_assert_eq(which, TIMER_PIT);
    timer = at;
}

static const struct device_env env = {
    .now = env_now,
    .line = env_line,
    .power = env_power,
    .console = env_console,
    .timer = env_timer,
};

static uint64_t in(uint16_t port, unsigned size)
{
    uint64_t value;
    cr_assert(bus_read(&ports, port, size, &value), "port %x", port);
    return value;
}

static void out(uint16_t port, unsigned size, uint64_t value)
{
    cr_assert(bus_write(&ports, port, size, value), "port %x", port);
}

static void set_up(void)
{
    memset(&ports, 0, sizeof ports);
    memset(&space, 0, sizeof space);
    memset(rises, 0, sizeof rises);
    memset(output, 0, sizeof output);
    now = 5000000000;
    timer = NEVER;
    lines = resets = offs = written = 0;
}

/* ---- UART ------------------------------------------------------------------------------------- */

static struct uart uart;

static void set_up_uart(void)
{
    set_up();
    cr_assert_eq(uart_add(&uart, &env, 3, 0x3f8, 4, &ports), 0);
}

TestSuite(uart, .init = set_up_uart);

Test(uart, sends)
{
    for (const char *c = "hello"; *c; c++) {
        cr_assert_eq(in(0x3fd, 1) & 0x60, 0x60);
        out(0x3f8, 1, (uint8_t)*c);
    }
    cr_assert_str_eq(output, "hello");
    cr_assert_eq(lines, 0);
}

Test(uart, looks_like_a_16550a)
{
    out(0x3fa, 1, 1);
    cr_assert_eq(in(0x3fa, 1), 0xc1);
    out(0x3fa, 1, 0);
    cr_assert_eq(in(0x3fa, 1), 0x01);
    out(0x3ff, 1, 0x5a);
    cr_assert_eq(in(0x3ff, 1), 0x5a);
    out(0x3f9, 1, 0xff);
    cr_assert_eq(in(0x3f9, 1), 0x0f, "no 16750 or sleep modes");
    out(0x3fb, 1, 0x83);
    out(0x3f8, 1, 1);
    out(0x3f9, 1, 0);
    cr_assert_eq(in(0x3f8, 1), 1);
    cr_assert_eq(written, 0, "that was the divisor");
    out(0x3fb, 1, 3);
    cr_assert_eq(in(0x3fb, 1), 3);
}

Test(uart, the_loop_leads_back)
{
    /* What Linux's autoconfig does: OUT2 and RTS in the loop show as DCD and CTS. */
    out(0x3fc, 1, 0x1a);
    cr_assert_eq(in(0x3fe, 1) & 0xf0, 0x90);
    out(0x3f9, 1, 1);
    out(0x3f8, 1, 0x42);
    cr_assert_eq(in(0x3fd, 1) & 1, 1);
    cr_assert_eq(in(0x3f8, 1), 0x42);
    cr_assert_eq(written, 0);
    cr_assert_not(uart_input(&uart, 1), "the pin is disconnected");
    cr_assert_eq(rises[4], 0);
}

Test(uart, input_interrupts)
{
    out(0x3fa, 1, 0x81); /* FIFO, trigger at 8 */
    out(0x3f9, 1, 1);
    cr_assert(uart_input(&uart, 'x'));
    cr_assert_eq(lines, 0, "OUT2 is off");
    out(0x3fc, 1, 8);
    cr_assert_eq(lines, 1 << 4);
    cr_assert_eq(in(0x3fa, 1), 0xcc, "below the trigger: timeout");
    for (unsigned i = 0; i < 7; i++)
        cr_assert(uart_input(&uart, 'y'));
    cr_assert_eq(in(0x3fa, 1), 0xc4);
    cr_assert_eq(in(0x3f8, 1), 'x');
    for (unsigned i = 0; i < 7; i++)
        cr_assert_eq(in(0x3f8, 1), 'y');
    cr_assert_eq(lines, 0);
    cr_assert_eq(in(0x3fd, 1), 0x60);
    cr_assert_eq(in(0x3f8, 1), 0);
}

Test(uart, overruns_are_told)
{
    out(0x3fa, 1, 1);
    out(0x3fc, 1, 8);
    out(0x3f9, 1, 4);
    for (unsigned i = 0; i < 16; i++)
        cr_assert(uart_input(&uart, (uint8_t)i));
    cr_assert_eq(uart_room(&uart), 0);
    cr_assert_eq(lines, 0);
    cr_assert_not(uart_input(&uart, 99));
    cr_assert_eq(lines, 1 << 4);
    cr_assert_eq(in(0x3fa, 1), 0xc6);
    cr_assert_eq(in(0x3fd, 1) & 2, 2);
    cr_assert_eq(lines, 0);
    cr_assert_eq(uart.overruns, 1);
    cr_assert_eq(in(0x3f8, 1), 0);
    out(0x3fa, 1, 3);
    cr_assert_eq(in(0x3fd, 1) & 1, 0, "cleared");
}

Test(uart, transmitter_interrupts)
{
    out(0x3fc, 1, 8);
    out(0x3f9, 1, 2);
    cr_assert_eq(lines, 1 << 4, "enabling it reports the empty transmitter");
    cr_assert_eq(in(0x3fa, 1), 2);
    cr_assert_eq(lines, 0, "reading it ends it");
    cr_assert_eq(in(0x3fa, 1), 1);
    out(0x3f8, 1, 'a');
    cr_assert_eq(lines, 1 << 4);
    out(0x3f9, 1, 0);
    cr_assert_eq(lines, 0);
}

Test(uart, without_fifo_there_is_one_byte)
{
    cr_assert(uart_input(&uart, 1));
    cr_assert_not(uart_input(&uart, 2));
    cr_assert_eq(in(0x3f8, 1), 1);
}

/* ---- ACPI, reset ------------------------------------------------------------------------------ */

static struct acpi_pm pm;
static struct pc_reset reset;
static struct pci pci;

static void set_up_platform(void)
{
    set_up();
    cr_assert_eq(acpi_pm_add(&pm, &env, &ports), 0);
    cr_assert_eq(pc_reset_add(&reset, &env, &ports), 0);
    cr_assert_eq(pci_add(&pci, &reset, &ports, &space), 0);
}

TestSuite(platform, .init = set_up_platform);

Test(platform, the_pm_timer_counts_at_its_rate)
{
    uint64_t first = in(ACPI_PM_TIMER, 4);
    now += 1000000000;
    cr_assert_eq(in(ACPI_PM_TIMER, 4) - first, ACPI_PM_TIMER_HZ);
    now += 1000000;
    cr_assert_eq(in(ACPI_PM_TIMER, 4) - first, ACPI_PM_TIMER_HZ + 3579);
    now = 1000000000ull * 3600 * 24 * 365 * 100;
    cr_assert_eq(in(ACPI_PM_TIMER, 4), (uint32_t)(3600ull * 24 * 365 * 100 * ACPI_PM_TIMER_HZ));
    out(ACPI_PM_TIMER, 4, 0);
    cr_assert_eq(in(ACPI_PM_TIMER, 2), in(ACPI_PM_TIMER, 4) & 0xffff);
}

Test(platform, s5_powers_off)
{
    cr_assert_eq(in(ACPI_PM_CONTROL, 2), 1, "SCI_EN");
    out(ACPI_PM_CONTROL, 2, 3 << 10 | 1 << 13);
    cr_assert_eq(offs, 0);
    out(ACPI_PM_CONTROL, 2, 5 << 10 | 1);
    cr_assert_eq(offs, 0, "no SLP_EN yet");
    out(ACPI_PM_CONTROL, 2, 5 << 10 | 1 << 13 | 1);
    cr_assert_eq(offs, 1);
}

Test(platform, the_power_button)
{
    out(ACPI_PM_EVENT + 2, 2, 1 << 8);
    acpi_pm_power_button(&pm);
    cr_assert_eq(lines, 1 << ACPI_SCI_GSI);
    cr_assert_eq(in(ACPI_PM_EVENT, 2), 1 << 8);
    out(ACPI_PM_EVENT, 2, 1 << 8);
    cr_assert_eq(lines, 0);
    cr_assert_eq(in(ACPI_PM_EVENT, 4), 1u << 24, "the enable bit stays");
    out(ACPI_PM_EVENT, 4, ~0u);
    cr_assert_eq(in(ACPI_PM_EVENT, 4), (1u << 10 | 1u << 8 | 1u << 5) << 16,
                 "what the architecture has, no more");
}

Test(platform, resets)
{
    out(RESET_PORT, 1, 2);
    cr_assert_eq(resets, 0);
    out(RESET_PORT, 1, 6);
    cr_assert_eq(resets, 1);
    cr_assert_eq(in(RESET_PORT, 1), 6);
    out(0x92, 1, 2);
    cr_assert_eq(resets, 1);
    out(0x92, 1, 3);
    cr_assert_eq(resets, 2);
    cr_assert_eq(in(0x64, 1), 0);
    out(0x64, 1, 0xad);
    out(0x64, 1, 0xfe);
    cr_assert_eq(resets, 3);
}

/* ---- PCI -------------------------------------------------------------------------------------- */

static uint8_t config[PCI_CONFIG_BYTES];

static uint32_t function_read(void *self, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    cr_assert_eq(self, config);
    cr_assert_eq(offset % size, 0);
    memcpy(&value, config + offset, size);
    return value;
}

static void function_write(void *self, uint32_t offset, unsigned size, uint32_t value)
{
    cr_assert_eq(self, config);
    cr_assert_eq(offset % size, 0);
    memcpy(config + offset, &value, size);
}

static const struct pci_function function = {.read = function_read, .write = function_write};

Test(platform, the_bus_is_empty_but_for_a_host_bridge)
{
    for (uint32_t bdf = 0; bdf < 0x10000; bdf++) {
        out(PCI_ADDRESS_PORT, 4, 0x80000000 | bdf << 8);
        cr_assert_eq(in(PCI_DATA_PORT, 4), bdf ? 0xffffffff : 0x00081b36, "%x", bdf);
    }
    out(PCI_ADDRESS_PORT, 4, 0x80000008);
    cr_assert_eq(in(PCI_DATA_PORT, 4), 0x06000001);
    cr_assert_eq(in(PCI_DATA_PORT + 2, 2), 0x0600);
    out(PCI_DATA_PORT, 4, 0);
    out(PCI_ADDRESS_PORT, 4, 0);
    cr_assert_eq(in(PCI_DATA_PORT, 4), 0xffffffff, "not enabled");
}

Test(platform, the_address_register_takes_32_bits_only)
{
    out(PCI_ADDRESS_PORT, 4, 0xffffffff);
    cr_assert_eq(in(PCI_ADDRESS_PORT, 4), 0x80fffffc);
    out(PCI_ADDRESS_PORT, 1, 0);
    out(PCI_ADDRESS_PORT, 2, 0);
    cr_assert_eq(in(PCI_ADDRESS_PORT, 4), 0x80fffffc);
    cr_assert_eq(in(PCI_ADDRESS_PORT, 1), 0xff);
}

Test(platform, functions_in_slots)
{
    uint64_t value;
    cr_assert_not(pci_plug(&pci, 0, &function, config));
    cr_assert_not(pci_plug(&pci, 32, &function, config));
    cr_assert(pci_plug(&pci, 3, &function, config));
    cr_assert_not(pci_plug(&pci, 3, &function, config));
    out(PCI_ADDRESS_PORT, 4, 0x80001804);
    out(PCI_DATA_PORT, 4, 0x11223344);
    cr_assert_eq(in(PCI_DATA_PORT + 1, 1), 0x33);
    cr_assert_eq(in(PCI_DATA_PORT + 1, 2), 0x2233, "not aligned");
    out(PCI_DATA_PORT + 1, 2, 0xabcd);
    cr_assert_eq(in(PCI_DATA_PORT, 4), 0x11abcd44);
    cr_assert(bus_read(&space, PCI_ECAM + (3 << 15) + 4, 8, &value));
    cr_assert_eq(value, 0x11abcd44);
    cr_assert(bus_write(&space, PCI_ECAM + (3 << 15) + 0xff8, 8, 0x8877665544332211));
    cr_assert(bus_read(&space, PCI_ECAM + (3 << 15) + 0xffc, 4, &value));
    cr_assert_eq(value, 0x88776655);
    cr_assert(bus_read(&space, PCI_ECAM + (3 << 15) + 0xffe, 4, &value));
    cr_assert_eq(value, 0xffffffff, "over the end of a function");
    cr_assert(bus_read(&space, PCI_ECAM + (3 << 15) + 0x1000, 4, &value));
    cr_assert_eq(value, 0xffffffff, "no function 1");
    cr_assert_not(bus_read(&space, PCI_ECAM + PCI_ECAM_BYTES, 4, &value), "no bus 1");
}

/* ---- RTC -------------------------------------------------------------------------------------- */

static struct rtc rtc;

static uint8_t cmos(uint8_t at)
{
    out(0x70, 1, at);
    return (uint8_t)in(0x71, 1);
}

static void set_cmos(uint8_t at, uint8_t value)
{
    out(0x70, 1, at);
    out(0x71, 1, value);
}

Test(rtc, tells_the_time, .init = set_up)
{
    now = 0;
    /* 2026-11-22 16:30:09 UTC, a Sunday */
    cr_assert_eq(rtc_add(&rtc, &env, 1795365009, &ports), 0);
    static const uint8_t expected[][2] = {{0, 0x09}, {2, 0x30}, {4, 0x16},    {6, 1},     {7, 0x22},
                                          {8, 0x11}, {9, 0x26}, {0x32, 0x20}, {13, 0x80}, {12, 0}};
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_assert_eq(cmos(expected[i][0]), expected[i][1], "register %u: %x", expected[i][0],
                     cmos(expected[i][0]));
    now += 51ull * 1000000000;
    cr_assert_eq(cmos(0), 0);
    cr_assert_eq(cmos(2), 0x31);
    set_cmos(11, 0); /* 12 hours, BCD */
    cr_assert_eq(cmos(4), 0x84);
    set_cmos(11, 6);
    cr_assert_eq(cmos(2), 31);
}

Test(rtc, agrees_with_the_c_library, .init = set_up)
{
    now = 0;
    rtc_add(&rtc, &env, 0, &ports);
    set_cmos(11, 6);
    for (time_t t = -3000000000; t < 12000000000; t += 7654321) {
        struct tm tm;
        gmtime_r(&t, &tm);
        rtc.start = t;
        cr_assert_eq(cmos(0), tm.tm_sec);
        cr_assert_eq(cmos(2), tm.tm_min);
        cr_assert_eq(cmos(4), tm.tm_hour);
        cr_assert_eq(cmos(6), tm.tm_wday + 1);
        cr_assert_eq(cmos(7), tm.tm_mday);
        cr_assert_eq(cmos(8), tm.tm_mon + 1);
        cr_assert_eq(cmos(9), (tm.tm_year + 1900) % 100);
        cr_assert_eq(cmos(0x32), (tm.tm_year + 1900) / 100);
        /* Written back with the clock stopped, it is the same moment. */
        set_cmos(11, 0x86);
        cr_assert_eq(cmos(7), tm.tm_mday);
        set_cmos(11, 6);
        cr_assert_eq(rtc.start, t);
    }
}

Test(rtc, can_be_set, .init = set_up)
{
    rtc_add(&rtc, &env, 1000, &ports);
    set_cmos(11, 0x82);
    set_cmos(9, 0x99);
    set_cmos(0x32, 0x19);
    set_cmos(8, 0x12);
    set_cmos(7, 0x31);
    set_cmos(4, 0x23);
    set_cmos(2, 0x59);
    set_cmos(0, 0x58);
    now += 100ull * 1000000000;
    cr_assert_eq(cmos(0), 0x58, "stopped");
    set_cmos(11, 2);
    now += 2ull * 1000000000;
    cr_assert_eq(cmos(0), 0);
    cr_assert_eq(cmos(9), 0);
    cr_assert_eq(cmos(0x32), 0x20);
    cr_assert_eq(cmos(7), 1);
    set_cmos(0x40, 0x77);
    bus_reset(&ports);
    cr_assert_eq(cmos(0x40), 0x77, "it has a battery");
    cr_assert_eq(cmos(9), 0);
}

/* ---- PIT -------------------------------------------------------------------------------------- */

static struct pit pit;

static void set_up_pit(void)
{
    set_up();
    cr_assert_eq(pit_add(&pit, &env, &ports), 0);
}

static void wait_ticks(uint64_t ticks)
{
    now += ticks * 1000000000 / PIT_HZ + 1;
}

TestSuite(pit, .init = set_up_pit);

/* Linux's calibration: gate on, count down once, wait for the output. */
Test(pit, channel_2_calibrates)
{
    out(0x61, 1, 1);
    out(0x43, 1, 0xb0);
    out(0x42, 1, 0x9b);
    out(0x42, 1, 0x2e); /* 11931: 10 ms */
    cr_assert_eq(in(0x61, 1) & 0x20, 0);
    uint64_t start = now;
    while (!(in(0x61, 1) & 0x20))
        now += 1000;
    cr_assert_geq(now - start, 9999000);
    cr_assert_leq(now - start, 10001000);
}

Test(pit, reads_bytes_in_turn_and_latches)
{
    out(0x61, 1, 1);
    out(0x43, 1, 0xb0);
    out(0x42, 1, 0xff);
    out(0x42, 1, 0xff);
    wait_ticks(0x234);
    cr_assert_eq(in(0x42, 1), 0xcb);
    cr_assert_eq(in(0x42, 1), 0xfd);
    out(0x43, 1, 0x80);
    wait_ticks(0x10000);
    cr_assert_eq(in(0x42, 1), 0xcb, "latched");
    cr_assert_eq(in(0x42, 1), 0xfd);
    out(0x43, 1, 0xe8); /* read back: status of channel 2 */
    cr_assert_eq(in(0x42, 1), 0xb0, "output high, loaded, both bytes, mode 0");
}

Test(pit, channel_0_interrupts_periodically)
{
    out(0x43, 1, 0x34);
    cr_assert_eq(timer, NEVER);
    out(0x40, 1, 0xa9);
    out(0x40, 1, 0x04); /* 1193: 1 ms */
    for (unsigned i = 1; i <= 1000; i++) {
        now = timer;
        pit_expire(&pit);
        cr_assert_eq(rises[PIT_GSI], i);
        pit_expire(&pit);
        cr_assert_eq(rises[PIT_GSI], i, "too early does no harm");
    }
    cr_assert_eq(now, 5000000000 + 1000ull * 1193 * 1000000000 / PIT_HZ + 1, "no drift");
    out(0x43, 1, 0x30);
    cr_assert_eq(timer, NEVER);
}

Test(pit, channel_0_once)
{
    out(0x43, 1, 0x30);
    out(0x40, 1, 0);
    out(0x40, 1, 0x10);
    now = timer;
    pit_expire(&pit);
    cr_assert_eq(rises[PIT_GSI], 1);
    cr_assert_eq(timer, NEVER);
}

/* ---- test device ------------------------------------------------------------------------------ */

Test(test_device, does_what_suites_expect, .init = set_up)
{
    static struct test_device test;
    static uint8_t memory[TEST_MEMORY_BYTES];
    uint64_t value;
    cr_assert_eq(test_device_add(&test, &env, memory, &ports, &space), 0);
    out(0xe1, 2, 0x1234);
    cr_assert_eq(in(0xe0, 4), 0x123400);
    out(0xe4, 4, 0x5000);
    cr_assert_eq(test.flushes, 1);
    out(0x200e, 1, 1);
    cr_assert_eq(lines, 1 << 14);
    out(0x200e, 1, 0);
    cr_assert_eq(lines, 0);
    cr_assert(bus_write(&space, TEST_MEMORY + 0xfff8, 8, 0x1122334455667788));
    cr_assert(bus_read(&space, TEST_MEMORY + 0xfffc, 4, &value));
    cr_assert_eq(value, 0x11223344);
    out(0xf4, 4, 3);
    cr_assert_eq(offs, 1);
    cr_assert(test.exited);
    cr_assert_eq(test.code, 3);
}

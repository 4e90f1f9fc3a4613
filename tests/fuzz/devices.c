/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All devices on the buses of one LPAR, under a guest that reads and writes anything anywhere while time
 * passes and bytes come in. They end every access, keep to their contract with the LPAR, and say of their
 * lines what is true.
 */
#include <stdlib.h>
#include <string.h>

#include "acpi_pm.h"
#include "ioapic.h"
#include "pc_reset.h"
#include "pci.h"
#include "pit.h"
#include "rtc.h"
#include "test_device.h"
#include "uart.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static struct {
    struct bus ports, space;
    struct acpi_pm pm;
    struct ioapic ioapic;
    struct pc_reset reset;
    struct pci pci;
    struct pit pit;
    struct rtc rtc;
    struct test_device test;
    struct uart uart;
    uint8_t memory[TEST_MEMORY_BYTES];
    uint8_t config[PCI_CONFIG_BYTES];
    uint64_t now, timer;
    uint32_t lines;
} m;

static uint64_t env_now(void *owner)
{
    CHECK(owner == &m);
    return m.now;
}

static void env_line(void *owner, unsigned gsi, bool high)
{
    CHECK(owner == &m && gsi < IOAPIC_PINS);
    m.lines = high ? m.lines | 1u << gsi : m.lines & ~(1u << gsi);
    ioapic_line(&m.ioapic, gsi, high);
}

static void env_power(void *owner, enum power what)
{
    CHECK(owner == &m && (what == POWER_OFF || what == POWER_RESET));
}

static void env_console(void *owner, unsigned port, uint8_t byte)
{
    (void)byte;
    CHECK(owner == &m && port == 1);
}

static void env_timer(void *owner, enum device_timer which, uint64_t at)
{
    CHECK(owner == &m && which == TIMER_PIT && at > m.now);
    m.timer = at;
}

static const struct device_env env = {
    .owner = &m,
    .now = env_now,
    .line = env_line,
    .power = env_power,
    .console = env_console,
    .timer = env_timer,
};

static unsigned route(void *owner, const struct apic_message *message)
{
    CHECK(owner == &m && message->delivery <= 7 && message->destination <= 0xff);
    return message->destination != 0xee;
}

static const struct ioapic_env ioapic_env = {.route = route};

static uint32_t function_read(void *self, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    CHECK(self == m.config && (size == 1 || size == 2 || size == 4) && offset % size == 0);
    CHECK(offset + size <= PCI_CONFIG_BYTES);
    memcpy(&value, m.config + offset, size);
    return value;
}

static void function_write(void *self, uint32_t offset, unsigned size, uint32_t value)
{
    function_read(self, offset, size);
    memcpy(m.config + offset, &value, size);
}

static const struct pci_function function = {.read = function_read, .write = function_write};

static void make_machine(void)
{
    memset(&m, 0, sizeof m);
    m.timer = ~0ull;
    CHECK(!acpi_pm_add(&m.pm, &env, &m.ports) && !pc_reset_add(&m.reset, &env, &m.ports) &&
          !pci_add(&m.pci, &m.reset, &m.ports, &m.space) && !pit_add(&m.pit, &env, &m.ports) &&
          !rtc_add(&m.rtc, &env, 1700000000, &m.ports) && !uart_add(&m.uart, &env, 1, 0x3f8, 4, &m.ports) &&
          !ioapic_add(&m.ioapic, &ioapic_env, &m, &m.space) &&
          !test_device_add(&m.test, &env, m.memory, &m.ports, &m.space));
    CHECK(pci_plug(&m.pci, 3, &function, m.config));
}

/* What the state says of the lines, as soon as nothing is going on. */
static void check_lines(void)
{
    CHECK(m.uart.count <= UART_FIFO && m.uart.first < UART_FIFO);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        const uint64_t entry = m.ioapic.entry[pin];
        /* A level that stands, is not masked and was taken by somebody is waiting for its EOI. */
        if (m.ioapic.lines >> pin & 1 && (entry & 0x18000) == 0x8000 && entry >> 56 != 0xee)
            CHECK(entry & 0x4000);
        CHECK((entry & 0x8000) || !(entry & 0x4000));
    }
}

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
        value |= (uint64_t)*in->at++ << 8 * i;
    return value;
}

static uint64_t pick_port(struct input *in)
{
    const uint8_t choice = (uint8_t)take(in, 1);
    const struct bus_range *range = &m.ports.range[choice % m.ports.count];
    return choice >= 0xf0 ? take(in, 2) : range->first + take(in, 1) % range->count;
}

static uint64_t pick_address(struct input *in)
{
    const uint8_t choice = (uint8_t)take(in, 1);
    const struct bus_range *range = &m.space.range[choice % m.space.count];
    if (range->first == IOAPIC_BASE && choice & 0x80)
        return range->first + (choice & 0x40 ? 0x10 : 0);
    return choice >= 0xf0 ? take(in, 8) : range->first + take(in, 3) % range->count;
}

static void one_access(struct input *in)
{
    static const uint8_t sizes[] = {1, 2, 4, 4, 8};
    const uint8_t action = (uint8_t)take(in, 1);
    const unsigned size = sizes[take(in, 1) % 5];
    uint64_t value;
    switch (action % 8) {
    case 0:
    case 1:
        bus_write(&m.ports, pick_port(in), size < 8 ? size : 4, take(in, size < 8 ? size : 4));
        break;
    case 2:
        bus_read(&m.ports, pick_port(in), size < 8 ? size : 4, &value);
        break;
    case 3:
    case 4:
        bus_write(&m.space, pick_address(in), size, take(in, size));
        break;
    case 5:
        bus_read(&m.space, pick_address(in), size, &value);
        break;
    case 6: {
        const unsigned room = uart_room(&m.uart);
        CHECK(uart_input(&m.uart, action) == (room > 0));
        ioapic_eoi(&m.ioapic, (uint8_t)take(in, 1));
        acpi_pm_power_button(&m.pm);
        break;
    }
    default:
        m.now += take(in, 4) << (action >> 3 & 15);
        if (m.timer <= m.now) {
            m.timer = ~0ull;
            pit_expire(&m.pit);
        }
        if (action == 0xff) {
            bus_reset(&m.ports);
            bus_reset(&m.space);
        }
        break;
    }
    check_lines();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    make_machine();
    while (in.left)
        one_access(&in);
    return 0;
}

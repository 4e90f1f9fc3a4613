/* SPDX-License-Identifier: BSD-2-Clause */
#include "acpi_pm.h"
#include "clock_rate.h"

enum { STATUS_POWER_BUTTON = 1 << 8 };
/* Global lock, power button, RTC: guests expect to be able to enable what the architecture has. */
enum { ENABLE_WRITABLE = 1 << 5 | STATUS_POWER_BUTTON | 1 << 10 };
enum { CONTROL_SCI = 1 << 0, CONTROL_SLEEP_TYPE = 7 << 10, CONTROL_SLEEP = 1 << 13 };

static void update_line(struct acpi_pm *pm)
{
    bool high = pm->status & pm->enable;
    if (high == pm->line)
        return;
    pm->line = high;
    pm->env->line(pm->env->owner, ACPI_SCI_GSI, high);
}

/* The event and control blocks are one range of eight bytes, read and written in pieces of any size. */
static uint64_t block(const struct acpi_pm *pm)
{
    return pm->status | (uint64_t)pm->enable << 16 | (uint64_t)pm->control << 32;
}

static uint64_t block_read(void *device, uint64_t offset, unsigned size)
{
    (void)size;
    return block(device) >> 8 * offset;
}

static void write_control(struct acpi_pm *pm, uint16_t value)
{
    pm->control = (value & CONTROL_SLEEP_TYPE) | CONTROL_SCI; /* there is no legacy mode to go back to */
    if (value & CONTROL_SLEEP && (value & CONTROL_SLEEP_TYPE) >> 10 == ACPI_SLEEP_TYPE_S5)
        pm->env->power(pm->env->owner, POWER_OFF);
}

static void block_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct acpi_pm *pm = device;
    uint64_t mask = (~0ull >> (64 - 8 * size)) << 8 * offset;
    uint64_t written = (block(pm) & ~mask) | (value << 8 * offset & mask);

    if (offset < 2)
        pm->status &= (uint16_t)~(value << 8 * offset & mask);
    if (mask >> 16 & 0xffff)
        pm->enable = written >> 16 & ENABLE_WRITABLE;
    if (mask >> 32 & 0xffff)
        write_control(pm, (uint16_t)(written >> 32));
    update_line(pm);
}

static void block_reset(void *device)
{
    struct acpi_pm *pm = device;
    pm->status = pm->enable = 0;
    pm->control = CONTROL_SCI;
    update_line(pm);
}

static uint64_t timer_read(void *device, uint64_t offset, unsigned size)
{
    struct acpi_pm *pm = device;
    (void)size;
    return (uint32_t)ns_to_ticks(pm->env->now(pm->env->owner), ACPI_PM_TIMER_HZ) >> 8 * offset;
}

static void timer_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    (void)device;
    (void)offset;
    (void)size;
    (void)value;
}

static const struct device_ops block_ops = {
    .name = "acpi-pm",
    .read = block_read,
    .write = block_write,
    .reset = block_reset,
};
static const struct device_ops timer_ops = {.name = "acpi-timer", .read = timer_read, .write = timer_write};

int acpi_pm_add(struct acpi_pm *pm, const struct device_env *env, struct bus *ports)
{
    *pm = (struct acpi_pm){.env = env, .control = CONTROL_SCI};
    int result = bus_add(ports, ACPI_PM_EVENT, 8, &block_ops, pm);
    return result ? result : bus_add(ports, ACPI_PM_TIMER, 4, &timer_ops, pm);
}

void acpi_pm_power_button(struct acpi_pm *pm)
{
    pm->status |= STATUS_POWER_BUTTON;
    update_line(pm);
}

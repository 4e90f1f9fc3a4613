/* SPDX-License-Identifier: BSD-2-Clause */
#include "pc_reset.h"

#define FAST_RESET_PORT 0x92u
#define KEYBOARD_STATUS 0x64u

enum { CONTROL_CPU = 4, CONTROL_WRITABLE = 0xe, FAST_RESET = 1, FAST_A20 = 2, PULSE_RESET = 0xfe };

uint8_t pc_reset_control(const struct pc_reset *reset)
{
    return reset->control;
}

/* It is the rising bit 2 that resets; bit 1 says how thoroughly. */
void pc_reset_set_control(struct pc_reset *reset, uint8_t value)
{
    const bool rises = value & ~reset->control & CONTROL_CPU;
    reset->control = value & CONTROL_WRITABLE;
    if (rises)
        reset->env->power(reset->env->owner, POWER_RESET);
}

static void reset_control(void *device)
{
    ((struct pc_reset *)device)->control = 0;
}

/* Address line 20 is always on. */
static uint64_t fast_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return FAST_A20;
}

static void fast_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pc_reset *reset = device;
    (void)offset;
    (void)size;
    if (value & FAST_RESET)
        reset->env->power(reset->env->owner, POWER_RESET);
}

static uint64_t keyboard_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return 0;
}

static void keyboard_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pc_reset *reset = device;
    (void)offset;
    (void)size;
    if ((uint8_t)value == PULSE_RESET)
        reset->env->power(reset->env->owner, POWER_RESET);
}

static const struct device_ops fast_ops = {
    .name = "fast-reset", .read = fast_read, .write = fast_write, .reset = reset_control};
static const struct device_ops keyboard_ops = {
    .name = "keyboard", .read = keyboard_read, .write = keyboard_write};

int pc_reset_add(struct pc_reset *reset, const struct device_env *env, struct bus *ports)
{
    *reset = (struct pc_reset){.env = env};
    int result = bus_add(ports, FAST_RESET_PORT, 1, &fast_ops, reset);
    return result ? result : bus_add(ports, KEYBOARD_STATUS, 1, &keyboard_ops, reset);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug_port.h"

static uint64_t read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return DEBUG_PORT;
}

static void write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct debug_port *port = device;

    (void)offset;
    (void)size;
    port->env->console(port->env->owner, port->console, (uint8_t)value);
}

int debug_port_add(struct debug_port *device, const struct device_env *env, unsigned console,
                   struct bus *ports)
{
    static const struct device_ops ops = {.name = "debug port", .read = read, .write = write};

    *device = (struct debug_port){.env = env, .console = console};
    return bus_add(ports, DEBUG_PORT, 1, &ops, device);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug port of emulators, 0xe9: a byte written goes to the console, reading it gives 0xe9. */
#ifndef DEBUG_PORT_H
#define DEBUG_PORT_H

#include "device.h"

struct debug_port {
    const struct device_env *env;
    unsigned console; /* number of the console, env->console() */
};

#define DEBUG_PORT 0xe9

int debug_port_add(struct debug_port *device, const struct device_env *env, unsigned console,
                   struct bus *ports);

#endif

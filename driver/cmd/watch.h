/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_WATCH_H
#define CMD_WATCH_H

#include "command.h"

/* As struct command.run. */
int watch_run(struct invocation *invocation, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_INJECT_H
#define CMD_INJECT_H

#include "command.h"

/* As struct command.run. */
int inject_run(struct invocation *invocation, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_STAT_H
#define CMD_STAT_H

#include "command.h"

/* As struct command.run. */
int stat_run(struct invocation *invocation, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_TOP_H
#define CMD_TOP_H

#include "command.h"

/* As struct command.run. */
int top_run(struct invocation *invocation, int argc, char **argv);

#endif

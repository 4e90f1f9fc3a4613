/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "command.h"

/* As struct command.run. */
int show_run(struct invocation *invocation, int argc, char **argv);

#endif

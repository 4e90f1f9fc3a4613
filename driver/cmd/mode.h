/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_MODE_H
#define CMD_MODE_H

#include "command.h"

/* As struct command.run. */
int mode_run(struct invocation *invocation, int argc, char **argv);

#endif

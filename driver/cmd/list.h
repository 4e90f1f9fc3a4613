/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_LIST_H
#define CMD_LIST_H

#include "command.h"

/* As struct command.run. */
int list_run(struct invocation *invocation, int argc, char **argv);

#endif

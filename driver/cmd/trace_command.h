/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_TRACE_H
#define CMD_TRACE_H

#include "command.h"

/* As struct command.run. */
int trace_run(struct invocation *invocation, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_METRICS_H
#define CMD_METRICS_H

#include "command.h"

/* As struct command.run. */
int metrics_run(struct invocation *invocation, int argc, char **argv);

#endif

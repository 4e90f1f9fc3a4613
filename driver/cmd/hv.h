/* SPDX-License-Identifier: BSD-2-Clause */
/* What concerns the hypervisor: its partition file is checked, and a first one made. */
#ifndef CMD_HV_H
#define CMD_HV_H

#include "command.h"

/* As struct command.run. */
int hv_run(struct invocation *invocation, int argc, char **argv);
int hv_config_run(struct invocation *invocation, int argc, char **argv); /* signalbox hv config … */

#endif

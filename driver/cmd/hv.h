/* SPDX-License-Identifier: BSD-2-Clause */
/* What concerns the hypervisor: its partition file is checked, a first one made, its counters read. */
#ifndef CMD_HV_H
#define CMD_HV_H

#include "command.h"

/* As struct command.run. */
int hv_run(struct invocation *invocation, int argc, char **argv);
int hv_config_run(struct invocation *invocation, int argc, char **argv); /* signalbox hv config … */
int hv_stat_run(struct invocation *invocation, int argc, char **argv);   /* signalbox hv stat … */

#endif

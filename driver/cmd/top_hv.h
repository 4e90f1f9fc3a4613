/* SPDX-License-Identifier: BSD-2-Clause */
/* `signalbox top` in a service LPAR: the functions of all LPARs, as the hypervisor counts them. */
#ifndef CMD_TOP_HV_H
#define CMD_TOP_HV_H

#include "command.h"
#include "pace.h"

/* file: a copy of the statistics, or null: this LPAR's own. An exit status. */
int top_hv_run(struct invocation *invocation, const struct pace *pace, const char *file);

#endif

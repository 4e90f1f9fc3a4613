/* SPDX-License-Identifier: BSD-2-Clause */
/* What the relay can do to a source: mask it, limit its storms, deliver its INTx once; and acknowledge it. */
#ifndef CMD_ACT_H
#define CMD_ACT_H

#include "command.h"

/* As struct command.run. */
int mask_run(struct invocation *invocation, int argc, char **argv);
int unmask_run(struct invocation *invocation, int argc, char **argv);
int limit_run(struct invocation *invocation, int argc, char **argv);
int one_shot_run(struct invocation *invocation, int argc, char **argv);
int ack_run(struct invocation *invocation, int argc, char **argv);

#endif

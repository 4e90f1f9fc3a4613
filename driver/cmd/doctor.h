/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "command.h"

/* As struct command.run. */
int doctor_run(struct invocation *invocation, int argc, char **argv);

#endif

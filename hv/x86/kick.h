/* SPDX-License-Identifier: BSD-2-Clause */
/* Getting another CPU out of its guest, or out of its wait. */
#ifndef KICK_H
#define KICK_H

#include <stdbool.h>

struct context;

/*
 * The CPU looks at its context's requests soon. The way is an interrupt, which ends a guest's run on all
 * hardware. `urgent` sends an NMI as well: Bochs 3.0 leaves interrupts pending while a guest runs with IF=0
 * since its entry.
 */
void kick(unsigned cpu, bool urgent);

/* Until an interrupt, unless there is a request already. */
void kick_wait(struct context *context);

#endif

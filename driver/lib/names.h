/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>

/*
 * Whether a file (or, of a name in .gz that is not there, the one without) can be read within a time. On a
 * machine whose disk is dead a read may never come back, and a process that waits for it can't even be
 * killed: so another process reads, and this one waits for it only so long.
 */
bool names_readable(const char *path, int milliseconds);

#endif

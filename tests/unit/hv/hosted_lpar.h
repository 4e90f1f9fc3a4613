/* SPDX-License-Identifier: BSD-2-Clause */
/* An LPAR on the hosted back end: hv/core as in the image, each vCPU on a thread. */
#ifndef HOSTED_LPAR_H
#define HOSTED_LPAR_H

#include "create.h"

#include <stddef.h>
#include <stdint.h>

/* The LPAR, off, with a multiboot kernel; null when it cannot be made. */
struct lpar *hosted_lpar(const void *kernel, size_t size, unsigned cpus, size_t bytes,
                         const char *command_line);

/* Starts it and runs it until it is off or failed, or `limit` ticks are over, or its output has the text
 * `last` (may be null); then ends its threads. */
void hosted_lpar_run(struct lpar *lpar, uint64_t limit, const char *last);

/* What came out of log and consoles so far. */
const char *hosted_output(void);

#endif

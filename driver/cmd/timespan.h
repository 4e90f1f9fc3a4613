/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TIMESPAN_H
#define TIMESPAN_H

#include <stdbool.h>
#include <stdint.h>

/* Parses "100us", "1.5 ms", "2s", "400ns" into 1 ns to 2^32 - 1 ns. False when it is none of these. */
bool timespan_parse(const char *text, uint32_t *ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that can be put behind the relay, by name. A new one is added to the table in functions.c.
 */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "function.h"

#include <stdio.h>

/*
 * Makes a function from "NAME[,KEY=VALUE]…". Null: what's wrong is in error.
 */
struct function *functions_open(const char *specification, char *error, size_t error_size);

/* One line a function with its keys, for --help. */
void functions_print(FILE *to);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables for people, JSON for programs. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <jansson.h>
#include <libsmartcols.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"

enum column_form { COLUMN_LEFT, COLUMN_RIGHT, COLUMN_TREE, COLUMN_CUT /* shortened to fit a terminal */ };

struct column {
    const char *name;
    enum column_form form;
};

/* An empty table on invocation->out. Ends the program when memory does. */
struct libscols_table *table_new(struct invocation *invocation, const struct column *columns, unsigned n);
struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent);
void table_cell(struct libscols_line *line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints and frees it. */
void table_print(struct libscols_table *table);

/* Starts an object of a schema, "signalbox.NAME/VERSION". */
json_t *json_schema(const char *name, unsigned version);
/* Prints and frees it: indented, or on one line. */
void json_print(struct invocation *invocation, json_t *object);
void json_print_line(struct invocation *invocation, json_t *object);
/* Numbers above 2^53 and addresses are strings of hexadecimal digits. */
json_t *json_hex(uint64_t value, int digits);

/* "1.234 s", "56.7 us": a duration for people. */
enum { DURATION_TEXT = 24 };
char *duration_text(uint64_t ns, char text[DURATION_TEXT]);

#endif

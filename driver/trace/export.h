/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace in the forms that viewers and programs read. */
#ifndef EXPORT_H
#define EXPORT_H

#include <stdio.h>

#include "trace.h"

/*
 * Reads entries until their end and writes them. 0, or -1 with an error where the trace is damaged (what came
 * before is written, and the form is closed well). Whether `out` took it all is for the caller to ask
 * (ferror).
 * @pre reader was opened and nothing was read yet
 */
typedef int (*trace_exporter)(struct trace_reader *reader, FILE *out, struct sb_error *error);

struct export_format {
    const char *name;
    const char *summary;
    trace_exporter export;
};

/* The last has a null name. */
extern const struct export_format export_formats[];

int export_text(struct trace_reader *reader, FILE *out, struct sb_error *error);
int export_jsonl(struct trace_reader *reader, FILE *out, struct sb_error *error);
int export_csv(struct trace_reader *reader, FILE *out, struct sb_error *error);
int export_pcapng(struct trace_reader *reader, FILE *out, struct sb_error *error);
int export_chrome(struct trace_reader *reader, FILE *out, struct sb_error *error);
int export_svg(struct trace_reader *reader, FILE *out, struct sb_error *error);

#endif

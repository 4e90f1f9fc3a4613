/* SPDX-License-Identifier: BSD-2-Clause */
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>

static void *need(void *memory)
{
    if (memory)
        return memory;
    fputs("signalbox: out of memory\n", stderr);
    exit(EXIT_FAILED);
}

/* ---- tables ---------------------------------------------------------------------------------------- */

struct libscols_table *table_new(struct invocation *invocation, const struct column *columns, unsigned n)
{
    static const int flags[] = {
        [COLUMN_LEFT] = 0,
        [COLUMN_RIGHT] = SCOLS_FL_RIGHT,
        [COLUMN_TREE] = SCOLS_FL_TREE,
        [COLUMN_CUT] = SCOLS_FL_TRUNC,
    };
    struct libscols_table *table = need(scols_new_table());
    for (unsigned i = 0; i < n; i++)
        need(scols_table_new_column(table, columns[i].name, 0, flags[columns[i].form]));
    scols_table_set_stream(table, invocation->out);
    return table;
}

struct libscols_line *table_line(struct libscols_table *table, struct libscols_line *parent)
{
    return need(scols_table_new_line(table, parent));
}

void table_cell(struct libscols_line *line, unsigned column, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0 || scols_line_refer_data(line, column, text) != 0)
        need(NULL);
}

void table_print(struct libscols_table *table)
{
    scols_print_table(table);
    scols_unref_table(table);
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

json_t *json_schema(const char *name, unsigned version)
{
    return need(json_pack("{s:o}", "schema", json_sprintf("signalbox.%s/%u", name, version)));
}

void json_print(struct invocation *invocation, json_t *object)
{
    json_dumpf(need(object), invocation->out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', invocation->out);
    json_decref(object);
}

void json_print_line(struct invocation *invocation, json_t *object)
{
    json_dumpf(need(object), invocation->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', invocation->out);
    json_decref(object);
}

json_t *json_hex(uint64_t value, int digits)
{
    return json_sprintf("0x%0*llx", digits, (unsigned long long)value);
}

/* ---- words ----------------------------------------------------------------------------------------- */

char *duration_text(uint64_t ns, char text[DURATION_TEXT])
{
    static const struct {
        uint64_t ns;
        const char *unit;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}};
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
        if (ns >= units[i].ns) {
            snprintf(text, DURATION_TEXT, "%.3f %s", (double)ns / (double)units[i].ns, units[i].unit);
            return text;
        }
    snprintf(text, DURATION_TEXT, "%llu ns", (unsigned long long)ns);
    return text;
}

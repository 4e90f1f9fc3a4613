/* SPDX-License-Identifier: BSD-2-Clause */
/* `signalbox hv stat`: inside an LPAR, what the hypervisor counts for it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hv.h"
#include "hv_page.h"
#include "mechanism.h"
#include "output.h"

struct stat_source {
    const char *file; /* a copy of the statistics, or null: this LPAR's own */
};

/* ---- what they say ---------------------------------------------------------------------------------- */

static uint64_t counter(const struct hv_page *snapshot, unsigned cpu, size_t offset)
{
    uint64_t value;
    memcpy(&value, snapshot->bytes + snapshot->head.cpu + (size_t)cpu * snapshot->head.stride + offset,
           sizeof value);
    return value;
}

static uint64_t exits(const struct hv_page *snapshot, unsigned cpu, unsigned kind)
{
    return counter(snapshot, cpu, snapshot->head.exits + kind * sizeof(uint64_t));
}

static char *kind_name(const struct hv_page *snapshot, unsigned kind, char text[STATISTICS_NAME + 1])
{
    memcpy(text, snapshot->bytes + snapshot->head.names + (size_t)kind * STATISTICS_NAME, STATISTICS_NAME);
    text[STATISTICS_NAME] = 0;
    return text;
}

static const struct {
    const char *name, *title;
    size_t offset;
} others[] = {
    {"injected", "events injected", offsetof(struct statistics_cpu, injected)},
    {"reinjected", "events injected again", offsetof(struct statistics_cpu, reinjected)},
    {"emulated", "instructions emulated", offsetof(struct statistics_cpu, emulated)},
    {"state_reads", "VMREADs", offsetof(struct statistics_cpu, state_reads)},
};
#define OTHERS (sizeof others / sizeof *others)

static const char *const mechanism_names[] = {
#define X(upper, lower) #lower,
    MECHANISMS(X)
#undef X
};

static json_t *cpu_json(const struct hv_page *snapshot, unsigned cpu)
{
    json_t *object = json_object(), *kinds = json_object();
    char name[STATISTICS_NAME + 1];
    for (unsigned kind = 0; kind < snapshot->head.kinds; kind++)
        json_object_set_new(kinds, kind_name(snapshot, kind, name),
                            json_integer((json_int_t)exits(snapshot, cpu, kind)));
    json_object_set_new(object, "exits", kinds);
    for (unsigned i = 0; i < OTHERS; i++)
        json_object_set_new(object, others[i].name,
                            json_integer((json_int_t)counter(snapshot, cpu, others[i].offset)));
    return object;
}

static void print_json(struct invocation *invocation, const struct hv_page *snapshot)
{
    const struct statistics *head = &snapshot->head;
    json_t *object = json_schema("hv-stat", 1), *cpus = json_array(), *mechanisms = json_object();
    for (unsigned cpu = 0; cpu < head->cpus; cpu++)
        json_array_append_new(cpus, cpu_json(snapshot, cpu));
    for (unsigned m = 0; m < MECHANISM_COUNT; m++)
        json_object_set_new(mechanisms, mechanism_names[m], json_boolean(head->mechanisms >> m & 1));
    json_object_set_new(object, "lpar", json_string(head->lpar));
    json_object_set_new(object, "starts", json_integer((json_int_t)head->starts));
    json_object_set_new(object, "resets", json_integer((json_int_t)head->resets));
    json_object_set_new(object, "mechanisms", mechanisms);
    json_object_set_new(object, "cpus", cpus);
    json_print(invocation, object);
}

static void row(struct libscols_table *table, const struct hv_page *snapshot, const char *title,
                size_t offset)
{
    struct libscols_line *line = table_line(table, NULL);
    uint64_t sum = 0;
    table_cell(line, 0, "%s", title);
    for (unsigned cpu = 0; cpu < snapshot->head.cpus; cpu++) {
        uint64_t value = counter(snapshot, cpu, offset);
        table_cell(line, 1 + cpu, "%" PRIu64, value);
        sum += value;
    }
    table_cell(line, 1 + snapshot->head.cpus, "%" PRIu64, sum);
}

static int print_table(struct invocation *invocation, const struct hv_page *snapshot)
{
    const struct statistics *head = &snapshot->head;
    const unsigned columns = head->cpus + 2u;
    struct column *column = calloc(columns, sizeof *column);
    char(*title)[16] = calloc(columns, sizeof *title), name[STATISTICS_NAME + 1];
    if (!column || !title) {
        free(column);
        free(title);
        return command_no_memory(invocation);
    }
    for (unsigned i = 0; i < columns; i++) {
        snprintf(title[i], sizeof title[i], "CPU %u", i - 1);
        column[i] = (struct column){title[i], COLUMN_RIGHT};
    }
    column[0] = (struct column){head->lpar, COLUMN_LEFT};
    column[columns - 1].name = "ALL";
    struct libscols_table *table = table_new(invocation, column, columns);
    for (unsigned kind = 0; kind < head->kinds; kind++) {
        uint64_t sum = 0;
        for (unsigned cpu = 0; cpu < head->cpus; cpu++)
            sum += exits(snapshot, cpu, kind);
        if (sum)
            row(table, snapshot, kind_name(snapshot, kind, name), head->exits + kind * sizeof(uint64_t));
    }
    for (unsigned i = 0; i < OTHERS; i++)
        row(table, snapshot, others[i].title, others[i].offset);
    table_print(table);
    free(column);
    free(title);
    return EXIT_OK;
}

/* ---- command line ----------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stat_source *source = state->input;
    if (key != 'f')
        return ARGP_ERR_UNKNOWN;
    source->file = arg;
    return 0;
}

int hv_stat_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"file", 'f', "FILE", 0, "Read a copy of the statistics instead of this LPAR's own", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Inside an LPAR: how often its CPUs left the guest and why, as the hypervisor counts it."};
    struct stat_source source = {0};
    struct hv_page snapshot = {0};
    int status = command_parse(invocation, &argp, argc, argv, &source);
    if (status)
        return status;
    status = EXIT_FAILED;
    if (hv_page_load(invocation, source.file, &snapshot)) {
        status = EXIT_OK;
        if (invocation->json)
            print_json(invocation, &snapshot);
        else
            status = print_table(invocation, &snapshot);
    }
    free(snapshot.bytes);
    return status;
}

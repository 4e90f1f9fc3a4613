/* SPDX-License-Identifier: BSD-2-Clause */
#include "stat.h"

#include "describe.h"
#include "output.h"
#include "pace.h"
#include "tally.h"

enum { FUNCTION, DRIVER, IRQ, WIRE, SENT, KEPT, KERNEL, VERDICT, COLUMNS };

static const struct column columns[COLUMNS] = {
    [FUNCTION] = {"FUNCTION", COLUMN_LEFT}, [DRIVER] = {"DRIVER", COLUMN_LEFT},
    [IRQ] = {"IRQ", COLUMN_LEFT},           [WIRE] = {"WIRE", COLUMN_RIGHT},
    [SENT] = {"SENT", COLUMN_RIGHT},        [KEPT] = {"KEPT", COLUMN_RIGHT},
    [KERNEL] = {"KERNEL", COLUMN_RIGHT},    [VERDICT] = {"VERDICT", COLUMN_LEFT},
};

static bool shown(const struct tally_row *row)
{
    /* A port with nothing behind it, now or before, is no row. */
    return (row->card->selected || row->function->selected) &&
           (row->function->present || row->function->n_sources);
}

static char *verdict_text(const struct tally_row *row, char text[DESCRIBE_TEXT])
{
    char age[DURATION_TEXT];
    uint64_t difference;
    switch (tally_verdict(row, &difference)) {
    case TALLY_AGREE:
        snprintf(text, DESCRIBE_TEXT, "ok");
        break;
    case TALLY_LOST:
        snprintf(text, DESCRIBE_TEXT, "%llu coalesced or lost", (unsigned long long)difference);
        break;
    case TALLY_MORE:
        snprintf(text, DESCRIBE_TEXT, "kernel counts %llu more", (unsigned long long)difference);
        break;
    case TALLY_LINE_HIGH:
        snprintf(text, DESCRIBE_TEXT, "holds its wire high for %s", duration_text(row->high_ns, age));
        break;
    case TALLY_SHARED_AGREE:
        snprintf(text, DESCRIBE_TEXT, "ok, line shared by %u", row->sharers);
        break;
    case TALLY_NO_KERNEL:
        snprintf(text, DESCRIBE_TEXT, "not counted by this kernel");
        break;
    }
    return text;
}

static void print_rows(struct invocation *invocation, const struct tally_row *rows, size_t n)
{
    struct libscols_table *table = table_new(invocation, columns, COLUMNS);
    char name[SLOT_NAME], text[DESCRIBE_TEXT];
    for (size_t i = 0; i < n; i++) {
        const struct tally_row *row = &rows[i];
        if (!shown(row))
            continue;
        struct libscols_line *line = table_line(table, NULL);
        table_cell(line, FUNCTION, "%s", slot_name(row->function->slot, name));
        table_cell(line, DRIVER, "%s", row->function->driver[0] ? row->function->driver : "-");
        table_cell(line, IRQ, "%s", describe_lines(row->function, text));
        table_cell(line, WIRE, "%llu", (unsigned long long)row->wire);
        table_cell(line, SENT, "%llu", (unsigned long long)row->sent);
        table_cell(line, KEPT, "%llu", (unsigned long long)row->kept);
        if (row->kernel_known)
            table_cell(line, KERNEL, "%llu", (unsigned long long)row->kernel_max);
        else
            table_cell(line, KERNEL, "-");
        table_cell(line, VERDICT, "%s", verdict_text(row, text));
    }
    table_print(table);
}

static const char *verdict_word(enum tally_verdict verdict)
{
    static const char *const words[] = {
        [TALLY_AGREE] = "ok",
        [TALLY_LOST] = "coalesced_or_lost",
        [TALLY_MORE] = "kernel_more",
        [TALLY_LINE_HIGH] = "wire_high",
        [TALLY_SHARED_AGREE] = "ok_shared",
        [TALLY_NO_KERNEL] = "no_kernel_count",
    };
    return words[verdict];
}

static json_t *rows_json(const struct tally_row *rows, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct tally_row *row = &rows[i];
        uint64_t difference;
        char name[SLOT_NAME];
        if (!shown(row))
            continue;
        const enum tally_verdict verdict = tally_verdict(row, &difference);
        json_t *object = describe_function_json(row->function);
        slot_name(row->card->slot, name);
        json_object_update_new(object, json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:I}", "card", name, "wire",
                                                 (json_int_t)row->wire, "sent", (json_int_t)row->sent, "kept",
                                                 (json_int_t)row->kept, "wire_high_ns",
                                                 (json_int_t)row->high_ns, "verdict", verdict_word(verdict),
                                                 "difference", (json_int_t)difference));
        if (row->kernel_known)
            json_object_update_new(object, json_pack("{s:I, s:I}", "kernel_min", (json_int_t)row->kernel_min,
                                                     "kernel_max", (json_int_t)row->kernel_max));
        if (row->sharers)
            json_object_set_new(object, "line_sharers", json_integer(row->sharers));
        json_array_append_new(array, object);
    }
    return array;
}

static void print(struct invocation *invocation, const struct tally *tally, bool interval)
{
    size_t n;
    const struct tally_row *rows = tally_rows(tally, &n);
    if (!invocation->json) {
        print_rows(invocation, rows, n);
        return;
    }
    json_t *object = json_schema("stat", 1);
    if (interval)
        json_object_set_new(object, "seconds", json_real((double)tally_ns(tally) * 1e-9));
    json_object_set_new(object, "functions", rows_json(rows, n));
    (interval ? json_print_line : json_print)(invocation, object);
}

int stat_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_child children[] = {{&pace_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .parser = pace_only,
        .children = children,
        .doc =
            "Sets the interrupts that each function raised on the wire beside those the kernel counted: "
            "since the "
            "beginning, or with -i for each interval. \"coalesced or lost\": the kernel counted fewer than "
            "the "
            "relay sent, as when a CPU's interrupt controller merges equal vectors. SENT is what the relay "
            "sent "
            "on, KEPT what it kept back by mask or storm limit. A shared INTx line has one count for all its "
            "functions."};
    struct pace pace = {0};
    int status = command_parse(invocation, &argp, argc, argv, &pace);
    if (status || (status = command_cards(invocation, CARD_PCI_READ, true)))
        return status;
    struct tally *tally = tally_new();
    if (!tally || !tally_sample(tally, &invocation->roster)) {
        tally_free(tally);
        return command_no_memory(invocation);
    }
    if (pace.seconds == 0) {
        print(invocation, tally, false);
    } else {
        pace_prepare();
        for (unsigned long round = 0; (!pace.rounds || round < pace.rounds) && pace_wait(pace.seconds);
             round++) {
            if (!tally_sample(tally, &invocation->roster)) {
                status = command_no_memory(invocation);
                break;
            }
            if ((status = command_lost_cards(invocation)))
                break;
            if (round && !invocation->json)
                fputc('\n', invocation->out);
            print(invocation, tally, true);
            fflush(invocation->out);
        }
    }
    tally_free(tally);
    return status;
}

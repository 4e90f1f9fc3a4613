/* SPDX-License-Identifier: BSD-2-Clause */
#include "top_hv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hv_page.h"
#include "output.h"
#include "slot.h"

struct sample {
    uint64_t ns;
    struct hv_page page;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *name_of(const struct statistics_function *f, char text[SLOT_NAME])
{
    return slot_name(slot_of_requester(0, f->id), text);
}

static const char *route_name(const struct statistics_function *f)
{
    static const char *const names[] = {
#define X(upper, lower) #lower,
        STATISTICS_ROUTES(X)
#undef X
    };
    return f->route < STATISTICS_ROUTE_COUNT ? names[f->route] : "?";
}

/* Interrupts a second between the samples; 0 at the first, or where the function was another's. */
static double rate(const struct sample *before, const struct sample *after, unsigned index)
{
    if (!before->page.bytes || index >= before->page.functions.count)
        return 0;
    const struct statistics_function a = hv_page_function(&before->page, index),
                                     b = hv_page_function(&after->page, index);
    if (a.id != b.id || b.recorded < a.recorded || after->ns <= before->ns)
        return 0;
    return (double)(b.recorded - a.recorded) * 1e9 / (double)(after->ns - before->ns);
}

/* A wire that stays up is recorded once and given many times; what goes straight to the guest is only
 * recorded. */
static uint64_t interrupts(const struct statistics_function *f)
{
    return f->recorded > f->lines + f->messages ? f->recorded : f->lines + f->messages;
}

static double mean(uint64_t sum, uint64_t count)
{
    return count ? (double)sum / (double)count : 0;
}

static void print_table(struct invocation *invocation, const struct sample *before,
                        const struct sample *after)
{
    static const struct column columns[] = {
        {"FUNCTION", COLUMN_LEFT}, {"OWNER", COLUMN_LEFT},   {"SLOT", COLUMN_RIGHT},
        {"ROUTE", COLUMN_LEFT},    {"RATE/s", COLUMN_RIGHT}, {"TOTAL", COLUMN_RIGHT},
        {"PUT OFF", COLUMN_RIGHT}, {"EXITS", COLUMN_RIGHT},  {"EXITS/INT", COLUMN_RIGHT},
        {"WAIT us", COLUMN_RIGHT}, {"MOST us", COLUMN_RIGHT}};
    struct libscols_table *table = table_new(invocation, columns, sizeof columns / sizeof *columns);
    char name[SLOT_NAME];
    for (unsigned i = 0; i < after->page.functions.count; i++) {
        const struct statistics_function f = hv_page_function(&after->page, i);
        if (!f.lpar[0])
            continue;
        struct libscols_line *line = table_line(table, NULL);
        table_cell(line, 0, "%s", name_of(&f, name));
        table_cell(line, 1, "%s", f.lpar);
        table_cell(line, 2, "%u", f.slot);
        table_cell(line, 3, "%s", route_name(&f));
        table_cell(line, 4, "%.1f", rate(before, after, i));
        table_cell(line, 5, "%llu", (unsigned long long)f.recorded);
        table_cell(line, 6, "%llu", (unsigned long long)f.delays);
        table_cell(line, 7, "%llu", (unsigned long long)f.exits);
        table_cell(line, 8, "%.2f", mean(f.exits, interrupts(&f)));
        table_cell(line, 9, "%.1f", mean(f.waited_ns, f.timed) * 1e-3);
        table_cell(line, 10, "%.1f", (double)f.waited_most_ns * 1e-3);
    }
    table_print(table);
}

static void print_object(struct invocation *invocation, const struct sample *before,
                         const struct sample *after)
{
    json_t *functions = json_array(), *object = json_schema("top", 1);
    char name[SLOT_NAME];
    for (unsigned i = 0; i < after->page.functions.count; i++) {
        const struct statistics_function f = hv_page_function(&after->page, i);
        if (!f.lpar[0])
            continue;
        json_t *wait = json_pack("{s:I, s:f, s:I}", "interrupts", (json_int_t)f.timed, "mean_ns",
                                 mean(f.waited_ns, f.timed), "most_ns", (json_int_t)f.waited_most_ns);
        json_array_append_new(functions,
                              json_pack("{s:s, s:s, s:i, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:o}", "slot",
                                        name_of(&f, name), "owner", f.lpar, "owner_slot", (int)f.slot,
                                        "route", route_name(&f), "rate", rate(before, after, i), "total",
                                        (json_int_t)f.recorded, "lines", (json_int_t)f.lines, "messages",
                                        (json_int_t)f.messages, "exits", (json_int_t)f.exits, "put_off",
                                        (json_int_t)f.delays, "wait", wait));
    }
    json_object_update_new(object,
                           json_pack("{s:f, s:I, s:o}", "seconds",
                                     before->page.bytes ? (double)(after->ns - before->ns) * 1e-9 : 0.0,
                                     "clock_error_ns", (json_int_t)after->page.functions.clock_error_ns,
                                     "functions", functions));
    json_print_line(invocation, object);
}

static bool take(struct invocation *invocation, const char *file, struct sample *sample)
{
    sample->ns = now_ns();
    if (!hv_page_load(invocation, file, &sample->page))
        return false;
    if (sample->page.functions.count)
        return true;
    fprintf(invocation->err,
            "signalbox: %s is no service LPAR: what the hypervisor counts of functions is read by "
            "LPARs that its partition file gives `service`\n",
            sample->page.head.lpar);
    return false;
}

int top_hv_run(struct invocation *invocation, const struct pace *pace, const char *file)
{
    const bool screen = !invocation->json && isatty(fileno(invocation->out));
    struct sample before = {0}, after = {0};
    unsigned long round = 0;

    pace_prepare();
    bool good = take(invocation, file, &after);
    while (good && (!pace->rounds || round < pace->rounds) && pace_wait(pace->seconds)) {
        free(before.page.bytes);
        before = after;
        good = take(invocation, file, &after);
        if (!good)
            break;
        if (screen)
            fputs("\033[H\033[J", invocation->out);
        else if (round && !invocation->json)
            fputc('\n', invocation->out);
        (invocation->json ? print_object : print_table)(invocation, &before, &after);
        fflush(invocation->out);
        round++;
    }
    free(before.page.bytes);
    free(after.page.bytes);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "top.h"

#include <curses.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv_page.h"
#include "output.h"
#include "pace.h"
#include "top_hv.h"
#include "top_rows.h"

enum { KEY_BATCH = 'b', QUIT = 'q' };

struct top {
    struct pace pace;
    bool batch;
    enum top_order order;
    bool paused;
    const char *file;
};

/* ---- a list a round -------------------------------------------------------------------------------- */

static bool print_batch(struct invocation *invocation, const struct tally *tally, enum top_order order)
{
    static const struct column columns[] = {{"FUNCTION", COLUMN_LEFT}, {"DRIVER", COLUMN_LEFT},
                                            {"IRQ", COLUMN_LEFT},      {"RATE/s", COLUMN_RIGHT},
                                            {"KEPT/s", COLUMN_RIGHT},  {"KERNEL/s", COLUMN_RIGHT},
                                            {"TOTAL", COLUMN_RIGHT},   {"STATE", COLUMN_LEFT}};
    size_t n;
    struct top_row *rows = top_rows(tally, order, &n);
    if (!rows)
        return false;
    struct libscols_table *table = table_new(invocation, columns, sizeof columns / sizeof *columns);
    char name[SLOT_NAME], text[DESCRIBE_TEXT];
    for (size_t i = 0; i < n; i++) {
        const struct roster_function *function = rows[i].tally->function;
        struct libscols_line *line = table_line(table, NULL);
        table_cell(line, 0, "%s", slot_name(function->slot, name));
        table_cell(line, 1, "%s", function->driver[0] ? function->driver : "-");
        table_cell(line, 2, "%s", describe_lines(function, text));
        table_cell(line, 3, "%.1f", rows[i].rate);
        table_cell(line, 4, "%.1f", rows[i].kept);
        if (rows[i].kernel >= 0)
            table_cell(line, 5, "%.1f", rows[i].kernel);
        else
            table_cell(line, 5, "-");
        table_cell(line, 6, "%llu", (unsigned long long)function->count);
        table_cell(line, 7, "%s", rows[i].state);
    }
    table_print(table);
    free(rows);
    return true;
}

static json_t *rows_json(const struct top_row *rows, size_t n)
{
    json_t *array = json_array();
    char name[SLOT_NAME];
    for (size_t i = 0; i < n; i++) {
        json_t *object =
            json_pack("{s:s, s:f, s:f, s:I, s:s}", "slot", slot_name(rows[i].tally->function->slot, name),
                      "rate", rows[i].rate, "kept_rate", rows[i].kept, "total",
                      (json_int_t)rows[i].tally->function->count, "state", rows[i].state);
        if (rows[i].kernel >= 0)
            json_object_set_new(object, "kernel_rate", json_real(rows[i].kernel));
        json_array_append_new(array, object);
    }
    return array;
}

static bool print_objects(struct invocation *invocation, const struct tally *tally, enum top_order order)
{
    size_t n;
    struct top_row *rows = top_rows(tally, order, &n);
    if (!rows)
        return false;
    json_t *object = json_schema("top", 1);
    json_object_update_new(object, json_pack("{s:f, s:o}", "seconds", (double)tally_ns(tally) * 1e-9,
                                             "functions", rows_json(rows, n)));
    json_print_line(invocation, object);
    free(rows);
    return true;
}

static int run_batch(struct invocation *invocation, struct tally *tally, const struct top *top)
{
    pace_prepare();
    for (unsigned long round = 0;
         (!top->pace.rounds || round < top->pace.rounds) && pace_wait(top->pace.seconds); round++) {
        if (!tally_sample(tally, &invocation->roster))
            return command_no_memory(invocation);
        int status = command_lost_cards(invocation);
        if (status)
            return status;
        if (round && !invocation->json)
            fputc('\n', invocation->out);
        if (!(invocation->json ? print_objects : print_batch)(invocation, tally, top->order))
            return command_no_memory(invocation);
        fflush(invocation->out);
    }
    return EXIT_OK;
}

/* ---- a screen -------------------------------------------------------------------------------------- */

/* At most one line of the screen: curses would go on below. */
__attribute__((format(printf, 2, 3))) static void put_line(int y, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    mvaddnstr(y, 0, text, COLS);
}

enum { RATE_TEXT = 24 };
static char *rate_text(double rate, char text[RATE_TEXT])
{
    snprintf(text, RATE_TEXT, rate < 0 ? "-" : rate < 99999 ? "%.1f" : "%.0f", rate);
    return text;
}

/* 80 columns have all up to the state, whose end, and the total, take more. */
static void draw_row(int y, const struct top_row *row)
{
    char name[SLOT_NAME], lines[DESCRIBE_TEXT], rate[RATE_TEXT], kept[RATE_TEXT], kernel[RATE_TEXT];
    const struct roster_function *function = row->tally->function;
    const bool stuck = row->tally->high_ns >= TALLY_STUCK_NS;
    if (stuck)
        attron(A_BOLD | (has_colors() ? COLOR_PAIR(1) : 0));
    put_line(y, "%-12s %-10.10s %-11.11s %8s %8s %8s %-30.30s %12llu", slot_name(function->slot, name),
             function->driver[0] ? function->driver : "-", describe_lines(function, lines),
             rate_text(row->rate, rate), rate_text(row->kept, kept), rate_text(row->kernel, kernel),
             row->state, (unsigned long long)function->count);
    if (stuck)
        attroff(A_BOLD | (has_colors() ? COLOR_PAIR(1) : 0));
}

static bool draw(const struct tally *tally, const struct top *top)
{
    size_t n;
    struct top_row *rows = top_rows(tally, top->order, &n);
    if (!rows)
        return false;
    erase();
    put_line(0, "signalbox top: %zu function%s, every %g s, by %s%s", n, n == 1 ? "" : "s", top->pace.seconds,
             top_order_name(top->order), top->paused ? ", paused" : "");
    put_line(1, "q ends, s sorts, space pauses");
    attron(A_REVERSE);
    put_line(3, "%-12s %-10s %-11s %8s %8s %8s %-30s %12s", "FUNCTION", "DRIVER", "IRQ", "RATE/s", "KEPT/s",
             "KERNEL/s", "STATE", "TOTAL");
    attroff(A_REVERSE);
    for (size_t i = 0; i < n && 4 + (int)i < LINES; i++)
        draw_row(4 + (int)i, &rows[i]);
    refresh();
    free(rows);
    return true;
}

/* Keys until the next round is due. False: the end. */
static bool keys(const struct tally *tally, struct top *top)
{
    const int wait_ms = 50;
    for (double waited = 0; waited < top->pace.seconds; waited += wait_ms * 1e-3) {
        timeout(wait_ms);
        switch (getch()) {
        case QUIT:
            return false;
        case 's':
            top->order = (top->order + 1) % TOP_ORDERS;
            break;
        case ' ':
            top->paused = !top->paused;
            break;
        case KEY_RESIZE:
            break;
        default:
            if (pace_ended())
                return false;
            continue;
        }
        if (!draw(tally, top))
            return false;
    }
    return !pace_ended();
}

static int run_screen(struct invocation *invocation, struct tally *tally, struct top *top)
{
    if (!newterm(NULL, stdout, stdin)) {
        const char *terminal = getenv("TERM");
        fprintf(invocation->err, "signalbox: this terminal (%s) is not known; -b lists without one\n",
                terminal ? terminal : "TERM is not set");
        return EXIT_FAILED;
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
        init_pair(1, COLOR_RED, -1);
    }
    pace_prepare();
    bool memory = true, cards = true;
    for (unsigned long round = 0; memory && cards && (!top->pace.rounds || round <= top->pace.rounds);
         round++) {
        memory = draw(tally, top);
        if (!memory || !keys(tally, top))
            break;
        if (!top->paused)
            memory = tally_sample(tally, &invocation->roster);
        cards = false;
        for (unsigned c = 0; c < invocation->roster.n_cards; c++)
            cards |= invocation->roster.card[c]->card != NULL;
    }
    endwin();
    return memory ? command_lost_cards(invocation) : command_no_memory(invocation);
}

/* ---- the subcommand -------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct top *top = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &top->pace;
        return 0;
    case KEY_BATCH:
        top->batch = true;
        return 0;
    case 'f':
        top->file = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int top_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"batch", KEY_BATCH, 0, 0, "Write a list each round instead of a screen", 1},
        {"file", 'f', "FILE", 0, "Read a copy of the statistics of a service LPAR", 1},
        {0}};
    static const struct argp_child children[] = {{&pace_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .doc =
            "Shows live which functions raise how many interrupts, those that "
            "hold their wire high in bold. Writes "
            "lists where standard output is no terminal, or with -b or --json. In a service LPAR: the "
            "functions "
            "of all LPARs, with their owners, how their interrupts come, exits, and how "
            "long they waited in the hypervisor."};
    struct top top = {.pace = {.seconds = 1}};
    int status = command_parse(invocation, &argp, argc, argv, &top);
    if (!status && (top.file || hv_page_is_lpar()))
        return top_hv_run(invocation, &top.pace, top.file);
    if (status || (status = command_cards(invocation, CARD_PCI_READ, true)))
        return status;
    struct tally *tally = tally_new();
    if (!tally || !tally_sample(tally, &invocation->roster))
        status = command_no_memory(invocation);
    else if (top.batch || invocation->json || !isatty(fileno(invocation->out)))
        status = run_batch(invocation, tally, &top);
    else
        status = run_screen(invocation, tally, &top);
    tally_free(tally);
    return status;
}

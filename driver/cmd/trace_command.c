/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace_command.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "export.h"
#include "output.h"
#include "pace.h"
#include "record.h"
#include "timespan.h"

/* ---- files ----------------------------------------------------------------------------------------- */

/* "-" is standard input or output. Null, said on invocation->err, when it can't be opened. */
static FILE *open_file(struct invocation *invocation, const char *name, bool write)
{
    if (strcmp(name, "-") == 0)
        return write ? invocation->out : stdin;
    struct stat st;
    FILE *file = fopen(name, write ? "we" : "re");
    if (file && fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(file);
        file = NULL;
        errno = EISDIR;
    }
    if (!file)
        fprintf(invocation->err, "signalbox: %s: %s\n", name, strerror(errno));
    return file;
}

/* False, said on invocation->err, when not all could be written. */
static bool close_file(struct invocation *invocation, FILE *file, const char *name)
{
    bool good = fflush(file) == 0 && !ferror(file);
    if (file != invocation->out && file != stdin)
        good = fclose(file) == 0 && good;
    if (!good)
        fprintf(invocation->err, "signalbox: %s: not all could be written: %s\n", name, strerror(errno));
    return good;
}

/* ---- record ---------------------------------------------------------------------------------------- */

struct record {
    const char *file;
    bool tlps;
    double seconds; /* 0: until a signal */
    uint64_t most;  /* records, 0: no limit */
};

static error_t parse_record(int key, char *arg, struct argp_state *state)
{
    struct record *record = state->input;
    char *end;
    double value;
    switch (key) {
    case 'o':
        record->file = arg;
        return 0;
    case 'T':
        record->tlps = true;
        return 0;
    case 't':
    case 'c':
        value = strtod(arg, &end);
        if (end == arg || *end || !(value > 0) || value > 1e15) {
            argp_error(state, "\"%s\" is no number above 0", arg);
            return EINVAL;
        }
        if (key == 't')
            record->seconds = value;
        else
            record->most = (uint64_t)value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The one card to record. */
static struct roster_card *one_card(struct invocation *invocation)
{
    struct roster_card *found = NULL;
    for (unsigned c = 0; c < invocation->roster.n_cards; c++) {
        struct roster_card *card = invocation->roster.card[c];
        if (card->card && found) {
            fputs("signalbox: more than one card: say which one by -s SLOT\n", invocation->err);
            return NULL;
        }
        if (card->card)
            found = card;
    }
    return found;
}

static int record_failed(struct invocation *invocation, const struct record *record, int error)
{
    if (error == RECORD_NO_TRACE)
        fputs("signalbox: this build of the circuit has no trace\n", invocation->err);
    else if (error == RECORD_FILE)
        fprintf(invocation->err, "signalbox: %s: %s\n", record->file, strerror(errno));
    else
        fprintf(invocation->err, "signalbox: %s\n", card_error_text(error));
    return EXIT_FAILED;
}

static double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The trace is polled: often while there is something, less often while there is nothing. */
static int record_loop(struct recording *recording, const struct record *record)
{
    const double begin = monotonic(), shortest = 0.0002, longest = 0.01;
    double wait = shortest;
    while (!pace_ended()) {
        if (record->seconds > 0 && monotonic() - begin >= record->seconds)
            break;
        int n = recording_poll(recording);
        if (n < 0)
            return n;
        if (record->most && recording->records >= record->most)
            break;
        wait = n ? shortest : wait * 2 > longest ? longest : wait * 2;
        if (n == 0)
            pace_wait(wait);
    }
    return 0;
}

static void record_report(struct invocation *invocation, const struct record *record,
                          const struct recording *recording, uint32_t dropped)
{
    const bool to_stdout = strcmp(record->file, "-") == 0;
    FILE *out = to_stdout ? invocation->err : invocation->out;
    if (invocation->json && !to_stdout) {
        json_t *object = json_schema("trace-record", 1);
        json_object_update_new(object,
                               json_pack("{s:s, s:I, s:I}", "file", record->file, "records",
                                         (json_int_t)recording->records, "dropped", (json_int_t)dropped));
        json_print(invocation, object);
    } else {
        fprintf(out, "%llu records in %s", (unsigned long long)recording->records, record->file);
        if (dropped)
            fprintf(out, "; %u more found the relay's buffer full", dropped);
        fputc('\n', out);
    }
}

static int record_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "Where to (signalbox.sbtrace); - is standard output", 1},
        {"tlps", 'T', 0, 0, "All TLPs, not only interrupts", 1},
        {"time", 't', "SECONDS", 0, "End after so long", 1},
        {"count", 'c', "N", 0, "End after N records or a few more", 1},
        {0},
    };
    static const struct argp argp = {.options = options,
                                     .parser = parse_record,
                                     .doc =
                                         "Records what passes the relay until it is interrupted. Keep the "
                                         "file on a disk that is not behind the "
                                         "interrupt line you are looking at; /run is in memory."};
    struct record record = {.file = "signalbox.sbtrace"};
    int status = command_parse(invocation, &argp, argc, argv, &record);
    if (status || (status = command_cards(invocation, CARD_PCI_TRACE, true)))
        return status;
    struct roster_card *card = one_card(invocation);
    FILE *file = card ? open_file(invocation, record.file, true) : NULL;
    if (!file)
        return card ? EXIT_FAILED : EXIT_USE;
    pace_prepare();
    struct recording recording;
    uint32_t dropped = 0;
    int error = recording_begin(&recording, card->card, card->slot, record.tlps, file);
    if (!error) {
        error = record_loop(&recording, &record);
        /* Whatever happened, the circuit goes back to what it did before. */
        int end_error = recording_end(&recording, &dropped);
        error = error ? error : end_error;
    }
    if (error)
        status = record_failed(invocation, &record, error);
    if (!close_file(invocation, file, record.file))
        status = EXIT_FAILED;
    if (!status)
        record_report(invocation, &record, &recording, dropped);
    return status;
}

/* ---- print, export --------------------------------------------------------------------------------- */

struct convert {
    const char *input, *output;
    const struct export_format *format;
};

static const struct export_format *find_format(const char *name)
{
    for (const struct export_format *format = export_formats; format->name; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    return NULL;
}

static int convert(struct invocation *invocation, const struct convert *what, trace_exporter export)
{
    struct sb_error error;
    struct trace_reader reader;
    FILE *in = open_file(invocation, what->input, false);
    if (!in)
        return EXIT_FAILED;
    int status = EXIT_OK;
    FILE *out = NULL;
    if (!trace_open(&reader, in, &error))
        status = EXIT_FAILED;
    else if (!(out = open_file(invocation, what->output, true)))
        status = EXIT_FAILED;
    else if (export(&reader, out, &error) != 0)
        status = EXIT_FAILED;
    if (status && (out || !reader.offset)) {
        fprintf(invocation->err, "signalbox: %s: %s\n", what->input, error.what);
        if (error.advice[0])
            fprintf(invocation->err, "  %s\n", error.advice);
    }
    if (out && !close_file(invocation, out, what->output))
        status = EXIT_FAILED;
    if (in != stdin)
        fclose(in);
    return status;
}

/*
 * CTF is written by babeltrace2 itself, which reads our file by the plugin of this package. Version 1.8 of
 * it: more viewers know it than know 2.
 */
static int export_ctf(struct invocation *invocation, const struct convert *what)
{
    char source[4096], sink[4096];
    if (strcmp(what->output, "-") == 0 || strcmp(what->input, "-") == 0 || strpbrk(what->input, "\"\\") ||
        strpbrk(what->output, "\"\\") ||
        snprintf(source, sizeof source, "path=\"%s\"", what->input) >= (int)sizeof source ||
        snprintf(sink, sizeof sink, "path=\"%s\",ctf-version=\"1\"", what->output) >= (int)sizeof sink) {
        fputs("signalbox: ctf goes from a file into a folder: name both\n", invocation->err);
        return EXIT_USE;
    }
    fflush(NULL);
    execlp("babeltrace2", "babeltrace2", "convert", "--component=source.signalbox.trace", "--params", source,
           "--component=sink.ctf.fs", "--params", sink, (char *)NULL);
    fprintf(invocation->err, "signalbox: babeltrace2 can't be run: %s\n  Install the package babeltrace2.\n",
            strerror(errno));
    return EXIT_FAILED;
}

static error_t parse_convert(int key, char *arg, struct argp_state *state)
{
    struct convert *what = state->input;
    switch (key) {
    case 'o':
        what->output = arg;
        return 0;
    case 'f':
        what->format = find_format(arg);
        if (!what->format && strcmp(arg, "ctf") != 0) {
            argp_error(state, "\"%s\" is no format", arg);
            return EINVAL;
        }
        return 0;
    case ARGP_KEY_ARG:
        if (what->input)
            return ARGP_ERR_UNKNOWN;
        what->input = arg;
        return 0;
    case ARGP_KEY_END:
        if (!what->input)
            what->input = "signalbox.sbtrace";
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int print_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp argp = {.parser = parse_convert,
                                     .args_doc = "[FILE]",
                                     .doc =
                                         "Prints a trace (signalbox.sbtrace) in lines, or with --json as an "
                                         "object a line. FILE may be -."};
    struct convert what = {.output = "-"};
    int status = command_parse(invocation, &argp, argc, argv, &what);
    return status ? status : convert(invocation, &what, invocation->json ? export_jsonl : export_text);
}

static int export_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"format", 'f', "FORMAT", 0, "text, jsonl, csv, pcapng, chrome, svg, or ctf (jsonl)", 1},
        {"output", 'o', "FILE", 0, "Where to (standard output); for ctf a folder", 1},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_convert,
        .args_doc = "[FILE]",
        .doc =
            "Writes a trace (signalbox.sbtrace) in another form: text and jsonl as `trace print`; csv; "
            "pcapng for "
            "Wireshark; chrome for Perfetto; svg, a time line to look at; ctf by babeltrace2."};
    struct convert what = {.output = "-", .format = find_format("jsonl")};
    int status = command_parse(invocation, &argp, argc, argv, &what);
    if (status)
        return status;
    return what.format ? convert(invocation, &what, what.format->export) : export_ctf(invocation, &what);
}

int trace_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct command parts[] = {
        {"record", "Record what passes", record_run},
        {"print", "Print a recording", print_run},
        {"export", "Write a recording in another form", export_run},
        {0},
    };
    return command_part(invocation, "trace", parts, argc, argv);
}

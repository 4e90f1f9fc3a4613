/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Prometheus text format, for node_exporter's textfile collector. Series are per function and kind, not
 * per source or CPU: their number is what such a file costs.
 */
#include "metrics.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "tally.h"

/* Sums over the sources of one function and kind. */
struct sums {
    bool any, pending;
    uint64_t count, relayed, kept;
};

static struct sums sum_sources(const struct roster_card *card, unsigned function, enum relay_kind kind)
{
    struct sums sums = {0};
    for (unsigned i = 0; i < card->n_sources; i++) {
        const struct relay_source *source = &card->source[i];
        if (card->function_of[i] != function || source->kind != kind)
            continue;
        sums.any = true;
        sums.pending |= relay_pending(source);
        sums.count += source->count;
        sums.relayed += source->relayed;
        sums.kept += source->coalesced;
    }
    return sums;
}

static uint64_t count_of(const struct sums *sums)
{
    return sums->count;
}

static uint64_t relayed_of(const struct sums *sums)
{
    return sums->relayed;
}

static uint64_t kept_of(const struct sums *sums)
{
    return sums->kept;
}

static uint64_t pending_of(const struct sums *sums)
{
    return sums->pending;
}

static void family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP signalbox_%s %s\n# TYPE signalbox_%s %s\n", name, help, name, type);
}

static void write_sums(FILE *out, const struct roster *roster)
{
    static const struct {
        const char *name, *type, *help;
        uint64_t (*value)(const struct sums *sums);
    } families[] = {
        {"interrupts_total", "counter",
         "Interrupts a function raised, as the relay counted them; counts are of 32 bit.", count_of},
        {"sent_total", "counter", "Interrupts the relay sent on.", relayed_of},
        {"kept_total", "counter", "Interrupts the relay kept back by mask or storm limit.", kept_of},
        {"pending", "gauge", "Whether the function has interrupts that software has not acknowledged.",
         pending_of},
    };
    for (unsigned i = 0; i < sizeof families / sizeof *families; i++) {
        family(out, families[i].name, families[i].type, families[i].help);
        for (unsigned c = 0; c < roster->n_cards; c++)
            for (unsigned f = 0; f < roster->card[c]->n_functions; f++)
                for (enum relay_kind kind = RELAY_KIND_MSI; kind <= RELAY_KIND_INTX; kind++) {
                    const struct roster_card *card = roster->card[c];
                    const struct sums sums = sum_sources(card, f, kind);
                    char name[SLOT_NAME], function[SLOT_NAME];
                    if (sums.any)
                        fprintf(out, "signalbox_%s{card=\"%s\",function=\"%s\",kind=\"%s\"} %" PRIu64 "\n",
                                families[i].name, slot_name(card->slot, name),
                                slot_name(card->function[f].slot, function),
                                kind == RELAY_KIND_INTX ? "intx" : "msi", families[i].value(&sums));
                }
    }
}

static void write_rows(FILE *out, const struct tally *tally)
{
    size_t n;
    char name[SLOT_NAME], function[SLOT_NAME];
    const struct tally_row *rows = tally_rows(tally, &n);
    family(out, "wire_high_seconds", "gauge",
           "How long the function has held its INTx wire high; 0 when it is low.");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "signalbox_wire_high_seconds{card=\"%s\",function=\"%s\"} %.9f\n",
                slot_name(rows[i].card->slot, name), slot_name(rows[i].function->slot, function),
                (double)rows[i].high_ns * 1e-9);
    family(out, "kernel_interrupts_total", "counter",
           "Interrupts the kernel counted for the function; on a shared INTx line, for all of the line.");
    for (size_t i = 0; i < n; i++)
        if (rows[i].kernel_known)
            fprintf(out, "signalbox_kernel_interrupts_total{card=\"%s\",function=\"%s\"} %" PRIu64 "\n",
                    slot_name(rows[i].card->slot, name), slot_name(rows[i].function->slot, function),
                    rows[i].kernel_max);
}

static void write_counters(FILE *out, const struct roster *roster)
{
    char name[SLOT_NAME];
    family(out, "relay_total", "counter", "Counters of the relay, by their names in its register map.");
    for (unsigned c = 0; c < roster->n_cards; c++) {
        uint32_t counters[RELAY_COUNTERS];
        if (!roster->card[c]->card || relay_read_counters(roster->card[c]->card, counters) != 0)
            continue;
        for (unsigned i = 0; i < RELAY_COUNTERS; i++) {
            if (!relay_counter_name(i))
                continue;
            fprintf(out, "signalbox_relay_total{card=\"%s\",counter=\"",
                    slot_name(roster->card[c]->slot, name));
            for (const char *letter = relay_counter_name(i); *letter; letter++)
                fputc(tolower((unsigned char)*letter), out);
            fprintf(out, "\"} %" PRIu32 "\n", counters[i]);
        }
    }
}

static void write_cards(FILE *out, const struct roster *roster)
{
    char name[SLOT_NAME];
    family(out, "card_accessible", "gauge", "Whether the relay's registers could be read.");
    for (unsigned c = 0; c < roster->n_cards; c++)
        fprintf(out, "signalbox_card_accessible{card=\"%s\"} %d\n", slot_name(roster->card[c]->slot, name),
                roster->card[c]->card != NULL);
    family(out, "sources_used", "gauge", "Entries of the relay's source table in use.");
    for (unsigned c = 0; c < roster->n_cards; c++)
        if (roster->card[c]->card)
            fprintf(out, "signalbox_sources_used{card=\"%s\"} %u\n", slot_name(roster->card[c]->slot, name),
                    roster->card[c]->n_sources);
    family(out, "sources_size", "gauge", "Entries of the relay's source table.");
    for (unsigned c = 0; c < roster->n_cards; c++)
        if (roster->card[c]->card)
            fprintf(out, "signalbox_sources_size{card=\"%s\"} %u\n", slot_name(roster->card[c]->slot, name),
                    roster->card[c]->identity.sources);
}

/* All or nothing: a collector may read at any moment. False: see errno. */
static bool replace_file(const char *path, const char *text, size_t size)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(temporary);
    if (fd < 0)
        return false;
    bool good = fchmod(fd, 0644) == 0;
    for (size_t done = 0; good && done < size;) {
        ssize_t n = write(fd, text + done, size - done);
        good = n > 0;
        done += good ? (size_t)n : 0;
    }
    good = close(fd) == 0 && good && rename(temporary, path) == 0;
    if (!good) {
        const int code = errno;
        unlink(temporary);
        errno = code;
    }
    return good;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **file = state->input;
    if (key != 'o')
        return ARGP_ERR_UNKNOWN;
    *file = arg;
    return 0;
}

static bool compose(const struct roster *roster, const struct tally *tally, char **text, size_t *size)
{
    FILE *out = open_memstream(text, size);
    if (!out)
        return false;
    write_cards(out, roster);
    write_sums(out, roster);
    write_rows(out, tally);
    write_counters(out, roster);
    return fclose(out) == 0;
}

int metrics_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "Replace this file in one step, for node_exporter's textfile collector",
         1},
        {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .doc =
                                         "Writes the counts of all cards in the text format of Prometheus. "
                                         "Cards that can't be reached are in it, "
                                         "too: signalbox_card_accessible is 0."};
    const char *file = NULL;
    int status = command_parse(invocation, &argp, argc, argv, &file);
    if (status)
        return status;
    if (invocation->json) {
        fputs("signalbox: metrics have one form; `signalbox stat --json` has the same numbers\n",
              invocation->err);
        return EXIT_USE;
    }
    if ((status = command_cards(invocation, CARD_PCI_READ, false)))
        return status;
    struct tally *tally = tally_new();
    char *text = NULL;
    size_t size = 0;
    if (!tally || !tally_sample(tally, &invocation->roster) ||
        !compose(&invocation->roster, tally, &text, &size)) {
        status = command_no_memory(invocation);
    } else if (!file) {
        fwrite(text, 1, size, invocation->out);
    } else if (!replace_file(file, text, size)) {
        fprintf(invocation->err, "signalbox: %s: %s\n", file, strerror(errno));
        status = EXIT_FAILED;
    }
    tally_free(tally);
    free(text);
    return status;
}

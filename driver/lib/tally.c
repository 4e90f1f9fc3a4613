/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relay_regs.h"

/* One source as a sample saw it. */
struct seen_source {
    struct slot card;
    struct slot function;
    struct relay_source source;
};

/* The kernel's side of one function. */
struct seen_kernel {
    struct slot function;
    bool known;
    unsigned first, n; /* interrupts: the vectors' first and number, to know a reconfigured function by */
    uint64_t before, after;
};

struct sample {
    uint64_t ns;
    struct seen_source *source;
    size_t n_sources;
    struct seen_kernel *kernel;
    size_t n_kernel;
};

struct tally {
    struct sample last, now;
    struct tally_row *row;
    size_t n_rows;
    bool any;
};

struct tally *tally_new(void)
{
    return calloc(1, sizeof(struct tally));
}

static void clear(struct sample *sample)
{
    free(sample->source);
    free(sample->kernel);
    *sample = (struct sample){0};
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    clear(&tally->last);
    clear(&tally->now);
    free(tally->row);
    free(tally);
}

void tally_restart(struct tally *tally)
{
    tally->any = false;
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- sampling -------------------------------------------------------------------------------------- */

static bool serves(const struct kernel_lines *lines)
{
    return lines->n_msi || lines->intx;
}

/* Sum over a function's interrupts; false when the kernel knows none of them. */
static bool kernel_sum(const struct kernel_lines *lines, uint64_t *sum)
{
    struct kernel_irq irq;
    bool known = false;
    *sum = 0;
    for (size_t i = 0; i < lines->n_msi; i++)
        if (kernel_irq(lines->msi[i], &irq)) {
            *sum += irq.count;
            known = true;
        }
    if (!lines->n_msi && lines->intx && kernel_irq(lines->intx, &irq)) {
        *sum = irq.count;
        known = true;
    }
    return known;
}

/*
 * The functions of the former reading name the kernel's interrupts for both of this sample's kernel readings;
 * what Linux set up meanwhile is met by the next sample.
 */
static bool read_kernel(struct sample *sample, const struct roster *roster)
{
    size_t n = 0;
    for (unsigned c = 0; c < roster->n_cards; c++)
        n += roster->card[c]->n_functions;
    sample->kernel = calloc(n + 1, sizeof *sample->kernel);
    if (!sample->kernel)
        return false;
    for (unsigned c = 0; c < roster->n_cards; c++)
        for (unsigned f = 0; f < roster->card[c]->n_functions; f++) {
            const struct roster_function *function = &roster->card[c]->function[f];
            const struct kernel_lines *lines = &function->lines;
            struct seen_kernel *kernel = &sample->kernel[sample->n_kernel++];
            kernel->function = function->slot;
            kernel->first = lines->n_msi ? lines->msi[0] : lines->intx;
            kernel->n = (unsigned)lines->n_msi;
            kernel->known = serves(lines) && kernel_sum(lines, &kernel->before);
        }
    return true;
}

static struct seen_kernel *find_kernel(const struct sample *sample, struct slot function)
{
    for (size_t i = 0; i < sample->n_kernel; i++)
        if (slot_equal(sample->kernel[i].function, function))
            return &sample->kernel[i];
    return NULL;
}

static void read_kernel_again(struct sample *sample, const struct roster *roster)
{
    for (unsigned c = 0; c < roster->n_cards; c++)
        for (unsigned f = 0; f < roster->card[c]->n_functions; f++) {
            const struct roster_function *function = &roster->card[c]->function[f];
            struct seen_kernel *kernel = find_kernel(sample, function->slot);
            const struct kernel_lines *lines = &function->lines;
            if (!kernel || !kernel->known)
                continue;
            const unsigned first = lines->n_msi ? lines->msi[0] : lines->intx;
            kernel->known =
                first == kernel->first && lines->n_msi == kernel->n && kernel_sum(lines, &kernel->after);
        }
}

static bool read_wire(struct sample *sample, struct roster *roster)
{
    size_t n = 0;
    for (unsigned c = 0; c < roster->n_cards; c++)
        if (roster->card[c]->card && roster_refresh(roster, roster->card[c]) == 0)
            n += roster->card[c]->n_sources;
    sample->source = calloc(n + 1, sizeof *sample->source);
    if (!sample->source)
        return false;
    for (unsigned c = 0; c < roster->n_cards; c++) {
        const struct roster_card *card = roster->card[c];
        for (unsigned i = 0; card->card && i < card->n_sources; i++)
            sample->source[sample->n_sources++] =
                (struct seen_source){card->slot, card->function[card->function_of[i]].slot, card->source[i]};
    }
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------------ */

/* The same entry of the same card in the sample before: its counts go on from there. */
static const struct relay_source *find_source(const struct sample *sample, const struct seen_source *now)
{
    for (size_t i = 0; i < sample->n_sources; i++) {
        const struct relay_source *source = &sample->source[i].source;
        if (slot_equal(sample->source[i].card, now->card) && source->index == now->source.index &&
            source->kind == now->source.kind && source->port == now->source.port &&
            source->requester == now->source.requester && source->address == now->source.address &&
            source->data == now->source.data)
            return source;
    }
    return NULL;
}

static void add_source(struct tally *tally, struct tally_row *row, const struct seen_source *seen,
                       uint64_t now_ns)
{
    const struct relay_source *now = &seen->source;
    const struct relay_source *last = tally->any ? find_source(&tally->last, seen) : NULL;
    /* 32-bit counts that wrap: differences are right modulo 2^32. */
    row->wire += last ? now->count - last->count : now->count;
    row->sent += last ? now->relayed - last->relayed : now->relayed;
    row->kept += last ? now->coalesced - last->coalesced : now->coalesced;
    if (now->kind == RELAY_KIND_INTX && now->state & RELAY_SRC_STATE_LEVEL && now_ns > now->last_ns &&
        now_ns - now->last_ns > row->high_ns)
        row->high_ns = now_ns - now->last_ns;
}

static void add_kernel(const struct tally *tally, struct tally_row *row)
{
    const struct seen_kernel *now = find_kernel(&tally->now, row->function->slot);
    const struct seen_kernel *last = tally->any ? find_kernel(&tally->last, row->function->slot) : NULL;
    if (!now || !now->known)
        return;
    if (!tally->any) {
        row->kernel_known = true;
        row->kernel_min = now->before;
        row->kernel_max = now->after;
    } else if (last && last->known && last->first == now->first && last->n == now->n) {
        row->kernel_known = true;
        row->kernel_min = now->before > last->after ? now->before - last->after : 0;
        row->kernel_max = now->after - last->before;
    }
}

static bool on_line(const struct tally_row *row)
{
    return row->kernel_known && !row->function->lines.n_msi && row->function->lines.intx;
}

static void join_lines(struct tally *tally)
{
    for (size_t i = 0; i < tally->n_rows; i++) {
        struct tally_row *row = &tally->row[i];
        if (!on_line(row))
            continue;
        for (size_t j = 0; j < tally->n_rows; j++) {
            const struct tally_row *other = &tally->row[j];
            if (!on_line(other) || other->function->lines.intx != row->function->lines.intx)
                continue;
            row->sharers++;
            row->line_most = other->sent > row->line_most ? other->sent : row->line_most;
        }
    }
}

static bool make_rows(struct tally *tally, const struct roster *roster)
{
    size_t n = 0;
    for (unsigned c = 0; c < roster->n_cards; c++)
        n += roster->card[c]->n_functions;
    struct tally_row *rows = realloc(tally->row, (n + 1) * sizeof *rows);
    if (!rows)
        return false;
    tally->row = rows;
    tally->n_rows = 0;
    for (unsigned c = 0; c < roster->n_cards; c++) {
        const struct roster_card *card = roster->card[c];
        uint64_t now_ns = 0;
        if (!card->card || relay_time(card->card, &now_ns) != 0)
            continue;
        for (unsigned f = 0; f < card->n_functions; f++) {
            struct tally_row *row = &tally->row[tally->n_rows++];
            *row =
                (struct tally_row){.card = card, .function = &card->function[f], .since_start = !tally->any};
            for (size_t i = 0; i < tally->now.n_sources; i++)
                if (slot_equal(tally->now.source[i].card, card->slot) &&
                    slot_equal(tally->now.source[i].function, row->function->slot) &&
                    tally->now.source[i].source.port == row->function->port)
                    add_source(tally, row, &tally->now.source[i], now_ns);
            add_kernel(tally, row);
        }
    }
    join_lines(tally);
    return true;
}

bool tally_sample(struct tally *tally, struct roster *roster)
{
    struct sample sample = {.ns = clock_ns()};
    if (!read_kernel(&sample, roster) || !read_wire(&sample, roster)) {
        clear(&sample);
        return false;
    }
    read_kernel_again(&sample, roster);
    clear(&tally->last);
    tally->last = tally->now;
    tally->now = sample;
    bool made = make_rows(tally, roster);
    if (!tally->any)
        tally->last.ns = tally->now.ns;
    tally->any = true;
    return made;
}

const struct tally_row *tally_rows(const struct tally *tally, size_t *n)
{
    *n = tally->n_rows;
    return tally->row;
}

uint64_t tally_ns(const struct tally *tally)
{
    return tally->now.ns - tally->last.ns;
}

/* ---- verdict --------------------------------------------------------------------------------------- */

enum tally_verdict tally_verdict(const struct tally_row *row, uint64_t *difference)
{
    *difference = 0;
    if (row->high_ns >= TALLY_STUCK_NS)
        return TALLY_LINE_HIGH;
    if (!row->kernel_known)
        return TALLY_NO_KERNEL;
    /*
     * Rises of several wires while their line is high are one interrupt. More than all rises says nothing
     * there: a level fires again until its handler has served it, and other slots may share the line.
     */
    const bool on_a_line = row->sharers > 0;
    const uint64_t fewest = on_a_line ? row->line_most : row->sent;
    if (fewest > row->kernel_max) {
        *difference = fewest - row->kernel_max;
        return TALLY_LOST;
    }
    if (on_a_line)
        return row->sharers > 1 ? TALLY_SHARED_AGREE : TALLY_AGREE;
    /* Since the beginning the kernel may have counted before the relay knew the source. */
    if (!row->since_start && row->sent < row->kernel_min) {
        *difference = row->kernel_min - row->sent;
        return TALLY_MORE;
    }
    return TALLY_AGREE;
}

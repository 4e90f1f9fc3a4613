/* SPDX-License-Identifier: BSD-2-Clause */
#include "top_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

static int by_slot(const void *a, const void *b)
{
    const struct top_row *left = a, *right = b;
    char left_name[SLOT_NAME], right_name[SLOT_NAME];
    return strcmp(slot_name(left->tally->function->slot, left_name),
                  slot_name(right->tally->function->slot, right_name));
}

static int by_rate(const void *a, const void *b)
{
    const struct top_row *left = a, *right = b;
    if (left->rate != right->rate)
        return left->rate < right->rate ? 1 : -1;
    return by_slot(a, b);
}

static int by_total(const void *a, const void *b)
{
    const uint64_t left = ((const struct top_row *)a)->tally->function->count,
                   right = ((const struct top_row *)b)->tally->function->count;
    if (left != right)
        return left < right ? 1 : -1;
    return by_slot(a, b);
}

static void describe_state(struct top_row *row)
{
    char age[DURATION_TEXT];
    uint64_t difference;
    switch (tally_verdict(row->tally, &difference)) {
    case TALLY_LINE_HIGH:
        snprintf(row->state, sizeof row->state, "WIRE HIGH %s", duration_text(row->tally->high_ns, age));
        break;
    case TALLY_LOST:
        snprintf(row->state, sizeof row->state, "%llu coalesced or lost", (unsigned long long)difference);
        break;
    default:
        if (row->tally->high_ns >= TALLY_STUCK_NS)
            snprintf(row->state, sizeof row->state, "WIRE HIGH %s", duration_text(row->tally->high_ns, age));
        else
            describe_function_state(row->tally->function, row->state);
        break;
    }
}

struct top_row *top_rows(const struct tally *tally, enum top_order order, size_t *n)
{
    static int (*const orders[])(const void *, const void *) = {
        [TOP_BY_RATE] = by_rate, [TOP_BY_TOTAL] = by_total, [TOP_BY_SLOT] = by_slot};
    size_t all;
    const struct tally_row *rows = tally_rows(tally, &all);
    const double seconds = (double)tally_ns(tally) * 1e-9;
    struct top_row *result = calloc(all + 1, sizeof *result);
    *n = 0;
    for (size_t i = 0; result && i < all; i++) {
        const struct roster_function *function = rows[i].function;
        if ((!rows[i].card->selected && !function->selected) || (!function->present && !function->n_sources))
            continue;
        struct top_row *row = &result[(*n)++];
        row->tally = &rows[i];
        const bool interval = !rows[i].since_start && seconds > 0;
        row->rate = interval ? (double)rows[i].wire / seconds : 0;
        row->kept = interval ? (double)rows[i].kept / seconds : 0;
        row->kernel = interval && rows[i].kernel_known ? (double)rows[i].kernel_max / seconds : -1;
        describe_state(row);
    }
    if (result)
        qsort(result, *n, sizeof *result, orders[order]);
    return result;
}

const char *top_order_name(enum top_order order)
{
    static const char *const names[] = {
        [TOP_BY_RATE] = "rate", [TOP_BY_TOTAL] = "total", [TOP_BY_SLOT] = "slot"};
    return names[order];
}

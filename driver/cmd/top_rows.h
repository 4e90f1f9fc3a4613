/* SPDX-License-Identifier: BSD-2-Clause */
/* What `signalbox top` shows, whatever it is shown on. */
#ifndef TOP_ROWS_H
#define TOP_ROWS_H

#include <stddef.h>

#include "describe.h"
#include "tally.h"

enum top_order { TOP_BY_RATE, TOP_BY_TOTAL, TOP_BY_SLOT, TOP_ORDERS };

struct top_row {
    const struct tally_row *tally;
    double rate;   /* interrupts a second on the wire */
    double kept;   /* kept back a second */
    double kernel; /* counted by the kernel a second; negative: not known */
    char state[DESCRIBE_TEXT];
};

/* The functions shown, in order; the caller frees the array. Null: out of memory. */
struct top_row *top_rows(const struct tally *tally, enum top_order order, size_t *n);

/* "rate", "total", "slot". */
const char *top_order_name(enum top_order order);

#endif

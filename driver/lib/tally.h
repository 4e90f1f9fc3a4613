/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tally: per function, how many interrupts passed on the wire and how many the kernel counted, since the
 * beginning or between two samples.
 *
 * The two sides can't be read in the same instant. Each sample reads the kernel's counts before and after the
 * relay's, so that what happened in between bounds the difference: a verdict is given only where no timing of
 * the reads could explain it.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roster.h"

enum { TALLY_STUCK_NS = 10000000 }; /* an INTx wire that no handler brings down for so long is stuck */

enum tally_verdict {
    TALLY_AGREE, /* no difference that the reads' timing can't explain */
    TALLY_LOST,  /* the kernel counted fewer than were sent: coalesced (an APIC merges equal vectors) or lost
                  */
    TALLY_MORE,  /* the kernel counted more than were sent */
    TALLY_LINE_HIGH,    /* INTx: the wire is high, so the kernel's handler runs again and again: counts can't
                           agree */
    TALLY_SHARED_AGREE, /* INTx: the line's count lies between the busiest sharer's and the sum of all
                           sharers' */
    TALLY_NO_KERNEL,    /* Linux does not serve this function */
};

struct tally_row {
    const struct roster_card *card;
    const struct roster_function *function;
    uint64_t wire; /* interrupts the function raised */
    uint64_t sent; /* of them (and of held-back ones) sent on by the relay */
    uint64_t kept; /* kept back by mask or limit */
    bool kernel_known;
    uint64_t kernel_min; /* handled, at least and at most in the time the wire was counted */
    uint64_t kernel_max;
    unsigned sharers;   /* functions behind relays on the same INTx line, this one included; 0: not INTx */
    uint64_t line_most; /* INTx: sent by the busiest of them */
    bool since_start;   /* counts since boot or since the entry was taken, not of an interval */
    uint64_t high_ns;   /* INTx: for so long its wire has been high, 0: low */
};

struct tally;

/* Null: out of memory. */
struct tally *tally_new(void);
void tally_free(struct tally *tally);

/*
 * Reads all of the roster's accessible cards and the kernel's counts. Rows are as of the sample before, or as
 * of the beginning where there is none (a first sample, or a function that came since). A card that no longer
 * answers is left out: see its error. False: out of memory.
 * Rows, and what they point to, hold until the next sample or change of the roster.
 */
bool tally_sample(struct tally *tally, struct roster *roster);
const struct tally_row *tally_rows(const struct tally *tally, size_t *n);
/* Between the last two samples; 0 after the first. */
uint64_t tally_ns(const struct tally *tally);
/* Forgets earlier samples: the next one counts from the beginning. */
void tally_restart(struct tally *tally);

/* What a row's numbers say; *difference: by how many they differ. */
enum tally_verdict tally_verdict(const struct tally_row *row, uint64_t *difference);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the relay's trace out of its buffer into a file. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "card.h"
#include "slot.h"

struct recording {
    struct card *card;
    FILE *file;
    unsigned log2;    /* the relay's buffer holds 2^log2 records */
    uint32_t tail;    /* records taken, as the relay counts them */
    uint32_t control; /* CTRL as it was before */
    uint32_t dropped; /* COUNTER[TRACE_DROPPED] at the beginning */
    uint64_t records; /* written to the file */
};

enum record_error {
    RECORD_NO_TRACE = -100, /* this build of the circuit has no trace */
    RECORD_FILE = -101,     /* the file can't be written: see errno */
};

/*
 * Switches tracing on, of interrupts or of all TLPs, drops what the buffer held, and writes the file's
 * header. 0, a card_error, or a record_error. `slot` is where the card is.
 */
int recording_begin(struct recording *recording, struct card *card, struct slot slot, bool tlps, FILE *file);

/* Moves what is in the buffer into the file; the number of records, or an error as above. */
int recording_poll(struct recording *recording);

/*
 * Puts CTRL back as it was and moves the rest. *dropped: records the relay had no room for since the
 * beginning, modulo 2^32. 0, or an error as above.
 */
int recording_end(struct recording *recording, uint32_t *dropped);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What went wrong, and what the user can do about it. */
#ifndef SB_ERROR_H
#define SB_ERROR_H

struct sb_error {
    char what[256];
    char advice[512]; /* empty: none */
};

/* Fills in `error`, which may be null; `advice` may be null. */
void sb_error_set(struct sb_error *error, const char *advice, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

/* An enum card_error in words. */
const char *card_error_text(int error);

#endif

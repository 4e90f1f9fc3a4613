/* SPDX-License-Identifier: BSD-2-Clause */
/* What `signalbox doctor` finds. */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stddef.h>

#include "roster.h"

enum finding_grade {
    FINDING_GOOD,
    FINDING_NOTE,    /* worth knowing */
    FINDING_WARNING, /* may be what you are looking for */
    FINDING_FAILURE, /* something does not work */
};

struct finding {
    enum finding_grade grade;
    const char *check;     /* its name, stable */
    char where[SLOT_NAME]; /* empty: the machine */
    char what[256];
    char advice[512];
};

struct findings {
    struct finding *finding;
    size_t n;
    bool no_memory;
};

/* `where` and `advice` may be null. */
void findings_add(struct findings *findings, enum finding_grade grade, const char *check,
                  const struct slot *where, const char *advice, const char *what, ...)
    __attribute__((format(printf, 6, 7)));
void findings_free(struct findings *findings);

/* The checks. Each adds what it finds, good findings included. */
void check_machine(struct findings *findings);
void check_card(struct findings *findings, struct roster_card *card);
void check_functions(struct findings *findings, struct roster *roster, struct roster_card *card);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sources a command that changes something is meant for: never all of them by oversight. */
#ifndef SELECT_H
#define SELECT_H

#include <argp.h>
#include <jansson.h>

#include "command.h"

struct selection {
    bool all;
    bool dry_run;
    int source;         /* index in the table, -1: whichever belong to the functions chosen */
    uint32_t none_caps; /* no source there yet is no failure where a card has one of these CAPS bits */
};

struct selected {
    struct roster_card *card;
    struct relay_source *source;
    const struct roster_function *function;
};

/* Options --all, --source and --dry-run; the child's input is a struct selection. */
extern const struct argp select_argp;

/*
 * Opens the cards for writing and lists the sources chosen, in *list, which the caller frees. An exit status;
 * what is wrong is said on invocation->err. `caps`: CAPS bits the cards must have for `doing`.
 */
int select_sources(struct invocation *invocation, const struct selection *selection, uint32_t caps,
                   const char *doing, struct selected **list, size_t *n);

/* Reports a card_error of a card; EXIT_FAILED. */
int select_failed(struct invocation *invocation, const struct roster_card *card, int error);

/*
 * Says what was done (or would be) to each, in words or as JSON of the schema named; `more`, which may be
 * null and is taken over, is added to that.
 */
void select_report(struct invocation *invocation, const char *schema, const struct selection *selection,
                   const struct selected *list, size_t n, json_t *more);

#endif

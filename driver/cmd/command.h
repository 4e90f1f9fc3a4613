/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands of `signalbox` share. */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "roster.h"

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_NO_SUCH = 2, /* no such card or function */
    EXIT_USE = 64,    /* wrong use: argp's own status, too */
};

struct invocation {
    struct roster roster;
    bool json;
    bool numeric;        /* no names from pci.ids */
    unsigned argp_flags; /* of argp_parse, for who calls subcommands from a program that goes on */
    FILE *out;           /* results */
    FILE *err;           /* everything else */
    /* Where cards come from: roster_find, or a test's simulated ones. */
    bool (*find)(struct roster *roster, enum card_pci_mode mode, struct sb_error *error);
};

struct command {
    const char *name;
    const char *summary;
    /* argv[0] is "signalbox NAME". An exit status. */
    int (*run)(struct invocation *invocation, int argc, char **argv);
};

/* All subcommands, in the order help lists them; the last has a null name. */
extern const struct command commands[];

/* False: out of memory. @pre invocation is zeroed but for find */
bool invocation_open(struct invocation *invocation);
void invocation_close(struct invocation *invocation);

/* Options that every subcommand takes; the child's input is the struct invocation. */
extern const struct argp common_argp;

/*
 * Parses a subcommand's own options, with `input` as its parser's input, and the common ones. 0, or the exit
 * status to end with.
 */
int command_parse(struct invocation *invocation, const struct argp *argp, int argc, char **argv, void *input);

/* Runs the subcommand that argv[0] names. An exit status. */
int command_run(struct invocation *invocation, int argc, char **argv);

/* Runs a part of a subcommand, "signalbox NAME PART …", whose first words are argv[0] and argv[1]. */
int command_part(struct invocation *invocation, const char *name, const struct command *parts, int argc,
                 char **argv);

/*
 * Finds the cards selected. EXIT_OK; EXIT_NO_SUCH, said on invocation->err, when there is none.
 * Where `accessible` is set, cards that can't be reached are said there, too, and at least one must be left:
 * else EXIT_FAILED.
 */
int command_cards(struct invocation *invocation, enum card_pci_mode mode, bool accessible);

/* Says that memory ran out; EXIT_FAILED. */
int command_no_memory(struct invocation *invocation);

/* EXIT_FAILED, and why on invocation->err, when no card is left that answers. */
int command_lost_cards(struct invocation *invocation);

/* Says what is wrong, and what helps. */
void command_error(struct invocation *invocation, const struct sb_error *error);

#endif

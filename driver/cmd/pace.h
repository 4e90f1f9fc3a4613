/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that go on: intervals, the end by a signal, and life on a machine whose disk is dead. */
#ifndef PACE_H
#define PACE_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

struct pace {
    double seconds;       /* between rounds; 0: one round only */
    unsigned long rounds; /* 0: until a signal */
};

/* Options -i SECONDS and -c COUNT; the child's input is a struct pace. */
extern const struct argp pace_argp;

/* Parser of a command that has these options and no other; its input is a struct pace. */
error_t pace_only(int key, char *arg, struct argp_state *state);

/*
 * Keeps all of the program in memory from here on, as far as its limits allow: code that is read from a disk
 * whose interrupt line is dead never comes. Also lets SIGINT and SIGTERM end the loop, not the program.
 */
void pace_prepare(void);

/* Waits for the next round. False when a signal asked to end. */
bool pace_wait(double seconds);
/* Whether a signal asked to end. */
bool pace_ended(void);
/* As a signal would. */
void pace_end(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card as a running service: board, root and one server a function, in one loop.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "board.h"
#include "root.h"

#include <stdio.h>

struct daemon_options {
    const char *directory; /* of the sockets and qemu.args */
    struct model_shape shape;
    struct function *functions[BOARD_PORTS]; /* port 1 and up; the daemon's from then on */
    const char *names[BOARD_PORTS];
    unsigned function_count;
    const char *waveform; /* or null */
    FILE *log;            /* of TLPs, or null */
    enum board_clock clock;
    struct root_options root;
};

struct daemon;

/* Null: what's wrong was printed. */
struct daemon *daemon_open(const struct daemon_options *options);
/* Serves until fd is readable; may be called again. False: it can't go on; why was printed. */
bool daemon_run(struct daemon *d, int fd);
/*
 * What happened since it was opened: as text, and as a JSON object, which replaces the file in one step.
 * False: can't write; why was printed.
 */
void daemon_print(struct daemon *d, FILE *to);
bool daemon_write_json(struct daemon *d, const char *path);
void daemon_close(struct daemon *d);

#endif

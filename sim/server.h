/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vfio-user server of one function: a UNIX socket that QEMU connects to.
 *
 * One client at a time; another one is turned away. When the client goes, whatever the reason, the function
 * is reset and the socket listens for the next.
 */
#ifndef SERVER_H
#define SERVER_H

#include "root.h"

#include <poll.h>

struct server_counters {
    uint64_t messages;
    uint64_t refused; /* messages answered with an error */
    uint64_t closed;  /* connections closed because of what the client sent */
    uint64_t clients;
    uint64_t turned_away;
};

struct server;

/* Null, and errno, when it can't listen. @pre path fits a socket address; root_present(root, function) */
struct server *server_open(struct root *root, unsigned function, const char *path);
void server_close(struct server *s);

enum { SERVER_FDS = 2 };
/* What to poll for; entries not needed have fd -1. */
void server_poll(const struct server *s, struct pollfd fds[SERVER_FDS]);
/* Handles what poll said, at most some messages. True: there may be more at once. */
bool server_work(struct server *s, const struct pollfd fds[SERVER_FDS]);

/* A client is to be dropped: server_work should be called without waiting. */
bool server_due(const struct server *s);

bool server_connected(const struct server *s);
const struct server_counters *server_counters(const struct server *s);

#endif

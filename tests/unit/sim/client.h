/* SPDX-License-Identifier: BSD-2-Clause */
/* A vfio-user client and the server it talks to, signalbox-sim as users start it. */
#ifndef CLIENT_H
#define CLIENT_H

#include "vfio_user.h"

#include <stdbool.h>
#include <sys/types.h>

struct sim {
    pid_t pid;
    char directory[64];
    int errors; /* what it prints */
};

/* Starts signalbox-sim in a folder of its own with further arguments, null-terminated; waits until it's
 * ready. */
void sim_start(struct sim *s, const char *const *arguments);
/* Ends it by SIGTERM; its exit status. */
int sim_stop(struct sim *s);
bool sim_alive(const struct sim *s);
/* Descriptors it has open. */
unsigned sim_descriptors(const struct sim *s);

/* Connects to a function; replies are waited for 20 s. */
int client_connect(const struct sim *s, unsigned function);
/* The same with the greeting done. */
int client_greet(const struct sim *s, unsigned function);

/* Sends bytes with descriptors as they are. False: the server has closed. */
bool client_send(int fd, const void *bytes, size_t n, const int *descriptors, unsigned count);
/* Sends a request. */
bool client_request(int fd, unsigned command, unsigned flags, const void *body, size_t n, int descriptor);
/*
 * Takes the next message of the server, body and all. Bytes of the body; -1: the connection is closed.
 * @pre body has room for VU_MAX_MESSAGE
 */
ssize_t client_receive(int fd, struct vu_header *header, void *body);
/* Request and its reply: 0, or the error number of the reply; -1: the connection is closed. */
int client_call(int fd, unsigned command, const void *body, size_t n, int descriptor, void *reply);

/* REGION_READ and REGION_WRITE of up to 8 bytes; errors as client_call. */
int client_read(int fd, unsigned region, uint64_t offset, unsigned n, uint64_t *value);
int client_write(int fd, unsigned region, uint64_t offset, unsigned n, uint64_t value);

#endif

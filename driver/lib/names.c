/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool read_all(const char *path)
{
    char bytes[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0)
        ;
    return n == 0;
}

/* libpci takes "pci.ids" where there is no "pci.ids.gz". */
static bool read_either(const char *path)
{
    char plain[4096];
    const size_t length = strlen(path);
    if (access(path, F_OK) == 0 || length < 3 || length >= sizeof plain ||
        strcmp(path + length - 3, ".gz") != 0)
        return read_all(path);
    snprintf(plain, sizeof plain, "%.*s", (int)(length - 3), path);
    return read_all(plain);
}

bool names_readable(const char *path, int milliseconds)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        const char good = 1;
        _exit(read_either(path) && write(ends[1], &good, 1) == 1 ? 0 : 1);
    }
    close(ends[1]);
    char byte = 0;
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    int ready;
    while ((ready = poll(&wait, 1, milliseconds)) < 0 && errno == EINTR)
        ;
    const bool good = child > 0 && ready > 0 && read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    if (child > 0) {
        /* One that hangs in the kernel is left behind; it dies when the kernel lets it. */
        kill(child, SIGKILL);
        waitpid(child, NULL, ready > 0 ? 0 : WNOHANG);
    }
    return good;
}

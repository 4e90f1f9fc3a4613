/* SPDX-License-Identifier: BSD-2-Clause */
#include "client.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 16, PATIENCE_S = 20 };

void sim_start(struct sim *s, const char *const *arguments)
{
    const char *argv[MAX_ARGUMENTS] = {SIGNALBOX_SIM, "--dir", s->directory};
    int out[2];
    char line[512] = {0};
    strcpy(s->directory, "/tmp/signalbox-test-XXXXXX");
    cr_assert_not_null(mkdtemp(s->directory));
    for (unsigned i = 3; *arguments && i < MAX_ARGUMENTS - 1; i++) {
        argv[i] = *arguments++;
    }
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    s->errors = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    s->pid = fork();
    cr_assert_geq(s->pid, 0);
    if (s->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(s->errors, STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    cr_assert_gt(read(out[0], line, sizeof line - 1), 0, "it did not start");
    cr_assert_not_null(strstr(line, "ready"), "%s", line);
    close(out[0]); /* it has to live with a reader that's gone */
}

int sim_stop(struct sim *s)
{
    int status;
    char command[128];
    kill(s->pid, SIGTERM);
    cr_assert_eq(waitpid(s->pid, &status, 0), s->pid);
    close(s->errors);
    snprintf(command, sizeof command, "rm -r %s", s->directory);
    cr_assert_eq(system(command), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool sim_alive(const struct sim *s)
{
    return waitpid(s->pid, NULL, WNOHANG) == 0;
}

unsigned sim_descriptors(const struct sim *s)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", s->pid);
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n;
}

int client_connect(const struct sim *s, unsigned function)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/function%u.sock", s->directory, function);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

bool client_send(int fd, const void *bytes, size_t n, const int *descriptors, unsigned count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control;
    struct iovec part = {(void *)bytes, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), descriptors, count * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)n;
}

bool client_request(int fd, unsigned command, unsigned flags, const void *body, size_t n, int descriptor)
{
    static uint16_t id;
    uint8_t message[VU_MAX_MESSAGE];
    struct vu_header header = {
        .id = ++id, .command = (uint16_t)command, .size = (uint32_t)(VU_HEADER_BYTES + n), .flags = flags};
    memcpy(message, &header, sizeof header);
    if (n) {
        memcpy(message + VU_HEADER_BYTES, body, n);
    }
    return client_send(fd, message, VU_HEADER_BYTES + n, &descriptor, descriptor >= 0);
}

static bool receive_all(int fd, void *bytes, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t part = recv(fd, (uint8_t *)bytes + got, n - got, 0);
        if (part < 0 && errno == EAGAIN) {
            cr_assert_fail("no answer within %d s", PATIENCE_S);
        }
        if (part <= 0) {
            return false;
        }
        got += (size_t)part;
    }
    return true;
}

ssize_t client_receive(int fd, struct vu_header *header, void *body)
{
    if (!receive_all(fd, header, sizeof *header)) {
        return -1;
    }
    cr_assert(header->size >= VU_HEADER_BYTES && header->size <= VU_MAX_MESSAGE);
    size_t n = header->size - VU_HEADER_BYTES;
    return receive_all(fd, body, n) ? (ssize_t)n : -1;
}

int client_call(int fd, unsigned command, const void *body, size_t n, int descriptor, void *reply)
{
    uint8_t bytes[VU_MAX_MESSAGE];
    struct vu_header header;
    if (!client_request(fd, command, 0, body, n, descriptor)) {
        return -1;
    }
    do {
        if (client_receive(fd, &header, reply ? reply : bytes) < 0) {
            return -1;
        }
    } while ((header.flags & VU_TYPE_MASK) == VU_REQUEST);
    cr_assert_eq(header.command, command);
    return header.flags & VU_ERROR ? (int)header.error : 0;
}

int client_greet(const struct sim *s, unsigned function)
{
    static const char version[] = "\0\0\0\0{\"capabilities\":{}}";
    int fd = client_connect(s, function);
    cr_assert_eq(client_call(fd, VU_VERSION, version, sizeof version, -1, NULL), 0);
    return fd;
}

int client_read(int fd, unsigned region, uint64_t offset, unsigned n, uint64_t *value)
{
    struct vu_region_access access = {offset, region, n};
    uint8_t reply[VU_MAX_MESSAGE];
    int error = client_call(fd, VU_REGION_READ, &access, sizeof access, -1, reply);
    *value = 0;
    if (!error) {
        memcpy(value, reply + sizeof access, n);
    }
    return error;
}

int client_write(int fd, unsigned region, uint64_t offset, unsigned n, uint64_t value)
{
    uint8_t body[sizeof(struct vu_region_access) + 8];
    struct vu_region_access access = {offset, region, n};
    memcpy(body, &access, sizeof access);
    memcpy(body + sizeof access, &value, n);
    return client_call(fd, VU_REGION_WRITE, body, sizeof access + n, -1, NULL);
}

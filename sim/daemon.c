/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon.h"

#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ROUNDS_AT_A_TIME = 8, /* of the board, before the sockets are looked at again */
    /*
     * A guest's CPU waits so long for an answer when this process was killed; far more than any answer takes.
     */
    QEMU_TIMEOUT_MS = 60000,
};

struct daemon {
    struct daemon_options options;
    struct board *board;
    struct root *root;
    struct server *servers[ROOT_FUNCTIONS];
    unsigned clients;
};

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "signalbox-sim: %s: %s\n", what, why);
}

/* ---- the log ------------------------------------------------------------------------------------ */

static void log_tlp(void *self, unsigned side, bool entering, const uint32_t *dw, size_t n)
{
    struct daemon *d = self;
    struct tlp t;
    char text[TLP_PRINT_SIZE];
    enum tlp_error error = tlp_unpack(&t, dw, n);
    if (error) {
        snprintf(text, sizeof text, "%s: %08x %08x %08x (%zu DW)", tlp_error_text(error), n > 0 ? dw[0] : 0,
                 n > 1 ? dw[1] : 0, n > 2 ? dw[2] : 0, n);
    } else {
        tlp_print(text, sizeof text, &t);
    }
    char place[16];
    snprintf(place, sizeof place, side ? "port %u" : "root", side);
    fprintf(d->options.log, "%12" PRIu64 " %s %s %s\n", board_now(d->board), place, entering ? ">" : "<",
            text);
}

/* ---- start -------------------------------------------------------------------------------------- */

static void socket_path(const struct daemon *d, unsigned function, char *path, size_t size)
{
    snprintf(path, size, "%s/function%u.sock", d->options.directory, function);
}

static bool write_device(FILE *to, const struct daemon *d, unsigned function)
{
    char path[4096], address[8];
    socket_path(d, function, path, sizeof path);
    snprintf(address, sizeof address, "0.%u", function);
    json_t *device = json_pack("{s:s, s:s, s:s, s:b, s:i, s:{s:s, s:s}}", "driver", "vfio-user-pci", "bus",
                               "signalbox", "addr", address, "multifunction", 1, "x-msg-timeout",
                               QEMU_TIMEOUT_MS, "socket", "type", "unix", "path", path);
    char *text = device ? json_dumps(device, JSON_COMPACT) : NULL;
    bool ok = text && fprintf(to, "-device\n%s\n", text) > 0;
    free(text);
    json_decref(device);
    return ok;
}

/* One argument a line, so that a shell's mapfile or a loop takes them without quoting. */
static bool write_qemu_args(const struct daemon *d)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/qemu.args", d->options.directory);
    FILE *to = fopen(path, "w");
    if (!to) {
        complain(path, strerror(errno));
        return false;
    }
    bool ok =
        fprintf(to, "-device\npcie-root-port,id=signalbox,chassis=16,slot=16,addr=04.0,hotplug=off\n") > 0;
    for (unsigned f = 0; f < ROOT_FUNCTIONS && ok; f++) {
        ok = !d->servers[f] || write_device(to, d, f);
    }
    if (fclose(to) != 0 || !ok) {
        complain(path, strerror(errno));
        return false;
    }
    return true;
}

static bool listen_all(struct daemon *d)
{
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        char path[4096];
        if (!root_present(d->root, f)) {
            continue;
        }
        socket_path(d, f, path, sizeof path);
        d->servers[f] = server_open(d->root, f, path);
        if (!d->servers[f]) {
            complain(path, strerror(errno));
            return false;
        }
    }
    return true;
}

static bool attach_functions(struct daemon *d)
{
    for (unsigned i = 0; i < d->options.function_count; i++) {
        board_attach(d->board, i + 1, d->options.functions[i]);
    }
    root_enumerate(d->root);
    for (unsigned i = 0; i < d->options.function_count; i++) {
        if (!root_present(d->root, i + 1)) {
            complain(d->options.names[i], "doesn't answer behind the relay");
            return false;
        }
    }
    return true;
}

struct daemon *daemon_open(const struct daemon_options *options)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (!d) {
        complain("start", strerror(errno));
        return NULL;
    }
    d->options = *options;
    struct board_options board = {
        .shape = options->shape,
        .waveform = options->waveform,
        .bus = options->root.bus,
        .device = options->root.device,
        .clock = options->clock,
        .observe = options->log ? log_tlp : NULL,
        .observer = d,
    };
    d->board = board_open(&board);
    if (!d->board) {
        fprintf(stderr,
                "signalbox-sim: no circuit of %u ports and %u bits is built: there are 4 and 7 ports of 64 "
                "and 128 "
                "bits, and 1 port of 64\n",
                options->shape.ports, options->shape.width_dw * 32);
        free(d);
        return NULL;
    }
    d->root = root_open(d->board, &options->root);
    if (!d->root || !attach_functions(d) || !listen_all(d) || !write_qemu_args(d)) {
        daemon_close(d);
        return NULL;
    }
    return d;
}

void daemon_close(struct daemon *d)
{
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        if (d->servers[f]) {
            server_close(d->servers[f]);
        }
    }
    board_close(d->board);
    if (d->root) {
        root_close(d->root);
    }
    free(d);
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static uint64_t ns_until(uint64_t due, uint64_t now)
{
    return due == UINT64_MAX ? UINT64_MAX : due > now ? due - now : 0;
}

/* How long poll may sleep: null for ever. */
static const struct timespec *sleep_time(struct daemon *d, bool work_left, struct timespec *t)
{
    *t = (struct timespec){0};
    if (work_left) {
        return t;
    }
    uint64_t board = board_deadline(d->board), root = root_deadline(d->root);
    uint64_t due = board < root ? board : root;
    bool waits_for_host = root_waits_for_host(d->root);
    if (due != UINT64_MAX && !waits_for_host) {
        board_skip(d->board, due); /* while the host is asked something, virtual time stands */
    }
    uint64_t ns = ns_until(due, board_now(d->board));
    uint64_t host = ns_until(root_host_deadline(d->root), board_host_now());
    ns = host < ns ? host : ns;
    if (ns == UINT64_MAX || (d->options.clock == BOARD_VIRTUAL && waits_for_host && host == UINT64_MAX)) {
        return NULL;
    }
    t->tv_sec = (time_t)(ns / 1000000000);
    t->tv_nsec = (long)(ns % 1000000000);
    return t;
}

static bool any_due(const struct daemon *d)
{
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        if (d->servers[f] && server_due(d->servers[f])) {
            return true;
        }
    }
    return false;
}

/* With its last client the machine is gone: the card loses power, too. */
static void follow_power(struct daemon *d)
{
    unsigned clients = 0;
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        clients += d->servers[f] && server_connected(d->servers[f]);
    }
    if (d->clients && !clients) {
        root_power_cycle(d->root);
        fprintf(stderr, "signalbox-sim: no client is left: power off and on\n");
    }
    d->clients = clients;
}

bool daemon_run(struct daemon *d, int fd)
{
    bool more = true; /* a server may hold a message that it has read already */
    for (;;) {
        bool idle = board_run(d->board, ROUNDS_AT_A_TIME);
        bool moved = root_work(d->root);
        struct pollfd fds[1 + ROOT_FUNCTIONS * SERVER_FDS];
        nfds_t n = 0;
        fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
        for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
            if (d->servers[f]) {
                server_poll(d->servers[f], &fds[n]);
                n += SERVER_FDS;
            }
        }
        struct timespec time;
        if (ppoll(fds, n, sleep_time(d, !idle || moved || more || any_due(d), &time), NULL) < 0 &&
            errno != EINTR) {
            complain("poll", strerror(errno));
            return false;
        }
        if (fds[0].revents) {
            return true;
        }
        n = 1;
        more = false;
        for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
            if (d->servers[f]) {
                more |= server_work(d->servers[f], &fds[n]);
                n += SERVER_FDS;
            }
        }
        follow_power(d);
    }
}

/* ---- statistics --------------------------------------------------------------------------------- */

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *class_counts(const uint64_t counters[TLP_CLASSES])
{
    return json_pack("{s:o, s:o, s:o}", "posted", count(counters[TLP_POSTED]), "non_posted",
                     count(counters[TLP_NONPOSTED]), "completion", count(counters[TLP_COMPLETION]));
}

static json_t *root_counts(const struct root_counters *c)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"accesses", c->accesses},
        {"refused_down", c->refused_down},
        {"timeouts", c->timeouts},
        {"unexpected", c->unexpected},
        {"malformed", c->malformed},
        {"strangers", c->strangers},
        {"no_bus_master", c->no_bus_master},
        {"unsupported", c->unsupported},
        {"poisoned", c->poisoned},
        {"memory_writes", c->memory_writes},
        {"memory_reads", c->memory_reads},
        {"host_writes", c->host_writes},
        {"host_reads", c->host_reads},
        {"unmapped_reads", c->unmapped_reads},
        {"intx_asserts", c->intx_asserts},
        {"intx_deasserts", c->intx_deasserts},
        {"lines_raised", c->lines_raised},
        {"lines_lowered", c->lines_lowered},
        {"errors_reported", c->errors_reported},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_object_set_new(object, rows[i].name, count(rows[i].value));
    }
    return object;
}

static json_t *function_counts(const struct daemon *d, unsigned f)
{
    const struct board_counters *b = board_counters(d->board);
    const struct server_counters *s = server_counters(d->servers[f]);
    const struct root_options *card = &d->options.root;
    char bdf[16];
    snprintf(bdf, sizeof bdf, "0000:%02x:%02x.%u", card->bus, card->device, f);
    return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "function", (int)f, "bdf", bdf,
                     "name", f ? d->options.names[f - 1] : "relay", "interrupts", count(b->interrupts[f]),
                     "tlps_up", count(b->port_up[f]), "tlps_down", count(b->port_down[f]), "messages",
                     count(s->messages), "refused", count(s->refused), "closed", count(s->closed), "clients",
                     count(s->clients));
}

static json_t *statistics(struct daemon *d)
{
    const struct board_counters *b = board_counters(d->board);
    json_t *functions = json_array();
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        if (d->servers[f]) {
            json_array_append_new(functions, function_counts(d, f));
        }
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "signalbox.sim/1", "cycles",
                     count(board_cycles(d->board)), "time_ns", count(board_now(d->board)), "tlps_up",
                     class_counts(b->up), "tlps_down", class_counts(b->down), "malformed_down",
                     count(b->malformed_down), "root", root_counts(root_counters(d->root)), "functions",
                     functions);
}

static void print_object(FILE *to, const char *title, json_t *object)
{
    const char *key;
    json_t *value;
    fprintf(to, "%s:", title);
    json_object_foreach(object, key, value)
    {
        if (json_is_integer(value)) {
            fprintf(to, " %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
        }
    }
    fprintf(to, "\n");
}

void daemon_print(struct daemon *d, FILE *to)
{
    json_t *all = statistics(d), *function;
    size_t i;
    print_object(to, "circuit", all);
    print_object(to, "TLPs up", json_object_get(all, "tlps_up"));
    print_object(to, "TLPs down", json_object_get(all, "tlps_down"));
    print_object(to, "root", json_object_get(all, "root"));
    json_array_foreach(json_object_get(all, "functions"), i, function)
    {
        print_object(to, json_string_value(json_object_get(function, "name")), function);
    }
    json_decref(all);
}

bool daemon_write_json(struct daemon *d, const char *path)
{
    char *beside;
    if (asprintf(&beside, "%s.new", path) < 0) {
        complain(path, strerror(errno));
        return false;
    }
    json_t *all = statistics(d);
    bool ok = all && json_dump_file(all, beside, JSON_INDENT(2)) == 0 && rename(beside, path) == 0;
    if (!ok) {
        complain(path, strerror(errno));
    }
    json_decref(all);
    free(beside);
    return ok;
}

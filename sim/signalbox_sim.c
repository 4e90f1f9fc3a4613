/* SPDX-License-Identifier: BSD-2-Clause */
/* signalbox-sim: the card, simulated, for QEMU to plug in. */
#include "daemon.h"
#include "functions.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

const char *argp_program_version = "signalbox-sim " SIGNALBOX_VERSION;

enum {
    KEY_DIR = 'd',
    KEY_FUNCTION = 'f',
    KEY_PORTS = 'p',
    KEY_WIDTH = 'w',
    KEY_LOG = 'l',
    KEY_FST = 0x100,
    KEY_BYPASS,
    KEY_STATS,
    KEY_BUS,
    KEY_TIMEOUT,
    KEY_VIRTUAL,
};

enum { SOURCES = 32, DEFAULT_BUS = 1, DEFAULT_TIMEOUT_MS = 1000 };

struct arguments {
    struct daemon_options daemon;
    unsigned ports;
    unsigned width;
    const char *log;
    const char *stats;
};

static const struct argp_option options[] = {
    {"dir", KEY_DIR, "DIR", 0, "Folder for the sockets and qemu.args; made if it isn't there", 0},
    {"function", KEY_FUNCTION, "NAME[,KEY=VALUE...]", 0,
     "Put a function on the next port: the first is function 1 of the card", 0},
    {"ports", KEY_PORTS, "N", 0, "Ports of the circuit: 1, 4 or 7 (default: 4, or 7 when needed)", 0},
    {"width", KEY_WIDTH, "BITS", 0, "Width of the circuit: 64 (default) or 128", 0},
    {"fst", KEY_FST, "FILE", 0, "Write a waveform of the circuit", 0},
    {"log", KEY_LOG, "FILE", 0, "Write a line for each TLP at each side of the circuit", 0},
    {"bypass-dma", KEY_BYPASS, NULL, 0,
     "DMA of the functions doesn't pass the circuit: faster, and the relay sees interrupts only", 0},
    {"json-stats", KEY_STATS, "FILE", 0, "Write the statistics as JSON: at the start, on SIGUSR1, at the end",
     0},
    {"bus", KEY_BUS, "N", 0, "Number of the bus that the guest's firmware gives the card (default 1)", 0},
    {"completion-timeout", KEY_TIMEOUT, "MS", 0,
     "After so long a request without answer reads as ones (default 1000)", 0},
    {"virtual-time", KEY_VIRTUAL, NULL, 0,
     "The circuit's time counts its cycles instead of the host's clock, and skips where nothing moves", 0},
    {0},
};

static unsigned number(struct argp_state *state, const char *text, const char *what, unsigned least,
                       unsigned most)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || value < least || value > most) {
        argp_error(state, "%s: %s is no number from %u to %u", what, text, least, most);
    }
    return (unsigned)value;
}

static void add_function(struct argp_state *state, struct arguments *a, const char *text)
{
    char error[256];
    if (a->daemon.function_count == BOARD_PORTS) {
        argp_error(state, "no more than %d functions", BOARD_PORTS);
        return;
    }
    struct function *f = functions_open(text, error, sizeof error);
    if (!f) {
        argp_failure(state, EXIT_FAILURE, 0, "--function %s: %s", text, error);
        return;
    }
    a->daemon.names[a->daemon.function_count] = text;
    a->daemon.functions[a->daemon.function_count++] = f;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_DIR:
        a->daemon.directory = text;
        break;
    case KEY_FUNCTION:
        add_function(state, a, text);
        break;
    case KEY_PORTS:
        a->ports = number(state, text, "--ports", 1, BOARD_PORTS);
        break;
    case KEY_WIDTH:
        a->width = number(state, text, "--width", 64, 128);
        break;
    case KEY_FST:
        a->daemon.waveform = text;
        break;
    case KEY_LOG:
        a->log = text;
        break;
    case KEY_BYPASS:
        a->daemon.root.bypass_dma = true;
        break;
    case KEY_STATS:
        a->stats = text;
        break;
    case KEY_BUS:
        a->daemon.root.bus = (uint8_t)number(state, text, "--bus", 0, 255);
        break;
    case KEY_TIMEOUT:
        a->daemon.root.timeout_ms = number(state, text, "--completion-timeout", 1, 3600000);
        break;
    case KEY_VIRTUAL:
        a->daemon.clock = BOARD_VIRTUAL;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "what is %s?", text);
        break;
    case ARGP_KEY_END:
        if (!a->daemon.directory) {
            argp_error(state, "--dir is needed");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static char *help_filter(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) {
        return (char *)text;
    }
    char *list = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&list, &size);
    if (!to) {
        return (char *)text;
    }
    fprintf(to, "Functions:\n");
    functions_print(to);
    fprintf(to,
            "\nQEMU 11 or newer is then started with -machine q35,memory-backend=m0\n"
            "-object memory-backend-memfd,id=m0,share=on,size=... and the arguments in DIR/qemu.args\n"
            "(one a line).");
    fclose(to);
    return list;
}

static bool open_log(struct arguments *a)
{
    if (!a->log) {
        return true;
    }
    a->daemon.log = fopen(a->log, "w");
    if (!a->daemon.log) {
        fprintf(stderr, "signalbox-sim: %s: %s\n", a->log, strerror(errno));
    }
    return a->daemon.log;
}

/* Verilator says nothing when it can't write. */
static bool can_write(const char *path)
{
    FILE *file = path ? fopen(path, "w") : NULL;
    if (path && (!file || fclose(file) != 0)) {
        fprintf(stderr, "signalbox-sim: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static bool make_directory(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "signalbox-sim: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static void print_ready(const struct daemon_options *d)
{
    printf("signalbox-sim: ready in %s: relay %02x:00.0", d->directory, d->root.bus);
    for (unsigned i = 0; i < d->function_count; i++) {
        printf(", %.*s %02x:00.%u", (int)strcspn(d->names[i], ","), d->names[i], d->root.bus, i + 1);
    }
    printf("\n");
    fflush(stdout);
}

static int open_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN); /* descriptors that a client sends may be anything */
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Until it's told to end; on SIGUSR1 it tells its statistics. */
static bool serve(struct daemon *d, int signal_fd, const char *stats)
{
    struct signalfd_siginfo info;
    while (daemon_run(d, signal_fd)) {
        if (read(signal_fd, &info, sizeof info) != sizeof info || info.ssi_signo != SIGUSR1) {
            return true;
        }
        if (!stats) {
            daemon_print(d, stdout);
            fflush(stdout);
        } else {
            daemon_write_json(d, stats); /* what it can't write was printed; that's no reason to end */
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct arguments a = {.width = 64, .daemon.root = {.bus = DEFAULT_BUS, .timeout_ms = DEFAULT_TIMEOUT_MS}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc =
            "Simulates the Signalbox card: the relay circuit with functions behind it, for QEMU to plug "
            "in.\v",
        .help_filter = help_filter,
    };
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!a.ports) {
        a.ports = a.daemon.function_count <= 4 ? 4 : BOARD_PORTS;
    }
    if (a.daemon.function_count > a.ports) {
        fprintf(stderr, "signalbox-sim: %u functions need as many ports\n", a.daemon.function_count);
        return EXIT_FAILURE;
    }
    a.daemon.shape = (struct model_shape){.ports = a.ports, .width_dw = a.width / 32, .sources = SOURCES};

    int signal_fd = open_signals();
    if (signal_fd < 0 || !make_directory(a.daemon.directory) || !open_log(&a) ||
        !can_write(a.daemon.waveform)) {
        return EXIT_FAILURE;
    }
    struct daemon *d = daemon_open(&a.daemon);
    if (!d) {
        return EXIT_FAILURE;
    }
    bool ok = !a.stats || daemon_write_json(d, a.stats);
    if (ok) {
        print_ready(&a.daemon);
        ok = serve(d, signal_fd, a.stats);
        daemon_print(d, stdout);
        ok &= !a.stats || daemon_write_json(d, a.stats);
    }
    daemon_close(d);
    if (a.daemon.log && fclose(a.daemon.log) != 0) {
        fprintf(stderr, "signalbox-sim: %s: %s\n", a.log, strerror(errno));
        ok = false;
    }
    close(signal_fd);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

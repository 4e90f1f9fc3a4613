/* SPDX-License-Identifier: BSD-2-Clause */
#include "pace.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    (void)number;
    ended = 1;
}

void pace_prepare(void)
{
    ended = 0;
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: waits end */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* Last, since it reads all of the program from a disk that may be slow. Without the right or the room for
     * it the command runs all the same. */
    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
}

bool pace_ended(void)
{
    return ended;
}

void pace_end(void)
{
    ended = 1;
}

bool pace_wait(double seconds)
{
    double whole;
    const double part = modf(seconds, &whole);
    struct timespec rest = {(time_t)whole, (long)(part * 1e9)};
    while (!ended && nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    return !ended;
}

static bool parse_number(const char *text, double least, double most, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == 0 && *value >= least && *value <= most;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct pace *pace = state->input;
    double value;
    switch (key) {
    case 'i':
        if (!parse_number(arg, 0.001, 86400, &value)) {
            argp_error(state, "\"%s\" is no interval: 0.001 to 86400 seconds", arg);
            return EINVAL;
        }
        pace->seconds = value;
        return 0;
    case 'c':
        if (!parse_number(arg, 1, 1e9, &value) || value != floor(value)) {
            argp_error(state, "\"%s\" is no count", arg);
            return EINVAL;
        }
        pace->rounds = (unsigned long)value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"interval", 'i', "SECONDS", 0, "Time between rounds", 1},
    {"count", 'c', "N", 0, "End after N rounds", 1},
    {0},
};

const struct argp pace_argp = {.options = options, .parser = parse};

error_t pace_only(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

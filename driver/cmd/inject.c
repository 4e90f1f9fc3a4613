/* SPDX-License-Identifier: BSD-2-Clause */
#include "inject.h"

#include <errno.h>
#include <stdlib.h>

#include "relay_regs.h"
#include "select.h"

struct inject {
    struct selection selection;
    bool raise, release;
    unsigned long count;
};

enum { KEY_RAISE = 0x200, KEY_RELEASE, KEY_COUNT, COUNT_MAX = 1000000 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct inject *inject = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &inject->selection;
        return 0;
    case KEY_RAISE:
        inject->raise = true;
        break;
    case KEY_RELEASE:
        inject->release = true;
        break;
    case KEY_COUNT:
        inject->count = strtoul(arg, &end, 10);
        if (arg[0] < '0' || arg[0] > '9' || *end || inject->count == 0 || inject->count > COUNT_MAX) {
            argp_error(state, "\"%s\" is no number of interrupts: 1 to %d", arg, COUNT_MAX);
            return EINVAL;
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (inject->raise && inject->release) {
        argp_error(state, "--raise and --release exclude each other");
        return EINVAL;
    }
    if (inject->count && (inject->raise || inject->release)) {
        argp_error(state, "--count is for messages, not for wires");
        return EINVAL;
    }
    return 0;
}

static int send(struct invocation *invocation, const struct inject *inject, const struct selected *item)
{
    const bool intx = item->source->kind == RELAY_KIND_INTX;
    if (intx != (inject->raise || inject->release)) {
        fprintf(invocation->err,
                intx ? "signalbox: source %u is an INTx wire: --raise or --release it\n"
                     : "signalbox: source %u is a message: --raise and --release are for wires\n",
                item->source->index);
        return EXIT_USE;
    }
    if (inject->selection.dry_run)
        return EXIT_OK;
    const uint32_t order =
        RELAY_PUT(RELAY_INJECT_SOURCE, item->source->index) | RELAY_PUT(RELAY_INJECT_LEVEL, inject->raise);
    unsigned long left = inject->count ? inject->count : 1;
    int error = 0;
    while (left-- > 0 && !error)
        error = card_write(item->card->card, RELAY_INJECT, order);
    if (error)
        return select_failed(invocation, item->card, error);
    bool listed;
    error = relay_read_source(item->card->card, item->source->index, item->source, &listed);
    return error ? select_failed(invocation, item->card, error) : EXIT_OK;
}

int inject_run(struct invocation *invocation, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"raise", KEY_RAISE, 0, 0, "INTx: force the wire high", 1},
        {"release", KEY_RELEASE, 0, 0, "INTx: no longer force it", 1},
        {"count", KEY_COUNT, "N", 0, "Messages: send N, as fast as the bus goes", 1},
        {0},
    };
    static const struct argp_child children[] = {{&select_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .children = children,
                                     .doc =
                                         "Sends one source's interrupt as its function would have sent it: "
                                         "to test a driver, a handler or a route. "
                                         "Linux does not know that the function did not ask."};
    struct inject inject = {0};
    struct selected *list;
    size_t n;
    int status = command_parse(invocation, &argp, argc, argv, &inject);
    if (status ||
        (status = select_sources(invocation, &inject.selection, RELAY_CAPS_INJECT, "inject", &list, &n)))
        return status;
    if (n > 1) {
        fprintf(invocation->err, "signalbox: %zu sources are chosen: say which one by --source N\n", n);
        for (size_t i = 0; i < n; i++)
            fprintf(invocation->err, "  %u", list[i].source->index);
        fputc('\n', invocation->err);
        status = EXIT_USE;
    } else if (!(status = send(invocation, &inject, &list[0]))) {
        select_report(invocation, "inject", &inject.selection, list, n, NULL);
    }
    free(list);
    return status;
}

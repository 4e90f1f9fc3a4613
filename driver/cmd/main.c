/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "version.h"

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "signalbox %s\n", SIGNALBOX_VERSION);
    fputs(
        "The sources are under BSD-2-Clause. This program is linked with libpci, which is under the GNU GPL\n"
        "version 2 or later; so the program as a whole is, too. There is no warranty.\n",
        stream);
}

void (*argp_program_version_hook)(FILE *stream, struct argp_state *state) = print_version;

/* The list of subcommands, as a paragraph of --help. */
static char *help_filter(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    char *list = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&list, &size);
    if (!stream)
        return (char *)(uintptr_t)text;
    fputs("Subcommands (each has --help):\n", stream);
    for (const struct command *command = commands; command->name; command++)
        fprintf(stream, "  %-10s %s\n", command->name, command->summary);
    fputs("\nExit status: 0 done, 1 failed, 2 no such card or function, 64 wrong use.", stream);
    fclose(stream);
    return list;
}

struct rest {
    struct invocation *invocation;
    char **argv;
    int argc;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct rest *rest = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = rest->invocation;
        return 0;
    case ARGP_KEY_ARG: /* the first word: from it on, all is the subcommand's */
        rest->argv = &state->argv[state->next - 1];
        rest->argc = state->argc - state->next + 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return EXIT_USE;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "SUBCOMMAND [ARGUMENT...]",
        .doc = "Shows which PCI function asked for an interrupt, and steers the relay that recorded it.\v",
        .children = children,
        .help_filter = help_filter,
    };
    struct invocation invocation = {.find = roster_find};
    if (!invocation_open(&invocation)) {
        fputs("signalbox: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    struct rest rest = {.invocation = &invocation};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &rest);
    int status = command_run(&invocation, rest.argc, rest.argv);
    invocation_close(&invocation);
    /* What was not written was not done. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("signalbox: standard output");
        status = status ? status : EXIT_FAILED;
    }
    return status;
}

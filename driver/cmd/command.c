/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"

#include <errno.h>
#include <string.h>

#include "act.h"
#include "doctor.h"
#include "hv.h"
#include "inject.h"
#include "list.h"
#include "metrics.h"
#include "mode.h"
#include "show.h"
#include "stat.h"
#include "top.h"
#include "trace_command.h"
#include "watch.h"

const struct command commands[] = {
    {"list", "List the cards, and the functions whose interrupts pass them", list_run},
    {"show", "Show a card or a function in full: sources, counts, state", show_run},
    {"watch", "Tell of interrupts as they come", watch_run},
    {"top", "Show live which functions raise how many", top_run},
    {"stat", "Set the wire's interrupt counts beside the kernel's", stat_run},
    {"trace", "Record what passes the relay; print and export it", trace_run},
    {"mask", "Keep back what sources send", mask_run},
    {"unmask", "Let it pass again", unmask_run},
    {"limit", "Limit the storms of sources", limit_run},
    {"one-shot", "Deliver INTx sources once until acknowledged", one_shot_run},
    {"ack", "Acknowledge sources", ack_run},
    {"inject", "Send a source's interrupt in its name", inject_run},
    {"mode", "Say or set whether indicators come before interrupts", mode_run},
    {"doctor", "Look for what stands in the way, and for trouble", doctor_run},
    {"metrics", "Write the counts in Prometheus' text format", metrics_run},
    {"hv", "The hypervisor: partition file, exits of an LPAR", hv_run},
    {0},
};

bool invocation_open(struct invocation *invocation)
{
    invocation->out = stdout;
    invocation->err = stderr;
    return roster_open(&invocation->roster);
}

void invocation_close(struct invocation *invocation)
{
    roster_close(&invocation->roster);
}

/* ---- options --------------------------------------------------------------------------------------- */

static const struct argp_option common_options[] = {
    {0, 's', "SLOT", 0, "Only what is at [[[[domain]:]bus]:][device][.[function]]", 90},
    {0, 'd', "ID", 0, "Only what is [vendor]:[device][:class[:prog-if]]", 90},
    {"json", 'J', 0, 0, "Write JSON, of the schema named in it", 90},
    {"numeric", 'n', 0, 0, "Show vendor and device as numbers", 90},
    {0},
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    struct invocation *invocation = state->input;
    struct sb_error error;
    switch (key) {
    case 's':
    case 'd':
        if (!(key == 's' ? roster_filter_slot : roster_filter_id)(&invocation->roster, arg, &error))
            return argp_error(state, "%s. %s", error.what, error.advice), EINVAL;
        return 0;
    case 'J':
        invocation->json = true;
        return 0;
    case 'n':
        invocation->numeric = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp common_argp = {.options = common_options, .parser = parse_common};

/* Carries a subcommand's input and its common child's through argp. */
struct parsing {
    const struct argp *argp;
    struct invocation *invocation;
    void *input;
};

static error_t parse_outer(int key, char *arg, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = parsing->invocation;
        state->child_inputs[1] = parsing->input;
        return 0;
    }
    /* Words that are no options reach the parent first: they are the subcommand's. */
    (void)arg;
    return ARGP_ERR_UNKNOWN;
}

int command_parse(struct invocation *invocation, const struct argp *argp, int argc, char **argv, void *input)
{
    const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {argp, 0, NULL, 0}, {0}};
    /* The child's arguments are in its own usage. */
    const struct argp outer = {.parser = parse_outer, .doc = argp->doc, .children = children};
    struct parsing parsing = {argp, invocation, input};
    return argp_parse(&outer, argc, argv, invocation->argp_flags, NULL, &parsing) == 0 ? EXIT_OK : EXIT_USE;
}

/* ---- running --------------------------------------------------------------------------------------- */

void command_error(struct invocation *invocation, const struct sb_error *error)
{
    fprintf(invocation->err, "signalbox: %s\n", error->what);
    if (error->advice[0])
        fprintf(invocation->err, "  %s\n", error->advice);
}

int command_no_memory(struct invocation *invocation)
{
    fputs("signalbox: out of memory\n", invocation->err);
    return EXIT_FAILED;
}

int command_lost_cards(struct invocation *invocation)
{
    const struct roster *roster = &invocation->roster;
    for (unsigned c = 0; c < roster->n_cards; c++)
        if (roster->card[c]->card)
            return EXIT_OK;
    for (unsigned c = 0; c < roster->n_cards; c++)
        command_error(invocation, &roster->card[c]->error);
    return EXIT_FAILED;
}

int command_cards(struct invocation *invocation, enum card_pci_mode mode, bool accessible)
{
    struct sb_error error;
    struct roster *roster = &invocation->roster;
    roster->names = !invocation->numeric;
    if (!invocation->find(roster, mode, &error)) {
        command_error(invocation, &error);
        return EXIT_FAILED;
    }
    if (roster->n_cards == 0) {
        fprintf(invocation->err, "signalbox: no such card or function%s\n",
                roster->filtered ? "" : ": no PCI function is a relay (1209:5160)");
        return EXIT_NO_SUCH;
    }
    if (!accessible)
        return EXIT_OK;
    unsigned reached = 0;
    for (unsigned i = 0; i < roster->n_cards; i++) {
        reached += roster->card[i]->card != NULL;
        if (!roster->card[i]->card)
            command_error(invocation, &roster->card[i]->error);
    }
    return reached ? EXIT_OK : EXIT_FAILED;
}

/* Messages and usage begin with the words that led to the command. */
static int run_as(struct invocation *invocation, const struct command *command, const char *words, int argc,
                  char **argv)
{
    char name[64], *word = argv[0];
    snprintf(name, sizeof name, "%s %s", words, command->name);
    argv[0] = name;
    int status = command->run(invocation, argc, argv);
    argv[0] = word;
    return status;
}

int command_run(struct invocation *invocation, int argc, char **argv)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, argv[0]) == 0)
            return run_as(invocation, command, "signalbox", argc, argv);
    fprintf(invocation->err, "signalbox: no subcommand \"%s\"; `signalbox --help` lists them\n", argv[0]);
    return EXIT_USE;
}

int command_part(struct invocation *invocation, const char *name, const struct command *parts, int argc,
                 char **argv)
{
    char words[32];
    snprintf(words, sizeof words, "signalbox %s", name);
    for (const struct command *part = parts; argc > 1 && part->name; part++)
        if (strcmp(part->name, argv[1]) == 0)
            return run_as(invocation, part, words, argc - 1, argv + 1);
    const bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0);
    FILE *out = help ? invocation->out : invocation->err;
    fprintf(out, "Usage: %s PART [ARGUMENT...]\nParts (each has --help):\n", words);
    for (const struct command *part = parts; part->name; part++)
        fprintf(out, "  %-10s %s\n", part->name, part->summary);
    return help ? EXIT_OK : EXIT_USE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command: any words as its arguments, on a card whose registers hold anything. The input is words, each
 * ended by a line feed, up to an empty one; what follows are the registers.
 */
#include "command.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay_regs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *registers;
static size_t n_registers;

/* Identity and shape hold, mostly; all else is the input's, repeated. */
static int fuzz_read(struct card *card, uint32_t offset, uint32_t *value)
{
    (void)card;
    assert(offset % 4 == 0 && offset < RELAY_BAR_BYTES);
    uint32_t any = 0;
    for (unsigned i = 0; i < 4 && n_registers; i++)
        any |= (uint32_t)registers[(offset * 7 + i) % n_registers] << (8 * i);
    switch (offset) {
    case RELAY_ID:
        *value = any % 256 == 255 ? any : 0x58424753;
        break;
    case RELAY_SHAPE: /* one in eight impossible */
        *value = any % 8 == 7 ? any
                              : any & (RELAY_PUT(RELAY_SHAPE_PORTS, 7) | RELAY_PUT(RELAY_SHAPE_SOURCES, 127));
        break;
    case RELAY_VERSION:
        *value = RELAY_MAP_MAJOR << 16;
        break;
    default:
        *value = any;
        break;
    }
    return any == 0x45454545 ? CARD_GONE : 0;
}

static int fuzz_write(struct card *card, uint32_t offset, uint32_t value)
{
    (void)card;
    (void)value;
    assert(offset % 4 == 0 && offset < RELAY_BAR_BYTES);
    return 0;
}

static const struct card_ops fuzz_ops = {.read = fuzz_read, .write = fuzz_write};
static struct card fuzz_card = {&fuzz_ops, NULL};

static bool find(struct roster *roster, enum card_pci_mode mode, struct sb_error *error)
{
    (void)mode;
    roster_add(roster, (struct slot){.bus = 1}, &fuzz_card, error);
    return true;
}

/* Not those that wait, write files, or start programs. */
static bool allowed(int argc, char **argv)
{
    static const char *const names[] = {"list",     "show", "stat",   "mask", "unmask", "limit",
                                        "one-shot", "ack",  "inject", "mode", "metrics"};
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known |= strcmp(argv[0], names[i]) == 0;
    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-' && (strchr(argv[i], 'o') || strchr(argv[i], 'i')) &&
            strncmp(argv[i], "--h", 3) != 0)
            known = false;
    return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORDS = 12 };
    char *text = malloc(size + 1), *argv[WORDS + 1], *sink = NULL;
    size_t at = 0, used = 0;
    int argc = 0;
    memcpy(text, data, size);
    text[size] = 0;
    while (at < size && argc < WORDS) {
        size_t length = strcspn(text + at, "\n");
        if (length == 0)
            break;
        argv[argc++] = text + at;
        at += length;
        text[at < size ? at++ : at] = 0;
    }
    argv[argc] = NULL;
    registers = data + (at < size ? at + 1 : size);
    n_registers = at < size ? size - at - 1 : 0;

    struct invocation invocation = {.find = find, .argp_flags = ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_NO_ERRS};
    if (argc && allowed(argc, argv) && invocation_open(&invocation)) {
        invocation.out = invocation.err = open_memstream(&sink, &used);
        const int status = command_run(&invocation, argc, argv);
        assert(status == EXIT_OK || status == EXIT_FAILED || status == EXIT_NO_SUCH || status == EXIT_USE);
        invocation_close(&invocation);
        fclose(invocation.out);
        free(sink);
    }
    free(text);
    return 0;
}

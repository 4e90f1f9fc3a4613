/* SPDX-License-Identifier: BSD-2-Clause */
/* What is typed at the console. */
#include <criterion/criterion.h>
#include <string.h>

#include "lpar.h"
#include "mechanism.h"
#include "mux.h"
#include "prompt.h"

static char seen[8192];
static size_t used;

static void sink(const char *text, size_t length)
{
    cr_assert(used + length < sizeof seen);
    memcpy(seen + used, text, length);
    used += length;
    seen[used] = 0;
}

static void setup(void)
{
    used = 0;
    seen[0] = 0;
    mux_sink(sink);
}

static void type(const char *text)
{
    for (; *text; text++)
        prompt_input((uint8_t)*text);
}

Test(prompt, commands_and_errors, .init = setup)
{
    type("\x1dh");
    cr_assert_str_eq(seen, "signalbox> ");
    used = 0;
    type("abcd\be\r");
    cr_assert_str_eq(seen, "abcd\b \be\nabce: no such command, try `help`\nsignalbox> ");
    used = 0;
    type("exits 3\r");
    cr_assert(strstr(seen, "exits: which LPAR? `lpars` lists them\n"));
    used = 0;
    type("help\r");
    cr_assert(strstr(seen, "reset  N  start it anew\n"));
}

Test(prompt, what_is_not_there_takes_no_input, .init = setup)
{
    /* No LPAR exists: its digit is not taken, bytes go nowhere, and the escape itself is no input. */
    type(
        "\x1d"
        "1\x1d\x1d"
        "abc\r");
    cr_assert_str_eq(seen, "");
    type("\x1dh");
    for (unsigned i = 0; i < 500; i++)
        prompt_input('y');
    used = 0;
    prompt_input('\r');
    cr_assert(strstr(seen, ": no such command"));
}

Test(prompt, states_are_told, .init = setup)
{
    memcpy(lpars[0].name, "red", 4);
    lpars[0].state = LPAR_FAILED;
    memcpy(lpars[0].failure, "cpu 0: triple fault", 20);
    lpar_count = 1;
    prompt_command("lpars");
    cr_assert(strstr(seen, "1 red "));
    cr_assert(strstr(seen, "failed"));
    cr_assert(strstr(seen, ": cpu 0: triple fault\n"));
    used = 0;
    prompt_command("stop red");
    cr_assert_str_eq(seen, "red does not run\n");
    used = 0;
    prompt_command("mech 1");
    cr_assert(strstr(seen, "red: direct_irq   off\n"));
}

Test(prompt, relay_is_refused_where_there_is_none, .init = setup)
{
    struct lpar *lpar = &lpars[0];

    memcpy(lpar->name, "red", 4);
    lpar_count = 1;
    prompt_command("mech 1 relay on");
    cr_assert(strstr(seen, "red: relay cannot be on: this machine has no relay\n"));
    cr_assert_eq(lpar->mechanisms, 0);
    /* As the partition file may have it. */
    lpar->mechanisms = 1u << MECHANISM_RELAY;
    prompt_command("mech 1 relay off");
    cr_assert_eq(lpar->mechanisms, 0);
}

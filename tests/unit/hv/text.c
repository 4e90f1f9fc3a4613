/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "format.h"
#include "log.h"
#include "mux.h"
#include "text.h"

#include <string.h>

static void expect(const char *wanted, const char *got)
{
    cr_assert_str_eq(got, wanted);
}

Test(format, knows_its_conversions)
{
    char text[64];

    cr_assert_eq(format(text, sizeof text, "%s %c %% %d %u %x", "a", 'b', -5, 6u, 0xbeefu), 15);
    expect("a b % -5 6 beef", text);
    format(text, sizeof text, "%5u|%-5u|%05u|%05d", 42u, 42u, 42u, -42);
    expect("   42|42   |00042|-0042", text);
    format(text, sizeof text, "%lx %lu %zu %016lx", ~0ul, ~0ul, (size_t)7, 0x1234ul);
    expect("ffffffffffffffff 18446744073709551615 7 0000000000001234", text);
    format(text, sizeof text, "%d %ld %u", -2147483647 - 1, -9223372036854775807l - 1, 0u);
    expect("-2147483648 -9223372036854775808 0", text);
    format(text, sizeof text, "%6s|%-6s|", "ab", "cd");
    expect("    ab|cd    |", text);
}

Test(format, cuts_and_tells_the_whole_length)
{
    char text[4] = "xxx";

    cr_assert_eq(format(text, sizeof text, "%s", "abcdef"), 6);
    expect("abc", text);
    cr_assert_eq(format(text, 1, "%u", 12345u), 5);
    expect("", text);
}

Test(text, numbers)
{
    uint64_t value;
    const char *rest;

    cr_assert(text_number("0x3f8,9600", &value, &rest));
    cr_assert_eq(value, 0x3f8);
    expect(",9600", rest);
    cr_assert(text_number("18446744073709551615", &value, 0));
    cr_assert_eq(value, UINT64_MAX);
    cr_assert_not(text_number("18446744073709551616", &value, 0));
    cr_assert_not(text_number("0x", &value, 0));
    cr_assert_not(text_number("-1", &value, 0));
}

Test(text, options_are_whole_words)
{
    char value[8];

    cr_assert(text_option("a noconsole=no console=com1 console=com2", "console", value, sizeof value));
    expect("com1", value);
    cr_assert_not(text_option("aconsole=com1 console", "console", value, sizeof value));
    cr_assert(text_option("x=1234567890", "x", value, sizeof value));
    expect("1234567", value);
}

Test(text, words)
{
    char word[6];
    const char *rest = text_word("  reset 2", word, sizeof word);

    expect("reset", word);
    rest = text_word(rest, word, sizeof word);
    expect("2", word);
    text_word(rest, word, sizeof word);
    expect("", word);
}

static char seen[4096];

static void sink(const char *text, size_t length)
{
    strncat(seen, text, length);
}

static void put(unsigned console, const char *text)
{
    for (; *text; text++)
        mux_put(console, (uint8_t)*text);
}

Test(mux, lines_of_two_consoles_do_not_mix)
{
    mux_sink(sink);
    mux_name(0, "a");
    mux_name(1, "b");
    put(0, "hello ");
    put(1, "other\r\n");
    put(0, "world\n\n");
    expect("b| other\na| hello world\na| \n", seen);
}

Test(mux, a_prompt_that_is_flushed_goes_on_in_its_line)
{
    mux_sink(sink);
    mux_name(0, "a");
    mux_name(1, "b");
    put(0, "login: ");
    mux_flush(0);
    put(0, "root\n");
    expect("a| login: root\n", seen);
    seen[0] = 0;
    put(0, "login: ");
    mux_flush(0);
    put(1, "x\n");
    put(0, "root\n");
    expect("a| login: \nb| x\na| root\n", seen);
    seen[0] = 0;
    put(0, "password: ");
    mux_flush(0);
    mux_write("log\n", 4);
    expect("a| password: \nlog\n", seen);
}

Test(mux, a_line_without_end_goes_out_in_pieces)
{
    mux_sink(sink);
    mux_name(0, "a");
    for (unsigned i = 0; i < 500; i++)
        mux_put(0, 'x');
    mux_put(0, '\n');
    cr_assert_eq(strlen(seen), 3 + 500 + 1);
}

Test(log, keeps_the_newest)
{
    uint64_t position = 0;
    char text[200];
    size_t length, sum = 0;
    unsigned newest = 0;

    for (unsigned i = 1; i <= 2000; i++)
        log_line("line %u of this log", i);
    while ((length = log_read(&position, text, sizeof text - 1)) > 0) {
        char *last;

        sum += length;
        text[length] = 0;
        last = strstr(text, "2000");
        if (last)
            newest = 2000;
    }
    cr_assert_eq(sum, LOG_BYTES);
    cr_assert_eq(newest, 2000);
    cr_assert_eq(trace_error(-5, "why"), -5);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "font.h"
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, UNTOUCHED = 0x5a, PADDING = 12 };

static struct screen screen;
static uint8_t *buffer;
static size_t size;
static uint32_t pitch, width, height;

static bool start(uint32_t w, uint32_t h, unsigned bits)
{
    width = w, height = h;
    pitch = (w * ((bits + 7) / 8) + PADDING + 3) & ~3u;
    size = (size_t)pitch * h;
    free(buffer);
    buffer = malloc(size + 2 * GUARD);
    memset(buffer, UNTOUCHED, size + 2 * GUARD);
    return screen_init(&screen, buffer + GUARD, pitch, w, h, bits);
}

/* Nothing beside the picture has been written, and in it are white and black alone. */
static void check_picture(void)
{
    for (size_t i = 0; i < size + 2 * GUARD; i++) {
        bool inside = i >= GUARD && i < GUARD + size && (i - GUARD) % pitch < (size_t)width * screen.bytes;

        if (inside)
            cr_assert(buffer[i] == 0 || buffer[i] == 0xff, "byte %zu is %x", i, buffer[i]);
        else
            cr_assert(buffer[i] == UNTOUCHED, "byte %zu has been written", i);
    }
}

static bool looks_like(unsigned row, unsigned column, char c)
{
    const unsigned w = FONT_WIDTH * screen.scale, h = FONT_HEIGHT * screen.scale;

    for (unsigned y = 0; y < h; y++)
        for (unsigned x = 0; x < w; x++) {
            const uint8_t *at =
                buffer + GUARD + (size_t)(row * h + y) * pitch + (size_t)(column * w + x) * screen.bytes;
            bool ink = font_row(c, y / screen.scale) << x / screen.scale & 0x80;

            for (unsigned i = 0; i < screen.bytes; i++)
                if (at[i] != (ink ? 0xff : 0))
                    return false;
        }
    return true;
}

static void expect_row(unsigned row, const char *text)
{
    const size_t length = strlen(text);

    for (unsigned column = 0; column < screen.columns; column++) {
        char c = column < length ? text[column] : ' ';

        cr_assert(looks_like(row, column, c), "row %u column %u is not '%c'", row, column, c);
    }
}

static void say(const char *text)
{
    screen_write(&screen, text, strlen(text));
}

Test(font, all_characters_differ_and_the_space_is_empty)
{
    char one[FONT_HEIGHT], other[FONT_HEIGHT];

    for (int a = ' '; a <= 0x7f; a++)
        for (int b = ' '; b <= 0x7f; b++) {
            for (unsigned y = 0; y < FONT_HEIGHT; y++) {
                one[y] = (char)font_row((char)a, y);
                other[y] = (char)font_row((char)b, y);
            }
            cr_assert_eq(memcmp(one, other, sizeof one) == 0, a == b, "%c and %c", a, b);
        }
    for (unsigned y = 0; y < FONT_HEIGHT; y++) {
        cr_assert_eq(font_row(' ', y), 0);
        cr_assert_eq(font_row((char)0xe4, y), font_row(0x7f, y));
        cr_assert_eq(font_row('A', y) & 0x83, 0, "letters keep a distance");
    }
}

Test(screen, writes_in_each_depth)
{
    static const unsigned depths[] = {8, 15, 16, 24, 32};

    for (unsigned i = 0; i < sizeof depths / sizeof *depths; i++) {
        cr_assert(start(83, 50, depths[i]));
        cr_assert_eq(screen.columns, 10);
        cr_assert_eq(screen.rows, 3);
        say("Hello,\nworld");
        expect_row(0, "Hello,");
        expect_row(1, "world");
        expect_row(2, "");
        check_picture();
    }
}

Test(screen, is_twice_as_large_where_pixels_are_small)
{
    cr_assert(start(3840, 64, 32));
    cr_assert_eq(screen.scale, 2);
    cr_assert_eq(screen.columns, 240);
    cr_assert_eq(screen.rows, 2);
    say("Large");
    expect_row(0, "Large");
    expect_row(1, "");
    check_picture();
}

Test(screen, wraps_and_scrolls)
{
    char text[8];

    cr_assert(start(40, 64, 32)); /* 5 by 4 */
    say("abcdefg\nhi");
    expect_row(0, "abcde");
    expect_row(1, "fg");
    expect_row(2, "hi");
    say("jkl"); /* the line is full: nothing moves before the next character comes */
    expect_row(2, "hijkl");
    say("\nx");
    expect_row(3, "x");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "\n%u", i);
        say(text);
    }
    expect_row(0, "96");
    expect_row(1, "97");
    expect_row(3, "99");
    check_picture();
}

Test(screen, scrolls_a_tall_one_by_more)
{
    cr_assert(start(24, 16 * 24, 32));
    for (char c = 'a'; c < 'a' + 24; c++)
        screen_write(&screen, (char[]){c, '\n'}, 2);
    expect_row(0, "d"); /* 24 rows, an eighth at once */
    expect_row(20, "x");
    expect_row(21, "");
    expect_row(23, "");
    say("y");
    expect_row(21, "y");
    check_picture();
}

Test(screen, control_characters)
{
    cr_assert(start(160, 48, 24)); /* 20 by 3 */
    say("a\tb\rB\n\x1b[1;31mred\x1b[0m\a\x1b"
        "Mx\n12\b3\x80");
    expect_row(0, "B       b");
    expect_row(1, "redx");
    expect_row(2, "13\x7f");
    say("\b\b\b\b\b?");
    expect_row(2, "?3\x7f");
    check_picture();
}

Test(screen, refuses_what_it_cannot_draw_in)
{
    cr_assert_not(start(7, 100, 32));
    cr_assert_not(start(100, 15, 32));
    cr_assert_not(start(100, 100, 0));
    cr_assert_not(start(100, 100, 64));
    cr_assert_not(screen_init(&screen, buffer, 399, 100, 100, 32));
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(buffer[i], UNTOUCHED);
}

/* The corner that is used of a screen that is larger than the cells kept. */
Test(screen, uses_part_of_a_huge_one)
{
    cr_assert(start(2552, 1700, 8));
    cr_assert_eq(screen.columns, SCREEN_COLUMNS);
    cr_assert_eq(screen.rows, SCREEN_ROWS);
    for (unsigned i = 0; i < SCREEN_ROWS * SCREEN_COLUMNS; i++)
        say("#");
    cr_assert(looks_like(SCREEN_ROWS - 1, SCREEN_COLUMNS - 1, '#'));
    check_picture();
}

Test(screen, takes_any_bytes)
{
    uint32_t state = 1;
    char bytes[64];

    cr_assert(start(200, 100, 16));
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
        screen_write(&screen, bytes, state % sizeof bytes);
        cr_assert_leq(screen.column, screen.columns);
        cr_assert_lt(screen.row, screen.rows);
    }
    check_picture();
}

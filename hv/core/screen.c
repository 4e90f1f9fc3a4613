/* SPDX-License-Identifier: BSD-2-Clause */
#include "screen.h"

#include "font.h"

enum { TAB = 8, WIDE = 2560 };
enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI };

static void pixel(const struct screen *s, uint8_t *at, bool ink)
{
    const uint8_t value = ink ? 0xff : 0; /* white and black, whatever the order and width of the colours */

    if (s->bytes == 4) {
        *(volatile uint32_t *)(void *)at = value * 0x01010101u;
    } else if (s->bytes == 2) {
        *(volatile uint16_t *)(void *)at = (uint16_t)(value * 0x0101u);
    } else {
        for (unsigned i = 0; i < s->bytes; i++)
            ((volatile uint8_t *)at)[i] = value;
    }
}

static void draw(const struct screen *s, unsigned row, unsigned column)
{
    const char c = s->cell[row][column];
    const unsigned width = FONT_WIDTH * s->scale, height = FONT_HEIGHT * s->scale;

    for (unsigned y = 0; y < height; y++) {
        uint8_t *at = s->pixels + (size_t)(row * height + y) * s->pitch + (size_t)column * width * s->bytes;
        const uint8_t dots = font_row(c, y / s->scale);

        for (unsigned x = 0; x < width; x++, at += s->bytes)
            pixel(s, at, dots << x / s->scale & 0x80);
    }
}

static void set(struct screen *s, unsigned row, unsigned column, char c)
{
    if (s->cell[row][column] == c)
        return;
    s->cell[row][column] = c;
    draw(s, row, column);
}

/* By an eighth of the screen at once: drawing costs more than a line here and there is worth. */
static void scroll(struct screen *s)
{
    const unsigned lines = s->rows >= 8 ? s->rows / 8 : 1;

    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned column = 0; column < s->columns; column++)
            set(s, row, column, row + lines < s->rows ? s->cell[row + lines][column] : ' ');
    s->row = s->rows - lines;
}

static void next_line(struct screen *s)
{
    s->column = 0;
    if (s->row + 1 < s->rows)
        s->row++;
    else
        scroll(s);
}

static void put(struct screen *s, char c)
{
    if (s->column >= s->columns)
        next_line(s);
    set(s, s->row, s->column++, c);
}

/* ECMA-48: ESC and a letter, or ESC [ up to a byte from 40h on. True: c was part of one. */
static bool control_sequence(struct screen *s, char c)
{
    switch (s->escape) {
    case ESCAPE_NONE:
        s->escape = c == 0x1b ? ESCAPE_BEGUN : ESCAPE_NONE;
        return c == 0x1b;
    case ESCAPE_BEGUN:
        s->escape = c == '[' ? ESCAPE_CSI : ESCAPE_NONE;
        return true;
    default:
        if (c >= 0x40 || c < 0x20)
            s->escape = ESCAPE_NONE;
        return c >= 0x20;
    }
}

bool screen_init(struct screen *s, void *pixels, uint32_t pitch, uint32_t width, uint32_t height,
                 unsigned bits)
{
    const unsigned bytes = (bits + 7) / 8, scale = width >= WIDE ? 2 : 1;
    const unsigned columns = width / (FONT_WIDTH * scale), rows = height / (FONT_HEIGHT * scale);

    if (bytes < 1 || bytes > 4 || columns == 0 || rows == 0 || pitch < (uint64_t)width * bytes)
        return false;
    s->pixels = pixels;
    s->pitch = pitch;
    s->bytes = bytes;
    s->scale = scale;
    s->columns = columns < SCREEN_COLUMNS ? columns : SCREEN_COLUMNS;
    s->rows = rows < SCREEN_ROWS ? rows : SCREEN_ROWS;
    s->column = s->row = s->escape = 0;
    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned column = 0; column < s->columns; column++)
            s->cell[row][column] = ' ';
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            pixel(s, (uint8_t *)pixels + (size_t)y * pitch + (size_t)x * bytes, false);
    return true;
}

void screen_write(struct screen *s, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];

        if (control_sequence(s, c) || c == 0 || c == '\a')
            continue;
        if (c == '\n') {
            next_line(s);
        } else if (c == '\r') {
            s->column = 0;
        } else if (c == '\b') {
            s->column -= s->column > 0;
        } else if (c == '\t') {
            do
                put(s, ' ');
            while (s->column % TAB);
        } else {
            put(s, c);
        }
    }
}

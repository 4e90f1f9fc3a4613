/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on a framebuffer: white on black, the last lines of what was written. The framebuffer is never read,
 * as that takes a microsecond a word on many a board: what stands where is kept beside it, and scrolling
 * draws the characters that have changed.
 *
 * One caller at a time. A call that breaks in on another (a panic) finds a state that it can go on from.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCREEN_COLUMNS = 240, SCREEN_ROWS = 100 }; /* at most; a larger screen is used in part */

struct screen {
    uint8_t *pixels;
    uint32_t pitch; /* bytes from a line to the next */
    unsigned bytes; /* of a pixel */
    unsigned scale; /* 2 where letters would be too small to read */
    unsigned columns, rows;
    unsigned column, row; /* where the next character goes; column may be one too far */
    unsigned escape;      /* of a terminal's control sequence: what has been seen of it */
    char cell[SCREEN_ROWS][SCREEN_COLUMNS];
};

/*
 * Clears it. False: not a picture that it can draw in (1 to 4 bytes a pixel of direct colour, at least one
 * character wide and high); nothing has been touched then.
 * @pre pitch * height bytes are mapped at pixels
 */
bool screen_init(struct screen *screen, void *pixels, uint32_t pitch, uint32_t width, uint32_t height,
                 unsigned bits);

/* Line feeds go to the start of the next line; tabs to the next eighth column; control sequences are left
 * out. */
void screen_write(struct screen *screen, const char *text, size_t length);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The letters of the screen: ASCII, 8 by 16 pixels. */
#ifndef FONT_H
#define FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 8, FONT_HEIGHT = 16 };

/* Row y of a character, the leftmost pixel in bit 7. What is no printable ASCII is a box. @pre y <
 * FONT_HEIGHT */
uint8_t font_row(char c, unsigned y);

#endif

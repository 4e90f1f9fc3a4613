/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading words and numbers of command lines. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_equal(const char *a, const char *b);

/* True when the text begins with the prefix; *rest then points behind it (rest may be null). */
bool text_starts(const char *text, const char *prefix, const char **rest);

/* A decimal number, or hexadecimal after 0x; ends at the first other character, *rest points there (may be
 * null). False when there is no digit or the number exceeds 64 bits. */
bool text_number(const char *text, uint64_t *value, const char **rest);

/* Copies at most size - 1 characters, at most `length` of them, and ends the copy with 0. @pre size >= 1 */
void text_copy(char *to, size_t size, const char *from, size_t length);

/* Copies the next word (between spaces) and returns what follows it; an empty word means the end. */
const char *text_word(const char *text, char *word, size_t size);

/* Value of NAME=value among the words of a command line; false when it is not there. */
bool text_option(const char *line, const char *name, char *value, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

bool text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_starts(const char *text, const char *prefix, const char **rest)
{
    while (*prefix)
        if (*text++ != *prefix++)
            return false;
    if (rest)
        *rest = text;
    return true;
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A' + 10);
    return 99;
}

bool text_number(const char *text, uint64_t *value, const char **rest)
{
    unsigned base = 10;
    uint64_t sum = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (digit(*text) >= base)
        return false;
    for (; digit(*text) < base; text++) {
        if (__builtin_mul_overflow(sum, base, &sum) || __builtin_add_overflow(sum, digit(*text), &sum))
            return false;
    }
    *value = sum;
    if (rest)
        *rest = text;
    return true;
}

void text_copy(char *to, size_t size, const char *from, size_t length)
{
    size_t i;

    for (i = 0; i + 1 < size && i < length && from[i]; i++)
        to[i] = from[i];
    to[i] = 0;
}

const char *text_word(const char *text, char *word, size_t size)
{
    const char *start;

    while (*text == ' ')
        text++;
    start = text;
    while (*text && *text != ' ')
        text++;
    text_copy(word, size, start, (size_t)(text - start));
    return text;
}

bool text_option(const char *line, const char *name, char *value, size_t size)
{
    const char *rest;

    for (;;) {
        const char *start;

        while (*line == ' ')
            line++;
        if (!*line)
            return false;
        start = line;
        while (*line && *line != ' ')
            line++;
        if (text_starts(start, name, &rest) && *rest == '=') {
            text_copy(value, size, rest + 1, (size_t)(line - (rest + 1)));
            return true;
        }
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The four functions that a freestanding C compiler calls by itself, and those that libfdt does. */
#include <stdint.h>
#include <string.h>

#undef memcpy
#undef memset

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *d = to;
    size_t words = size / 8, rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    for (uint8_t *d = to; size-- > 0;)
        d[size] = ((const uint8_t *)from)[size];
    return to;
}

void *memset(void *to, int value, size_t size)
{
    void *d = to;
    size_t words = size / 8, rest = size % 8;

    __asm__ volatile("rep stosq"
                     : "+D"(d), "+c"(words)
                     : "a"(0x0101010101010101u * (uint8_t)value)
                     : "memory");
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(value) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;

    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

void *memchr(const void *from, int value, size_t size)
{
    for (const uint8_t *at = from; size-- > 0; at++)
        if (*at == (uint8_t)value)
            return (void *)(uintptr_t)at;
    return 0;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length])
        length++;
    return length;
}

size_t strlen(const char *text)
{
    return strnlen(text, ~(size_t)0);
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

char *strchr(const char *text, int c)
{
    return memchr(text, c, strlen(text) + 1);
}

char *strrchr(const char *text, int c)
{
    for (size_t i = strlen(text) + 1; i-- > 0;)
        if (text[i] == (char)c)
            return (char *)(uintptr_t)(text + i);
    return 0;
}

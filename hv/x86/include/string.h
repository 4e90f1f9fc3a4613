/* SPDX-License-Identifier: BSD-2-Clause */
/* What the image has of <string.h>. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* A freestanding compiler does not look inside; these names let it copy a few bytes in place. */
#define memcpy(to, from, size)  __builtin_memcpy(to, from, size)
#define memset(to, value, size) __builtin_memset(to, value, size)

/* For the partition file, and libfdt that reads it. */
void *memchr(const void *from, int value, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);

#endif

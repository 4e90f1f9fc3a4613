/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted text without a libc: %s %c %% %d %u %x with the lengths l, ll, z, a width, '-' and a leading
 * zero. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size bytes, the terminating 0 among them, and returns how long the whole text is.
 * What it does not know it copies. @pre size >= 1 */
size_t format_va(char *text, size_t size, const char *format, va_list arguments);
size_t format(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

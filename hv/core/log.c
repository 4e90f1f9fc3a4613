/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include "format.h"
#include "lock.h"

#include <stdarg.h>

static struct lock lock;
static char ring[LOG_BYTES];
static uint64_t written;
static volatile int unlocked;
static void (*sink)(const char *text, size_t length);

void log_sink(void (*to)(const char *text, size_t length))
{
    sink = to;
}

void log_emergency(void)
{
    unlocked = 1;
}

void log_line(const char *format, ...)
{
    char line[LOG_LINE];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_va(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';

    if (!unlocked)
        lock_take(&lock);
    for (size_t i = 0; i < length; i++)
        ring[written++ % LOG_BYTES] = line[i];
    if (sink)
        sink(line, length);
    if (!unlocked)
        lock_release(&lock);
}

size_t log_read(uint64_t *position, char *text, size_t size)
{
    size_t length = 0;

    lock_take(&lock);
    if (written - *position > LOG_BYTES)
        *position = written - LOG_BYTES;
    while (length < size && *position < written)
        text[length++] = ring[(*position)++ % LOG_BYTES];
    lock_release(&lock);
    return length;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: lines kept in a ring (console command `log`) and shown on the console as they come.
 * Any CPU, any context but NMI and machine check.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_BYTES 16384u /* a power of two */
#define LOG_LINE  160u   /* longer lines are cut */

/* One line; a newline is added. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where lines go beside the ring; null: nowhere. */
void log_sink(void (*sink)(const char *text, size_t length));

/* The machine is about to stop: from now on no lock is waited for. */
void log_emergency(void);

/* Copies what the ring holds from the position on, which it moves; a position that has been overwritten moves
 * to the oldest byte kept. Returns how many bytes were copied, 0 at the end. */
size_t log_read(uint64_t *position, char *text, size_t size);

/* Reports the first place where an error is made, and is the error: `return trace_error(-1, "…")`. */
#define trace_error(code, ...) (log_line(__VA_ARGS__), (code))

#endif

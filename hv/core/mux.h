/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line for all consoles: output of LPARs goes out by lines, each with the LPAR's name before it, between
 * the lines of the hypervisor's log.
 */
#ifndef MUX_H
#define MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_CONSOLES 16u

/* Where it all goes. Before this, and with null, nothing does. */
void mux_sink(void (*sink)(const char *text, size_t length));

/* Whose output it is; the text is kept by reference. @pre console < MUX_CONSOLES, here and below */
void mux_name(unsigned console, const char *name);

void mux_put(unsigned console, uint8_t byte);

/* What waits for the end of its line goes out: an LPAR has nothing more to do (it asks for input), or stops.
 */
void mux_flush(unsigned console);

/* Whole lines of the hypervisor's own. */
void mux_write(const char *text, size_t length);

/* The hypervisor's prompt, and what is typed at it; a line of another that comes in between starts a new one.
 */
void mux_prompt(const char *text, size_t length);

/* Whether something waits for the end of its line; cheap, and right when nobody else is writing. */
bool mux_waits(unsigned console);

/* The machine is about to stop: from now on no lock is waited for. */
void mux_emergency(void);

#endif

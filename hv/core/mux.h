/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line for all consoles: output of LPARs goes out by lines, each with the LPAR's name before it, between
 * the lines of the hypervisor's log.
 */
#ifndef MUX_H
#define MUX_H

#include <stddef.h>
#include <stdint.h>

#define MUX_CONSOLES 16u

/* Where it all goes. Before this, and with null, nothing does. */
void mux_sink(void (*sink)(const char *text, size_t length));

/* Whose output it is; the text is kept by reference. @pre console < MUX_CONSOLES, here and below */
void mux_name(unsigned console, const char *name);

void mux_put(unsigned console, uint8_t byte);

/* What waits for the end of its line goes out: an LPAR asks for input, or stops. */
void mux_flush(unsigned console);

/* Whole lines of the hypervisor's own. */
void mux_write(const char *text, size_t length);

#endif

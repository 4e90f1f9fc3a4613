/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed at the console: it goes to the LPAR that has the focus, or to the hypervisor's own prompt.
 * Ctrl-] is the escape: Ctrl-] and a digit give the focus to that LPAR, Ctrl-] and h to the prompt, Ctrl-]
 * twice sends one.
 */
#ifndef PROMPT_H
#define PROMPT_H

#include <stdint.h>

#define PROMPT_ESCAPE 0x1d

/* One byte. Not re-entrant: one CPU takes the console's interrupts. */
void prompt_input(uint8_t byte);

/* Runs one line as if it had been typed; its output goes to the console. */
void prompt_command(const char *line);

#endif

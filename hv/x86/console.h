/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's console: a 16550 at an I/O port, or the debug port of emulators (0xe9).
 * `console=` on the command line: comN[,BAUD], an I/O port in hexadecimal (0x3f8[,BAUD]), e9, none. Default:
 * com1.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>

void console_init(const char *command_line);

/* @pre the caller serialises (the log does) */
void console_write(const char *text, size_t length);

#endif

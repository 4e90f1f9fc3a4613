/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's console: a 16550 at an I/O port, or the debug port of emulators (0xe9), and the screen.
 * `console=` on the command line: comN[,BAUD], an I/O port in hexadecimal (0x3f8[,BAUD]), e9, none. Default:
 * com1. `screen=none`: nothing is drawn.
 *
 * Until console_interrupts() output waits for the line; afterwards it goes through a buffer that interrupts
 * empty, and waits only when that is full.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void console_init(const char *command_line);

struct framebuffer;

/* From now on the framebuffer shows what the line carries, beginning with what the log holds. @pre it is
 * mapped */
void console_screen(const struct framebuffer *framebuffer);

/* Output by interrupts, and input to the function, on this CPU. @pre ioapic_host_init() */
void console_interrupts(void (*input)(uint8_t byte));

/* Any CPU. */
void console_write(const char *text, size_t length);

/* VECTOR_CONSOLE has come. */
void console_interrupt(void);

/* The machine is about to stop: everything goes out at once, no lock is waited for. */
void console_emergency(void);

#endif

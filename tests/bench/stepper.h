/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts the instructions of a process one by one, by ptrace. Linux on x86-64. */
#ifndef STEPPER_H
#define STEPPER_H

/*
 * Runs a program, which ends with exit(0), in a process of its own; each time it calls begin(), counts its
 * instructions until it calls end(). The number of counts; the process is ended with a message where that
 * fails, or there are more than `most`.
 * @pre both are functions of this program, and not inlined
 */
unsigned stepper_count(void (*program)(void), void (*begin)(void), void (*end)(void), unsigned *counts,
                       unsigned most);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The relay of this machine: taken into use, and its pins found at the I/O APICs. */
#ifndef RELAY_HOST_H
#define RELAY_HOST_H

#include <stdbool.h>

/* For LPARs that have so many functions. @pre functions_read() */
void relay_host_open(unsigned functions);

/*
 * Finds the inputs that the pins in use arrive at, and routes them. No table tells: the one that would is a
 * program (_PRT). So the relay forces each wire for a moment, and the input that moves is it.
 * @pre LPARs are made and do not run; on the boot CPU, interrupts off
 */
void relay_host_lines(void);

/* An interrupt between ROUTER_VECTOR and the local APIC's own vectors. */
void relay_host_interrupt(unsigned vector);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A serial port (National PC16550D). Sending takes no time: the transmitter is empty again at once. Of
 * the input timeout only the result is modelled: bytes below the trigger level are reported at once, too.
 */
#ifndef UART_H
#define UART_H

#include "device.h"

#define UART_PORTS 8u
#define UART_FIFO  16u

struct uart {
    const struct device_env *env;
    unsigned console; /* number of the console: env->console() */
    unsigned gsi;
    uint8_t ier, fcr, lcr, mcr, lsr, scratch, divisor_low, divisor_high;
    bool transmit_interrupt; /* THR empty, not yet reported */
    bool line;
    uint8_t fifo[UART_FIFO];
    unsigned first, count;
    uint64_t sent, received, overruns;
};

/* @pre port is a multiple of 8 */
int uart_add(struct uart *uart, const struct device_env *env, unsigned console, uint16_t port, unsigned gsi,
             struct bus *ports);

/* Bytes that uart_input() would take now. */
unsigned uart_room(const struct uart *uart);

/* A byte from outside. False: overrun, it is lost and the guest is told. */
bool uart_input(struct uart *uart, uint8_t byte);

#endif

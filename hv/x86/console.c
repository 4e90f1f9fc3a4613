/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include "insn.h"
#include "log.h"
#include "mux.h"
#include "text.h"

enum uart_register {
    UART_DATA = 0,
    UART_IER = 1,
    UART_IIR = 2, /* read */
    UART_FCR = 2, /* write */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_SCRATCH = 7,
};
enum { LSR_THR_EMPTY = 0x20, IIR_FIFO = 0xc0, BASE_BAUD = 115200 };

static uint16_t uart; /* 0: none */
static unsigned fifo_bytes, fifo_left;
static bool debug_port;

static bool uart_init(uint16_t port, uint64_t baud)
{
    uint64_t divisor = baud && baud <= BASE_BAUD ? BASE_BAUD / baud : 1;

    /* Nothing there reads as all ones, scratch register included. */
    out8(port + UART_SCRATCH, 0x5a);
    if (in8(port + UART_SCRATCH) != 0x5a)
        return false;
    out8(port + UART_IER, 0);
    out8(port + UART_LCR, 0x83); /* divisor latch, 8n1 */
    out8(port + UART_DATA, (uint8_t)divisor);
    out8(port + UART_IER, (uint8_t)(divisor >> 8));
    out8(port + UART_LCR, 0x03);
    out8(port + UART_FCR, 0x07);
    out8(port + UART_MCR, 0x0b); /* DTR RTS OUT2 */
    fifo_bytes = (in8(port + UART_IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
    fifo_left = 0;
    uart = port;
    return true;
}

static void uart_put(uint8_t byte)
{
    /* A line nobody drives can stay busy for ever: give up after some 100 ms. */
    if (fifo_left == 0) {
        for (unsigned spins = 0; !(in8(uart + UART_LSR) & LSR_THR_EMPTY) && spins < 100000; spins++)
            ;
        fifo_left = fifo_bytes;
    }
    out8(uart, byte);
    fifo_left--;
}

static bool select(const char *text)
{
    static const uint16_t com[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    const char *rest;
    uint64_t number, baud = BASE_BAUD;

    if (text_equal(text, "none"))
        return true;
    if (text_equal(text, "e9"))
        return debug_port = true;
    if (text_starts(text, "com", &rest)) {
        if (!text_number(rest, &number, &rest) || number < 1 || number > sizeof com / sizeof *com)
            return false;
        number = com[number - 1];
    } else if (!text_number(text, &number, &rest) || number > 0xfff8) {
        return false;
    }
    if (*rest == ',' && !text_number(rest + 1, &baud, 0))
        return false;
    return uart_init((uint16_t)number, baud);
}

void console_init(const char *command_line)
{
    char text[32] = "com1";
    bool good;

    text_option(command_line, "console", text, sizeof text);
    good = select(text);
    if (!good)
        uart_init(0x3f8, BASE_BAUD);
    mux_sink(console_write);
    log_sink(mux_write);
    if (!good)
        log_line("console: no UART answers at console=%s", text);
}

void console_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (uart && text[i] == '\n')
            uart_put('\r');
        if (uart)
            uart_put((uint8_t)text[i]);
        if (debug_port)
            out8(0xe9, (uint8_t)text[i]);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include "boot.h"
#include "cpu.h"
#include "exception.h"
#include "insn.h"
#include "ioapic_host.h"
#include "lock.h"
#include "log.h"
#include "mux.h"
#include "screen.h"
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
enum { LSR_DATA_READY = 0x01, LSR_THR_EMPTY = 0x20, IIR_NOTHING = 0x01, IIR_FIFO = 0xc0, BASE_BAUD = 115200 };
enum { IER_RECEIVE = 1, IER_TRANSMIT = 2 };

#define BUFFER_BYTES 16384u /* a power of two */

static uint16_t uart; /* 0: none */
static unsigned fifo_bytes;
static bool debug_port;
static bool screen_wanted, screen_on;
static struct screen screen;
static void (*input)(uint8_t byte);

/* Of what follows. Interrupts are off wherever the hypervisor runs, so a handler never finds its own CPU
 * holding it. */
static struct lock lock;
static char buffer[BUFFER_BYTES];
static uint32_t written, sent;
static bool by_interrupt, transmitting; /* the transmitter's interrupt is enabled */
static volatile bool emergency;

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
    uart = port;
    return true;
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
    char text[32] = "com1", screen_text[8] = "";
    bool good;

    text_option(command_line, "screen", screen_text, sizeof screen_text);
    screen_wanted = !text_equal(screen_text, "none");

    text_option(command_line, "console", text, sizeof text);
    good = select(text);
    if (!good)
        uart_init(0x3f8, BASE_BAUD);
    mux_sink(console_write);
    log_sink(mux_write);
    if (!good)
        log_line("console: no UART answers at console=%s", text);
}

void console_screen(const struct framebuffer *framebuffer)
{
    char text[256];
    uint64_t position = 0;
    size_t length;

    if (!screen_wanted || screen_on)
        return;
    if (!screen_init(&screen, (void *)framebuffer->address, framebuffer->pitch, framebuffer->width,
                     framebuffer->height, framebuffer->bits)) {
        log_line("console: a framebuffer of %ux%u in %u bits is not used", framebuffer->width,
                 framebuffer->height, framebuffer->bits);
        return;
    }
    while ((length = log_read(&position, text, sizeof text)) > 0)
        screen_write(&screen, text, length);
    screen_on = true;
    log_line("console: a screen of %u columns and %u rows", screen.columns, screen.rows);
}

/* The transmitter is empty: as much as it takes. */
static void fill(void)
{
    for (unsigned i = 0; i < fifo_bytes && sent != written; i++)
        out8(uart, (uint8_t)buffer[sent++ % BUFFER_BYTES]);
}

static void wait_and_fill(void)
{
    /* A line nobody drives can stay busy for ever: give up after some 100 ms, and lose what does not fit. */
    for (unsigned spins = 0; !(in8(uart + UART_LSR) & LSR_THR_EMPTY) && spins < 100000; spins++)
        ;
    fill();
}

static void put(char c)
{
    if (written - sent == BUFFER_BYTES)
        wait_and_fill();
    buffer[written++ % BUFFER_BYTES] = c;
}

void console_write(const char *text, size_t length)
{
    bool locked = !emergency;

    if (locked)
        lock_take(&lock);
    if (screen_on)
        screen_write(&screen, text, length);
    for (size_t i = 0; i < length; i++) {
        if (debug_port)
            out8(0xe9, (uint8_t)text[i]);
        if (uart && text[i] == '\n')
            put('\r');
        if (uart)
            put(text[i]);
    }
    if (uart && by_interrupt && !emergency) {
        if (!transmitting) {
            transmitting = true;
            out8(uart + UART_IER, IER_RECEIVE | IER_TRANSMIT); /* interrupts at once: it is empty */
        }
    } else if (uart) {
        while (sent != written)
            wait_and_fill();
    }
    if (locked)
        lock_release(&lock);
}

void console_interrupt(void)
{
    uint8_t bytes[64]; /* more at once is not typed */
    unsigned count = 0;

    lock_take(&lock);
    /* The line is edge-triggered: it must have been low once before the next interrupt can come. */
    while (!(in8(uart + UART_IIR) & IIR_NOTHING)) {
        while (in8(uart + UART_LSR) & LSR_DATA_READY) {
            uint8_t byte = in8(uart);

            if (count < sizeof bytes)
                bytes[count++] = byte;
        }
        if (in8(uart + UART_LSR) & LSR_THR_EMPTY)
            fill();
        if (transmitting && sent == written) {
            transmitting = false;
            out8(uart + UART_IER, IER_RECEIVE);
        }
    }
    lock_release(&lock);
    for (unsigned i = 0; i < count; i++)
        input(bytes[i]);
}

void console_interrupts(void (*to)(uint8_t byte))
{
    bool odd = uart == 0x3f8 || uart == 0x3e8, even = uart == 0x2f8 || uart == 0x2e8;

    input = to;
    if (!odd && !even)
        return;
    if (!ioapic_host_route_isa(odd ? 4 : 3, this_cpu()->apic_id, VECTOR_CONSOLE)) {
        log_line("console: its interrupt cannot be routed: there is no input");
        return;
    }
    lock_take(&lock);
    by_interrupt = true;
    out8(uart + UART_IER, IER_RECEIVE);
    lock_release(&lock);
}

void console_emergency(void)
{
    emergency = true;
    log_emergency();
    mux_emergency();
}

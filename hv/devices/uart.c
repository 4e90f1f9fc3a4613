/* SPDX-License-Identifier: BSD-2-Clause */
#include "uart.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCRATCH };
enum { IER_RECEIVED = 1, IER_TRANSMIT = 2, IER_LINE = 4, IER_MODEM = 8, IER_WRITABLE = 0xf };
enum {
    IIR_NONE = 1,
    IIR_MODEM = 0,
    IIR_TRANSMIT = 2,
    IIR_RECEIVED = 4,
    IIR_LINE = 6,
    IIR_TIMEOUT = 0xc,
    IIR_FIFO = 0xc0
};
enum { FCR_ENABLE = 1, FCR_CLEAR_INPUT = 2, FCR_WRITABLE = 0xc9 };
enum { LCR_DIVISOR = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10, MCR_WRITABLE = 0x1f };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_ERRORS = 0x1e, LSR_EMPTY = 0x60 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

static unsigned capacity(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned trigger(const struct uart *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* In order of priority (PC16550D table III). */
static uint8_t identify(const struct uart *u)
{
    if (u->ier & IER_LINE && u->lsr & LSR_ERRORS)
        return IIR_LINE;
    if (u->ier & IER_RECEIVED && u->count)
        return u->count >= trigger(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    if (u->ier & IER_TRANSMIT && u->transmit_interrupt)
        return IIR_TRANSMIT;
    return IIR_NONE;
}

/* On a PC, OUT2 gates the interrupt; the loop takes it off the bus. */
static void update_line(struct uart *u)
{
    bool high = identify(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    if (high == u->line)
        return;
    u->line = high;
    u->env->line(u->env->owner, u->gsi, high);
}

static bool receive(struct uart *u, uint8_t byte)
{
    if (u->count == capacity(u)) {
        u->lsr |= LSR_OVERRUN;
        u->overruns++;
        return false;
    }
    u->fifo[(u->first + u->count++) % UART_FIFO] = byte;
    u->received++;
    return true;
}

static uint8_t take(struct uart *u)
{
    uint8_t byte = u->fifo[u->first];
    if (!u->count)
        return 0;
    u->first = (u->first + 1) % UART_FIFO;
    u->count--;
    return byte;
}

static void transmit(struct uart *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP) {
        receive(u, byte);
    } else {
        u->sent++;
        u->env->console(u->env->owner, u->console, byte);
    }
    u->transmit_interrupt = true;
}

static uint8_t modem_status(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static uint64_t uart_read(void *device, uint64_t offset, unsigned size)
{
    struct uart *u = device;
    uint8_t value = 0xff;

    (void)size;
    switch (offset) {
    case DATA:
        value = u->lcr & LCR_DIVISOR ? u->divisor_low : take(u);
        break;
    case IER:
        value = u->lcr & LCR_DIVISOR ? u->divisor_high : u->ier;
        break;
    case IIR_FCR:
        value = identify(u);
        if (value == IIR_TRANSMIT)
            u->transmit_interrupt = false;
        value |= u->fcr & FCR_ENABLE ? IIR_FIFO : 0;
        break;
    case LCR:
        value = u->lcr;
        break;
    case MCR:
        value = u->mcr;
        break;
    case LSR:
        value = (uint8_t)(u->lsr | LSR_EMPTY | (u->count ? LSR_READY : 0));
        u->lsr = 0;
        break;
    case MSR:
        value = modem_status(u);
        break;
    default:
        value = u->scratch;
        break;
    }
    update_line(u);
    return ~0xffull | value;
}

static void write_fcr(struct uart *u, uint8_t value)
{
    if (value & FCR_CLEAR_INPUT || (value ^ u->fcr) & FCR_ENABLE)
        u->count = 0;
    u->fcr = value & FCR_ENABLE ? value & FCR_WRITABLE : 0;
}

static void uart_write(void *device, uint64_t offset, unsigned size, uint64_t data)
{
    struct uart *u = device;
    const uint8_t value = (uint8_t)data;

    (void)size;
    switch (offset) {
    case DATA:
        if (u->lcr & LCR_DIVISOR)
            u->divisor_low = value;
        else
            transmit(u, value);
        break;
    case IER:
        if (u->lcr & LCR_DIVISOR) {
            u->divisor_high = value;
            break;
        }
        /* Enabling it reports an empty transmitter. */
        if (value & ~u->ier & IER_TRANSMIT)
            u->transmit_interrupt = true;
        u->ier = value & IER_WRITABLE;
        break;
    case IIR_FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & MCR_WRITABLE;
        break;
    case SCRATCH:
        u->scratch = value;
        break;
    default:
        break;
    }
    update_line(u);
}

static void reset(void *device)
{
    struct uart *u = device;
    u->ier = u->fcr = u->lcr = u->mcr = u->lsr = u->scratch = 0;
    u->divisor_low = 12; /* 9600 */
    u->divisor_high = 0;
    u->transmit_interrupt = false;
    u->count = 0;
    update_line(u);
}

static const struct device_ops ops = {
    .name = "uart",
    .read = uart_read,
    .write = uart_write,
    .reset = reset,
};

int uart_add(struct uart *u, const struct device_env *env, unsigned console, uint16_t port, unsigned gsi,
             struct bus *ports)
{
    *u = (struct uart){.env = env, .console = console, .gsi = gsi};
    reset(u);
    return bus_add(ports, port, UART_PORTS, &ops, u);
}

unsigned uart_room(const struct uart *u)
{
    return u->mcr & MCR_LOOP ? 0 : capacity(u) - u->count;
}

bool uart_input(struct uart *u, uint8_t byte)
{
    /* The loop disconnects the input pin. */
    bool taken = !(u->mcr & MCR_LOOP) && receive(u, byte);
    update_line(u);
    return taken;
}

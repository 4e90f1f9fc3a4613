/* SPDX-License-Identifier: BSD-2-Clause */
#include "serial.h"

#include "endpoint.h"

#include <linux/serial_reg.h>
#include <stdlib.h>

enum {
    VENDOR = 0x1590,
    DEVICE = 0x037e,
    CLASS_SERIAL_16550 = 0x070002,
    BAR = 1, /* where the driver of this identity looks */
    BAR_BYTES = 256,
    FIFO = 16,
    INTERRUPTS = 0xf, /* the bits that IER has */
};

struct fifo {
    uint8_t bytes[FIFO];
    unsigned first;
    unsigned count;
};

struct serial {
    struct endpoint endpoint;
    struct fifo in, out;
    uint8_t ier, fcr, lcr, mcr, scratch;
    uint8_t divisor[2];
    bool overrun;
    bool emptied; /* the transmitter ran empty, and nobody was told */
    bool level;   /* of the interrupt */
};

static void put(struct fifo *f, uint8_t byte)
{
    f->bytes[(f->first + f->count++) % FIFO] = byte;
}

static uint8_t get(struct fifo *f)
{
    uint8_t byte = f->bytes[f->first];
    f->first = (f->first + 1) % FIFO;
    f->count--;
    return byte;
}

static struct serial *serial_of(struct endpoint *e)
{
    return (struct serial *)e;
}

/* The cause with the highest priority, as IIR tells it. */
static uint8_t cause(const struct serial *s)
{
    if (s->ier & UART_IER_RLSI && s->overrun) {
        return UART_IIR_RLSI;
    }
    if (s->ier & UART_IER_RDI && s->in.count) {
        return UART_IIR_RDI;
    }
    return s->ier & UART_IER_THRI && s->emptied ? UART_IIR_THRI : UART_IIR_NO_INT;
}

/* By message it is told when it begins: the driver's handler ends only when no cause is left. */
static void update(struct serial *s)
{
    bool level = cause(s) != UART_IIR_NO_INT && s->mcr & UART_MCR_OUT2 && !(s->mcr & UART_MCR_LOOP);
    if (level && !s->level) {
        endpoint_raise(&s->endpoint, 0);
    }
    s->level = level;
    endpoint_set_intx(&s->endpoint, level);
}

/* What was sent comes in, as far as there is room. */
static void carry(struct serial *s)
{
    bool carried = false;
    for (; s->out.count && s->in.count < FIFO; carried = true) {
        put(&s->in, get(&s->out));
    }
    s->emptied |= carried && !s->out.count;
}

static void transmit(struct serial *s, uint8_t byte)
{
    s->emptied = false;
    if (s->mcr & UART_MCR_LOOP) {
        /* The chip's own loop has no flow control: drivers find out by it how long the FIFO is. */
        s->overrun |= s->in.count == FIFO;
        if (s->in.count < FIFO) {
            put(&s->in, byte);
        }
        s->emptied = true;
    } else if (s->out.count < FIFO) {
        put(&s->out, byte);
        carry(s);
    }
}

static uint8_t line_status(struct serial *s)
{
    unsigned status = (s->in.count ? UART_LSR_DR : 0u) | (s->overrun ? UART_LSR_OE : 0u) |
                      (s->out.count ? 0u : UART_LSR_THRE | UART_LSR_TEMT);
    s->overrun = false;
    return (uint8_t)status;
}

static uint8_t modem_status(const struct serial *s)
{
    if (!(s->mcr & UART_MCR_LOOP)) {
        return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
    }
    return (uint8_t)((s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) | (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
                     (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
                     (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0));
}

static uint8_t identification(struct serial *s)
{
    uint8_t now = cause(s);
    if (now == UART_IIR_THRI) {
        s->emptied = false;
    }
    return now | (s->fcr & UART_FCR_ENABLE_FIFO ? UART_IIR_FIFO_ENABLED : 0);
}

static uint8_t read_register(struct serial *s, unsigned reg)
{
    bool divisor = s->lcr & UART_LCR_DLAB;
    switch (reg) {
    case UART_RX:
        return divisor ? s->divisor[0] : s->in.count ? get(&s->in) : 0;
    case UART_IER:
        return divisor ? s->divisor[1] : s->ier;
    case UART_IIR:
        return identification(s);
    case UART_LCR:
        return s->lcr;
    case UART_MCR:
        return s->mcr;
    case UART_LSR:
        return line_status(s);
    case UART_MSR:
        return modem_status(s);
    case UART_SCR:
        return s->scratch;
    default:
        return 0;
    }
}

static void write_register(struct serial *s, unsigned reg, uint8_t value)
{
    bool divisor = s->lcr & UART_LCR_DLAB;
    switch (reg) {
    case UART_TX:
        if (divisor) {
            s->divisor[0] = value;
        } else {
            transmit(s, value);
        }
        break;
    case UART_IER:
        if (divisor) {
            s->divisor[1] = value;
        } else {
            s->emptied |= value & ~s->ier & UART_IER_THRI && !s->out.count;
            s->ier = value & INTERRUPTS;
        }
        break;
    case UART_FCR:
        s->fcr = value;
        s->in.count = value & UART_FCR_CLEAR_RCVR ? 0 : s->in.count;
        s->out.count = value & UART_FCR_CLEAR_XMIT ? 0 : s->out.count;
        break;
    case UART_LCR:
        s->lcr = value;
        break;
    case UART_MCR:
        s->mcr = value & 0x1f;
        break;
    case UART_SCR:
        s->scratch = value;
        break;
    default:
        break;
    }
}

static uint32_t bar_read(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size)
{
    struct serial *s = serial_of(e);
    (void)bar;
    if (size != 1) {
        return 0;
    }
    uint8_t value = read_register(s, offset);
    carry(s);
    update(s);
    return value;
}

static void bar_write(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size, uint32_t value)
{
    struct serial *s = serial_of(e);
    (void)bar;
    if (size == 1) {
        write_register(s, offset, (uint8_t)value);
        update(s);
    }
}

static void reset(struct endpoint *e)
{
    struct serial *s = serial_of(e);
    s->in = s->out = (struct fifo){0};
    s->ier = s->fcr = s->lcr = s->mcr = s->scratch = s->divisor[0] = s->divisor[1] = 0;
    s->overrun = s->emptied = s->level = false;
}

static void close(struct endpoint *e)
{
    free(e);
}

static const struct endpoint_ops ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = reset,
    .close = close,
};

struct function *serial_open(const struct serial_options *options)
{
    struct serial *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    struct endpoint *e = &s->endpoint;
    endpoint_init(e, &ops,
                  &(struct config_identity){.vendor = VENDOR,
                                            .device = DEVICE,
                                            .subsystem_vendor = VENDOR,
                                            .subsystem = DEVICE,
                                            .class_code = CLASS_SERIAL_16550,
                                            .interrupt_pin = (uint8_t)options->pin});
    config_add_bar(&e->config, BAR, BAR_BYTES, false, false);
    if (options->msi) {
        msi_add(&e->msi, 1);
    }
    endpoint_ready(e);
    return &e->function;
}

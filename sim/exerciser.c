/* SPDX-License-Identifier: BSD-2-Clause */
#include "exerciser.h"

#include "endpoint.h"
#include "exerciser_regs.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASS_UNCLASSIFIED = 0xff0000,
    BUFFER_BAR = 2,
    FLOOD = 64, /* interrupts sent at a time when there's no period */
    REGISTERS = EX_RAW / 4,
};

struct exerciser {
    struct endpoint endpoint;
    uint32_t registers[REGISTERS]; /* those that only keep what was written, among others */
    uint32_t raw[EX_RAW_DW];
    uint32_t raw_sent;
    uint8_t buffer[EXERCISER_BUFFER_BYTES];
    bool running;
    bool started; /* due_ns is set */
    bool pin;
    uint32_t raised;
    uint32_t acked;
    uint64_t due_ns;
    struct dma_transfer dma;
    uint32_t command;
    uint32_t status;
    uint32_t mismatches;
};

static struct exerciser *exerciser_of(struct endpoint *e)
{
    return (struct exerciser *)e;
}

static uint32_t reg(const struct exerciser *x, unsigned offset)
{
    return x->registers[offset / 4];
}

/* ---- interrupts --------------------------------------------------------------------------------- */

/* Makes a message interrupt as odd as it was asked to be. */
static void misbehave(struct exerciser *x, struct tlp *t)
{
    uint32_t how = reg(x, EX_MISBEHAVE);
    t->ep = how & EX_POISON;
    t->ro = t->ns = how & EX_NO_SNOOP_RELAXED;
    if (how & EX_WRONG_REQUESTER) {
        t->requester = (uint16_t)reg(x, EX_REQUESTER);
    }
}

static void send_message(void *owner, uint64_t address, uint32_t data)
{
    struct exerciser *x = owner;
    uint32_t dw[TLP_MAX_DW], payload = __builtin_bswap32(data);
    struct tlp t = {.kind = TLP_MWR, .requester = x->endpoint.id, .payload = &payload};
    tlp_set_range(&t, address, 4);
    misbehave(x, &t);
    function_send(&x->endpoint.function, dw, tlp_pack(&t, dw));
    x->endpoint.counters.messages++;
}

static void set_pin(struct exerciser *x, bool level)
{
    x->pin = level;
    endpoint_set_intx(&x->endpoint, level);
}

static void raise_one(struct exerciser *x)
{
    uint32_t vectors = reg(x, EX_IRQ_VECTORS);
    unsigned vector = reg(x, EX_IRQ_VECTOR) + (vectors ? x->raised % vectors : 0);
    x->raised++;
    if (!endpoint_raise(&x->endpoint, vector)) {
        set_pin(x, true);
    }
}

static bool interrupts_work(struct exerciser *x, uint64_t now_ns)
{
    if (!x->running) {
        return false;
    }
    if (!x->started) {
        x->started = true;
        x->due_ns = now_ns + reg(x, EX_IRQ_DELAY_NS);
    }
    uint32_t count = reg(x, EX_IRQ_COUNT), period = reg(x, EX_IRQ_PERIOD_NS);
    unsigned burst = reg(x, EX_IRQ_BURST) ? reg(x, EX_IRQ_BURST) : 1;
    bool moved = false;
    for (unsigned sent = 0; sent < FLOOD && x->running && now_ns >= x->due_ns; sent += burst) {
        for (unsigned i = 0; i < burst && x->running; i++) {
            raise_one(x);
            x->running = !count || x->raised < count;
        }
        /* A slow simulation skips what it missed, as a late timer would: no burst to catch up. */
        x->due_ns = x->due_ns + period < now_ns ? now_ns + period : x->due_ns + period;
        moved = true;
    }
    return moved;
}

/* ---- DMA ---------------------------------------------------------------------------------------- */

static void dma_finished(struct dma_transfer *t, enum dma_result result)
{
    struct exerciser *x = t->owner;
    x->status = result == DMA_DONE ? EX_DMA_DONE : EX_DMA_DONE | EX_DMA_FAILED | (uint32_t)result << 8;
    if (result == DMA_CANCELLED) {
        return;
    }
    if ((x->command & 0xff) == EX_DMA_CHECK) {
        x->mismatches = 0;
        for (unsigned i = 0; i < t->count; i++) {
            x->mismatches += t->bytes[i] != exerciser_pattern(reg(x, EX_DMA_SEED), i);
        }
    }
    if (x->command & EX_DMA_INTERRUPT) {
        raise_one(x);
    }
}

static void start_dma(struct exerciser *x, uint32_t command)
{
    uint32_t offset = reg(x, EX_DMA_OFFSET), bytes = reg(x, EX_DMA_BYTES), kind = command & 0xff;
    bool fits = offset <= sizeof x->buffer && bytes <= sizeof x->buffer - offset && bytes;
    if (x->status & EX_DMA_BUSY || !fits || kind < EX_DMA_READ || kind > EX_DMA_CHECK) {
        x->status |= EX_DMA_REJECTED;
        return;
    }
    x->command = command;
    x->status = EX_DMA_BUSY;
    x->dma = (struct dma_transfer){
        .write = kind == EX_DMA_WRITE || kind == EX_DMA_FILL,
        .address = reg(x, EX_DMA_ADDR_LO) | (uint64_t)reg(x, EX_DMA_ADDR_HI) << 32,
        .bytes = x->buffer + offset,
        .count = bytes,
        .done = dma_finished,
        .owner = x,
    };
    for (unsigned i = 0; kind == EX_DMA_FILL && i < bytes; i++) {
        x->dma.bytes[i] = exerciser_pattern(reg(x, EX_DMA_SEED), i);
    }
    dma_submit(&x->endpoint.dma, &x->dma);
}

/* ---- registers ---------------------------------------------------------------------------------- */

static uint32_t read_register(const struct exerciser *x, uint32_t offset)
{
    switch (offset) {
    case EX_ID:
        return EX_ID_VALUE;
    case EX_IRQ_GO:
        return x->running;
    case EX_IRQ_RAISED:
        return x->raised;
    case EX_IRQ_PIN:
        return x->pin;
    case EX_IRQ_ACKED:
        return x->acked;
    case EX_DMA_STATUS:
        return x->status;
    case EX_DMA_MISMATCHES:
        return x->mismatches;
    case EX_RAW_SENT:
        return x->raw_sent;
    default:
        break;
    }
    if (offset >= EX_RAW && offset < EX_RAW + sizeof x->raw) {
        return x->raw[(offset - EX_RAW) / 4];
    }
    return offset < EX_RAW ? reg(x, offset) : 0;
}

static void send_raw(struct exerciser *x, uint32_t n)
{
    if (n >= 1 && n <= EX_RAW_DW) {
        x->raw_sent++;
        function_send(&x->endpoint.function, x->raw, n);
    }
}

static void write_register(struct exerciser *x, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case EX_IRQ_GO:
        x->running = value & 1;
        x->started = false;
        x->raised = value & 1 ? 0 : x->raised;
        return;
    case EX_IRQ_ACK:
        x->acked++;
        if (!(reg(x, EX_MISBEHAVE) & EX_STUCK)) {
            set_pin(x, false);
        }
        return;
    case EX_IRQ_PIN:
        set_pin(x, value & 1);
        return;
    case EX_DMA_COMMAND:
        start_dma(x, value);
        return;
    case EX_RAW_SEND:
        send_raw(x, value);
        return;
    default:
        break;
    }
    if (offset >= EX_RAW && offset < EX_RAW + sizeof x->raw) {
        x->raw[(offset - EX_RAW) / 4] = value;
    } else if (offset < EX_RAW) {
        x->registers[offset / 4] = value;
    }
    if (offset == EX_MISBEHAVE) {
        x->endpoint.mute = value & EX_MUTE;
    }
}

static uint32_t bar_read(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size)
{
    struct exerciser *x = exerciser_of(e);
    if (bar == BUFFER_BAR) {
        uint32_t value = 0;
        memcpy(&value, x->buffer + offset, size);
        return value;
    }
    return size == 4 ? read_register(x, offset) : 0;
}

static void bar_write(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size, uint32_t value)
{
    struct exerciser *x = exerciser_of(e);
    if (bar == BUFFER_BAR) {
        memcpy(x->buffer + offset, &value, size);
    } else if (size == 4) {
        write_register(x, offset, value);
    }
}

/* ---- the rest of the interface ------------------------------------------------------------------ */

static bool work(struct endpoint *e, uint64_t now_ns)
{
    return interrupts_work(exerciser_of(e), now_ns);
}

static uint64_t deadline(const struct endpoint *e)
{
    const struct exerciser *x = (const struct exerciser *)e;
    return x->running ? x->due_ns : UINT64_MAX;
}

static void reset(struct endpoint *e)
{
    struct exerciser *x = exerciser_of(e);
    memset(x->registers, 0, sizeof x->registers);
    memset(x->raw, 0, sizeof x->raw);
    memset(x->buffer, 0, sizeof x->buffer);
    x->running = x->started = x->pin = false;
    x->raised = x->acked = x->raw_sent = x->status = x->mismatches = 0;
    x->due_ns = 0;
}

static void close(struct endpoint *e)
{
    free(e);
}

static const struct endpoint_ops ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .work = work,
    .deadline = deadline,
    .reset = reset,
    .close = close,
};

struct function *exerciser_open(const struct exerciser_options *options)
{
    struct exerciser *x = calloc(1, sizeof *x);
    if (!x) {
        return NULL;
    }
    struct endpoint *e = &x->endpoint;
    endpoint_init(e, &ops,
                  &(struct config_identity){.vendor = EXERCISER_VENDOR,
                                            .device = EXERCISER_DEVICE,
                                            .subsystem_vendor = EXERCISER_VENDOR,
                                            .subsystem = EXERCISER_DEVICE,
                                            .class_code = CLASS_UNCLASSIFIED,
                                            .revision = 1,
                                            .interrupt_pin = (uint8_t)options->pin});
    msi_init(&e->msi, &e->config, send_message, x);
    config_add_bar(&e->config, 0, EX_BAR0_BYTES, false, false);
    config_add_bar(&e->config, BUFFER_BAR, EXERCISER_BUFFER_BYTES, true, true);
    if (options->msi) {
        msi_add(&e->msi, EXERCISER_VECTORS);
    }
    if (options->msix) {
        msix_add(&e->msi, EXERCISER_VECTORS, 0, EX_MSIX_TABLE, EX_MSIX_PENDING);
    }
    endpoint_ready(e);
    return &e->function;
}

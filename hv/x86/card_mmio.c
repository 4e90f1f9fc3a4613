/* SPDX-License-Identifier: BSD-2-Clause */
#include "card_mmio.h"

#include "frame.h"
#include "relay_regs.h"

static int read(struct card *card, uint32_t offset, uint32_t *value)
{
    const volatile uint8_t *bar = card->self;

    if (offset % 4 || offset >= RELAY_BAR_BYTES)
        return CARD_REFUSED;
    *value = *(const volatile uint32_t *)(const volatile void *)(bar + offset);
    return 0;
}

static int write(struct card *card, uint32_t offset, uint32_t value)
{
    volatile uint8_t *bar = card->self;

    if (offset % 4 || offset >= RELAY_BAR_BYTES)
        return CARD_REFUSED;
    *(volatile uint32_t *)(volatile void *)(bar + offset) = value;
    return 0;
}

/* There is one card, and its ring is never given back: memory is its own physical address here. */
static int ring_memory(struct card *card, unsigned log2, struct card_ring *ring)
{
    static struct relay_event *events;
    static unsigned size;
    static struct relay_status *status;

    (void)card;
    if (!events) {
        events = frames_try(sizeof *events << log2);
        status = frames_try(sizeof *status);
        size = log2;
    }
    if (!events || !status || size != log2)
        return CARD_NO_RING;
    *ring = (struct card_ring){
        .events = events, .status = status, .events_bus = (uintptr_t)events, .status_bus = (uintptr_t)status};
    return 0;
}

static uint64_t now(struct card *card)
{
    uint32_t high, low, again;

    do {
        read(card, RELAY_TIME_HI, &high);
        read(card, RELAY_TIME_LO, &low);
        read(card, RELAY_TIME_HI, &again);
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

static const struct card_ops ops = {.read = read, .write = write, .ring_memory = ring_memory, .now = now};

void card_mmio_open(struct card *card, uint64_t bar)
{
    *card = (struct card){.ops = &ops, .self = (void *)bar};
}

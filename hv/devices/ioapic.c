/* SPDX-License-Identifier: BSD-2-Clause */
#include "ioapic.h"

enum { SELECT = 0x00, WINDOW = 0x10, EOI = 0x40 };
enum { REGISTER_ID = 0, REGISTER_VERSION = 1, REGISTER_ARBITRATION = 2, REGISTER_ENTRY = 0x10 };
enum {
    ENTRY_LOGICAL = 1 << 11,
    ENTRY_PENDING = 1 << 12,
    ENTRY_REMOTE_IRR = 1 << 14,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    ENTRY_READ_ONLY = ENTRY_PENDING | ENTRY_REMOTE_IRR,
};
/* Version 20h, so that Linux uses the EOI register; bits 23:16: the highest entry. */
#define VERSION        (0x20u | (IOAPIC_PINS - 1) << 16)
#define ID_MASK        0x0f000000u
#define ENTRY_WRITABLE 0xff0000000001ffffull

static struct apic_message message_of(uint64_t entry)
{
    return (struct apic_message){
        .destination = (uint32_t)(entry >> 56),
        .vector = (uint8_t)entry,
        .delivery = entry >> 8 & 7,
        .logical = entry & ENTRY_LOGICAL,
        .level = entry & ENTRY_LEVEL,
    };
}

static void send(struct ioapic *io, unsigned pin)
{
    io->sent++;
    if (!io->env->route(io->owner, &io->message[pin])) {
        /* Nobody will end it: the next edge, or rewriting the entry, is the guest's way out. */
        io->nowhere++;
        return;
    }
    if (io->message[pin].level)
        io->entry[pin] |= ENTRY_REMOTE_IRR;
}

/* A level that stands is sent when nothing holds it back (any more). */
static void evaluate_level(struct ioapic *io, unsigned pin)
{
    const uint64_t entry = io->entry[pin];
    if (io->lines >> pin & 1 && (entry & (ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE_IRR)) == ENTRY_LEVEL)
        send(io, pin);
}

static void tell_ended(struct ioapic *io, unsigned pin)
{
    if (io->env->ended)
        io->env->ended(io->owner, pin);
}

void ioapic_line(struct ioapic *io, unsigned pin, bool high)
{
    const uint32_t bit = 1u << pin;
    const bool rises = high && !(io->lines & bit);
    const uint64_t entry = io->entry[pin];

    io->lines = high ? io->lines | bit : io->lines & ~bit;
    if (entry & ENTRY_LEVEL) {
        if (high && entry & ENTRY_REMOTE_IRR)
            io->coalesced++;
        evaluate_level(io, pin);
    } else if (rises && !(entry & ENTRY_MASKED)) {
        send(io, pin); /* an edge while masked is lost (82093AA 3.2.4, interrupt mask) */
    }
}

/* Entries are matched by vector alone: the guest may have changed the destination meanwhile. */
void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((uint8_t)io->entry[pin] != vector || !(io->entry[pin] & ENTRY_REMOTE_IRR))
            continue;
        io->entry[pin] &= ~(uint64_t)ENTRY_REMOTE_IRR;
        tell_ended(io, pin);
        evaluate_level(io, pin);
    }
}

static void write_entry(struct ioapic *io, unsigned pin, uint64_t value)
{
    const uint64_t keep = io->entry[pin] & ENTRY_READ_ONLY;
    value = (value & ENTRY_WRITABLE & ~(uint64_t)ENTRY_READ_ONLY) | keep;
    /* Edge mode clears the remote IRR: what guests without the EOI register do to end an interrupt. */
    if (!(value & ENTRY_LEVEL))
        value &= ~(uint64_t)ENTRY_REMOTE_IRR;
    io->entry[pin] = value;
    io->message[pin] = message_of(value);
    if (keep & ~value & ENTRY_REMOTE_IRR)
        tell_ended(io, pin);
    evaluate_level(io, pin);
}

static uint32_t read_register(const struct ioapic *io)
{
    const unsigned at = io->select - REGISTER_ENTRY;
    switch (io->select) {
    case REGISTER_ID:
    case REGISTER_ARBITRATION:
        return io->id;
    case REGISTER_VERSION:
        return VERSION;
    default:
        if (io->select < REGISTER_ENTRY || at / 2 >= IOAPIC_PINS)
            return 0;
        return (uint32_t)(at & 1 ? io->entry[at / 2] >> 32 : io->entry[at / 2]);
    }
}

static void write_register(struct ioapic *io, uint32_t value)
{
    const unsigned at = io->select - REGISTER_ENTRY, pin = at / 2;
    if (io->select == REGISTER_ID)
        io->id = value & ID_MASK;
    if (io->select < REGISTER_ENTRY || pin >= IOAPIC_PINS)
        return;
    if (at & 1)
        write_entry(io, pin, (uint32_t)io->entry[pin] | (uint64_t)value << 32);
    else
        write_entry(io, pin, (io->entry[pin] & ~0xffffffffull) | value);
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    struct ioapic *io = device;
    (void)size;
    switch (offset) {
    case SELECT:
        return io->select;
    case WINDOW:
        return read_register(io);
    default:
        return 0;
    }
}

static void mmio_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct ioapic *io = device;
    (void)size;
    switch (offset) {
    case SELECT:
        io->select = value & 0xff;
        break;
    case WINDOW:
        write_register(io, (uint32_t)value);
        break;
    case EOI:
        ioapic_eoi(io, (uint8_t)value);
        break;
    default:
        break;
    }
}

static void reset(void *device)
{
    struct ioapic *io = device;
    io->id = io->select = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->entry[pin] = ENTRY_MASKED;
}

static const struct device_ops ops = {
    .name = "ioapic",
    .read = mmio_read,
    .write = mmio_write,
    .reset = reset,
};

int ioapic_add(struct ioapic *io, const struct ioapic_env *env, void *owner, struct bus *space)
{
    *io = (struct ioapic){.env = env, .owner = owner};
    reset(io);
    return bus_add(space, IOAPIC_BASE, IOAPIC_BYTES, &ops, io);
}

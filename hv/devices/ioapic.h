/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC of an LPAR: 24 inputs, version 20h with an EOI register (Intel 82093AA; ICH9 13.5).
 *
 * Polarity is what the guest says it is: `high` in ioapic_line() means asserted. Inputs are not ORed here.
 * All functions are called with the LPAR's device lock held.
 */
#ifndef IOAPIC_H
#define IOAPIC_H

#include "apic_message.h"
#include "device.h"

#define IOAPIC_BASE  0xfec00000ull
#define IOAPIC_BYTES 4096u
#define IOAPIC_PINS  24u

struct ioapic_env {
    unsigned (*route)(void *owner, const struct apic_message *message); /* how many took it */
    /* The guest has ended the level-triggered interrupt of a pin, whose line may change now; may be null. */
    void (*ended)(void *owner, unsigned pin);
};

struct ioapic {
    const struct ioapic_env *env;
    void *owner;
    uint32_t id, select;
    uint64_t entry[IOAPIC_PINS];
    struct apic_message message[IOAPIC_PINS]; /* what the entry says, ready to be sent */
    uint32_t lines;                           /* bit per pin: asserted now */
    uint64_t sent, nowhere, coalesced;
};

int ioapic_add(struct ioapic *ioapic, const struct ioapic_env *env, void *owner, struct bus *space);

/* An input changes. @pre pin < IOAPIC_PINS */
void ioapic_line(struct ioapic *ioapic, unsigned pin, bool high);

/* A local APIC's end of a level-triggered interrupt. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif

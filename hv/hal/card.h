/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card: how software reaches a relay, whatever lies between.
 *
 * One of the two hardware abstractions (the other is the machine, hv/hal/machine.h). A transport fills in a
 * struct card and keeps its own state behind `self`; whoever reads an indicator sees only this header, so
 * that the same files run against the Verilated circuit in the process (sim), BAR 0 mapped by a hypervisor
 * (mmio) or by Linux (pci), and USB (usb).
 *
 * Registers and records are those of rtl/relay_regs.txt.
 *
 * A transport need not be thread-safe: whoever holds a struct card serialises its use.
 */
#ifndef CARD_H
#define CARD_H

#include <stdint.h>

struct relay_event;
struct relay_status;
struct card;

/* How function 0 of a card is known on PCI. */
enum { CARD_PCI_VENDOR = 0x1209, CARD_PCI_DEVICE = 0x5160 };

/* Errors: functions return 0 or one of these, negative. */
enum card_error {
    CARD_GONE = -1,    /* the transport failed: reads of a dead link return all ones */
    CARD_REFUSED = -2, /* the transport refuses this access (offset, alignment, right) */
    CARD_NO_RING = -3, /* this transport has no memory that the card can write to */
    CARD_FOREIGN = -4, /* what answers is no relay, or one with a register map of another major version */
};

struct card_ring {
    volatile struct relay_event *events;
    volatile struct relay_status *status;
    uint64_t events_bus;
    uint64_t status_bus;
};

struct card_ops {
    /*
     * Reads a 32-bit register. What the card wrote to the ring before it answered is visible in the ring's
     * memory when this returns, and posted register writes made before have taken effect.
     * @pre offset is a multiple of 4 below RELAY_BAR_BYTES
     */
    int (*read)(struct card *card, uint32_t offset, uint32_t *value);

    /* Writes a 32-bit register; may be posted. Writes take effect in program order. @pre as read */
    int (*write)(struct card *card, uint32_t offset, uint32_t value);

    /*
     * Memory for the event ring: 2^log2 records, 4 KiB aligned on the bus, and one status record, 16-byte
     * aligned, that the card reaches at the bus addresses given. The transport owns it until close; a second
     * call with the same log2 gives the same memory. May be null: then there is no ring.
     * @pre 4 <= log2 <= 15
     */
    int (*ring_memory)(struct card *card, unsigned log2, struct card_ring *ring);

    /* Time of the card's clock domain in ns, without touching the bus where the transport can tell it. */
    uint64_t (*now)(struct card *card);

    /* Ends the use of the card; stops the ring first. May be null. */
    void (*close)(struct card *card);
};

struct card {
    const struct card_ops *ops;
    void *self;
};

static inline int card_read(struct card *card, uint32_t offset, uint32_t *value)
{
    return card->ops->read(card, offset, value);
}

static inline int card_write(struct card *card, uint32_t offset, uint32_t value)
{
    return card->ops->write(card, offset, value);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An interrupt message between APICs: what an IPI, an I/O APIC entry and an MSI have in common (SDM
 * 3A 11.5.1, 11.11). */
#ifndef APIC_MESSAGE_H
#define APIC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum apic_delivery {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_SIPI = 6,
    APIC_EXTINT = 7,
};

struct apic_message {
    uint32_t destination;
    uint8_t vector;
    uint8_t delivery; /* enum apic_delivery */
    bool logical;
    bool wide;  /* an x2APIC's 32-bit destination; else 8 bits, of which all ones are everybody */
    bool level; /* level-triggered: the EOI is to be told to the I/O APIC */
};

/* An MSI's address and data (SDM 3A 11.11). False: the address is not one of interrupts. */
bool apic_message_from_msi(uint64_t address, uint32_t data, struct apic_message *message);

#endif

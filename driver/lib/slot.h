/* SPDX-License-Identifier: BSD-2-Clause */
/* The place of a PCI function, and its name as lspci -D writes it. */
#ifndef SLOT_H
#define SLOT_H

#include <stdbool.h>
#include <stdint.h>

struct slot {
    uint32_t domain;
    uint8_t bus;
    uint8_t device;
    uint8_t function;
};

enum { SLOT_NAME = 20 }; /* "10000000:ff:1f.7" and its end */

/* As requester IDs have it: bus 15:8, device 7:3, function 2:0. */
static inline struct slot slot_of_requester(uint32_t domain, uint16_t requester)
{
    return (struct slot){domain, (uint8_t)(requester >> 8), (uint8_t)(requester >> 3 & 0x1f),
                         (uint8_t)(requester & 7)};
}

static inline bool slot_equal(struct slot a, struct slot b)
{
    return a.domain == b.domain && a.bus == b.bus && a.device == b.device && a.function == b.function;
}

/* Writes "dddd:bb:dd.f" into name, which has SLOT_NAME bytes, and returns it. */
char *slot_name(struct slot slot, char *name);

#endif

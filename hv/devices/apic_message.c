/* SPDX-License-Identifier: BSD-2-Clause */
#include "apic_message.h"

bool apic_message_from_msi(uint64_t address, uint32_t data, struct apic_message *message)
{
    if (address >> 20 != 0xfee)
        return false;
    *message = (struct apic_message){
        .destination = address >> 12 & 0xff,
        .logical = address & 4,
        .vector = (uint8_t)data,
        .delivery = data >> 8 & 7,
        .level = data >> 15 & 1,
    };
    return true;
}

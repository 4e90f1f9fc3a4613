/* SPDX-License-Identifier: BSD-2-Clause */
#include "slot.h"

#include <stdio.h>

char *slot_name(struct slot slot, char *name)
{
    snprintf(name, SLOT_NAME, "%04x:%02x:%02x.%x", slot.domain, slot.bus, slot.device & 0x1fu,
             slot.function & 7u);
    return name;
}

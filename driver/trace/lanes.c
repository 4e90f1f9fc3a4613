/* SPDX-License-Identifier: BSD-2-Clause */
#include "lanes.h"

#include <stdio.h>

static char pin_of(const struct trace_entry *entry)
{
    return entry->n_dw >= 2 && (entry->dw[1] & 0xf8) == 0x20 ? (char)('A' + (entry->dw[1] & 3)) : '?';
}

struct lane *lanes_find(struct lanes *lanes, const struct trace_header *header,
                        const struct trace_entry *entry)
{
    if (entry->kind == TRACE_TLP)
        return NULL;
    const bool wire = entry->kind == TRACE_INTX;
    const struct lane wanted = {.slot = trace_slot(header, entry),
                                .wire = wire,
                                .pin = wire ? pin_of(entry) : 0,
                                .port = entry->port};
    for (unsigned i = 0; i < lanes->n; i++) {
        struct lane *lane = &lanes->lane[i];
        /* A wire that fell with its link has no message to tell its pin: it is the function's wire known. */
        const bool same_pin = lane->pin == wanted.pin || wanted.pin == '?';
        if (slot_equal(lane->slot, wanted.slot) && lane->wire == wire && lane->port == wanted.port &&
            same_pin)
            return lane;
    }
    if (lanes->n == LANES_MAX) {
        lanes->left_out++;
        return NULL;
    }
    lanes->lane[lanes->n] = wanted;
    return &lanes->lane[lanes->n++];
}

char *lane_name(const struct lane *lane, char name[LANE_NAME])
{
    char slot[SLOT_NAME];
    slot_name(lane->slot, slot);
    if (lane->wire && lane->port == 0)
        snprintf(name, LANE_NAME, "root: INT%c", lane->pin);
    else if (lane->wire)
        snprintf(name, LANE_NAME, "%s INT%c", slot, lane->pin);
    else
        snprintf(name, LANE_NAME, "%s messages", slot);
    return name;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splits the answer to a memory read into completions (PCIe Base 5.0, 2.3.1.1): at Max_Payload_Size, and
 * only on Read Completion Boundaries.
 */
#ifndef COMPLETER_H
#define COMPLETER_H

#include "tlp.h"

struct completer {
    struct tlp tlp; /* the next completion */
    const uint32_t *payload;
    uint64_t address;
    unsigned bytes_left;
    unsigned max_payload;
    unsigned boundary;
};

/*
 * payload: request->length DW, kept until the last completion is out.
 * @pre boundary is 64 or 128, max_payload a multiple of it
 */
void completer_begin(struct completer *c, const struct tlp *request, uint16_t id, const uint32_t *payload,
                     unsigned max_payload, unsigned boundary);

/* Sets c->tlp to the next completion; false when all are out. */
bool completer_next(struct completer *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration space of the relay itself, function 0. On a card the hard block of the FPGA answers it,
 * outside the circuit; here this file does.
 */
#ifndef RELAY_CONFIG_H
#define RELAY_CONFIG_H

#include "config_space.h"
#include "tlp.h"

enum { RELAY_VENDOR = 0x1209, RELAY_DEVICE = 0x5160 };

struct relay_config {
    struct config_space space;
};

void relay_config_init(struct relay_config *r);
void relay_config_reset(struct relay_config *r);

/*
 * Answers CfgRd0 and CfgWr0; the completion's payload is *payload. True: software asked for a function-level
 * reset. @pre request is of these kinds
 */
bool relay_config_answer(struct relay_config *r, const struct tlp *request, struct tlp *completion,
                         uint32_t *payload);

#endif

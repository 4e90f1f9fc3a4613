/* SPDX-License-Identifier: BSD-2-Clause */
#include "relay_config.h"

#include "relay_regs.h"

#include <byteswap.h>

enum { CLASS_OTHER_SYSTEM_PERIPHERAL = 0x088000, RELAY_MAX_PAYLOAD = 128 };

void relay_config_init(struct relay_config *r)
{
    static const struct config_identity identity = {
        .vendor = RELAY_VENDOR,
        .device = RELAY_DEVICE,
        .subsystem_vendor = RELAY_VENDOR,
        .subsystem = RELAY_DEVICE,
        .class_code = CLASS_OTHER_SYSTEM_PERIPHERAL,
        .revision = 1,
    };
    config_init(&r->space, &identity);
    config_add_bar(&r->space, 0, RELAY_BAR_BYTES, false, false);
    config_add_pcie(&r->space, RELAY_MAX_PAYLOAD);
    config_seal(&r->space);
}

void relay_config_reset(struct relay_config *r)
{
    config_reset(&r->space);
}

bool relay_config_answer(struct relay_config *r, const struct tlp *request, struct tlp *completion,
                         uint32_t *payload)
{
    *completion = tlp_completion(request, request->target, TLP_SC);
    if (request->kind == TLP_CFGRD0) {
        *payload = bswap_32(config_get32(&r->space, request->reg));
        completion->kind = TLP_CPLD;
        completion->length = 1;
        completion->payload = payload;
        return false;
    }
    uint32_t value = bswap_32(request->payload[0]);
    config_write(&r->space, request->reg, value, request->first_be);
    return request->reg == r->space.pcie + PCI_EXP_DEVCTL && request->first_be & 2 &&
           value & PCI_EXP_DEVCTL_BCR_FLR;
}

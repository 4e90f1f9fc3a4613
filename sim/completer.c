/* SPDX-License-Identifier: BSD-2-Clause */
#include "completer.h"

void completer_begin(struct completer *c, const struct tlp *request, uint16_t id, const uint32_t *payload,
                     unsigned max_payload, unsigned boundary)
{
    c->tlp = tlp_completion(request, id, TLP_SC);
    c->tlp.kind = request->kind == TLP_MRDLK ? TLP_CPLDLK : TLP_CPLD;
    c->payload = payload;
    c->address = request->address + tlp_be_offset(request);
    c->bytes_left = c->tlp.byte_count;
    c->max_payload = max_payload;
    c->boundary = boundary;
}

bool completer_next(struct completer *c)
{
    if (!c->bytes_left) {
        return false;
    }
    /* From a start in the middle, the payload of max_payload would end off a boundary: end on one before. */
    uint64_t start = c->address & ~UINT64_C(3);
    uint64_t end = (start + c->max_payload) & ~(uint64_t)(c->boundary - 1);
    uint64_t last = c->address + c->bytes_left;
    if (end > last) {
        end = last;
    }
    c->tlp.byte_count = (uint16_t)c->bytes_left;
    c->tlp.lower_address = (uint8_t)(c->address & 0x7f);
    c->tlp.length = (uint16_t)((end - start + 3) / 4);
    c->tlp.payload = c->payload;
    c->payload += c->tlp.length;
    c->bytes_left -= (unsigned)(end - c->address);
    c->address = end;
    return true;
}

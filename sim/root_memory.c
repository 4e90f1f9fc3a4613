/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory requests of the functions.
 *
 * Writes to mapped guest memory land at once, in the order of the TLPs; so memory is up to date before an
 * interrupt that follows is handed to the host. Reads of mapped memory are answered at once; others are
 * asked of the host, and nothing waits for its answer.
 */
#include "root_internal.h"

#include "completer.h"

enum { BOUNDARY = 64, BYTES = TLP_MAX_PAYLOAD_DW * 4 };

/* The function that may make requests under this number; -1: none, counted. */
static int master_of(struct root *r, uint16_t requester)
{
    unsigned f = requester & 7;
    if ((requester & 0xfff8) != r->card || !root_present(r, f)) {
        r->counters.strangers++;
        return -1;
    }
    if (!config_bus_master(&r->functions[f].shadow) || !r->functions[f].ops) {
        r->counters.no_bus_master++;
        return -1;
    }
    return (int)f;
}

static bool enabled(const struct tlp *t, unsigned byte)
{
    unsigned dw = byte / 4;
    unsigned be = dw == 0 ? t->first_be : dw == t->length - 1u ? t->last_be : 15;
    return be >> byte % 4 & 1;
}

static void write_run(struct root *r, unsigned f, uint64_t address, const uint8_t *bytes, size_t n)
{
    struct root_function *function = &r->functions[f];
    if (guest_memory_write(function->memory, address, bytes, n)) {
        r->counters.memory_writes++;
    } else {
        r->counters.host_writes++;
        function->ops->write(function->host, address, bytes, n);
    }
}

void memory_write(struct root *r, const struct tlp *t)
{
    int f = master_of(r, t->requester);
    if (f < 0) {
        return;
    }
    if (t->ep) {
        r->counters.poisoned++;
        return;
    }
    uint8_t bytes[BYTES];
    unsigned total = t->length * 4u;
    tlp_get_bytes(t->payload, 0, bytes, total);
    /* Each run of enabled bytes: nearly always one. */
    for (unsigned start = 0; start < total;) {
        if (!enabled(t, start)) {
            start++;
            continue;
        }
        unsigned end = start;
        while (end < total && enabled(t, end)) {
            end++;
        }
        write_run(r, (unsigned)f, t->address + start, bytes + start, end - start);
        start = end;
    }
}

void root_refuse(struct root *r, const struct tlp *request)
{
    if (tlp_class(request->kind) == TLP_NONPOSTED) {
        struct tlp c = tlp_completion(request, ROOT_ID, TLP_UR);
        root_send(r, &c);
    }
}

static void complete(struct root *r, unsigned f, const struct tlp *request, const uint8_t *bytes)
{
    uint32_t payload[TLP_MAX_PAYLOAD_DW];
    unsigned offset = tlp_be_offset(request), count = tlp_be_bytes(request);
    payload[0] = payload[request->length - 1] = 0;
    tlp_put_bytes(payload, offset, bytes, count);
    struct completer completer;
    completer_begin(&completer, request, ROOT_ID, payload, config_max_payload(&r->functions[f].shadow),
                    BOUNDARY);
    while (completer_next(&completer)) {
        root_send(r, &completer.tlp);
    }
}

static bool ask_host(struct root *r, unsigned f, const struct tlp *t)
{
    struct root_function *function = &r->functions[f];
    for (unsigned i = 0; i < ROOT_READS; i++) {
        if (!r->reads[i].used) {
            uint64_t address = t->address + tlp_be_offset(t);
            if (!function->ops->read(function->host, address, tlp_be_bytes(t), i)) {
                return false;
            }
            r->reads[i].used = true;
            r->reads[i].function = f;
            r->reads[i].request = *t;
            r->reads_used++;
            r->counters.host_reads++;
            return true;
        }
    }
    return false;
}

void memory_read(struct root *r, const struct tlp *t)
{
    int f = master_of(r, t->requester);
    if (f < 0) {
        /* A completion to a stranger finds no way down, and the requester times out: as in a real machine. */
        root_refuse(r, t);
        return;
    }
    uint8_t bytes[BYTES];
    if (guest_memory_read(r->functions[f].memory, t->address + tlp_be_offset(t), bytes, tlp_be_bytes(t))) {
        r->counters.memory_reads++;
        complete(r, (unsigned)f, t, bytes);
    } else if (!ask_host(r, (unsigned)f, t)) {
        r->counters.unmapped_reads++;
        root_refuse(r, t);
    }
}

void root_read_done(struct root *r, unsigned cookie, const uint8_t *bytes, size_t n)
{
    if (cookie >= ROOT_READS || !r->reads[cookie].used) {
        r->counters.unexpected++;
        return;
    }
    r->reads[cookie].used = false;
    r->reads_used--;
    const struct tlp *request = &r->reads[cookie].request;
    if (bytes && n == tlp_be_bytes(request)) {
        complete(r, r->reads[cookie].function, request, bytes);
    } else {
        r->counters.unmapped_reads++;
        root_refuse(r, request);
    }
}

void reads_forget(struct root *r, unsigned function)
{
    for (unsigned i = 0; i < ROOT_READS; i++) {
        if (r->reads[i].used && r->reads[i].function == function) {
            root_read_done(r, i, NULL, 0);
        }
    }
}

bool memory_bypass(void *self, uint16_t requester, bool write, uint64_t address, void *bytes, size_t n)
{
    struct root *r = self;
    int f = master_of(r, requester);
    if (f < 0) {
        return false;
    }
    struct guest_memory *memory = r->functions[f].memory;
    return write ? guest_memory_write(memory, address, bytes, n)
                 : guest_memory_read(memory, address, bytes, n);
}

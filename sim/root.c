/* SPDX-License-Identifier: BSD-2-Clause */
#include "root_internal.h"

#include <byteswap.h>
#include <stdlib.h>
#include <string.h>

static void root_receive(void *self, const uint32_t *dw, size_t n);

/* ---- the host's accesses ------------------------------------------------------------------------ */

struct root *root_open(struct board *board, const struct root_options *options)
{
    struct root *r = calloc(1, sizeof *r);
    if (!r) {
        return NULL;
    }
    r->board = board;
    r->card = (uint16_t)(options->bus << 8 | (options->device & 31) << 3);
    r->timeout_ns = options->timeout_ms * UINT64_C(1000000);
    r->last = &r->first;
    for (unsigned p = 0; p < PINS; p++) {
        r->pins[p].carrier = -1;
    }
    board_connect(board, &(struct board_root){.receive = root_receive,
                                              .bypass = options->bypass_dma ? memory_bypass : NULL,
                                              .self = r});
    return r;
}

void root_close(struct root *r)
{
    free(r);
}

void root_send(struct root *r, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    board_send(r->board, dw, tlp_pack(t, dw));
}

/* Tells the circuit where a port's memory lies; it has MODEL_BARS windows a port. */
static void apply_windows(struct root *r, unsigned f)
{
    const struct config_space *c = &r->functions[f].shadow;
    unsigned window = 0;
    if (f == 0) {
        return; /* the board sees to the relay's own */
    }
    for (unsigned i = 0; i < CONFIG_BARS && window < MODEL_BARS; i++) {
        uint64_t base = 0;
        if (c->bar_size[i]) {
            bool enabled = config_bar_base(c, i, &base);
            board_set_window(r->board, f, window++, enabled, base, c->bar_size[i]);
        }
    }
}

/* The function took a configuration write: the shadow follows. */
static void follow_write(struct root *r, unsigned f, unsigned reg, uint32_t value, unsigned byte_enables)
{
    struct config_space *c = &r->functions[f].shadow;
    unsigned devctl = c->pcie + (unsigned)PCI_EXP_DEVCTL;
    bool flr = c->pcie && reg == devctl && byte_enables & 2 && value & PCI_EXP_DEVCTL_BCR_FLR;
    config_write(c, reg, value, byte_enables);
    if (flr) {
        config_reset(c);
        if (f) {
            board_release_wires(r->board, f);
        }
    }
    apply_windows(r, f);
    lines_update(r);
}

/* There's always one: TAGS_AN_ACCESS for each function. */
static unsigned free_tag(const struct root *r)
{
    unsigned tag = r->next_tag;
    while (r->tags[tag].access) {
        tag = (tag + 1) % ROOT_TAGS;
    }
    return tag;
}

static void unlink_access(struct root *r, struct root_access *access)
{
    struct root_access **link = &r->first;
    while (*link != access) {
        link = &(*link)->next;
    }
    *link = access->next;
    if (r->last == &access->next) {
        r->last = link;
    }
}

static void settle(struct root *r, struct root_access *access)
{
    if (access->issued == access->count && access->outstanding == 0) {
        unlink_access(r, access);
        access->done(access);
    }
}

/* Bytes of the next request: within one DW of configuration, or one 64-byte line of a BAR. */
static unsigned next_part(const struct root_access *a)
{
    unsigned line = a->region == ROOT_CONFIG ? 4 : 64;
    unsigned room = line - (unsigned)((a->offset + a->issued) % line), left = a->count - a->issued;
    return left < room ? left : room;
}

static struct tlp request_for(const struct root *r, const struct root_access *a, unsigned part, uint64_t base)
{
    struct tlp t = {.requester = ROOT_ID};
    uint64_t offset = a->offset + a->issued;
    if (a->region == ROOT_CONFIG) {
        tlp_set_range(&t, offset, part);
        t.kind = a->write ? TLP_CFGWR0 : TLP_CFGRD0;
        t.target = (uint16_t)(r->card | a->function);
        t.reg = (uint16_t)t.address;
    } else {
        tlp_set_range(&t, base + offset, part);
        t.kind = a->write ? TLP_MWR : TLP_MRD;
    }
    return t;
}

/*
 * A function may use bus mastering as soon as it has the write that allows it: its requests can get here
 * before the write's completion, so the shadow is ahead there.
 */
static void foresee(struct root *r, unsigned f, unsigned reg, uint32_t value, unsigned byte_enables)
{
    if (reg == PCI_COMMAND && byte_enables & 1) {
        r->functions[f].shadow.bytes[PCI_COMMAND] |= value & PCI_COMMAND_MASTER;
    }
}

/* Sends the next part. */
static void issue(struct root *r, struct root_access *a, uint64_t base)
{
    uint32_t payload[17] = {0};
    unsigned part = next_part(a);
    struct tlp t = request_for(r, a, part, base);
    bool posted = t.kind == TLP_MWR;
    unsigned tag = posted ? 0 : free_tag(r);
    t.tag = (uint16_t)tag;
    if (a->write) {
        tlp_put_bytes(payload, tlp_be_offset(&t), a->bytes + a->issued, part);
        t.payload = payload;
    }
    if (!posted) {
        r->next_tag = (tag + 1) % ROOT_TAGS;
        r->tags[tag].access = a;
        r->tags[tag].request = t;
        r->tags[tag].request.payload = NULL;
        r->tags[tag].value = bswap_32(payload[0]);
        r->tags[tag].at = a->issued;
        r->tags[tag].bytes = part;
        r->tags[tag].expires_ns = 0;
        r->tags_used++;
        a->outstanding++;
    }
    a->issued += part;
    if (t.kind == TLP_CFGWR0) {
        foresee(r, a->function, t.reg, bswap_32(payload[0]), t.first_be);
    }
    root_send(r, &t);
}

static void advance(struct root *r, struct root_access *a)
{
    uint64_t base = 0;
    bool reachable =
        a->region == ROOT_CONFIG || config_bar_base(&r->functions[a->function].shadow, a->region, &base);
    if (!reachable && a->issued < a->count) {
        r->counters.refused_down++;
        a->issued = a->count;
    }
    /* A completion can come while its request is being sent (function 0): it must not start the next one. */
    a->advancing = true;
    while (a->issued < a->count && a->outstanding < TAGS_AN_ACCESS) {
        issue(r, a, base);
    }
    a->advancing = false;
    settle(r, a);
}

void root_submit(struct root *r, struct root_access *a)
{
    r->counters.accesses++;
    a->next = NULL;
    a->issued = 0;
    a->outstanding = 0;
    a->advancing = false;
    if (!a->write) {
        memset(a->bytes, 0xff, a->count);
    }
    uint64_t size = root_region_size(r, a->function, a->region);
    if (a->offset > size || a->count > size - a->offset) {
        r->counters.refused_down++;
        a->done(a);
        return;
    }
    if (lines_swallow(r, a)) {
        a->done(a);
        return;
    }
    *r->last = a;
    r->last = &a->next;
    advance(r, a);
}

static void release_tag(struct root *r, unsigned tag)
{
    struct root_access *a = r->tags[tag].access;
    r->tags[tag].access = NULL;
    r->tags_used--;
    a->outstanding--;
    if (!a->advancing) {
        advance(r, a);
    }
}

/* Copies what a completion brought for the bytes that were asked for. */
static void take_data(struct root *r, unsigned tag, const struct tlp *c)
{
    struct root_access *a = r->tags[tag].access;
    const struct tlp *request = &r->tags[tag].request;
    unsigned start = r->tags[tag].bytes - c->byte_count; /* bytes of the request that came before */
    unsigned skip = request->kind == TLP_MRD ? c->lower_address & 3u : tlp_be_offset(request);
    unsigned carried = c->length * 4u - skip, left = r->tags[tag].bytes - start;
    tlp_get_bytes(c->payload, skip, a->bytes + r->tags[tag].at + start, carried < left ? carried : left);
}

static void take_completion(struct root *r, const struct tlp *c)
{
    if (c->requester != ROOT_ID || c->tag >= ROOT_TAGS || !r->tags[c->tag].access) {
        r->counters.unexpected++;
        return;
    }
    unsigned tag = c->tag, bytes = r->tags[tag].bytes;
    const struct tlp request = r->tags[tag].request;
    bool memory = request.kind == TLP_MRD, ok = c->status == TLP_SC && !c->ep;
    if (!ok) {
        r->counters.refused_down++;
        release_tag(r, tag);
        return;
    }
    if (!tlp_has_data(request.kind) && (!c->payload || (memory && c->byte_count > bytes))) {
        r->counters.unexpected++;
        return;
    }
    if (request.kind == TLP_CFGWR0) {
        follow_write(r, request.target & 7, request.reg, r->tags[tag].value, request.first_be);
    } else if (memory) {
        take_data(r, tag, c);
        if (c->length * 4u - (c->lower_address & 3u) < c->byte_count) {
            r->tags[tag].expires_ns = 0;
            return; /* more follow */
        }
    } else {
        struct tlp whole = *c;
        whole.byte_count = (uint16_t)bytes;
        take_data(r, tag, &whole);
    }
    release_tag(r, tag);
}

static bool expire(struct root *r)
{
    uint64_t now = board_now(r->board);
    bool moved = false;
    for (unsigned tag = 0; r->tags_used && tag < ROOT_TAGS; tag++) {
        if (!r->tags[tag].access) {
            continue;
        }
        if (!r->tags[tag].expires_ns) {
            r->tags[tag].expires_ns = now + r->timeout_ns;
        } else if (now >= r->tags[tag].expires_ns) {
            r->counters.timeouts++;
            release_tag(r, tag);
            moved = true;
        }
    }
    return moved;
}

/* ---- from below --------------------------------------------------------------------------------- */

static void root_receive(void *self, const uint32_t *dw, size_t n)
{
    struct root *r = self;
    struct tlp t;
    if (tlp_check(dw, n, MAX_PAYLOAD) != TLP_OK) {
        r->counters.malformed++;
        return;
    }
    tlp_unpack(&t, dw, n);
    switch (t.kind) {
    case TLP_CPL:
    case TLP_CPLD:
        take_completion(r, &t);
        break;
    case TLP_MWR:
        memory_write(r, &t);
        break;
    case TLP_MRD:
        memory_read(r, &t);
        break;
    case TLP_MSG:
    case TLP_MSGD:
        take_message(r, &t);
        break;
    default:
        r->counters.unsupported++;
        root_refuse(r, &t);
        break;
    }
}

/* ---- the functions ------------------------------------------------------------------------------ */

struct sync {
    struct root_access access;
    bool done;
};

static void sync_done(struct root_access *access)
{
    ((struct sync *)access)->done = true;
}

/* One DW of configuration space, waited for. True when the function answered. */
static bool configure(struct root *r, unsigned f, unsigned reg, bool write, uint32_t *value)
{
    uint64_t refused = r->counters.refused_down, timeouts = r->counters.timeouts;
    struct sync sync = {.access = {.function = f,
                                   .region = ROOT_CONFIG,
                                   .offset = reg,
                                   .bytes = (uint8_t *)value,
                                   .count = 4,
                                   .write = write,
                                   .done = sync_done}};
    root_submit(r, &sync.access);
    while (!sync.done) {
        if (board_run(r->board, 1)) {
            board_skip(r->board, root_deadline(r));
        }
        root_work(r);
    }
    return refused == r->counters.refused_down && timeouts == r->counters.timeouts;
}

static void size_bar(struct root *r, unsigned f, unsigned *index)
{
    struct config_space *c = &r->functions[f].shadow;
    unsigned reg = PCI_BASE_ADDRESS_0 + 4 * *index;
    uint32_t type = 0, low = ~0u, high = ~0u, zero = 0;
    configure(r, f, reg, false, &type);
    configure(r, f, reg, true, &low);
    configure(r, f, reg, false, &low);
    configure(r, f, reg, true, &zero);
    bool io = type & PCI_BASE_ADDRESS_SPACE_IO;
    bool wide = (type & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
    if (io || !low) {
        return; /* I/O space is not carried */
    }
    if (wide) {
        configure(r, f, reg + 4, true, &high);
        configure(r, f, reg + 4, false, &high);
        configure(r, f, reg + 4, true, &zero);
    }
    uint64_t mask = (uint64_t)(wide ? high : ~0u) << 32 | (low & PCI_BASE_ADDRESS_MEM_MASK);
    config_put32(c, reg, type & ~(uint32_t)PCI_BASE_ADDRESS_MEM_MASK);
    config_allow32(c, reg, low & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK);
    c->bar_size[*index] = ~mask + 1;
    if (wide) {
        config_allow32(c, reg + 4, high);
        *index += 1;
    }
}

static void read_header(struct root *r, unsigned f)
{
    struct config_space *c = &r->functions[f].shadow;
    for (unsigned reg = 0; reg < PCI_CFG_SPACE_SIZE; reg += 4) {
        uint32_t value = ~0u;
        configure(r, f, reg, false, &value);
        config_put32(c, reg, value);
    }
    c->writable[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    c->writable[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
    c->pcie = (uint16_t)root_capability(r, f, PCI_CAP_ID_EXP);
    if (c->pcie) {
        config_allow32(c, c->pcie + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_READRQ);
    }
}

void root_enumerate(struct root *r)
{
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        uint32_t id = ~0u;
        r->functions[f].shadow = (struct config_space){0};
        r->functions[f].present = true; /* so that it's asked */
        r->functions[f].present = configure(r, f, PCI_VENDOR_ID, false, &id) && (id & 0xffff) != 0xffff;
        if (!r->functions[f].present) {
            continue;
        }
        /* Functions learn their number from a write: one of the cache line size, which nothing depends on. */
        uint32_t nothing = 0;
        configure(r, f, PCI_CACHE_LINE_SIZE, true, &nothing);
        read_header(r, f);
        for (unsigned i = 0; i < CONFIG_BARS; i++) {
            size_bar(r, f, &i);
        }
        config_seal(&r->functions[f].shadow);
        apply_windows(r, f);
    }
}

bool root_present(const struct root *r, unsigned function)
{
    return function < ROOT_FUNCTIONS && r->functions[function].present;
}

uint64_t root_region_size(const struct root *r, unsigned function, unsigned region)
{
    if (!root_present(r, function)) {
        return 0;
    }
    if (region < CONFIG_BARS) {
        return r->functions[function].shadow.bar_size[region];
    }
    return region == ROOT_CONFIG ? CONFIG_BYTES : 0;
}

unsigned root_capability(const struct root *r, unsigned function, uint8_t id)
{
    const struct config_space *c = &r->functions[function].shadow;
    unsigned at = c->bytes[PCI_CAPABILITY_LIST] & ~3u;
    for (unsigned steps = 0; at >= 0x40 && steps < 48; steps++) {
        if (c->bytes[at + PCI_CAP_LIST_ID] == id) {
            return at;
        }
        at = c->bytes[at + PCI_CAP_LIST_NEXT] & ~3u;
    }
    return 0;
}

void root_read_bars(const struct root *r, unsigned function, uint8_t bytes[4 * CONFIG_BARS])
{
    memcpy(bytes, r->functions[function].shadow.bytes + PCI_BASE_ADDRESS_0, (size_t)4 * CONFIG_BARS);
}

unsigned root_interrupt_pin(const struct root *r, unsigned function)
{
    unsigned pin = r->functions[function].shadow.bytes[PCI_INTERRUPT_PIN];
    return pin <= PINS ? pin : 0;
}

void root_reset(struct root *r, unsigned function)
{
    board_reset(r->board, function);
    if (root_present(r, function)) {
        config_reset(&r->functions[function].shadow);
        apply_windows(r, function);
    }
    lines_update(r);
}

void root_power_cycle(struct root *r)
{
    board_power_cycle(r->board);
    for (unsigned p = 0; p < PINS; p++) {
        r->pins[p].level = false;
        r->pins[p].rising = false;
    }
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        if (root_present(r, f)) {
            config_reset(&r->functions[f].shadow);
            apply_windows(r, f);
        }
    }
    lines_update(r);
}

void root_attach(struct root *r, unsigned function, const struct root_host_ops *ops, void *self,
                 struct guest_memory *memory)
{
    struct root_function *f = &r->functions[function];
    f->ops = ops;
    f->host = self;
    f->memory = memory;
    if (!ops) {
        reads_forget(r, function);
        root_set_line(r, function, false);
    }
}

bool root_work(struct root *r)
{
    bool moved = lines_work(r);
    return (board_idle(r->board) && r->tags_used && expire(r)) || moved;
}

uint64_t root_deadline(const struct root *r)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned tag = 0; r->tags_used && tag < ROOT_TAGS; tag++) {
        if (r->tags[tag].access && r->tags[tag].expires_ns && r->tags[tag].expires_ns < earliest) {
            earliest = r->tags[tag].expires_ns;
        }
    }
    return earliest;
}

bool root_busy(const struct root *r)
{
    return r->first || r->reads_used;
}

bool root_waits_for_host(const struct root *r)
{
    return r->reads_used;
}

const struct root_counters *root_counters(const struct root *r)
{
    return &r->counters;
}

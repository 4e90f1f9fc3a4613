/* SPDX-License-Identifier: BSD-2-Clause */
#include "endpoint.h"

#include "completer.h"

#include <byteswap.h>

enum { BOUNDARY = 128 }; /* Read Completion Boundary of an endpoint */

static struct endpoint *endpoint_of(struct function *f)
{
    return (struct endpoint *)f;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void send_message(void *owner, uint64_t address, uint32_t data)
{
    struct endpoint *e = owner;
    uint32_t dw[TLP_MAX_DW], payload = bswap_32(data);
    struct tlp tlp = {.kind = TLP_MWR, .requester = e->id, .payload = &payload};
    tlp_set_range(&tlp, address, 4);
    function_send(&e->function, dw, tlp_pack(&tlp, dw));
    e->counters.messages++;
}

bool endpoint_raise(struct endpoint *e, unsigned vector)
{
    return msi_raise(&e->msi, vector);
}

/* Sends the INTx message that the wanted level, Interrupt Disable and MSI Enable ask for. */
static void update_intx(struct endpoint *e)
{
    unsigned pin = e->config.bytes[PCI_INTERRUPT_PIN];
    bool disabled = config_get16(&e->config, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
    bool level = e->intx_wanted && !disabled && !msi_enabled(&e->msi);
    uint16_t status = config_get16(&e->config, PCI_STATUS) & (uint16_t)~PCI_STATUS_INTERRUPT;
    config_put16(&e->config, PCI_STATUS, e->intx_wanted ? status | PCI_STATUS_INTERRUPT : status);
    if (!pin || level == e->intx_sent) {
        return;
    }
    e->intx_sent = level;
    /* The Function Number of INTx messages is 0 (PCIe Base 5.0, 2.2.8.1). */
    struct tlp tlp = {.kind = TLP_MSG,
                      .routing = TLP_LOCAL,
                      .requester = e->id & 0xfff8,
                      .code = (uint8_t)((level ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA) + pin - 1)};
    uint32_t dw[TLP_MAX_DW];
    function_send(&e->function, dw, tlp_pack(&tlp, dw));
}

void endpoint_set_intx(struct endpoint *e, bool level)
{
    e->intx_wanted = level;
    update_intx(e);
}

/* ---- requests to the function ------------------------------------------------------------------- */

static void refuse(struct endpoint *e, const struct tlp *request)
{
    e->counters.unsupported++;
    if (tlp_class(request->kind) == TLP_NONPOSTED) {
        uint32_t dw[TLP_MAX_DW];
        struct tlp c = tlp_completion(request, e->id, TLP_UR);
        function_send(&e->function, dw, tlp_pack(&c, dw));
    }
}

static void reset_state(struct endpoint *e)
{
    dma_cancel(&e->dma);
    config_reset(&e->config);
    msi_reset(&e->msi);
    e->intx_wanted = false;
    e->mute = false;
    if (e->ops->reset) {
        e->ops->reset(e);
    }
}

static void configuration_read(struct endpoint *e, const struct tlp *request)
{
    uint32_t dw[TLP_MAX_DW], payload = bswap_32(config_get32(&e->config, request->reg));
    struct tlp c = tlp_completion(request, e->id, TLP_SC);
    c.kind = TLP_CPLD;
    c.length = 1;
    c.payload = &payload;
    function_send(&e->function, dw, tlp_pack(&c, dw));
}

static void configuration_write(struct endpoint *e, const struct tlp *request)
{
    uint32_t dw[TLP_MAX_DW], value = bswap_32(request->payload[0]);
    unsigned devctl = e->config.pcie + PCI_EXP_DEVCTL;
    bool flr = request->reg == devctl && request->first_be & 2 && value & PCI_EXP_DEVCTL_BCR_FLR;

    struct tlp c = tlp_completion(request, e->id, TLP_SC);
    if (request->ep) {
        e->counters.poisoned++;
        c.status = TLP_UR; /* 2.7.2.2 */
    } else {
        config_write(&e->config, request->reg, value, request->first_be);
        update_intx(e);
        msi_update(&e->msi);
    }
    function_send(&e->function, dw, tlp_pack(&c, dw));
    if (request->ep) {
        return;
    }
    if (flr) {
        e->counters.flr++;
        reset_state(e);
        update_intx(e); /* a wire that the function had asserted is released (6.6.2) */
    }
    if (e->ops->configured) {
        e->ops->configured(e, request->reg);
    }
}

/* Index of the BAR that holds a whole request, and the offset in it; -1: none. */
static int find_bar(const struct endpoint *e, const struct tlp *request, uint32_t *offset)
{
    for (unsigned i = 0; i < CONFIG_BARS; i++) {
        uint64_t base;
        if (config_bar_base(&e->config, i, &base) && request->address >= base &&
            request->address - base + request->length * 4u <= e->config.bar_size[i]) {
            *offset = (uint32_t)(request->address - base);
            return (int)i;
        }
    }
    return -1;
}

/* The next aligned access of 1, 2 or 4 bytes within a DW's byte enables; its size, 0: none left. */
static unsigned next_access(unsigned *byte_enables, unsigned *at)
{
    if (!*byte_enables) {
        return 0;
    }
    *at = (unsigned)__builtin_ctz(*byte_enables);
    unsigned size = *byte_enables == 15 ? 4 : (*at % 2 == 0 && (*byte_enables >> *at & 3) == 3) ? 2 : 1;
    *byte_enables &= ~(((1u << size) - 1) << *at);
    return size;
}

static uint32_t read_dw(struct endpoint *e, unsigned bar, uint32_t offset, unsigned byte_enables)
{
    if (msix_owns(&e->msi, bar, offset)) {
        return msix_read(&e->msi, offset);
    }
    uint32_t value = 0;
    unsigned at, size;
    while (e->ops->bar_read && (size = next_access(&byte_enables, &at))) {
        value |= e->ops->bar_read(e, bar, offset + at, size) << 8 * at;
    }
    return value;
}

static void write_dw(struct endpoint *e, unsigned bar, uint32_t offset, unsigned byte_enables, uint32_t value)
{
    if (msix_owns(&e->msi, bar, offset)) {
        msix_write(&e->msi, offset, value, byte_enables);
        return;
    }
    unsigned at, size;
    while (e->ops->bar_write && (size = next_access(&byte_enables, &at))) {
        uint32_t part = value >> 8 * at & (size == 4 ? ~0u : (1u << 8 * size) - 1);
        e->ops->bar_write(e, bar, offset + at, size, part);
    }
}

static unsigned enables_of(const struct tlp *t, unsigned dw)
{
    return dw == 0 ? t->first_be : dw == t->length - 1u ? t->last_be : 15;
}

static void memory_read(struct endpoint *e, const struct tlp *request)
{
    uint32_t payload[TLP_MAX_PAYLOAD_DW], dw[TLP_MAX_DW], offset;
    int bar = find_bar(e, request, &offset);
    if (bar < 0) {
        refuse(e, request);
        return;
    }
    for (unsigned i = 0; i < request->length; i++) {
        payload[i] = bswap_32(read_dw(e, (unsigned)bar, offset + 4 * i, enables_of(request, i)));
    }
    struct completer completer;
    completer_begin(&completer, request, e->id, payload, config_max_payload(&e->config), BOUNDARY);
    while (!e->mute && completer_next(&completer)) {
        function_send(&e->function, dw, tlp_pack(&completer.tlp, dw));
    }
}

static void memory_write(struct endpoint *e, const struct tlp *request)
{
    uint32_t offset;
    int bar = find_bar(e, request, &offset);
    if (bar < 0) {
        refuse(e, request);
        return;
    }
    if (request->ep) {
        e->counters.poisoned++;
        return;
    }
    for (unsigned i = 0; i < request->length; i++) {
        write_dw(e, (unsigned)bar, offset + 4 * i, enables_of(request, i), bswap_32(request->payload[i]));
    }
}

static void endpoint_receive(struct function *f, const uint32_t *dw, size_t n)
{
    struct endpoint *e = endpoint_of(f);
    struct tlp t;
    if (tlp_unpack(&t, dw, n)) {
        e->counters.unsupported++;
        return;
    }
    switch (t.kind) {
    case TLP_CFGRD0:
        configuration_read(e, &t);
        break;
    case TLP_CFGWR0:
        e->id = t.target; /* functions learn their number from configuration writes (2.2.6.2) */
        configuration_write(e, &t);
        break;
    case TLP_MRD:
        memory_read(e, &t);
        break;
    case TLP_MWR:
        memory_write(e, &t);
        break;
    case TLP_CPL:
    case TLP_CPLD:
        dma_complete(&e->dma, &t);
        break;
    case TLP_MSG:
    case TLP_MSGD:
        break; /* power management and the like: nothing to do */
    default:
        refuse(e, &t);
        break;
    }
}

/* ---- the rest of the interface ------------------------------------------------------------------ */

static bool endpoint_work(struct function *f, uint64_t now_ns, bool idle)
{
    struct endpoint *e = endpoint_of(f);
    bool moved = dma_work(&e->dma, now_ns, idle);
    return (e->ops->work && e->ops->work(e, now_ns)) || moved;
}

static uint64_t endpoint_deadline(const struct function *f)
{
    const struct endpoint *e = (const struct endpoint *)f;
    uint64_t own = e->ops->deadline ? e->ops->deadline(e) : UINT64_MAX, dma = dma_deadline(&e->dma);
    return own < dma ? own : dma;
}

static void endpoint_reset(struct function *f)
{
    struct endpoint *e = endpoint_of(f);
    e->intx_sent = false; /* the circuit releases the wires of a port in reset */
    dma_reset(&e->dma);
    reset_state(e);
}

static void endpoint_close(struct function *f)
{
    struct endpoint *e = endpoint_of(f);
    dma_cancel(&e->dma);
    e->ops->close(e);
}

static const struct function_ops function_ops = {
    .receive = endpoint_receive,
    .work = endpoint_work,
    .deadline = endpoint_deadline,
    .reset = endpoint_reset,
    .close = endpoint_close,
};

void endpoint_init(struct endpoint *e, const struct endpoint_ops *ops, const struct config_identity *identity)
{
    e->function.ops = &function_ops;
    e->ops = ops;
    config_init(&e->config, identity);
    msi_init(&e->msi, &e->config, send_message, e);
    dma_init(&e->dma, &e->function, &e->config, &e->id, ENDPOINT_TIMEOUT_MS * UINT64_C(1000000));
}

void endpoint_ready(struct endpoint *e)
{
    config_add_pcie(&e->config, ENDPOINT_MAX_PAYLOAD);
    config_seal(&e->config);
}

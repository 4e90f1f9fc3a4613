/* SPDX-License-Identifier: BSD-2-Clause */
#include "isolation.h"

#include "relay_regs.h"

static int get(struct card *card, uint32_t offset, uint32_t *value)
{
    return card_read(card, offset, value);
}

/* Two registers, the lower half first. */
static int get64(struct card *card, uint32_t low, uint32_t high, uint64_t *value)
{
    uint32_t halves[2] = {0, 0};
    int error = get(card, low, &halves[0]);
    if (!error)
        error = get(card, high, &halves[1]);
    *value = (uint64_t)halves[1] << 32 | halves[0];
    return error;
}

static int read_window(struct card *card, unsigned i, struct isolation_window *window)
{
    int error = get64(card, RELAY_DMA_BASE_LO(i), RELAY_DMA_BASE_HI(i), &window->base);
    if (!error)
        error = get64(card, RELAY_DMA_BOUND_LO(i), RELAY_DMA_BOUND_HI(i), &window->bound);
    if (!error)
        error = get64(card, RELAY_DMA_OFFSET_LO(i), RELAY_DMA_OFFSET_HI(i), &window->offset);
    window->open = window->base & RELAY_DMA_BASE_LO_OPEN;
    window->base &= ~UINT64_C(0xfff);
    return error;
}

int isolation_read_port(struct card *card, unsigned port, struct isolation_port *state)
{
    uint32_t control = 0, fault = 0;
    *state = (struct isolation_port){0};
    int error = get(card, RELAY_DMA_CTRL(port), &control);
    for (unsigned w = 0; !error && w < ISOLATION_WINDOWS; w++)
        error = read_window(card, ISOLATION_WINDOWS * port + w, &state->window[w]);
    if (error || (error = get(card, RELAY_DMA_BLOCKED(port), &state->blocked)) ||
        (error = get(card, RELAY_MSI_REFUSED(port), &state->refused)) ||
        (error = get(card, RELAY_DMA_FAULT(port), &fault)) ||
        (error = get64(card, RELAY_DMA_FAULT_ADDR_LO(port), RELAY_DMA_FAULT_ADDR_HI(port), &state->address)))
        return error;
    state->checked = control & RELAY_DMA_CTRL_ENABLE;
    state->fault = fault & RELAY_DMA_FAULT_VALID;
    state->more = fault & RELAY_DMA_FAULT_MORE;
    state->reason = RELAY_GET(fault, RELAY_DMA_FAULT_REASON);
    state->type = RELAY_GET(fault, RELAY_DMA_FAULT_TYPE);
    state->requester = (uint16_t)RELAY_GET(fault, RELAY_DMA_FAULT_REQUESTER);
    return 0;
}

int isolation_read_rewrite(struct card *card, unsigned index, struct isolation_rewrite *rewrite)
{
    uint32_t address = 0;
    *rewrite = (struct isolation_rewrite){0};
    int error = get(card, RELAY_SRC_MSG_ADDR(index), &address);
    if (!error)
        error = get(card, RELAY_SRC_MSG_DATA(index), &rewrite->data);
    rewrite->rewritten = address & RELAY_SRC_MSG_ADDR_REWRITE;
    rewrite->address = address & ~3u;
    return error;
}

const char *isolation_reason(unsigned reason)
{
    switch (reason) {
    case RELAY_DMA_FAULT_REASON_OUTSIDE:
        return "in no open window";
    case RELAY_DMA_FAULT_REASON_REQUESTER:
        return "in another function's name";
    case RELAY_DMA_FAULT_REASON_KIND:
        return "of a kind that does not pass";
    case RELAY_DMA_FAULT_REASON_MESSAGE:
        return "an interrupt that is not to be";
    default:
        return "for an unknown reason";
    }
}

const char *isolation_kind(unsigned type)
{
    switch (type & ~0x20u) { /* three or four header DW */
    case 0x00:
        return "read";
    case 0x40:
        return "write";
    case 0x4c:
    case 0x4d:
    case 0x4e:
        return "AtomicOp";
    default:
        return (type & 0x18) == 0x10 ? "message" : "request";
    }
}

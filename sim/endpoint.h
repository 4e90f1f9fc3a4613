/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every function written in C shares: configuration space, BAR accesses as a completer, DMA, INTx, MSI
 * and MSI-X, resets. A function fills in struct endpoint_ops and builds its configuration space.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "config_space.h"
#include "dma.h"
#include "function.h"
#include "msi.h"

struct endpoint;

struct endpoint_ops {
    /*
     * BAR accesses: 1, 2 or 4 bytes, aligned. MSI-X tables are answered before. Either may be null: reads as
     * 0, writes without effect.
     */
    uint32_t (*bar_read)(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size);
    void (*bar_write)(struct endpoint *e, unsigned bar, uint32_t offset, unsigned size, uint32_t value);
    /* After a configuration write took effect. May be null. */
    void (*configured)(struct endpoint *e, unsigned reg);
    /* Does what is due; true when it did something. May be null. */
    bool (*work)(struct endpoint *e, uint64_t now_ns);
    /* As in function_ops. May be null: never. */
    uint64_t (*deadline)(const struct endpoint *e);
    /* The function's own state back to power-on; DMA is cancelled already. May be null. */
    void (*reset)(struct endpoint *e);
    /* Frees what the function holds, itself included. */
    void (*close)(struct endpoint *e);
};

struct endpoint_counters {
    uint64_t unsupported; /* requests answered UR, or posted ones dropped */
    uint64_t poisoned;    /* poisoned writes, dropped */
    uint64_t messages;    /* MSI and MSI-X sent */
    uint64_t flr;
};

struct endpoint {
    struct function function;
    const struct endpoint_ops *ops;
    struct config_space config;
    struct msi msi;
    struct dma dma;
    uint16_t id; /* as the last configuration write told */
    bool intx_wanted;
    bool intx_sent;
    struct endpoint_counters counters;
    /* Completions for requests to BARs are not sent (a function that hangs). */
    bool mute;
};

enum { ENDPOINT_MAX_PAYLOAD = 512, ENDPOINT_TIMEOUT_MS = 1000 };

/* First thing; then config_add_bar, msi_add … on e->config and e->msi; then endpoint_ready. */
void endpoint_init(struct endpoint *e, const struct endpoint_ops *ops,
                   const struct config_identity *identity);
void endpoint_ready(struct endpoint *e);

/* The level of the function's INTx pin; Interrupt Disable and MSI are seen to. @pre the function has a pin */
void endpoint_set_intx(struct endpoint *e, bool level);

/* Raises a vector if MSI-X or MSI is on; false if neither is: then the function uses its pin. */
bool endpoint_raise(struct endpoint *e, unsigned vector);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The mechanisms of the hypervisor: one bit each in a switchboard, on or off (docs/develop has a page on
 * each). */
#ifndef MECHANISM_H
#define MECHANISM_H

#define MECHANISMS(X)                                                                                        \
    X(RELAY, relay)                                                                                          \
    X(DIRECT_IRQ, direct_irq)                                                                                \
    X(ROOT_CACHE, root_cache)                                                                                \
    X(PROMOTE, promote)                                                                                      \
    X(TRANSPLANT, transplant)                                                                                \
    X(VIEWS, views)                                                                                          \
    X(NESTED, nested)                                                                                        \
    X(PREFETCH, prefetch)

enum mechanism {
#define X(upper, lower) MECHANISM_##upper,
    MECHANISMS(X)
#undef X
        MECHANISM_COUNT
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function behind the relay: whatever takes and sends TLPs on one port of the circuit.
 *
 * C functions build on struct endpoint (endpoint.h), which answers configuration and BAR accesses and does
 * DMA and interrupts. A function of another kind, such as a Verilated endpoint, implements this interface
 * itself (docs/develop/simulation.md).
 */
#ifndef FUNCTION_H
#define FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct function;

struct function_ops {
    /* Takes a TLP that the circuit delivers. Answers may be sent at once. @pre the TLP is well formed */
    void (*receive)(struct function *f, const uint32_t *dw, size_t n);

    /*
     * Does what is due: starts requests, lets timers fire. Sends a bounded number of TLPs. True when it did
     * something, so that it's called again. idle: nothing moves in the circuit, so what hasn't come by now
     * won't come before the root or time acts (completion timeouts may expire only then).
     */
    bool (*work)(struct function *f, uint64_t now_ns, bool idle);

    /* Earliest time at which work() would do something by itself, ns; UINT64_MAX: never. */
    uint64_t (*deadline)(const struct function *f);

    /* Conventional reset: everything back to the state after power-on. Nothing may be sent. */
    void (*reset)(struct function *f);

    /* Frees the function. */
    void (*close)(struct function *f);
};

/* The way up, filled in by the board when the function is attached. */
struct function_link {
    void (*send)(void *self, const uint32_t *dw, size_t n);
    /*
     * Bypass of the circuit for DMA (--bypass-dma), or null: reads or writes guest memory at once. False:
     * no memory there, or not allowed.
     */
    bool (*bypass)(void *self, uint16_t requester, bool write, uint64_t address, void *bytes, size_t n);
    void *self;
};

struct function {
    const struct function_ops *ops;
    struct function_link link;
};

static inline void function_send(struct function *f, const uint32_t *dw, size_t n)
{
    f->link.send(f->link.self, dw, n);
}

#endif

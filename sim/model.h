/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Verilated relay behind a C interface: whole TLPs in and out, the clock hidden.
 *
 * TLPs are arrays of DW in specification bit order (PCIe Base 5.0, 2.2: DW0 bits 31:24 are Fmt and Type),
 * payload DW as they stand on the wire (byte 0 of memory in bits 31:24), digest included where TD is set.
 *
 * Not thread-safe: one thread drives a model.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MODEL_ROOT = 0, /* the side of the PCIe bridge; sides 1 to 7 are the ports */
    MODEL_MAX_DW = 4 + 1024 + 1,
    MODEL_BARS = 2, /* memory windows a port */
};

/*
 * Shapes that are built: ports x DW x sources = 4x2x32, 7x2x32, 4x4x32, 7x4x32, 1x2x32, 1x2x32 as a bump, and
 * that as a tap. A bump sits between two links: it forwards INTx messages and configuration unchanged. A tap
 * is a bump that changes nothing and only records (rtl/tap.v).
 */
struct model_shape {
    unsigned ports;
    unsigned width_dw;
    unsigned sources;
    bool bump;
    bool tap;
};

struct model;

/*
 * Null when the shape is not built; the circuit comes out of reset. waveform: FST file to write, or null;
 * built for 4x2x32 and 1x2x32 only.
 */
struct model *model_open(const struct model_shape *shape, const char *waveform);
void model_close(struct model *model);

/* Ports of the shape opened. */
unsigned model_ports(const struct model *model);

/* Inputs of the core that configuration decides. */
void model_set_bdf(struct model *model, uint8_t bus, uint8_t device);
void model_set_bus_master(struct model *model, bool enabled);
/* Side 0: BAR 0 of the relay (index 0). @pre size is a power of two, base a multiple of it */
void model_set_bar(struct model *model, unsigned side, unsigned index, bool enabled, uint64_t base,
                   uint64_t size);
/*
 * Link of a port up or down (or in reset); ports start up. Down releases the port's wires and drops what was
 * sent by it and has not entered, and what has not wholly left towards it. @pre side >= 1
 */
void model_set_link(struct model *model, unsigned side, bool up);

/* Time the circuit stamps with, ns; never goes back. */
void model_set_time(struct model *model, uint64_t ns);
/* Earliest time at which the circuit will act by itself; UINT64_MAX: never. */
uint64_t model_deadline(const struct model *model);

/*
 * Queues a TLP into the circuit from a side, in order; only while the circuit takes no non-posted TLPs do
 * posted ones and completions go before them. Copies. False when n is 0 or above MODEL_MAX_DW or there is no
 * such side; what the DW say is the circuit's to judge.
 */
bool model_send(struct model *model, unsigned side, const uint32_t *dw, size_t n);
/*
 * Takes the oldest TLP that left the circuit towards a side: its length in DW, 0 when there is none.
 * @pre dw has room for MODEL_MAX_DW
 */
size_t model_receive(struct model *model, unsigned side, uint32_t *dw);

/* Back-pressure of a side: whether it takes TLPs at all, and whether it takes non-posted ones. Both start
 * true. */
void model_set_ready(struct model *model, unsigned side, bool ready, bool non_posted);

/* Runs until nothing moves any more or max_cycles went by; the cycles it took. */
uint64_t model_run(struct model *model, uint64_t max_cycles);
uint64_t model_cycles(const struct model *model);
/* Nothing queued, nothing inside that could move now. */
bool model_idle(const struct model *model);

#ifdef __cplusplus
}
#endif

#endif

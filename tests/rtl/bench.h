/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the circuit's tests share: a model set up as a card, TLPs made DW by DW, registers read and written
 * as the root does.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum {
    BENCH_BUS = 0x5a,
    BENCH_DEVICE = 3,
};
#define BENCH_BAR        0x12345670000ull /* BAR 0 of the relay: above 4 GiB, so requests have four header DW */
#define BENCH_PORT_BAR   0xa0000000u      /* BAR 0 of port k: 1 MiB at this + k MiB */
#define BENCH_PORT_BAR_1 0x2000000000ull /* BAR 1 of port k: 4 GiB at this + k * 4 GiB */

struct tlp {
    size_t n;
    uint32_t dw[MODEL_MAX_DW];
};

/* A model with BDFs, BARs and bus mastering set up. */
struct model *bench_open(unsigned ports, unsigned width_dw);
struct model *bench_open_shape(const struct model_shape *shape);

/* Requester ID of port k; 0: the relay. */
uint16_t bench_id(unsigned port);

/* Memory write or read of n DW; data DW count up from seed. Four header DW from 4 GiB on. */
struct tlp tlp_write(uint16_t requester, uint64_t address, size_t n, uint32_t seed);
struct tlp tlp_read(uint16_t requester, uint8_t tag, uint64_t address, size_t n);
/* Completion with n DW of data (n = 0: without data, UR). */
struct tlp tlp_completion(uint16_t completer, uint16_t requester, uint8_t tag, size_t n, uint32_t seed);
/* Config read (write false) or write of function fn, Type 0. */
struct tlp tlp_config(bool write, unsigned fn, unsigned offset, uint32_t value);
/* A message-signalled interrupt. */
struct tlp tlp_msi(uint16_t requester, uint64_t address, uint32_t data);
/* Assert_INTx or Deassert_INTx of the card. */
struct tlp tlp_intx(bool assert, unsigned pin);

void bench_send(struct model *m, unsigned side, const struct tlp *t);
/* The oldest TLP that left towards a side; n = 0: none. */
struct tlp bench_receive(struct model *m, unsigned side);
bool tlp_equal(const struct tlp *a, const struct tlp *b);

/* Register access from the root, by TLPs. Other TLPs that reach the root meanwhile go to bench_other. */
uint32_t bench_read(struct model *m, uint32_t offset);
void bench_write(struct model *m, uint32_t offset, uint32_t value);
/* Called for each TLP at the root that bench_read did not ask for; null: the test fails there. */
extern void (*bench_other)(struct model *m, const struct tlp *t);

uint32_t bench_swap(uint32_t dw);

/* A small generator: the same numbers in every run. */
uint32_t bench_random(uint64_t *state);

#endif

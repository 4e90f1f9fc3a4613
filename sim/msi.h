/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI and MSI-X as a function has them: capabilities, table, pending bits; masking is done here, as the
 * function's side of the specification wants it (PCI Local Bus 3.0, 6.8; PCIe Base 5.0, 6.1.4).
 */
#ifndef MSI_H
#define MSI_H

#include "config_space.h"

enum { MSI_MAX_VECTORS = 32, MSIX_MAX_VECTORS = 64, MSIX_ENTRY_BYTES = 16 };

/* Sends one message: a memory write of one DW. */
typedef void msi_send(void *owner, uint64_t address, uint32_t data);

struct msi {
    struct config_space *config;
    msi_send *send;
    void *owner;
    uint16_t msi;  /* offset of the capability, 0: none */
    uint16_t msix; /* offset of the capability, 0: none */
    unsigned msix_vectors;
    unsigned msix_bar;
    uint32_t table_offset;
    uint32_t pba_offset;
    uint32_t table[MSIX_MAX_VECTORS * MSIX_ENTRY_BYTES / 4];
    uint64_t msix_pending;
};

void msi_init(struct msi *m, struct config_space *config, msi_send *send, void *owner);

/* Adds the capability, 64-bit and with masking. @pre vectors is a power of two up to MSI_MAX_VECTORS */
void msi_add(struct msi *m, unsigned vectors);
/* @pre vectors <= MSIX_MAX_VECTORS; offsets are multiples of 8 */
void msix_add(struct msi *m, unsigned vectors, unsigned bar, uint32_t table_offset, uint32_t pba_offset);

/* Whether messages are on; while they are, INTx is not used. */
bool msi_enabled(const struct msi *m);

/*
 * Raises a vector: sends, or makes it pending where it's masked. False when neither MSI nor MSI-X is on, or
 * MSI-X has no such vector. Of MSI, a vector above those that software gave is folded into them.
 */
bool msi_raise(struct msi *m, unsigned vector);

/* To be called after configuration writes: what's pending and no longer masked is sent. */
void msi_update(struct msi *m);

/* Whether an offset of a BAR belongs to the MSI-X table or pending bits. */
bool msix_owns(const struct msi *m, unsigned bar, uint32_t offset);
/* @pre msix_owns; offset is a multiple of 4 */
uint32_t msix_read(const struct msi *m, uint32_t offset);
void msix_write(struct msi *m, uint32_t offset, uint32_t value, unsigned byte_enables);

/* Table and pending bits after reset; the configuration space resets by itself. */
void msi_reset(struct msi *m);

#endif

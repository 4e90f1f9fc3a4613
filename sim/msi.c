/* SPDX-License-Identifier: BSD-2-Clause */
#include "msi.h"

#include <string.h>

/* With 64-bit addresses and masking (PCI Local Bus 3.0, 6.8.1). */
enum { MSI_CAP_BYTES = 0x18, MSI_DATA = 0x0c, MSI_MASK = 0x10, MSI_PENDING = 0x14, MSIX_CAP_BYTES = 0x0c };

enum { ENTRY_ADDR_LO, ENTRY_ADDR_HI, ENTRY_DATA, ENTRY_CONTROL, ENTRY_WORDS };

void msi_init(struct msi *m, struct config_space *config, msi_send *send, void *owner)
{
    *m = (struct msi){.config = config, .send = send, .owner = owner};
}

void msi_add(struct msi *m, unsigned vectors)
{
    struct config_space *c = m->config;
    unsigned log2 = (unsigned)__builtin_ctz(vectors);
    m->msi = config_add_capability(c, PCI_CAP_ID_MSI, MSI_CAP_BYTES);
    config_put16(c, m->msi + PCI_MSI_FLAGS,
                 (uint16_t)(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | log2 << 1));
    config_allow32(c, m->msi, (uint32_t)(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE) << 16);
    config_allow32(c, m->msi + PCI_MSI_ADDRESS_LO, ~3u);
    config_allow32(c, m->msi + PCI_MSI_ADDRESS_HI, ~0u);
    config_allow32(c, m->msi + MSI_DATA, 0xffff);
    config_allow32(c, m->msi + MSI_MASK, vectors == 32 ? ~0u : (1u << vectors) - 1);
}

void msix_add(struct msi *m, unsigned vectors, unsigned bar, uint32_t table_offset, uint32_t pba_offset)
{
    struct config_space *c = m->config;
    m->msix = config_add_capability(c, PCI_CAP_ID_MSIX, MSIX_CAP_BYTES);
    m->msix_vectors = vectors;
    m->msix_bar = bar;
    m->table_offset = table_offset;
    m->pba_offset = pba_offset;
    config_put16(c, m->msix + PCI_MSIX_FLAGS, (uint16_t)(vectors - 1));
    config_allow32(c, m->msix, (uint32_t)(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) << 16);
    config_put32(c, m->msix + PCI_MSIX_TABLE, table_offset | bar);
    config_put32(c, m->msix + PCI_MSIX_PBA, pba_offset | bar);
    msi_reset(m);
}

static bool msi_on(const struct msi *m)
{
    return m->msi && config_get16(m->config, m->msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE;
}

static bool msix_on(const struct msi *m)
{
    return m->msix && config_get16(m->config, m->msix + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

bool msi_enabled(const struct msi *m)
{
    return msi_on(m) || msix_on(m);
}

/* ---- MSI ---------------------------------------------------------------------------------------- */

static void send_msi(struct msi *m, unsigned vector, unsigned given)
{
    struct config_space *c = m->config;
    uint64_t address = config_get32(c, m->msi + PCI_MSI_ADDRESS_LO) |
                       (uint64_t)config_get32(c, m->msi + PCI_MSI_ADDRESS_HI) << 32;
    uint32_t data = config_get16(c, m->msi + MSI_DATA);
    m->send(m->owner, address, (data & ~(given - 1)) | vector);
}

static unsigned vectors_given(const struct msi *m)
{
    unsigned flags = config_get16(m->config, m->msi + PCI_MSI_FLAGS);
    unsigned asked = (flags & PCI_MSI_FLAGS_QMASK) >> 1, given = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;
    return 1u << (given < asked ? given : asked);
}

static void raise_msi(struct msi *m, unsigned vector)
{
    struct config_space *c = m->config;
    unsigned given = vectors_given(m);
    vector %= given;
    bool masked = config_get32(c, m->msi + MSI_MASK) >> vector & 1;
    if (masked || !config_bus_master(c)) {
        config_put32(c, m->msi + MSI_PENDING, config_get32(c, m->msi + MSI_PENDING) | 1u << vector);
    } else {
        send_msi(m, vector, given);
    }
}

static void update_msi(struct msi *m)
{
    struct config_space *c = m->config;
    uint32_t pending = config_get32(c, m->msi + MSI_PENDING);
    uint32_t due = pending & ~config_get32(c, m->msi + MSI_MASK);
    config_put32(c, m->msi + MSI_PENDING, pending & ~due);
    for (; due; due &= due - 1) {
        send_msi(m, (unsigned)__builtin_ctz(due), vectors_given(m));
    }
}

/* ---- MSI-X -------------------------------------------------------------------------------------- */

static bool msix_masked(const struct msi *m, unsigned vector)
{
    return config_get16(m->config, m->msix + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL ||
           m->table[vector * ENTRY_WORDS + ENTRY_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

static void send_msix(struct msi *m, unsigned vector)
{
    const uint32_t *entry = &m->table[vector * ENTRY_WORDS];
    m->send(m->owner, entry[ENTRY_ADDR_LO] | (uint64_t)entry[ENTRY_ADDR_HI] << 32, entry[ENTRY_DATA]);
}

static void update_msix(struct msi *m)
{
    for (unsigned v = 0; m->msix_pending && v < m->msix_vectors; v++) {
        if (m->msix_pending >> v & 1 && !msix_masked(m, v)) {
            m->msix_pending &= ~(UINT64_C(1) << v);
            send_msix(m, v);
        }
    }
}

/* ---- both --------------------------------------------------------------------------------------- */

bool msi_raise(struct msi *m, unsigned vector)
{
    if (msix_on(m)) {
        if (vector >= m->msix_vectors) {
            return false;
        }
        if (msix_masked(m, vector) || !config_bus_master(m->config)) {
            m->msix_pending |= UINT64_C(1) << vector;
        } else {
            send_msix(m, vector);
        }
        return true;
    }
    if (msi_on(m)) {
        raise_msi(m, vector);
        return true;
    }
    return false;
}

void msi_update(struct msi *m)
{
    if (!config_bus_master(m->config)) {
        return;
    }
    if (msix_on(m)) {
        update_msix(m);
    } else if (msi_on(m)) {
        update_msi(m);
    }
}

static bool in_table(const struct msi *m, uint32_t offset)
{
    return offset >= m->table_offset && offset < m->table_offset + m->msix_vectors * MSIX_ENTRY_BYTES;
}

bool msix_owns(const struct msi *m, unsigned bar, uint32_t offset)
{
    return m->msix && bar == m->msix_bar &&
           (in_table(m, offset) || (offset >= m->pba_offset && offset < m->pba_offset + 8));
}

uint32_t msix_read(const struct msi *m, uint32_t offset)
{
    if (in_table(m, offset)) {
        return m->table[(offset - m->table_offset) / 4];
    }
    return (uint32_t)(m->msix_pending >> 8 * (offset - m->pba_offset));
}

void msix_write(struct msi *m, uint32_t offset, uint32_t value, unsigned byte_enables)
{
    if (!in_table(m, offset)) {
        return; /* pending bits are read-only */
    }
    uint32_t *word = &m->table[(offset - m->table_offset) / 4], mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        mask |= byte_enables >> i & 1 ? 0xffu << 8 * i : 0;
    }
    switch ((offset - m->table_offset) / 4 % ENTRY_WORDS) {
    case ENTRY_ADDR_LO:
        mask &= ~3u;
        break;
    case ENTRY_CONTROL:
        mask &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
        break;
    default:
        break;
    }
    *word = (*word & ~mask) | (value & mask);
    msi_update(m);
}

void msi_reset(struct msi *m)
{
    memset(m->table, 0, sizeof m->table);
    m->msix_pending = 0;
    for (unsigned v = 0; v < m->msix_vectors; v++) {
        m->table[v * ENTRY_WORDS + ENTRY_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "svm.h"

/* APM 2 15.25: nested tables are ordinary long-mode tables, walked as user accesses. */
enum { NPT_PRESENT = 1, NPT_WRITE = 2, NPT_USER = 4, NPT_PWT = 8, NPT_PCD = 16, NPT_LEAF = 128 };
#define NPT_NX (1ull << 63)

static uint64_t leaf(uint64_t address, unsigned level, unsigned rights, enum memory_type type)
{
    uint64_t entry = address | NPT_USER;

    if (rights & (RIGHT_READ | RIGHT_EXECUTE))
        entry |= NPT_PRESENT;
    if (rights & RIGHT_WRITE)
        entry |= NPT_WRITE;
    if (!(rights & RIGHT_EXECUTE))
        entry |= NPT_NX;
    if (level > 1)
        entry |= NPT_LEAF;
    /* By the PAT as it is after reset: 0 is WB, 1 WT, 3 UC. */
    if (type == MEMORY_WT)
        entry |= NPT_PWT;
    else if (type != MEMORY_WB)
        entry |= NPT_PWT | NPT_PCD;
    return entry;
}

static uint64_t table(uint64_t address)
{
    return address | NPT_PRESENT | NPT_WRITE | NPT_USER;
}

static unsigned rights(uint64_t entry)
{
    if (!(entry & NPT_PRESENT))
        return 0;
    return RIGHT_READ | (entry & NPT_WRITE ? RIGHT_WRITE : 0u) | (entry & NPT_NX ? 0u : RIGHT_EXECUTE);
}

const struct paging_format npt_format = {
    .levels = 4,
    .largest_leaf = 3,
    .present_mask = NPT_PRESENT,
    .leaf_mask = NPT_LEAF,
    .address_mask = 0x000ffffffffff000,
    .leaf = leaf,
    .table = table,
    .rights = rights,
};

void npt_load(struct context *context, uint64_t root, tag_t tag)
{
    struct svm *svm = context->backend;

    context->tag = tag;
    svm->vmcb.nested_cr3 = root;
    svm->vmcb.asid = tag;
    svm->clean &= ~(uint32_t)(CLEAN_NESTED | CLEAN_ASID);
}

void npt_flush(struct context *context, tag_t tag)
{
    struct svm *svm = context->backend;

    /* Done by the next VMRUN; a tag that is not the current one can only go with all of them. */
    if (svm_features.flush_by_tag && tag == svm->vmcb.asid && svm->vmcb.tlb_control != TLB_FLUSH_ALL)
        svm->vmcb.tlb_control = TLB_FLUSH_TAG;
    else
        svm->vmcb.tlb_control = TLB_FLUSH_ALL;
}

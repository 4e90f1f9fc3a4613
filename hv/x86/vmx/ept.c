/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmx.h"

#include "vmx_insn.h"

/* SDM 3C 29.3.2 */
enum { EPT_RIGHTS = 7, EPT_TYPE_SHIFT = 3, EPT_IGNORE_PAT = 1 << 6, EPT_LEAF = 1 << 7 };
enum { EPTP_WB = 6, EPTP_LEVELS_4 = 3 << 3 };

static uint64_t leaf(uint64_t address, unsigned level, unsigned rights, enum memory_type type)
{
    uint64_t entry = address | rights | (uint64_t)type << EPT_TYPE_SHIFT;

    if (level > 1)
        entry |= EPT_LEAF;
    /* Memory is cached whatever the guest's PAT says; a device range may be made weaker by the guest. */
    if (type == MEMORY_WB)
        entry |= EPT_IGNORE_PAT;
    return entry;
}

static uint64_t table(uint64_t address)
{
    return address | EPT_RIGHTS;
}

static unsigned rights(uint64_t entry)
{
    return entry & EPT_RIGHTS;
}

struct paging_format ept_format = {
    .levels = 4,
    .largest_leaf = 3,
    .present_mask = EPT_RIGHTS,
    .leaf_mask = EPT_LEAF,
    .address_mask = 0x000ffffffffff000,
    .leaf = leaf,
    .table = table,
    .rights = rights,
};

void ept_load(struct context *context, uint64_t root, tag_t tag)
{
    struct vmx *vmx = context->backend;

    vmx->root = root;
    context->tag = tag;
    vmwrite(VMCS_EPT_POINTER, root | EPTP_WB | EPTP_LEVELS_4);
    vmwrite(VMCS_VPID, tag);
}

void ept_flush(struct context *context, tag_t tag)
{
    struct vmx *vmx = context->backend;

    /* Guest-physical mappings are cached under the root, combined ones under the tag and the root. */
    if (vmx->root)
        invept(INVALIDATE_ONE, vmx->root | EPTP_WB | EPTP_LEVELS_4);
    invvpid(INVALIDATE_ONE, tag);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

#include "lpar.h"
#include "x86_bits.h"

enum {
    PTE_PRESENT = 1 << 0,
    PTE_WRITE = 1 << 1,
    PTE_USER = 1 << 2,
    PTE_ACCESSED = 1 << 5,
    PTE_DIRTY = 1 << 6,
    PTE_LARGE = 1 << 7,
};
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16 };

struct walker {
    struct vcpu *vcpu;
    uint64_t cr0, cr4, efer;
    enum walk_access access;
    bool user;
    unsigned entry_bytes;     /* 4 or 8 */
    unsigned index_bits;      /* 10 or 9 */
    uint64_t rights;          /* of all levels: WRITE, USER that all have, NX that any has */
    struct walk_trace *trace; /* or null */
};

static void prepare(struct walker *w, struct vcpu *vcpu)
{
    struct context *context = &vcpu->context;

    w->vcpu = vcpu;
    w->cr0 = context_get(context, REG_CR0);
    w->cr4 = context_get(context, REG_CR4);
    w->efer = context_get(context, REG_EFER);
    w->entry_bytes = w->cr4 & CR4_PAE ? 8 : 4;
    w->index_bits = w->cr4 & CR4_PAE ? 9 : 10;
    w->rights = PTE_WRITE | PTE_USER;
    if (w->trace)
        w->trace->count = 0;
}

static unsigned levels(const struct walker *w)
{
    if (!(w->cr4 & CR4_PAE))
        return 2;
    if (!(w->efer & EFER_LMA))
        return 3;
    return w->cr4 & CR4_LA57 ? 5 : 4;
}

static uint32_t error_of(const struct walker *w, uint32_t cause)
{
    if (w->access == WALK_WRITE)
        cause |= PF_WRITE;
    if (w->user)
        cause |= PF_USER;
    if (w->access == WALK_EXECUTE && (w->cr4 & CR4_SMEP || (w->cr4 & CR4_PAE && w->efer & EFER_NXE)))
        cause |= PF_FETCH;
    return cause;
}

/* Whether an entry with these bits may stand at the level; large is of the entry, where it means that. */
static bool reserved(const struct walker *w, uint64_t entry, unsigned level, bool large)
{
    if (w->entry_bytes == 4)
        return false;
    if (entry & PTE_NX && !(w->efer & EFER_NXE))
        return true;
    if (!(w->efer & EFER_LMA) && level == 3)
        return entry & 0x1e6;
    if (level >= 4)
        return entry & PTE_LARGE;
    if (large && level > 1)
        return entry & ((1ull << (12 + 9 * (level - 1))) - 1) & PTE_ADDRESS &
               ~(1ull << 12); /* bit 12 is PAT */
    return false;
}

static bool permitted(const struct walker *w)
{
    bool user_page = w->rights & PTE_USER;

    if (w->access == WALK_EXECUTE)
        return !(w->rights & PTE_NX) && (w->user ? user_page : !(user_page && w->cr4 & CR4_SMEP));
    if (w->user)
        return user_page && (w->access == WALK_READ || w->rights & PTE_WRITE);
    if (user_page && w->cr4 & CR4_SMAP && !(context_get(&w->vcpu->context, REG_RFLAGS) & RFLAGS_AC))
        return false;
    return w->access == WALK_READ || w->rights & PTE_WRITE || !(w->cr0 & CR0_WP);
}

static uint64_t load(const struct walker *w, const void *at)
{
    return w->entry_bytes == 8 ? __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED)
                               : __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
}

/* Sets bits as the CPU does: only if the entry is still what was looked at. False: it has changed, start
 * anew. */
static bool mark(const struct walker *w, void *at, uint64_t entry, uint64_t bits)
{
    uint32_t small = (uint32_t)entry;

    if ((entry & bits) == bits)
        return true;
    if (w->entry_bytes == 8)
        return __atomic_compare_exchange_n((uint64_t *)at, &entry, entry | bits, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    return __atomic_compare_exchange_n((uint32_t *)at, &small, small | (uint32_t)bits, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void note(const struct walker *w, const void *at)
{
    struct walk_trace *trace = w->trace;

    if (!trace || w->entry_bytes != 8)
        return;
    trace->at[trace->count] = at;
    trace->value[trace->count++] = load(w, at);
}

enum step { STEP_DONE, STEP_FAULT, STEP_AGAIN };

static enum step walk_once(struct walker *w, uint64_t linear, uint64_t *gpa, struct walk_fault *fault)
{
    uint64_t table = context_get(&w->vcpu->context, REG_CR3) & PTE_ADDRESS;
    const struct memory *memory = &w->vcpu->lpar->memory;

    if (w->entry_bytes == 4)
        table = (uint32_t)table;
    else if (!(w->efer & EFER_LMA))
        table = context_get(&w->vcpu->context, REG_CR3) & 0xffffffe0;

    for (unsigned level = levels(w);; level--) {
        unsigned shift = FRAME_SHIFT + w->index_bits * (level - 1);
        uint64_t index = linear >> shift & ((1u << w->index_bits) - 1), available, entry;
        void *at = memory_at(memory, table + index * w->entry_bytes, &available);
        bool pdpte = level == 3 && !(w->efer & EFER_LMA), large;

        if (!at || available < w->entry_bytes) {
            *fault = (struct walk_fault){.memory = true};
            return STEP_FAULT;
        }
        entry = load(w, at);
        if (!(entry & PTE_PRESENT)) {
            *fault = (struct walk_fault){.error = error_of(w, 0)};
            return STEP_FAULT;
        }
        large = level > 1 && !pdpte && entry & PTE_LARGE && (w->entry_bytes == 8 || w->cr4 & CR4_PSE);
        if (reserved(w, entry, level, large)) {
            *fault = (struct walk_fault){.error = error_of(w, PF_PRESENT | PF_RESERVED)};
            return STEP_FAULT;
        }
        if (!pdpte) {
            w->rights &= entry | ~(uint64_t)(PTE_WRITE | PTE_USER);
            w->rights |= w->entry_bytes == 8 ? entry & PTE_NX : 0;
        }
        if (level > 1 && !large) {
            if (!pdpte && !mark(w, at, entry, PTE_ACCESSED))
                return STEP_AGAIN;
            note(w, at);
            table = entry & (w->entry_bytes == 8 ? PTE_ADDRESS : 0xfffff000);
            continue;
        }
        if (!permitted(w)) {
            *fault = (struct walk_fault){.error = error_of(w, PF_PRESENT)};
            return STEP_FAULT;
        }
        if (!mark(w, at, entry, PTE_ACCESSED | (w->access == WALK_WRITE ? PTE_DIRTY : 0)))
            return STEP_AGAIN;
        note(w, at);
        *gpa = (entry & PTE_ADDRESS & ~((1ull << shift) - 1)) | (linear & ((1ull << shift) - 1));
        if (w->entry_bytes == 4) {
            *gpa = (uint32_t)*gpa;
            if (large) /* PSE-36: bits 20:13 are address bits 39:32 */
                *gpa |= (entry >> 13 & 0xff) << 32;
        }
        return STEP_DONE;
    }
}

bool walk(struct vcpu *vcpu, uint64_t linear, enum walk_access access, bool user, uint64_t *gpa,
          struct walk_fault *fault)
{
    return walk_traced(vcpu, linear, access, user, gpa, fault, 0);
}

bool walk_traced(struct vcpu *vcpu, uint64_t linear, enum walk_access access, bool user, uint64_t *gpa,
                 struct walk_fault *fault, struct walk_trace *trace)
{
    struct walker w = {.access = access, .user = user, .trace = trace};
    enum step step;

    if (!(context_get(&vcpu->context, REG_CR0) & CR0_PG)) {
        *gpa = (uint32_t)linear;
        return true;
    }
    do {
        prepare(&w, vcpu);
        step = walk_once(&w, linear, gpa, fault);
    } while (step == STEP_AGAIN);
    return step == STEP_DONE;
}

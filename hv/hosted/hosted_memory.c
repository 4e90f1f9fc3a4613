/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory: two stages of tables through the TLB, every hit checked against the tables. */
#include "format.h"
#include "hosted_cpu.h"
#include "tlb.h"
#include "x86_bits.h"

#include <stdarg.h>
#include <string.h>

enum {
    PTE_PRESENT = 1,
    PTE_WRITE = 2,
    PTE_USER = 4,
    PTE_ACCESSED = 0x20,
    PTE_DIRTY = 0x40,
    PTE_LARGE = 0x80
};
enum { PTE_GLOBAL = 0x100 };
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16 };
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define PAGE_BITS   0xfffull

static uint64_t stale;
static char last_stale[160];

uint64_t hosted_stale(const char **what)
{
    if (what)
        *what = last_stale;
    return __atomic_load_n(&stale, __ATOMIC_RELAXED);
}

void hosted_refuse(struct context *context, const char *text, ...)
{
    struct hosted *hosted = context->backend;
    va_list arguments;

    va_start(arguments, text);
    format_va(hosted->why, sizeof hosted->why, text, arguments);
    va_end(arguments);
    memcpy(last_stale, hosted->why, sizeof last_stale);
    __atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
    hosted->exit = (struct exit){.kind = EXIT_INVALID};
    hosted->exiting = true;
}

/* What the tables say now; false: nothing is mapped. */
static bool nested_walk(const struct context *context, uint64_t gpa, uint64_t *host, unsigned *rights)
{
    const struct paging_format *format = context->machine->paging;
    const struct hosted *hosted = context->backend;
    const uint64_t *table = (const uint64_t *)(uintptr_t)hosted->root;

    for (unsigned level = format->levels; level >= 1; level--) {
        const unsigned shift = FRAME_SHIFT + 9 * (level - 1);
        const uint64_t entry = __atomic_load_n(&table[gpa >> shift & 511], __ATOMIC_RELAXED);

        if (!(entry & format->present_mask))
            return false;
        if (level == 1 || (level <= format->largest_leaf && entry & format->leaf_mask)) {
            const uint64_t inside = (1ull << shift) - 1;

            *host = ((entry & format->address_mask & ~inside) | (gpa & inside)) & ~PAGE_BITS;
            *rights = format->rights(entry);
            return true;
        }
        table = (const uint64_t *)(uintptr_t)(entry & format->address_mask);
    }
    return false;
}

/* False: the hit may not be used, and the guest stops. */
static bool still_good(struct context *context, const struct tlb_entry *e)
{
    uint64_t host = 0;
    unsigned rights = 0;

    if (e->doomed) {
        hosted_refuse(context, "cpu %u: tag %u: linear %lx is cached from before a control register changed",
                      context->cpu, e->tag, e->page << FRAME_SHIFT);
        return false;
    }
    if (nested_walk(context, e->gpa, &host, &rights) && host == e->host && (rights & e->rights) == e->rights)
        return true;
    hosted_refuse(context,
                  "cpu %u: tag %u: guest-physical %lx is cached as %lx rights %x, the tables say %lx %x",
                  context->cpu, e->tag, e->gpa, e->host, e->rights, host, rights);
    return false;
}

static void exit_mmio(struct context *context, uint64_t gpa, unsigned right, bool present, bool walk)
{
    struct hosted *hosted = context->backend;

    hosted->exit = (struct exit){.kind = EXIT_MMIO,
                                 .decode = true,
                                 .mmio = {.gpa = gpa,
                                          .walk = walk,
                                          .present = present,
                                          .read = right == RIGHT_READ,
                                          .write = right == RIGHT_WRITE,
                                          .execute = right == RIGHT_EXECUTE}};
    hosted->exiting = true;
}

/* Guest-physical to the process' memory; null: an exit is set. */
static uint8_t *nested(struct context *context, uint64_t gpa, unsigned right, bool walk, unsigned *rights)
{
    struct tlb_entry *e = tlb_find(context->cpu, context->tag, TLB_PHYSICAL, gpa);
    struct tlb_entry fresh;

    if (e && !still_good(context, e))
        return 0;
    if (!e) {
        fresh = (struct tlb_entry){.valid = true,
                                   .kind = TLB_PHYSICAL,
                                   .tag = context->tag,
                                   .page = gpa >> FRAME_SHIFT,
                                   .gpa = gpa & ~PAGE_BITS};
        if (!nested_walk(context, gpa, &fresh.host, &fresh.rights)) {
            exit_mmio(context, gpa, right, false, walk);
            return 0;
        }
        tlb_fill(context->cpu, &fresh);
        e = &fresh;
    }
    if (!(e->rights & right)) {
        exit_mmio(context, gpa, right, true, walk);
        return 0;
    }
    if (rights)
        *rights = e->rights;
    return (uint8_t *)(uintptr_t)(e->host | (gpa & PAGE_BITS));
}

struct access {
    enum emulate_access kind;
    bool user;
    bool system;
};

static uint32_t error_of(const struct access *a, uint32_t cause)
{
    return cause | (a->kind == ACCESS_WRITE || a->kind == ACCESS_MODIFY ? PF_WRITE : 0u) |
           (a->user ? PF_USER : 0u) | (a->kind == ACCESS_EXECUTE ? PF_FETCH : 0u);
}

static enum emulate_result page_fault(const struct access *a, uint64_t linear, uint32_t cause,
                                      struct emulate_fault *fault)
{
    *fault = (struct emulate_fault){
        .vector = 14, .has_error = true, .error = error_of(a, cause), .address = linear};
    return EMULATE_FAULT;
}

static bool permitted(struct context *context, const struct tlb_entry *e, const struct access *a)
{
    const uint64_t cr0 = context->reg[REG_CR0], cr4 = context->reg[REG_CR4];
    const bool writes = a->kind == ACCESS_WRITE || a->kind == ACCESS_MODIFY;

    if (a->kind == ACCESS_EXECUTE)
        return !e->nx && (a->user ? e->user : !(e->user && cr4 & CR4_SMEP));
    if (a->user)
        return e->user && (!writes || e->write);
    if (e->user && cr4 & CR4_SMAP && (a->system || !(context->reg[REG_RFLAGS] & RFLAGS_AC)))
        return false;
    return !writes || e->write || !(cr0 & CR0_WP);
}

/* The guest's four-level tables (SDM 3A 4.5). */
static enum emulate_result guest_walk(struct context *context, uint64_t linear, const struct access *a,
                                      struct tlb_entry *e, struct emulate_fault *fault)
{
    uint64_t table = context->reg[REG_CR3] & PTE_ADDRESS;
    const bool writes = a->kind == ACCESS_WRITE || a->kind == ACCESS_MODIFY;

    e->user = e->write = true;
    for (unsigned level = 4;; level--) {
        const unsigned shift = FRAME_SHIFT + 9 * (level - 1);
        const uint64_t inside = (1ull << shift) - 1;
        uint64_t *at =
            (uint64_t *)(void *)nested(context, table + 8 * (linear >> shift & 511), RIGHT_WRITE, true, 0);
        uint64_t entry;
        bool leaf;

        if (!at)
            return EMULATE_STOPPED;
        entry = __atomic_load_n(at, __ATOMIC_RELAXED);
        if (!(entry & PTE_PRESENT))
            return page_fault(a, linear, 0, fault);
        leaf = level == 1 || (level < 4 && entry & PTE_LARGE);
        if ((entry & PTE_NX && !(context->reg[REG_EFER] & EFER_NXE)) || (level == 4 && entry & PTE_LARGE))
            return page_fault(a, linear, PF_PRESENT | PF_RESERVED, fault);
        e->user &= (entry & PTE_USER) != 0;
        e->write &= (entry & PTE_WRITE) != 0;
        e->nx |= entry >> 63;
        if (leaf && !permitted(context, e, a))
            return page_fault(a, linear, PF_PRESENT, fault);
        __atomic_fetch_or(at, PTE_ACCESSED | (leaf && writes ? PTE_DIRTY : 0), __ATOMIC_SEQ_CST);
        table = entry & PTE_ADDRESS;
        if (!leaf)
            continue;
        e->gpa = ((table & ~inside) | (linear & inside)) & ~PAGE_BITS;
        e->global = entry & PTE_GLOBAL && context->reg[REG_CR4] & CR4_PGE;
        e->dirty = writes || entry & PTE_DIRTY;
        return EMULATE_DONE;
    }
}

/* One page's part of an access. */
static enum emulate_result translate(struct context *context, uint64_t linear, const struct access *a,
                                     uint8_t **host, struct emulate_fault *fault)
{
    const bool writes = a->kind == ACCESS_WRITE || a->kind == ACCESS_MODIFY;
    const unsigned right = a->kind == ACCESS_EXECUTE ? RIGHT_EXECUTE : writes ? RIGHT_WRITE : RIGHT_READ;
    struct tlb_entry *e, fresh;
    enum emulate_result result;

    if (!(context->reg[REG_CR0] & CR0_PG)) {
        *host = nested(context, (uint32_t)linear, right, false, 0);
        return *host ? EMULATE_DONE : EMULATE_STOPPED;
    }
    if (!(context->reg[REG_EFER] & EFER_LMA) || context->reg[REG_CR4] & CR4_LA57) {
        hosted_refuse(context, "this back end has four levels of tables, in 64-bit mode");
        return EMULATE_STOPPED;
    }
    e = tlb_find(context->cpu, context->tag, TLB_LINEAR, linear);
    if (e && !still_good(context, e))
        return EMULATE_STOPPED;
    /* What a cached entry forbids, and a first write, walks the tables again. */
    if (e && (!permitted(context, e, a) || (writes && !e->dirty) || !(e->rights & right))) {
        e->valid = false;
        e = 0;
    }
    if (!e) {
        fresh = (struct tlb_entry){
            .valid = true, .kind = TLB_LINEAR, .tag = context->tag, .page = linear >> FRAME_SHIFT};
        result = guest_walk(context, linear, a, &fresh, fault);
        if (result != EMULATE_DONE)
            return result;
        *host = nested(context, fresh.gpa | (linear & PAGE_BITS), right, false, &fresh.rights);
        if (!*host)
            return EMULATE_STOPPED;
        fresh.host = (uintptr_t)*host & ~PAGE_BITS;
        tlb_fill(context->cpu, &fresh);
        return EMULATE_DONE;
    }
    *host = (uint8_t *)(uintptr_t)(e->host | (linear & PAGE_BITS));
    return EMULATE_DONE;
}

static enum emulate_result access_pages(struct context *context, uint64_t linear, unsigned size,
                                        const struct access *a, uint8_t *part[2], unsigned *first,
                                        struct emulate_fault *fault)
{
    const unsigned room = FRAME_SIZE - (unsigned)(linear & PAGE_BITS);
    enum emulate_result result = translate(context, linear, a, &part[0], fault);

    *first = size < room ? size : room;
    if (result == EMULATE_DONE && *first < size)
        result = translate(context, linear + *first, a, &part[1], fault);
    return result;
}

static enum emulate_result do_read(struct context *context, uint64_t linear, void *data, unsigned size,
                                   const struct access *a, struct emulate_fault *fault)
{
    uint8_t *part[2];
    unsigned first;
    enum emulate_result result = access_pages(context, linear, size, a, part, &first, fault);

    if (result != EMULATE_DONE)
        return result;
    memcpy(data, part[0], first);
    if (first < size)
        memcpy((uint8_t *)data + first, part[1], size - first);
    return EMULATE_DONE;
}

static enum emulate_result do_write(struct context *context, uint64_t linear, const void *data, unsigned size,
                                    const struct access *a, struct emulate_fault *fault)
{
    uint8_t *part[2];
    unsigned first;
    enum emulate_result result = access_pages(context, linear, size, a, part, &first, fault);

    if (result != EMULATE_DONE)
        return result;
    memcpy(part[0], data, first);
    if (first < size)
        memcpy(part[1], (const uint8_t *)data + first, size - first);
    return EMULATE_DONE;
}

static bool is_user(struct context *context)
{
    return (context->seg[SEG_SS].attributes >> SEG_DPL_SHIFT & 3) == 3;
}

static enum emulate_result op_read(void *owner, uint64_t linear, void *data, unsigned size,
                                   enum emulate_access kind, struct emulate_fault *fault)
{
    return do_read(owner, linear, data, size, &(struct access){.kind = kind, .user = is_user(owner)}, fault);
}

static enum emulate_result op_write(void *owner, uint64_t linear, const void *data, unsigned size,
                                    struct emulate_fault *fault)
{
    return do_write(owner, linear, data, size, &(struct access){.kind = ACCESS_WRITE, .user = is_user(owner)},
                    fault);
}

static enum emulate_result op_exchange(void *owner, uint64_t linear, const void *expected,
                                       const void *desired, unsigned size, bool *equal,
                                       struct emulate_fault *fault)
{
    const struct access a = {.kind = ACCESS_MODIFY, .user = is_user(owner)};
    uint8_t *part[2];
    uint64_t old = 0, new = 0;
    unsigned first;
    enum emulate_result result;

    if (size > 8)
        return EMULATE_UNHANDLED;
    result = access_pages(owner, linear, size, &a, part, &first, fault);
    if (result != EMULATE_DONE)
        return result;
    if (first < size || (uintptr_t)part[0] & (size - 1)) { /* a split lock: not atomic here */
        uint8_t now[8];

        result = do_read(owner, linear, now, size, &a, fault);
        *equal = memcmp(now, expected, size) == 0;
        return *equal ? do_write(owner, linear, desired, size, &a, fault) : result;
    }
    memcpy(&old, expected, size);
    memcpy(&new, desired, size);
    switch (size) {
    case 1:
        *equal = __atomic_compare_exchange_n(part[0], (uint8_t *)&old, (uint8_t)new, false, 5, 5);
        break;
    case 2:
        *equal = __atomic_compare_exchange_n((uint16_t *)(void *)part[0], (uint16_t *)(void *)&old,
                                             (uint16_t)new, false, 5, 5);
        break;
    case 4:
        *equal = __atomic_compare_exchange_n((uint32_t *)(void *)part[0], (uint32_t *)(void *)&old,
                                             (uint32_t)new, false, 5, 5);
        break;
    default:
        *equal = __atomic_compare_exchange_n((uint64_t *)(void *)part[0], &old, new, false, 5, 5);
    }
    return EMULATE_DONE;
}

static enum emulate_result op_vector_read(void *owner, enum operand_kind kind, unsigned number, void *data)
{
    const struct hosted *hosted = ((struct context *)owner)->backend;

    memcpy(data, kind == OPERAND_MMX ? hosted->mmx[number] : hosted->xmm[number],
           kind == OPERAND_MMX ? 8 : 16);
    return EMULATE_DONE;
}

static enum emulate_result op_vector_write(void *owner, enum operand_kind kind, unsigned number,
                                           const void *data)
{
    struct hosted *hosted = ((struct context *)owner)->backend;

    memcpy(kind == OPERAND_MMX ? hosted->mmx[number] : hosted->xmm[number], data,
           kind == OPERAND_MMX ? 8 : 16);
    return EMULATE_DONE;
}

/* Ports and control registers are exits: they are seen before the emulator is. */
const struct emulate_ops hosted_access = {.read = op_read,
                                          .write = op_write,
                                          .exchange = op_exchange,
                                          .vector_read = op_vector_read,
                                          .vector_write = op_vector_write};

enum emulate_result hosted_system_read(struct context *context, uint64_t linear, void *data, unsigned size,
                                       struct emulate_fault *fault)
{
    return do_read(context, linear, data, size, &(struct access){.kind = ACCESS_READ, .system = true}, fault);
}

enum emulate_result hosted_system_write(struct context *context, uint64_t linear, const void *data,
                                        unsigned size, struct emulate_fault *fault)
{
    return do_write(context, linear, data, size, &(struct access){.kind = ACCESS_WRITE, .system = true},
                    fault);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "tlb.h"

enum { CPUS = 32, ENTRIES = 512 };

/* Touched by the thread of its CPU only. */
static struct cache {
    struct tlb_entry entry[ENTRIES];
    unsigned next;
} caches[CPUS];

struct tlb_entry *tlb_find(unsigned cpu, tag_t tag, enum tlb_kind kind, uint64_t address)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct tlb_entry *e = &caches[cpu].entry[i];

        if (e->valid && e->tag == tag && e->kind == kind && e->page == address >> FRAME_SHIFT)
            return e;
    }
    return 0;
}

void tlb_fill(unsigned cpu, const struct tlb_entry *entry)
{
    struct cache *cache = &caches[cpu];

    for (unsigned i = 0; i < ENTRIES; i++)
        if (!cache->entry[i].valid) {
            cache->entry[i] = *entry;
            return;
        }
    cache->entry[cache->next++ % ENTRIES] = *entry;
}

static void drop(unsigned cpu, tag_t tag, bool physical_too, bool global_too, const uint64_t *page)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct tlb_entry *e = &caches[cpu].entry[i];

        if (e->valid && e->tag == tag && (e->kind == TLB_LINEAR || physical_too) &&
            (!e->global || global_too) && (!page || e->page == *page))
            e->valid = false;
    }
}

void tlb_flush(unsigned cpu, tag_t tag)
{
    drop(cpu, tag, true, true, 0);
}

void tlb_flush_linear(unsigned cpu, tag_t tag, bool global_too)
{
    drop(cpu, tag, false, global_too, 0);
}

void tlb_flush_page(unsigned cpu, tag_t tag, uint64_t linear)
{
    const uint64_t page = linear >> FRAME_SHIFT;

    drop(cpu, tag, false, true, &page);
}

void tlb_doom(unsigned cpu, tag_t tag)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct tlb_entry *e = &caches[cpu].entry[i];

        if (e->valid && e->tag == tag && e->kind == TLB_LINEAR)
            e->doomed = true;
    }
}

unsigned tlb_count(unsigned cpu, tag_t tag)
{
    unsigned count = 0;

    for (unsigned i = 0; i < ENTRIES; i++)
        count += caches[cpu].entry[i].valid && caches[cpu].entry[i].tag == tag;
    return count;
}

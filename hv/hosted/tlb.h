/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU's cached translations, tagged as VPIDs and ASIDs tag them.
 *
 * Two kinds of entry, as on a CPU with nested paging: guest-physical pages, and linear pages (which hold the
 * way through both tables). Nothing is thrown out before the room is used up.
 */
#ifndef TLB_H
#define TLB_H

#include "machine.h"

enum tlb_kind { TLB_PHYSICAL, TLB_LINEAR };

struct tlb_entry {
    bool valid;
    bool
        doomed; /* an update of a control register has made it stale: it is to be flushed before it is used */
    bool global;
    uint8_t kind; /* enum tlb_kind */
    tag_t tag;
    uint64_t page;        /* linear or guest-physical address / 4096 */
    uint64_t gpa;         /* of the page */
    uint64_t host;        /* where it lay when it was cached */
    unsigned rights;      /* nested, enum right */
    bool user, write, nx; /* of the guest's tables; linear only */
    bool dirty;           /* the guest's entry has its dirty bit */
};

struct tlb_entry *tlb_find(unsigned cpu, tag_t tag, enum tlb_kind kind, uint64_t address);
void tlb_fill(unsigned cpu, const struct tlb_entry *entry);

void tlb_flush(unsigned cpu, tag_t tag);
/* What the guest's own MOV to CR3 and INVLPG do. */
void tlb_flush_linear(unsigned cpu, tag_t tag, bool global_too);
void tlb_flush_page(unsigned cpu, tag_t tag, uint64_t linear);
/* Entries of linear addresses may not be used any more. */
void tlb_doom(unsigned cpu, tag_t tag);

unsigned tlb_count(unsigned cpu, tag_t tag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables of an LPAR: guest-physical to physical, in the format of the back end, with the largest
 * pages that fit. Built before the LPAR starts.
 *
 * Invariants: an address is mapped by one leaf; a table never points outside frames of the hypervisor; a leaf
 * never points at one.
 */
#ifndef GPMAP_H
#define GPMAP_H

#include "machine.h"

struct gpmap {
    const struct machine_ops *machine;
    uint64_t *root;
    uint64_t leaves[4]; /* by level, 1 … 3 */
};

/* 0, or negative when there are no frames left. */
int gpmap_init(struct gpmap *map, const struct machine_ops *machine);

/* Maps a range that is not mapped yet. 0, or negative: no frames left (a part may be mapped), or already
 * mapped.
 * @pre all three are multiples of 4096 */
int gpmap_add(struct gpmap *map, uint64_t gpa, uint64_t address, uint64_t size, unsigned rights,
              enum memory_type type);

/*
 * Pages of a range that change while the LPAR runs: its tables are taken now (negative: no frames left), so
 * that gpmap_set() cannot fail. Whoever changes them flushes the vCPUs' TLBs. @pre nothing is mapped there;
 * multiples of 4096
 */
int gpmap_reserve(struct gpmap *map, uint64_t gpa, uint64_t size);
/* @pre inside a reserved range. rights 0: unmaps */
void gpmap_set(struct gpmap *map, uint64_t gpa, uint64_t address, uint64_t size, unsigned rights,
               enum memory_type type);

/* The physical address, and the rights (may be null); ~0 when nothing is mapped. */
uint64_t gpmap_lookup(const struct gpmap *map, uint64_t gpa, unsigned *rights);

#endif

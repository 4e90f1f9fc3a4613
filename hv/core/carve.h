/* SPDX-License-Identifier: BSD-2-Clause */
/* Carving the machine's memory at boot: a list of free ranges, from which pieces are taken and never given
 * back. */
#ifndef CARVE_H
#define CARVE_H

#include <stdbool.h>
#include <stdint.h>

#define CARVE_RANGES 128u

struct carve {
    unsigned count;
    struct carve_range {
        uint64_t start, end;
    } range[CARVE_RANGES];
};

/* Ranges may be given in any order and may overlap. False: the list is full (removing in the middle of a
 * range needs one more entry); what is lost then is free memory, never somebody's. */
bool carve_add(struct carve *carve, uint64_t start, uint64_t end);
bool carve_remove(struct carve *carve, uint64_t start, uint64_t end);

/*
 * Takes a piece of at most `size` bytes, in multiples of `align`, out of the largest free range; *start is
 * aligned. Returns its size, 0 when nothing aligned is left. @pre align is a power of two, size a multiple of
 * it
 */
uint64_t carve_take(struct carve *carve, uint64_t size, uint64_t align, uint64_t *start);

uint64_t carve_free(const struct carve *carve, uint64_t align);

#endif

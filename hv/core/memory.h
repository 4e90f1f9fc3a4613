/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of an LPAR: ranges of guest-physical addresses, and where they lie in the machine. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_RANGES 16u

/* Guest-physical space between this and 4 GiB is left to devices. */
#define MEMORY_LOW_END 0xc0000000ull

struct memory_range {
    uint64_t gpa, size;
    uint8_t *host; /* also its physical address */
};

struct memory {
    unsigned count;
    struct memory_range range[MEMORY_RANGES]; /* ascending by gpa, not overlapping */
    uint64_t size;
};

/* Adds memory of the machine at the lowest free guest-physical address, around the device hole (in two ranges
 * when it has to). False: no range is left, nothing was added. @pre size is a multiple of 4096 */
bool memory_add(struct memory *memory, uint8_t *host, uint64_t size);

/* Where the address lies, and (available may be null) how many bytes follow in the same range; null: no
 * memory there. */
void *memory_at(const struct memory *memory, uint64_t gpa, uint64_t *available);

/* Copies across ranges; false when a part of it is no memory: then the parts before have been copied. */
bool memory_read(const struct memory *memory, uint64_t gpa, void *data, size_t size);
bool memory_write(const struct memory *memory, uint64_t gpa, const void *data, size_t size);

#endif

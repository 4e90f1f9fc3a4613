/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as the host shares it with one function: ranges of guest-physical addresses, mapped here or
 * (without a file descriptor) only announced.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUEST_MEMORY_MAPS = 256 };

enum guest_access { GUEST_READ = 1, GUEST_WRITE = 2 };

struct guest_map {
    uint64_t address;
    uint64_t size;
    unsigned access; /* of enum guest_access */
    uint8_t *host;   /* null: announced only */
};

struct guest_memory {
    struct guest_map maps[GUEST_MEMORY_MAPS]; /* by address, not overlapping */
    unsigned count;
    unsigned recent;
};

/*
 * Adds a range; fd -1: announced only. 0 or an errno value; whatever the peer sends is checked. The
 * descriptor stays the caller's.
 */
int guest_memory_map(struct guest_memory *m, uint64_t address, uint64_t size, unsigned access, int fd,
                     uint64_t offset);

/* Removes the ranges that lie in [address, address + size); EINVAL when one lies there in part. */
int guest_memory_unmap(struct guest_memory *m, uint64_t address, uint64_t size);
void guest_memory_clear(struct guest_memory *m);

/*
 * Copies; false when a byte of it isn't mapped here with that right: then nothing was copied. A file that
 * its owner cut short reads as 0 and swallows writes; guest_memory_lost() counts that.
 */
bool guest_memory_read(struct guest_memory *m, uint64_t address, void *bytes, size_t n);
bool guest_memory_write(struct guest_memory *m, uint64_t address, const void *bytes, size_t n);

/* Whether the range is announced at all (with or without a mapping). */
bool guest_memory_known(struct guest_memory *m, uint64_t address, size_t n);

/* Pages found missing in all mappings of the process so far. */
uint64_t guest_memory_lost(void);

#endif

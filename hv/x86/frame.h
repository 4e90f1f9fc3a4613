/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own memory beside its image: one range, taken at boot, handed out in frames that never
 * come back. It is mapped onto itself, so that a pointer is its physical address.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

struct boot;

/* Chooses the range. @pre boot is complete */
void frames_init(const struct boot *boot);

/* Zeroed, 4-KiB aligned; never fails: boot ends with a message when the range is used up. */
void *frames_take(size_t bytes);

/* As frames_take(), but null when the range is used up. */
void *frames_try(size_t bytes);

void frames_range(uint64_t *start, uint64_t *end, uint64_t *used);

#endif

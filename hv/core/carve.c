/* SPDX-License-Identifier: BSD-2-Clause */
#include "carve.h"

static bool append(struct carve *carve, uint64_t start, uint64_t end)
{
    if (start >= end)
        return true;
    if (carve->count == CARVE_RANGES)
        return false;
    carve->range[carve->count++] = (struct carve_range){.start = start, .end = end};
    return true;
}

bool carve_add(struct carve *carve, uint64_t start, uint64_t end)
{
    if (start >= end)
        return true;
    /* What overlaps or touches becomes one range with the new one. */
    for (unsigned i = 0; i < carve->count;) {
        struct carve_range *range = &carve->range[i];

        if (range->start <= end && start <= range->end) {
            start = range->start < start ? range->start : start;
            end = range->end > end ? range->end : end;
            *range = carve->range[--carve->count];
            i = 0;
        } else {
            i++;
        }
    }
    return append(carve, start, end);
}

bool carve_remove(struct carve *carve, uint64_t start, uint64_t end)
{
    bool whole = true;

    for (unsigned i = 0; i < carve->count;) {
        struct carve_range range = carve->range[i];

        if (start >= range.end || end <= range.start) {
            i++;
            continue;
        }
        carve->range[i] = carve->range[--carve->count];
        if (range.start < start)
            whole &= append(carve, range.start, start);
        if (end < range.end)
            whole &= append(carve, end, range.end);
        i = 0;
    }
    return whole;
}

static uint64_t aligned_size(const struct carve_range *range, uint64_t align, uint64_t *start)
{
    uint64_t end = range->end & ~(align - 1);

    *start = (range->start + align - 1) & ~(align - 1);
    return end > *start && *start >= range->start ? end - *start : 0;
}

uint64_t carve_take(struct carve *carve, uint64_t size, uint64_t align, uint64_t *start)
{
    uint64_t best = 0, at;

    for (unsigned i = 0; i < carve->count; i++) {
        uint64_t have = aligned_size(&carve->range[i], align, &at);

        if (have > best) {
            best = have;
            *start = at;
        }
    }
    if (best > size)
        best = size;
    if (best > 0)
        carve_remove(carve, *start, *start + best);
    return best;
}

uint64_t carve_free(const struct carve *carve, uint64_t align)
{
    uint64_t sum = 0, start;

    for (unsigned i = 0; i < carve->count; i++)
        sum += aligned_size(&carve->range[i], align, &start);
    return sum;
}

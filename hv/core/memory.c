/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <string.h>

#define HIGH_START (4ull << 30)

static bool append(struct memory *memory, uint64_t gpa, uint8_t *host, uint64_t size)
{
    struct memory_range *last = memory->count ? &memory->range[memory->count - 1] : 0;

    if (last && last->gpa + last->size == gpa && last->host + last->size == host) {
        last->size += size;
    } else if (memory->count < MEMORY_RANGES) {
        memory->range[memory->count++] = (struct memory_range){.gpa = gpa, .size = size, .host = host};
    } else {
        return false;
    }
    memory->size += size;
    return true;
}

bool memory_add(struct memory *memory, uint8_t *host, uint64_t size)
{
    const struct memory before = *memory;

    while (size > 0) {
        bool low = memory->size < MEMORY_LOW_END;
        uint64_t gpa = low ? memory->size : HIGH_START + (memory->size - MEMORY_LOW_END);
        uint64_t piece = low && size > MEMORY_LOW_END - gpa ? MEMORY_LOW_END - gpa : size;

        if (!append(memory, gpa, host, piece)) {
            *memory = before;
            return false;
        }
        host += piece;
        size -= piece;
    }
    return true;
}

void *memory_at(const struct memory *memory, uint64_t gpa, uint64_t *available)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_range *range = &memory->range[i];

        if (gpa - range->gpa < range->size) {
            if (available)
                *available = range->size - (gpa - range->gpa);
            return range->host + (gpa - range->gpa);
        }
    }
    return 0;
}

bool memory_read(const struct memory *memory, uint64_t gpa, void *data, size_t size)
{
    uint8_t *to = data;

    while (size > 0) {
        uint64_t available;
        const void *from = memory_at(memory, gpa, &available);
        size_t piece = size < available ? size : (size_t)available;

        if (!from)
            return false;
        memcpy(to, from, piece);
        to += piece;
        gpa += piece;
        size -= piece;
    }
    return true;
}

bool memory_write(const struct memory *memory, uint64_t gpa, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        uint64_t available;
        void *to = memory_at(memory, gpa, &available);
        size_t piece = size < available ? size : (size_t)available;

        if (!to)
            return false;
        memcpy(to, from, piece);
        from += piece;
        gpa += piece;
        size -= piece;
    }
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "gpmap.h"

#include "log.h"

static uint64_t level_size(unsigned level)
{
    return 1ull << (FRAME_SHIFT + 9 * (level - 1));
}

static unsigned index_at(uint64_t gpa, unsigned level)
{
    return gpa >> (FRAME_SHIFT + 9 * (level - 1)) & 511;
}

int gpmap_init(struct gpmap *map, const struct machine_ops *machine)
{
    *map = (struct gpmap){.machine = machine, .root = machine->frames(FRAME_SIZE)};
    return map->root ? 0 : trace_error(-1, "memory: no frame for a root of nested tables");
}

static unsigned best_level(const struct paging_format *format, uint64_t gpa, uint64_t address, uint64_t size)
{
    unsigned level = format->largest_leaf;

    while (level > 1 && ((gpa | address) & (level_size(level) - 1) || size < level_size(level)))
        level--;
    return level;
}

int gpmap_add(struct gpmap *map, uint64_t gpa, uint64_t address, uint64_t size, unsigned rights,
              enum memory_type type)
{
    const struct paging_format *format = map->machine->paging;

    while (size > 0) {
        unsigned level = best_level(format, gpa, address, size);
        uint64_t *table = map->root, *entry;

        for (unsigned at = format->levels; at > level; at--) {
            entry = &table[index_at(gpa, at)];
            if (!(*entry & format->present_mask)) {
                void *frame = map->machine->frames(FRAME_SIZE);

                if (!frame)
                    return trace_error(-1, "memory: no frames left for nested tables");
                *entry = format->table((uintptr_t)frame);
            } else if (at <= format->largest_leaf && *entry & format->leaf_mask) {
                return trace_error(-1, "memory: %lx is mapped twice", gpa);
            }
            table = (uint64_t *)(uintptr_t)(*entry & format->address_mask);
        }
        entry = &table[index_at(gpa, level)];
        if (*entry & format->present_mask)
            return trace_error(-1, "memory: %lx is mapped twice", gpa);
        *entry = format->leaf(address, level, rights, type);
        map->leaves[level]++;
        gpa += level_size(level);
        address += level_size(level);
        size -= level_size(level);
    }
    return 0;
}

uint64_t gpmap_lookup(const struct gpmap *map, uint64_t gpa, unsigned *rights)
{
    const struct paging_format *format = map->machine->paging;
    const uint64_t *table = map->root;

    for (unsigned level = format->levels; level >= 1; level--) {
        uint64_t entry = table[index_at(gpa, level)];

        if (!(entry & format->present_mask))
            break;
        if (level == 1 || (level <= format->largest_leaf && entry & format->leaf_mask)) {
            uint64_t inside = level_size(level) - 1;

            if (rights)
                *rights = format->rights(entry);
            return (entry & format->address_mask & ~inside) | (gpa & inside);
        }
        table = (const uint64_t *)(uintptr_t)(entry & format->address_mask);
    }
    return ~0ull;
}

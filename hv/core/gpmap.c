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

/* The table of that level that covers the address, made where there is none; null with the reason on the
 * log. */
static uint64_t *table_at(struct gpmap *map, uint64_t gpa, unsigned level)
{
    const struct paging_format *format = map->machine->paging;
    uint64_t *table = map->root;

    for (unsigned at = format->levels; at > level; at--) {
        uint64_t *entry = &table[index_at(gpa, at)];

        if (!(*entry & format->present_mask)) {
            void *frame = map->machine->frames(FRAME_SIZE);

            if (!frame) {
                log_line("memory: no frames left for nested tables");
                return 0;
            }
            *entry = format->table((uintptr_t)frame);
        } else if (at <= format->largest_leaf && *entry & format->leaf_mask) {
            log_line("memory: %lx is mapped twice", gpa);
            return 0;
        }
        table = (uint64_t *)(uintptr_t)(*entry & format->address_mask);
    }
    return table;
}

int gpmap_add(struct gpmap *map, uint64_t gpa, uint64_t address, uint64_t size, unsigned rights,
              enum memory_type type)
{
    const struct paging_format *format = map->machine->paging;

    while (size > 0) {
        unsigned level = best_level(format, gpa, address, size);
        uint64_t *table, *entry;

        table = table_at(map, gpa, level);
        if (!table)
            return -1;
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

int gpmap_reserve(struct gpmap *map, uint64_t gpa, uint64_t size)
{
    for (uint64_t at = gpa; at < gpa + size; at += FRAME_SIZE)
        if (!table_at(map, at, 1))
            return -1;
    return 0;
}

void gpmap_set(struct gpmap *map, uint64_t gpa, uint64_t address, uint64_t size, unsigned rights,
               enum memory_type type)
{
    for (uint64_t at = 0; at < size; at += FRAME_SIZE) {
        uint64_t *entry = &table_at(map, gpa + at, 1)[index_at(gpa + at, 1)];

        __atomic_store_n(entry, rights ? map->machine->paging->leaf(address + at, 1, rights, type) : 0,
                         __ATOMIC_RELAXED);
    }
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

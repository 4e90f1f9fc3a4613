/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

int bus_add(struct bus *bus, uint64_t first, uint64_t count, const struct device_ops *ops, void *device)
{
    unsigned at;

    if (count == 0 || first + (count - 1) < first)
        return BUS_EMPTY;
    if (bus->count == BUS_RANGES)
        return BUS_FULL;
    for (at = 0; at < bus->count && bus->range[at].first < first; at++)
        ;
    if (at > 0 && first - bus->range[at - 1].first < bus->range[at - 1].count)
        return BUS_OVERLAP;
    if (at < bus->count && bus->range[at].first - first < count)
        return BUS_OVERLAP;
    for (unsigned i = bus->count; i > at; i--)
        bus->range[i] = bus->range[i - 1];
    bus->range[at] = (struct bus_range){.first = first, .count = count, .ops = ops, .device = device};
    bus->count++;
    return 0;
}

static struct bus_range *find(struct bus *bus, uint64_t address, unsigned size)
{
    unsigned low = 0, high = bus->count;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        struct bus_range *range = &bus->range[mid];

        if (address < range->first)
            high = mid;
        else if (address - range->first >= range->count)
            low = mid + 1;
        else
            return range->count - (address - range->first) >= size ? range : 0;
    }
    return 0;
}

bool bus_read(struct bus *bus, uint64_t address, unsigned size, uint64_t *value)
{
    struct bus_range *range = find(bus, address, size);
    uint64_t mask = ~0ull >> (64 - 8 * size);

    if (!range) {
        bus->unclaimed++;
        *value = mask;
        return false;
    }
    *value = range->ops->read(range->device, address - range->first, size) & mask;
    return true;
}

bool bus_write(struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    struct bus_range *range = find(bus, address, size);

    if (!range) {
        bus->unclaimed++;
        return false;
    }
    range->ops->write(range->device, address - range->first, size, value & (~0ull >> (64 - 8 * size)));
    return true;
}

void bus_reset(struct bus *bus)
{
    for (unsigned i = 0; i < bus->count; i++)
        if (bus->range[i].ops->reset)
            bus->range[i].ops->reset(bus->range[i].device);
}

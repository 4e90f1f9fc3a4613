/* SPDX-License-Identifier: BSD-2-Clause */
#include "pci_tree.h"

#include "pci_config.h"

enum { BUSES = 256, DEVICES = 32, FUNCTIONS = 8, CAPABILITIES = 48 };
/* PCIe 5.0 6.6.2: a function is left alone for 100 ms after its reset. */
enum { RESET_US = 100000, RESET_MORE_US = 1000000 };

static uint32_t read(const struct pci_host *host, uint16_t id, uint32_t offset, unsigned size)
{
    return host->read(host->self, id, offset, size);
}

static void write(const struct pci_host *host, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    host->write(host->self, id, offset, size, value);
}

/* Whether a capability's registers end where configuration space does: what it says of its length is its own.
 */
static bool has_room(const struct pci_host *host, uint16_t id, uint8_t capability, uint32_t at)
{
    uint32_t bytes = 4, control;

    switch (capability) {
    case CAPABILITY_POWER:
        bytes = POWER_BYTES;
        break;
    case CAPABILITY_MSI:
        control = read(host, id, at + MSI_CONTROL, 2);
        bytes = (control & MSI_MASKS ? (uint32_t)MSI_MASKED_BYTES : (uint32_t)MSI_BYTES) +
                (control & MSI_WIDE ? 4u : 0u);
        break;
    case CAPABILITY_MSIX:
        bytes = MSIX_BYTES;
        break;
    case CAPABILITY_PCIE:
        bytes = PCIE_LEAST_BYTES;
        break;
    default:
        break;
    }
    return at + bytes <= CONFIG_BYTES;
}

uint8_t pci_find_capability(const struct pci_host *host, uint16_t id, uint8_t capability)
{
    uint32_t at;

    if (!(read(host, id, CONFIG_STATUS, 2) & STATUS_CAPABILITIES))
        return 0;
    at = read(host, id, CONFIG_CAPABILITIES, 1) & ~3u;
    /* A list that bites its tail ends, too. */
    for (unsigned i = 0; i < CAPABILITIES && at >= CONFIG_HEADER_END; i++) {
        if (read(host, id, at, 1) == capability)
            return has_room(host, id, capability, at) ? (uint8_t)at : 0;
        at = read(host, id, at + 1, 1) & ~3u;
    }
    return 0;
}

/* True: more functions of this device can be there. */
static bool add(struct pci_tree *tree, uint16_t id, uint16_t bridge, bool *below, uint8_t *secondary)
{
    const struct pci_host *host = tree->host;
    struct pci_host_function *f;
    uint32_t ids = read(host, id, CONFIG_VENDOR, 4), header;

    *below = false;
    if ((ids & 0xffff) == 0xffff)
        return id & 7; /* no function 0: no device */
    header = read(host, id, CONFIG_HEADER, 1);
    if ((header & HEADER_TYPE) == HEADER_BRIDGE) {
        *secondary = (uint8_t)read(host, id, CONFIG_BUSES + 1, 1);
        *below = *secondary != 0 && *secondary <= host->last_bus;
    }
    if (tree->count == PCI_TREE_FUNCTIONS) {
        tree->left_out++;
        return header & HEADER_MANY;
    }
    f = &tree->function[tree->count++];
    *f = (struct pci_host_function){
        .id = id,
        .bridge = bridge,
        .vendor = (uint16_t)ids,
        .device = (uint16_t)(ids >> 16),
        .class_code = read(host, id, CONFIG_REVISION, 4) >> 8,
        .is_bridge = (header & HEADER_TYPE) != 0,
        .pin = (uint8_t)read(host, id, CONFIG_PIN, 1),
        .msi = pci_find_capability(host, id, CAPABILITY_MSI),
        .msix = pci_find_capability(host, id, CAPABILITY_MSIX),
        .pcie = pci_find_capability(host, id, CAPABILITY_PCIE),
        .power = pci_find_capability(host, id, CAPABILITY_POWER),
    };
    if (f->pin > 4)
        f->pin = 0;
    return header & HEADER_MANY || id & 7;
}

void pci_tree_read(struct pci_tree *tree, const struct pci_host *host)
{
    uint16_t bridge_of[BUSES];
    uint8_t bus[BUSES];
    bool seen[BUSES] = {true};
    unsigned buses = 1;

    tree->host = host;
    tree->count = tree->left_out = 0;
    bus[0] = 0;
    bridge_of[0] = PCI_NO_ID;
    for (unsigned i = 0; i < buses; i++)
        for (unsigned device = 0; device < DEVICES; device++)
            for (unsigned function = 0; function < FUNCTIONS; function++) {
                const uint16_t id = PCI_ID(bus[i], device, function);
                uint8_t secondary = 0;
                bool below, more = add(tree, id, bridge_of[i], &below, &secondary);

                if (below && !seen[secondary]) {
                    seen[secondary] = true;
                    bridge_of[buses] = id;
                    bus[buses++] = secondary;
                }
                if (!more)
                    break;
            }
}

struct pci_host_function *pci_tree_find(struct pci_tree *tree, uint16_t id)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (tree->function[i].id == id)
            return &tree->function[i];
    return 0;
}

/* What a BAR register holds of an address: the bits that stay when ones are written. */
static uint32_t probe(const struct pci_host *host, uint16_t id, uint32_t offset)
{
    const uint32_t before = read(host, id, offset, 4);
    uint32_t ones;

    write(host, id, offset, 4, ~0u);
    ones = read(host, id, offset, 4);
    write(host, id, offset, 4, before);
    return ones;
}

void pci_tree_size(const struct pci_tree *tree, struct pci_host_function *function)
{
    const struct pci_host *host = tree->host;
    const uint16_t id = function->id;
    const uint32_t command = read(host, id, CONFIG_COMMAND, 2);

    write(host, id, CONFIG_COMMAND, 2,
          command & ~(uint32_t)(COMMAND_MEMORY | COMMAND_MASTER | COMMAND_PORTS));
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const uint32_t offset = CONFIG_BAR + 4 * i, low = read(host, id, offset, 4);
        struct pci_bar *bar = &function->bar[i];
        uint64_t ones = probe(host, id, offset);

        *bar = (struct pci_bar){0};
        if (low & BAR_PORTS)
            continue;
        bar->prefetchable = low & BAR_PREFETCH;
        bar->address = low & ~(uint32_t)BAR_FLAGS;
        ones &= ~(uint64_t)BAR_FLAGS;
        if ((low & BAR_KIND) == BAR_WIDE && i + 1 < PCI_BARS) {
            bar->wide = true;
            bar->address |= (uint64_t)read(host, id, offset + 4, 4) << 32;
            ones |= (uint64_t)probe(host, id, offset + 4) << 32;
            function->bar[++i] = (struct pci_bar){0};
        } else if (ones) {
            ones |= 0xffffffff00000000ull;
        }
        bar->size = ones ? ~ones + 1 : 0;
        if (bar->size & (bar->size - 1))
            bar->size = 0; /* no BAR is like that */
    }
    write(host, id, CONFIG_COMMAND, 2, command);
}

static void restore_bars(const struct pci_host *host, const struct pci_host_function *function)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &function->bar[i];

        if (!bar->size)
            continue;
        write(host, function->id, CONFIG_BAR + 4 * i, 4, (uint32_t)bar->address);
        if (bar->wide)
            write(host, function->id, CONFIG_BAR + 4 * i + 4, 4, (uint32_t)(bar->address >> 32));
    }
}

bool pci_function_reset(const struct pci_host *host, const struct pci_host_function *function)
{
    const uint32_t control = function->pcie + (uint32_t)PCIE_DEVICE_CONTROL;
    uint32_t before;

    if (!function->pcie || !(read(host, function->id, function->pcie + PCIE_DEVICE, 4) & PCIE_FLR_ABLE))
        return false;
    before = read(host, function->id, control, 2);
    write(host, function->id, control, 2, before | PCIE_FLR);
    host->wait_us(host->self, RESET_US);
    if (read(host, function->id, CONFIG_VENDOR, 2) != function->vendor)
        host->wait_us(host->self, RESET_MORE_US);
    restore_bars(host, function);
    write(host, function->id, control, 2, before);
    return read(host, function->id, CONFIG_VENDOR, 2) == function->vendor;
}

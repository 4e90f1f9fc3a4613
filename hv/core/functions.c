/* SPDX-License-Identifier: BSD-2-Clause */
#include "functions.h"

#include "card.h"
#include "format.h"
#include "log.h"
#include "pci_config.h"

struct functions functions;

void functions_name(uint16_t id, char text[8])
{
    format(text, 8, "%02x:%02x.%x", id >> 8, id >> 3 & 31, id & 7);
}

static bool is_behind_relay(const struct pci_host_function *f)
{
    return functions.relay && f->id != functions.relay->id && f->id >> 3 == functions.relay->id >> 3;
}

static void find_relay(void)
{
    struct pci_tree *tree = &functions.tree;

    for (unsigned i = 0; i < tree->count && !functions.relay; i++) {
        struct pci_host_function *f = &tree->function[i];

        if (f->vendor == CARD_PCI_VENDOR && f->device == CARD_PCI_DEVICE && (f->id & 7) == 0)
            functions.relay = f;
    }
}

/* Neither interrupts nor DMA, until somebody has it: the firmware's drivers are gone. */
static void silence(const struct pci_host *host, const struct pci_host_function *f)
{
    const uint32_t command = host->read(host->self, f->id, CONFIG_COMMAND, 2);

    if (!f->is_bridge)
        host->write(host->self, f->id, CONFIG_COMMAND, 2,
                    (command & ~(uint32_t)COMMAND_MASTER) | COMMAND_NO_INTX);
}

void functions_read(const struct pci_host *host)
{
    struct pci_tree *tree = &functions.tree;
    char name[8];

    if (!host)
        return;
    pci_tree_read(tree, host);
    find_relay();
    for (unsigned i = 0; i < tree->count; i++)
        silence(host, &tree->function[i]);
    if (tree->left_out)
        log_line("pci: %u functions too many, they are left alone", tree->left_out);
    if (!functions.relay) {
        log_line("pci: %u functions, no relay", tree->count);
        return;
    }
    functions_name(functions.relay->id, name);
    log_line("pci: %u functions, the relay is %s", tree->count, name);
}

static struct pci_host_function *find(const struct partition_function *f)
{
    return pci_tree_find(&functions.tree, PCI_ID(f->bus, f->slot, f->function));
}

static bool meets_memory(const struct pci_host_function *f)
{
    for (unsigned i = 0; functions.is_memory && i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bar[i];

        if (bar->size && functions.is_memory(functions.owner, bar->address, bar->address + bar->size))
            return true;
    }
    return false;
}

static bool has_address(const struct pci_host_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (f->bar[i].size && !f->bar[i].address)
            return false;
    return true;
}

const char *functions_refusal(const struct partition_function *function)
{
    struct pci_host_function *f;

    if (!functions.tree.host)
        return "cannot be reached: the firmware tells of no ECAM";
    if (function->segment != 0)
        return "is not of segment 0, the only one this version knows";
    f = find(function);
    if (!f)
        return "is not there";
    if (f->is_bridge)
        return "is a bridge";
    if (f == functions.relay)
        return "is the relay, and the hypervisor's";
    if (!is_behind_relay(f))
        return "is not behind the relay: nothing tells its interrupts, or confines its DMA";
    pci_tree_size(&functions.tree, f);
    if (!has_address(f))
        return "has a BAR that the firmware gave no address";
    if (meets_memory(f))
        return "has a BAR in the machine's memory";
    return 0;
}

const struct pci_host_function *functions_take(const struct partition_function *function)
{
    return find(function);
}

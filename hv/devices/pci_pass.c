/* SPDX-License-Identifier: BSD-2-Clause */
#include "pci_pass.h"

#include "pci_tree.h"

#include <string.h>

enum { PAGE = 4096, CAPABILITIES = 48 };
/* What a guest may change in the command register. */
enum { COMMAND_WRITABLE = COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX };

/* ---- little things ---- */

static uint32_t host_read(const struct pci_pass *p, uint32_t offset, unsigned size)
{
    return p->host->read(p->host->self, p->function->id, offset, size);
}

static void host_write(const struct pci_pass *p, uint32_t offset, unsigned size, uint32_t value)
{
    p->host->write(p->host->self, p->function->id, offset, size, value);
}

static uint32_t kept(const struct pci_pass *p, uint32_t offset, unsigned size)
{
    uint32_t value = 0;

    memcpy(&value, p->kept + offset, size);
    return value;
}

static void keep(struct pci_pass *p, uint32_t offset, unsigned size, uint32_t value, uint32_t writable)
{
    memset(p->kind + offset, PASS_KEPT, size);
    memcpy(p->kept + offset, &value, size);
    memcpy(p->writable + offset, &writable, size);
}

static void show(struct pci_pass *p, uint32_t offset, unsigned size)
{
    memset(p->kind + offset, PASS_SHOWN, size);
}

static uint32_t command(const struct pci_pass *p)
{
    return kept(p, CONFIG_COMMAND, 2);
}

static bool has_table(const struct pci_pass *p)
{
    return p->table_entries != 0;
}

static bool msi_on(const struct pci_pass *p)
{
    return p->function->msi && kept(p, p->function->msi + MSI_CONTROL, 2) & MSI_ENABLE;
}

static bool msix_on(const struct pci_pass *p)
{
    return has_table(p) && kept(p, p->function->msix + MSIX_CONTROL, 2) & MSIX_ENABLE;
}

bool pci_pass_by_message(const struct pci_pass *pass)
{
    return msi_on(pass) || msix_on(pass);
}

/* ---- the policy ---- */

static uint32_t msi_data_at(const struct pci_pass *p)
{
    const uint32_t at = p->function->msi;

    return at + (host_read(p, at + MSI_CONTROL, 2) & MSI_WIDE ? 12u : 8u);
}

/* Table and pending bits lie in BARs that are there. */
static bool table_fits(const struct pci_pass *p, uint32_t at)
{
    const uint64_t entries = (host_read(p, at + MSIX_CONTROL, 2) & MSIX_SIZE) + 1u;
    const uint32_t table = host_read(p, at + MSIX_TABLE, 4), pending = host_read(p, at + MSIX_PENDING, 4);
    const struct pci_bar *bar = p->function->bar;

    return (table & MSIX_BAR) < PCI_BARS && (pending & MSIX_BAR) < PCI_BARS &&
           bar[table & MSIX_BAR].size >= (table & ~(uint32_t)MSIX_BAR) + entries * MSIX_ENTRY &&
           bar[pending & MSIX_BAR].size >= (pending & ~(uint32_t)MSIX_BAR) + (entries + 63) / 64 * 8;
}

/* One message: functions that can send more are told that they may not. */
static void keep_msi(struct pci_pass *p, uint32_t at)
{
    const uint32_t control = host_read(p, at + MSI_CONTROL, 2), data = msi_data_at(p);

    keep(p, at + MSI_CONTROL, 2, control & (MSI_WIDE | MSI_MASKS), MSI_ENABLE);
    keep(p, at + MSI_ADDRESS, 4, 0, ~3u);
    if (control & MSI_WIDE)
        keep(p, at + MSI_ADDRESS + 4, 4, 0, ~0u);
    keep(p, data, 2, 0, 0xffff);
    if (control & MSI_MASKS)
        keep(p, data + 4, 4, 0, 1);
}

static void keep_msix(struct pci_pass *p, uint32_t at)
{
    const uint32_t entries = (host_read(p, at + MSIX_CONTROL, 2) & MSIX_SIZE) + 1;
    const uint32_t table = host_read(p, at + MSIX_TABLE, 4), pending = host_read(p, at + MSIX_PENDING, 4);

    p->table_entries = entries;
    p->table_bar = table & MSIX_BAR;
    p->table_first = table & ~(uint32_t)MSIX_BAR;
    p->table_end = p->table_first + entries * (uint64_t)MSIX_ENTRY;
    p->pending_bar = pending & MSIX_BAR;
    p->pending_first = pending & ~(uint32_t)MSIX_BAR;
    p->pending_end = p->pending_first + (entries + 63) / 64 * 8;
    if (p->messages > entries)
        p->messages = entries;
    keep(p, at + MSIX_CONTROL, 2, p->messages - 1, MSIX_ENABLE | MSIX_MASK_ALL);
    show(p, at + MSIX_TABLE, 8);
}

static void keep_capability(struct pci_pass *p, uint8_t id, uint32_t at)
{
    uint32_t bytes;

    switch (id) {
    case CAPABILITY_POWER:
        show(p, at + 2, 2);
        keep(p, at + POWER_CONTROL, 4, 0, POWER_STATE);
        break;
    case CAPABILITY_PCIE:
        bytes = at + PCIE_BYTES > CONFIG_BYTES ? CONFIG_BYTES - at : (uint32_t)PCIE_BYTES;
        show(p, at + 2, bytes - 2);
        keep(p, at + PCIE_DEVICE, 4, host_read(p, at + PCIE_DEVICE, 4) & ~(uint32_t)PCIE_FLR_ABLE, 0);
        break;
    case CAPABILITY_VENDOR:
        bytes = host_read(p, at + 2, 1);
        bytes = at + bytes > CONFIG_BYTES ? CONFIG_BYTES - at : bytes;
        show(p, at + 2, bytes > 2 ? bytes - 2 : 1);
        break;
    case CAPABILITY_MSI:
        keep_msi(p, at);
        break;
    default:
        keep_msix(p, at);
    }
}

static bool is_shown(const struct pci_pass *p, uint8_t id, uint32_t at)
{
    switch (id) {
    case CAPABILITY_POWER:
        return at == p->function->power;
    case CAPABILITY_PCIE:
        return at == p->function->pcie;
    case CAPABILITY_VENDOR:
        return true;
    case CAPABILITY_MSI:
        return at == p->function->msi && p->messages;
    case CAPABILITY_MSIX:
        return at == p->function->msix && p->messages && table_fits(p, at);
    default:
        return false;
    }
}

static void keep_capabilities(struct pci_pass *p)
{
    uint32_t at = 0, link = CONFIG_CAPABILITIES;

    keep(p, CONFIG_CAPABILITIES, 1, 0, 0);
    if (host_read(p, CONFIG_STATUS, 2) & STATUS_CAPABILITIES)
        at = host_read(p, CONFIG_CAPABILITIES, 1) & ~3u;
    for (unsigned i = 0; i < CAPABILITIES && at >= CONFIG_HEADER_END; i++) {
        const uint8_t id = (uint8_t)host_read(p, at, 1);

        if (is_shown(p, id, at)) {
            keep(p, at, 1, id, 0);
            keep(p, at + 1, 1, 0, 0);
            keep_capability(p, id, at);
            p->kept[link] = (uint8_t)at;
            link = at + 1;
        }
        at = host_read(p, at + 1, 1) & ~3u;
    }
}

static void keep_bars(struct pci_pass *p, const uint64_t gpa[PCI_BARS])
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &p->function->bar[i];
        const uint32_t offset = CONFIG_BAR + 4 * i, flags = (bar->wide ? (uint32_t)BAR_WIDE : 0) |
                                                            (bar->prefetchable ? (uint32_t)BAR_PREFETCH : 0);

        p->placed[i] = PCI_NOWHERE;
        if (!bar->size)
            continue;
        keep(p, offset, 4, (uint32_t)gpa[i] | flags, (uint32_t)~(bar->size - 1) & ~(uint32_t)BAR_FLAGS);
        if (bar->wide)
            keep(p, offset + 4, 4, (uint32_t)(gpa[i] >> 32), (uint32_t)(~(bar->size - 1) >> 32));
    }
}

/* ---- BARs ---- */

/* Pages of a BAR that are not mapped: those with its MSI-X table or pending bits. */
static bool is_trapped(const struct pci_pass *p, unsigned bar, uint64_t page)
{
    if (!has_table(p))
        return false;
    return (bar == p->table_bar && page < p->table_end && page + PAGE > p->table_first) ||
           (bar == p->pending_bar && page < p->pending_end && page + PAGE > p->pending_first);
}

static void map_bar(struct pci_pass *p, unsigned i, uint64_t gpa, bool on)
{
    const struct pci_bar *bar = &p->function->bar[i];

    if (bar->size % PAGE || bar->address % PAGE)
        return;
    for (uint64_t from = 0, to; from < bar->size; from = to) {
        const bool trapped = is_trapped(p, i, from);

        to = from + PAGE;
        while (!trapped && to < bar->size && !is_trapped(p, i, to))
            to += PAGE;
        if (!trapped)
            p->env->map(p->owner, gpa + from, bar->address + from, to - from, on);
    }
}

static uint64_t wanted_at(const struct pci_pass *p, unsigned i)
{
    const struct pci_bar *bar = &p->function->bar[i];
    uint64_t gpa = kept(p, CONFIG_BAR + 4 * i, 4) & ~(uint32_t)BAR_FLAGS;

    if (bar->wide)
        gpa |= (uint64_t)kept(p, CONFIG_BAR + 4 * i + 4, 4) << 32;
    if (!bar->size || !(command(p) & COMMAND_MEMORY) || gpa < p->aperture || gpa >= p->aperture_end ||
        p->aperture_end - gpa < bar->size)
        return PCI_NOWHERE;
    return gpa;
}

/* All that has to go goes first: two BARs may change places. */
static void place_bars(struct pci_pass *p)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (p->placed[i] != PCI_NOWHERE && p->placed[i] != wanted_at(p, i)) {
            map_bar(p, i, p->placed[i], false);
            p->placed[i] = PCI_NOWHERE;
        }
    }
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (p->placed[i] == PCI_NOWHERE && wanted_at(p, i) != PCI_NOWHERE) {
            p->placed[i] = wanted_at(p, i);
            map_bar(p, i, p->placed[i], true);
        }
    }
}

/* ---- messages ---- */

static uint64_t entry_at(const struct pci_pass *p, unsigned index)
{
    return p->function->bar[p->table_bar].address + p->table_first + index * (uint64_t)MSIX_ENTRY;
}

static void set_entry(const struct pci_pass *p, unsigned index, const struct pci_message *m)
{
    const struct pci_host *host = p->host;
    const uint64_t at = entry_at(p, index);

    /* Masked while it changes: an entry is four words, and the device may look in between (PCI 3.0 6.8.3). */
    host->store(host->self, at + MSIX_ENTRY_CONTROL, 4, MSIX_MASKED);
    host->store(host->self, at, 4, (uint32_t)m->address);
    host->store(host->self, at + 4, 4, (uint32_t)(m->address >> 32));
    host->store(host->self, at + MSIX_ENTRY_DATA, 4, m->data);
    if (!m->masked)
        host->store(host->self, at + MSIX_ENTRY_CONTROL, 4, 0);
}

bool pci_pass_message(const struct pci_pass *pass, unsigned index, struct pci_message *guest)
{
    const uint32_t at = pass->function->msi;

    if (index >= pass->messages)
        return false;
    if (msix_on(pass)) {
        *guest = pass->message[index];
        guest->masked |= (kept(pass, pass->function->msix + MSIX_CONTROL, 2) & MSIX_MASK_ALL) != 0;
        return true;
    }
    if (index != 0 || !msi_on(pass))
        return false;
    *guest = (struct pci_message){.address = kept(pass, at + MSI_ADDRESS, 4)};
    if (kept(pass, at + MSI_CONTROL, 2) & MSI_WIDE)
        guest->address |= (uint64_t)kept(pass, at + MSI_ADDRESS + 4, 4) << 32;
    guest->data = kept(pass, msi_data_at(pass), 2);
    if (kept(pass, at + MSI_CONTROL, 2) & MSI_MASKS)
        guest->masked = kept(pass, msi_data_at(pass) + 4, 4) & 1;
    return true;
}

static void give_entry(struct pci_pass *p, unsigned index)
{
    struct pci_message guest, host = {.masked = true};
    const bool on = pci_pass_message(p, index, &guest) && !guest.masked;

    if (on && p->env->message(p->owner, p, index, true, &host)) {
        p->on[index] = true;
        set_entry(p, index, &host);
        return;
    }
    /* First the device is silent, then its message is no longer known. */
    host.masked = true;
    set_entry(p, index, &host);
    if (p->on[index])
        p->env->message(p->owner, p, index, false, &host);
    p->on[index] = false;
}

static void give_msi(struct pci_pass *p)
{
    const uint32_t at = p->function->msi, control = host_read(p, at + MSI_CONTROL, 2) & ~(uint32_t)MSI_COUNTS;
    struct pci_message guest, host = {0};
    const bool on = pci_pass_message(p, 0, &guest) && !guest.masked;

    host_write(p, at + MSI_CONTROL, 2, control & ~(uint32_t)MSI_ENABLE);
    if (on && p->env->message(p->owner, p, 0, true, &host)) {
        p->on[0] = true;
        host_write(p, at + MSI_ADDRESS, 4, (uint32_t)host.address);
        if (control & MSI_WIDE)
            host_write(p, at + MSI_ADDRESS + 4, 4, (uint32_t)(host.address >> 32));
        host_write(p, msi_data_at(p), 2, host.data & 0xffff);
        if (control & MSI_MASKS)
            host_write(p, msi_data_at(p) + 4, 4, 0);
        host_write(p, at + MSI_CONTROL, 2, control | MSI_ENABLE);
        return;
    }
    if (p->on[0])
        p->env->message(p->owner, p, 0, false, &host);
    p->on[0] = false;
    /* Masked, but on: it must not fall back to its line. A function that cannot mask has no such state. */
    if (msi_on(p) && control & MSI_MASKS) {
        host_write(p, msi_data_at(p) + 4, 4, ~0u);
        host_write(p, at + MSI_CONTROL, 2, control | MSI_ENABLE);
    }
}

/* Entries change while all are masked: what they held when MSI-X was last on does not get out. */
static void give_table(struct pci_pass *p)
{
    const uint32_t control = p->function->msix + (uint32_t)MSIX_CONTROL;

    host_write(p, control, 2, MSIX_ENABLE | MSIX_MASK_ALL);
    for (unsigned i = 0; i < p->messages; i++)
        give_entry(p, i);
    host_write(p, control, 2, msix_on(p) ? MSIX_ENABLE : 0);
}

/* What goes off goes first: the function never sends by both. */
static void give_messages(struct pci_pass *p)
{
    if (p->function->msi && p->messages && !msi_on(p))
        give_msi(p);
    if (has_table(p) && p->messages)
        give_table(p);
    if (msi_on(p) && !msix_on(p))
        give_msi(p);
}

void pci_pass_refresh(struct pci_pass *pass)
{
    if (pci_pass_by_message(pass))
        give_messages(pass);
}

/* ---- command ---- */

static void give_command(struct pci_pass *p)
{
    uint32_t value = COMMAND_MEMORY; /* the hypervisor reaches its registers always */

    if (p->masters)
        value |= COMMAND_MASTER;
    if (command(p) & COMMAND_NO_INTX || p->line_held)
        value |= COMMAND_NO_INTX;
    host_write(p, CONFIG_COMMAND, 2, value);
}

bool pci_pass_asks(const struct pci_pass *pass)
{
    return !pass->line_held && !(command(pass) & COMMAND_NO_INTX) &&
           host_read(pass, CONFIG_STATUS, 2) & STATUS_INTERRUPT;
}

void pci_pass_hold_line(struct pci_pass *pass, bool held)
{
    pass->line_held = held;
    give_command(pass);
}

static void decide_mastering(struct pci_pass *p)
{
    p->masters = p->env->confined(p->owner) || command(p) & COMMAND_MASTER;
}

/* A bit that the owner refuses reads back as 0. */
static void change_command(struct pci_pass *p, uint32_t before)
{
    const uint32_t now = command(p);

    if (((now ^ before) & COMMAND_MASTER) && !p->env->master(p->owner, p, now & COMMAND_MASTER) &&
        now & COMMAND_MASTER)
        p->kept[CONFIG_COMMAND] &= (uint8_t)~COMMAND_MASTER;
    if (command(p) != before) {
        decide_mastering(p);
        give_command(p);
    }
}

/* ---- accesses to configuration space ---- */

static uint8_t read_byte(struct pci_pass *p, uint32_t offset)
{
    switch (p->kind[offset]) {
    case PASS_SHOWN:
        return (uint8_t)host_read(p, offset, 1);
    case PASS_KEPT:
        return p->kept[offset];
    default:
        return 0;
    }
}

/* A register that is shown as a whole is read as a whole. */
static uint32_t config_read(void *self, uint32_t offset, unsigned size)
{
    struct pci_pass *p = self;
    uint32_t value = 0;
    unsigned shown = 0;

    if (offset + size > CONFIG_BYTES)
        return 0;
    for (unsigned i = 0; i < size; i++)
        shown += p->kind[offset + i] == PASS_SHOWN;
    if (shown == size)
        return host_read(p, offset, size);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)read_byte(p, offset + i) << 8 * i;
    return value;
}

static bool touches(uint32_t offset, unsigned size, uint32_t first, uint32_t bytes)
{
    return offset < first + bytes && offset + size > first;
}

static void config_write(void *self, uint32_t offset, unsigned size, uint32_t value)
{
    struct pci_pass *p = self;
    const uint32_t before = command(p);

    if (offset + size > CONFIG_BYTES)
        return;
    for (unsigned i = 0; i < size; i++) {
        const uint8_t mask = p->kind[offset + i] == PASS_KEPT ? p->writable[offset + i] : 0;

        p->kept[offset + i] = (uint8_t)((p->kept[offset + i] & ~mask) | (value >> 8 * i & mask));
    }
    if (touches(offset, size, CONFIG_COMMAND, 2))
        change_command(p, before);
    if (touches(offset, size, CONFIG_COMMAND, 2) || touches(offset, size, CONFIG_BAR, 4 * PCI_BARS))
        place_bars(p);
    if ((p->function->msi && touches(offset, size, p->function->msi, 24)) ||
        (has_table(p) && touches(offset, size, p->function->msix, MSIX_BYTES)))
        give_messages(p);
}

static void config_reset(void *self)
{
    pci_pass_reset(self);
}

const struct pci_function pci_pass_function = {
    .read = config_read, .write = config_write, .reset = config_reset};

/* ---- accesses to the aperture ---- */

static bool find_bar(const struct pci_pass *p, uint64_t gpa, unsigned size, unsigned *bar, uint64_t *offset)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const uint64_t bytes = p->function->bar[i].size;

        if (p->placed[i] == PCI_NOWHERE || gpa - p->placed[i] >= bytes || bytes - (gpa - p->placed[i]) < size)
            continue;
        *bar = i;
        *offset = gpa - p->placed[i];
        return true;
    }
    return false;
}

static bool in_table(const struct pci_pass *p, unsigned bar, uint64_t offset)
{
    return has_table(p) && bar == p->table_bar && offset >= p->table_first && offset < p->table_end;
}

static uint32_t table_word(const struct pci_pass *p, uint64_t at)
{
    const struct pci_message *m = &p->message[at / MSIX_ENTRY];

    if (at / MSIX_ENTRY >= p->messages)
        return at % MSIX_ENTRY == MSIX_ENTRY_CONTROL ? MSIX_MASKED : 0;
    switch (at % MSIX_ENTRY) {
    case 0:
        return (uint32_t)m->address;
    case 4:
        return (uint32_t)(m->address >> 32);
    case MSIX_ENTRY_DATA:
        return m->data;
    default:
        return m->masked;
    }
}

static void set_table_word(struct pci_pass *p, uint64_t at, uint32_t value)
{
    struct pci_message *m = &p->message[at / MSIX_ENTRY];

    if (at / MSIX_ENTRY >= p->messages)
        return;
    switch (at % MSIX_ENTRY) {
    case 0:
        m->address = (m->address & ~0xffffffffull) | (value & ~3u);
        break;
    case 4:
        m->address = (uint32_t)m->address | (uint64_t)value << 32;
        break;
    case MSIX_ENTRY_DATA:
        m->data = value;
        break;
    default:
        m->masked = value & MSIX_MASKED;
    }
}

/* Words and pairs of them; other accesses to the table are not defined (PCI 3.0 6.8.2) and read 0. */
bool pci_pass_load(struct pci_pass *pass, uint64_t gpa, unsigned size, uint64_t *value)
{
    unsigned bar;
    uint64_t offset;

    if (!find_bar(pass, gpa, size, &bar, &offset))
        return false;
    if (!in_table(pass, bar, offset)) {
        *value = pass->host->load(pass->host->self, pass->function->bar[bar].address + offset, size);
        return true;
    }
    offset -= pass->table_first;
    *value = 0;
    if (size >= 4 && offset % size == 0) {
        *value = table_word(pass, offset);
        if (size == 8)
            *value |= (uint64_t)table_word(pass, offset + 4) << 32;
    }
    return true;
}

bool pci_pass_store(struct pci_pass *pass, uint64_t gpa, unsigned size, uint64_t value)
{
    unsigned bar;
    uint64_t offset;

    if (!find_bar(pass, gpa, size, &bar, &offset))
        return false;
    if (!in_table(pass, bar, offset)) {
        /* Nor does a wide store reach into the table from before it. */
        if (!in_table(pass, bar, offset + size - 1))
            pass->host->store(pass->host->self, pass->function->bar[bar].address + offset, size, value);
        return true;
    }
    offset -= pass->table_first;
    if (size >= 4 && offset % size == 0) {
        set_table_word(pass, offset, (uint32_t)value);
        if (size == 8)
            set_table_word(pass, offset + 4, (uint32_t)(value >> 32));
        if (offset / MSIX_ENTRY < pass->messages && msix_on(pass))
            give_entry(pass, (unsigned)(offset / MSIX_ENTRY));
    }
    return true;
}

/* ---- life ---- */

static void silence(struct pci_pass *p)
{
    host_write(p, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_NO_INTX);
    /* What it sent before is in memory when this answer has come (PCIe 5.0 2.4.1). */
    (void)host_read(p, CONFIG_STATUS, 2);
}

void pci_pass_reset(struct pci_pass *pass)
{
    const uint32_t before = command(pass);

    silence(pass);
    memcpy(pass->kept, pass->initial, sizeof pass->kept);
    for (unsigned i = 0; i < PCI_PASS_MESSAGES; i++)
        pass->message[i] = (struct pci_message){.masked = true};
    pass->line_held = false;
    place_bars(pass);
    if (before & COMMAND_MASTER)
        pass->env->master(pass->owner, pass, false);
    give_messages(pass);
    pass->env->reset(pass->owner, pass);
    pci_function_reset(pass->host, pass->function);
    decide_mastering(pass);
    give_command(pass);
}

void pci_pass_init(struct pci_pass *pass, const struct pci_host *host,
                   const struct pci_host_function *function, unsigned slot, unsigned messages,
                   uint64_t aperture, uint64_t aperture_end, const uint64_t gpa[PCI_BARS],
                   const struct pci_pass_env *env, void *owner)
{
    *pass = (struct pci_pass){.host = host,
                              .function = function,
                              .env = env,
                              .owner = owner,
                              .slot = slot,
                              .messages = messages,
                              .aperture = aperture,
                              .aperture_end = aperture_end};
    show(pass, CONFIG_VENDOR, 4);
    keep(pass, CONFIG_COMMAND, 2, 0, COMMAND_WRITABLE);
    show(pass, CONFIG_STATUS, 2);
    show(pass, CONFIG_REVISION, 4);
    keep(pass, CONFIG_CACHE_LINE, 4, 0, 0xff); /* latency, header type, self test: 0 */
    show(pass, CONFIG_SUBSYSTEM, 4);
    keep(pass, CONFIG_LINE, 1, 0, 0xff);
    keep(pass, CONFIG_PIN, 1, function->pin, 0);
    keep_bars(pass, gpa);
    keep_capabilities(pass);
    memcpy(pass->initial, pass->kept, sizeof pass->initial);
    pci_pass_reset(pass);
}

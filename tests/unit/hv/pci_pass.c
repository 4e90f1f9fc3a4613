/* SPDX-License-Identifier: BSD-2-Clause */
/* A function of a machine made of bytes: found, sized, and shown to an LPAR. */
#include <criterion/criterion.h>
#include <string.h>

#include "pci_pass.h"
#include "pci_tree.h"

enum { FUNCTION = PCI_ID(2, 0, 1), APERTURE = 0xd0000000, GPA0 = 0xd0010000, GPA2 = 0xd0020000 };
enum { AT_POWER = 0x40, AT_MSI = 0x50, AT_MSIX = 0x70, AT_VENDOR = 0x80, AT_OTHER = 0x90, AT_PCIE = 0xa0 };
enum { BAR0 = 0xfe000000, BAR0_BYTES = 0x4000, TABLE = 0x1000, PENDING = 0x1800, ENTRIES = 8 };
#define BAR2 0x880000000ull /* 64 KiB, above 4 GiB */

static uint8_t config[0x10000][256];
static uint8_t bar0[BAR0_BYTES];
static uint64_t bar2_bytes;
static unsigned resets, waits;

/* ---- the machine ---- */

static uint32_t host_read(void *self, uint16_t id, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    (void)self;
    memcpy(&value, config[id] + offset, size);
    return value;
}

static uint32_t get(uint32_t offset, unsigned size)
{
    return host_read(0, FUNCTION, offset, size);
}

static void put(uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    memcpy(config[id] + offset, &value, size);
}

static void host_write(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    (void)self;
    cr_assert(id == FUNCTION && offset % size == 0, "%x", id);
    switch (offset) {
    case CONFIG_BAR:
        value = (value & ~(BAR0_BYTES - 1u));
        break;
    case CONFIG_BAR + 8:
        value = (value & (uint32_t)~(bar2_bytes - 1)) | BAR_WIDE | BAR_PREFETCH;
        break;
    case CONFIG_BAR + 12:
        value &= (uint32_t)(~(bar2_bytes - 1) >> 32);
        break;
    case CONFIG_BAR + 4:
    case CONFIG_BAR + 16:
    case CONFIG_BAR + 20:
        value = 0;
        break;
    case AT_PCIE + PCIE_DEVICE_CONTROL:
        if (value & PCIE_FLR) {
            resets++;
            cr_assert_not(get(CONFIG_COMMAND, 2) & COMMAND_MASTER);
            put(id, CONFIG_BAR, 4, 0);
            put(id, CONFIG_COMMAND, 2, 0);
            memset(bar0, 0, sizeof bar0);
            value = 0;
        }
        break;
    default:
        break;
    }
    put(id, offset, size, value);
}

static uint64_t host_load(void *self, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    (void)self;
    cr_assert(address >= BAR0 && address + size <= BAR0 + BAR0_BYTES, "%lx", address);
    memcpy(&value, bar0 + (address - BAR0), size);
    return value;
}

static void host_store(void *self, uint64_t address, unsigned size, uint64_t value)
{
    (void)self;
    cr_assert(address >= BAR0 && address + size <= BAR0 + BAR0_BYTES, "%lx", address);
    memcpy(bar0 + (address - BAR0), &value, size);
}

static void host_wait(void *self, uint64_t us)
{
    (void)self;
    (void)us;
    waits++;
}

static const struct pci_host host = {.read = host_read,
                                     .write = host_write,
                                     .load = host_load,
                                     .store = host_store,
                                     .wait_us = host_wait,
                                     .last_bus = 255};

static void capability(uint32_t at, uint8_t id, uint32_t next)
{
    put(FUNCTION, at, 1, id);
    put(FUNCTION, at + 1, 1, next);
}

static void build(void)
{
    bar2_bytes = 0x10000;
    memset(config, 0xff, sizeof config);
    for (unsigned id = 0; id < 3; id++)
        memset(config[(const uint16_t[]){PCI_ID(0, 1, 0), PCI_ID(2, 0, 0), FUNCTION}[id]], 0, 256);
    put(PCI_ID(0, 1, 0), 0, 4, 0x000c1b36);
    put(PCI_ID(0, 1, 0), CONFIG_HEADER, 1, HEADER_BRIDGE);
    put(PCI_ID(0, 1, 0), CONFIG_BUSES, 4, 0x00020200);
    put(PCI_ID(2, 0, 0), 0, 4, 0x51601209);
    put(PCI_ID(2, 0, 0), CONFIG_HEADER, 1, HEADER_MANY);
    put(FUNCTION, 0, 4, 0x51611209);
    put(FUNCTION, CONFIG_STATUS, 2, STATUS_CAPABILITIES | STATUS_INTERRUPT);
    put(FUNCTION, CONFIG_REVISION, 4, 0xff000001);
    put(FUNCTION, CONFIG_HEADER, 1, HEADER_MANY);
    put(FUNCTION, CONFIG_BAR, 4, BAR0);
    put(FUNCTION, CONFIG_BAR + 8, 4, (uint32_t)BAR2 | BAR_WIDE | BAR_PREFETCH);
    put(FUNCTION, CONFIG_BAR + 12, 4, (uint32_t)(BAR2 >> 32));
    put(FUNCTION, CONFIG_PIN, 1, 2);
    put(FUNCTION, CONFIG_CAPABILITIES, 1, AT_POWER);
    capability(AT_POWER, CAPABILITY_POWER, AT_MSI);
    capability(AT_MSI, CAPABILITY_MSI, AT_OTHER);
    put(FUNCTION, AT_MSI + MSI_CONTROL, 2, MSI_WIDE | MSI_MASKS | 4 << 1);
    capability(AT_OTHER, 0x0d, AT_MSIX);
    put(FUNCTION, AT_OTHER + 4, 4, 0x1234);
    capability(AT_MSIX, CAPABILITY_MSIX, AT_VENDOR);
    put(FUNCTION, AT_MSIX + MSIX_CONTROL, 2, ENTRIES - 1);
    put(FUNCTION, AT_MSIX + MSIX_TABLE, 4, TABLE);
    put(FUNCTION, AT_MSIX + MSIX_PENDING, 4, PENDING);
    capability(AT_VENDOR, CAPABILITY_VENDOR, AT_PCIE);
    put(FUNCTION, AT_VENDOR + 2, 1, 16);
    put(FUNCTION, AT_VENDOR + 8, 4, 0xabcd);
    capability(AT_PCIE, CAPABILITY_PCIE, AT_POWER); /* bites its tail */
    put(FUNCTION, AT_PCIE + PCIE_DEVICE, 4, PCIE_FLR_ABLE | 1);
}

/* ---- the LPAR ---- */

static struct pci_tree tree;
static struct pci_pass pass;
static uint64_t shows[32]; /* by page of the aperture's second 64 KiB and on: what is mapped there */
static bool may_send, may_master, told[PCI_PASS_MESSAGES];

static void env_map(void *owner, uint64_t gpa, uint64_t address, uint64_t bytes, bool on)
{
    (void)owner;
    for (uint64_t at = 0; at < bytes; at += 4096)
        shows[(gpa + at - GPA0) / 4096] = on ? address + at : 0;
}

static bool env_message(void *owner, struct pci_pass *p, unsigned index, bool on, struct pci_message *message)
{
    (void)owner;
    cr_assert_eq(p, &pass);
    told[index] = on;
    if (on && may_send)
        *message = (struct pci_message){.address = 0xfee01000, .data = 0x60 + index};
    return on && may_send;
}

static bool env_master(void *owner, struct pci_pass *p, bool on)
{
    (void)owner;
    (void)p;
    return on && may_master;
}

static bool env_confined(void *owner)
{
    (void)owner;
    return false;
}

static void env_reset(void *owner, struct pci_pass *p)
{
    (void)owner;
    cr_assert_not(get(CONFIG_COMMAND, 2) & COMMAND_MASTER);
    cr_assert_eq(p, &pass);
}

static const struct pci_pass_env env = {.map = env_map,
                                        .message = env_message,
                                        .master = env_master,
                                        .confined = env_confined,
                                        .reset = env_reset};

static void set_up(void)
{
    struct pci_host_function *f;

    build();
    pci_tree_read(&tree, &host);
    f = pci_tree_find(&tree, FUNCTION);
    cr_assert(f);
    config[FUNCTION][CONFIG_COMMAND] = COMMAND_MEMORY;
    /* This machine's upper half of the 64-bit BAR holds what is written. */
    pci_tree_size(&tree, f);
    may_send = may_master = true;
    memset(shows, 0, sizeof shows);
    pci_pass_init(&pass, &host, f, 1, 4, APERTURE, 0xe0000000,
                  (const uint64_t[PCI_BARS]){[0] = GPA0, [2] = GPA2}, &env, 0);
}

static uint32_t in(uint32_t offset, unsigned size)
{
    return pci_pass_function.read(&pass, offset, size);
}

static void out(uint32_t offset, unsigned size, uint32_t value)
{
    pci_pass_function.write(&pass, offset, size, value);
}

static uint32_t load(uint64_t gpa)
{
    uint64_t value;
    cr_assert(pci_pass_load(&pass, gpa, 4, &value), "%lx", gpa);
    return (uint32_t)value;
}

static void store(uint64_t gpa, uint32_t value)
{
    cr_assert(pci_pass_store(&pass, gpa, 4, value), "%lx", gpa);
}

static uint32_t real(unsigned entry, unsigned word)
{
    return (uint32_t)host_load(0, BAR0 + TABLE + 16 * entry + 4 * word, 4);
}

TestSuite(pass, .init = set_up, .timeout = 20);

Test(pass, the_tree_has_what_is_behind_bridges)
{
    const struct pci_host_function *f = pci_tree_find(&tree, FUNCTION);

    cr_assert_eq(tree.count, 3);
    cr_assert_eq(f->bridge, PCI_ID(0, 1, 0));
    cr_assert_eq(f->class_code, 0xff0000);
    cr_assert_eq(f->pin, 2);
    cr_assert_eq(f->bar[0].address, BAR0);
    cr_assert_eq(f->bar[0].size, BAR0_BYTES);
    cr_assert_eq(f->bar[2].address, BAR2);
    cr_assert_eq(f->bar[2].size, 0x10000);
    cr_assert(f->bar[2].wide && f->bar[2].prefetchable && !f->bar[0].wide);
    cr_assert_eq(f->bar[1].size | f->bar[3].size | f->bar[4].size, 0);
    cr_assert_eq(get(CONFIG_BAR, 4), BAR0);
    cr_assert(pci_tree_find(&tree, PCI_ID(0, 1, 0))->is_bridge);
}

Test(pass, a_bar_of_many_gigabytes_is_sized)
{
    struct pci_host_function *f = pci_tree_find(&tree, FUNCTION);

    bar2_bytes = 16ull << 30;
    put(FUNCTION, CONFIG_BAR + 8, 4, BAR_WIDE | BAR_PREFETCH);
    pci_tree_size(&tree, f);
    cr_assert_eq(f->bar[2].size, bar2_bytes);
    cr_assert_eq(f->bar[2].address, 0x800000000ull);
    cr_assert(f->bar[2].wide);
    cr_assert_eq(f->bar[3].size, 0);
}

/* What a faulty or hostile function says of itself. */
Test(pass, a_capability_that_does_not_fit_is_not_there)
{
    static const struct {
        uint8_t id;
        uint32_t at;
    } late[] = {
        {CAPABILITY_POWER, 0xfc}, {CAPABILITY_MSI, 0xec}, {CAPABILITY_MSIX, 0xf8}, {CAPABILITY_PCIE, 0xf0}};

    for (unsigned i = 0; i < sizeof late / sizeof late[0]; i++) {
        build();
        put(FUNCTION, CONFIG_CAPABILITIES, 1, late[i].at);
        capability(late[i].at, late[i].id, 0);
        put(FUNCTION, late[i].at + 2, 2, MSI_WIDE | MSI_MASKS);
        cr_assert_eq(pci_find_capability(&host, FUNCTION, late[i].id), 0, "%x", late[i].id);
        pci_tree_read(&tree, &host);
        pci_pass_init(&pass, &host, pci_tree_find(&tree, FUNCTION), 1, 4, APERTURE, 0xe0000000,
                      (const uint64_t[PCI_BARS]){0}, &env, 0);
        cr_assert_eq(in(CONFIG_CAPABILITIES, 1), 0, "%x", late[i].id);
    }
}

Test(pass, a_table_outside_of_its_bar_is_no_table)
{
    static const uint32_t wrong[][2] = {
        {BAR0_BYTES - 16, PENDING}, {TABLE | 1, PENDING}, {TABLE | 7, PENDING}, {TABLE, BAR0_BYTES}};

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        build();
        put(FUNCTION, AT_MSIX + MSIX_TABLE, 4, wrong[i][0]);
        put(FUNCTION, AT_MSIX + MSIX_PENDING, 4, wrong[i][1]);
        pci_pass_init(&pass, &host, pci_tree_find(&tree, FUNCTION), 1, 4, APERTURE, 0xe0000000,
                      (const uint64_t[PCI_BARS]){[0] = GPA0, [2] = GPA2}, &env, 0);
        cr_assert_eq(in(AT_MSI + 1, 1), AT_VENDOR, "%u", i);
        cr_assert_eq(in(AT_MSIX, 4), 0, "%u", i);
    }
}

Test(pass, starts_after_a_reset_and_silent)
{
    cr_assert_eq(resets, 1);
    cr_assert_geq(waits, 1);
    cr_assert_eq(get(CONFIG_COMMAND, 2), COMMAND_MEMORY);
    cr_assert_eq(get(CONFIG_BAR, 4), BAR0);
    cr_assert_eq(in(CONFIG_COMMAND, 2), 0);
    cr_assert_not(pci_pass_by_message(&pass));
}

Test(pass, shows_what_is_to_be_seen_and_no_more)
{
    cr_assert_eq(in(0, 4), 0x51611209);
    cr_assert_eq(in(CONFIG_REVISION, 4), 0xff000001);
    cr_assert_eq(in(CONFIG_HEADER, 1), 0); /* alone in its slot */
    cr_assert_eq(in(CONFIG_PIN, 1), 2);
    cr_assert_eq(in(CONFIG_STATUS, 2), STATUS_CAPABILITIES | STATUS_INTERRUPT);
    const uint8_t expected[] = {AT_POWER, AT_MSI, AT_MSIX, AT_VENDOR, AT_PCIE, 0};
    uint32_t at = CONFIG_CAPABILITIES;
    for (unsigned i = 0; i < sizeof expected; i++) {
        cr_assert_eq(in(at, 1), expected[i]);
        at = expected[i] + 1u;
    }
    cr_assert_eq(in(AT_OTHER, 4), 0);
    cr_assert_eq(in(AT_OTHER + 4, 4), 0);
    cr_assert_eq(in(AT_VENDOR + 8, 4), 0xabcd);
    cr_assert_eq(in(AT_PCIE + PCIE_DEVICE, 4), 1, "the reset is not the guest's");
    cr_assert_eq(in(AT_MSI + MSI_CONTROL, 2), MSI_WIDE | MSI_MASKS, "one message");
    cr_assert_eq(in(AT_MSIX + MSIX_CONTROL, 2), 3);
    cr_assert_eq(in(0x100, 4), 0);
}

Test(pass, passes_on_nothing_by_itself)
{
    uint8_t before[256];

    memcpy(before, config[FUNCTION], sizeof before);
    for (uint32_t offset = 0; offset < CONFIG_BYTES; offset += 4) {
        const bool acted = offset == CONFIG_COMMAND || offset == AT_MSI || offset == AT_MSIX;
        if (!acted)
            out(offset, 4, 0xa5a5a5a5);
    }
    out(0x100, 4, 1);
    cr_assert_arr_eq(config[FUNCTION], before, sizeof before);
    cr_assert_eq(resets, 1);
}

Test(pass, bars_are_sized_moved_and_mapped_but_for_the_table)
{
    cr_assert_eq(shows[0], 0);
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY);
    cr_assert_eq(shows[0], BAR0);
    cr_assert_eq(shows[1], 0, "the table's page");
    cr_assert_eq(shows[2], BAR0 + 0x2000);
    cr_assert_eq(shows[16], BAR2);
    cr_assert_eq(shows[31], BAR2 + 0xf000);
    out(CONFIG_BAR, 4, ~0u);
    cr_assert_eq(in(CONFIG_BAR, 4), ~(BAR0_BYTES - 1u));
    cr_assert_eq(shows[0] | shows[2], 0);
    out(CONFIG_BAR, 4, GPA0 + 0x8000);
    cr_assert_eq(shows[8], BAR0);
    cr_assert_eq(shows[9], 0);
    out(CONFIG_BAR, 4, 0xfee00000);
    cr_assert_eq(shows[8], 0);
    out(CONFIG_BAR + 12, 4, 8);
    cr_assert_eq(shows[16], 0, "above what the guest has for BARs");
    out(CONFIG_BAR + 12, 4, 0);
    cr_assert_eq(shows[16], BAR2);
    out(CONFIG_COMMAND, 2, 0);
    cr_assert_eq(shows[16], 0);
    uint64_t value;
    cr_assert_not(pci_pass_load(&pass, GPA0, 4, &value));
    cr_assert_eq(get(CONFIG_BAR, 4), BAR0, "the machine's BARs stay where they are");
}

Test(pass, a_msix_message_is_the_hypervisors)
{
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY);
    for (unsigned entry = 0; entry < 2; entry++) {
        store(GPA0 + TABLE + 16 * entry, 0xfee00000);
        store(GPA0 + TABLE + 16 * entry + 8, 0x31 + entry);
        store(GPA0 + TABLE + 16 * entry + 12, 0);
    }
    cr_assert_eq(real(1, 0), 0, "not before it is on");
    out(AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE);
    cr_assert(pci_pass_by_message(&pass));
    cr_assert_eq(get(AT_MSIX + MSIX_CONTROL, 2), MSIX_ENABLE);
    cr_assert_eq(real(1, 0), 0xfee01000);
    cr_assert_eq(real(1, 2), 0x61);
    cr_assert_eq(real(1, 3), 0);
    cr_assert_eq(real(2, 3), MSIX_MASKED);
    cr_assert(told[0] && told[1] && !told[2]);
    cr_assert_eq(load(GPA0 + TABLE + 16), 0xfee00000, "the guest reads its own");
    cr_assert_eq(load(GPA0 + TABLE + 24), 0x32);
    /* Rewritten while it is on: the device still has the hypervisor's. */
    store(GPA0 + TABLE + 16, 0xfee0f000);
    store(GPA0 + TABLE + 24, 0xff);
    cr_assert_eq(real(1, 0), 0xfee01000);
    cr_assert_eq(real(1, 2), 0x61);
    store(GPA0 + TABLE + 28, MSIX_MASKED);
    cr_assert_eq(real(1, 3), MSIX_MASKED);
    cr_assert_not(told[1]);
    /* Entries that the guest was not told of do not exist. */
    store(GPA0 + TABLE + 16 * 5 + 8, 0x77);
    cr_assert_eq(load(GPA0 + TABLE + 16 * 5 + 8), 0);
    uint64_t wide;
    cr_assert(pci_pass_load(&pass, GPA0 + TABLE + 16, 8, &wide));
    cr_assert_eq(wide, 0xfee0f000);
    out(AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE | MSIX_MASK_ALL);
    cr_assert_eq(real(0, 3), MSIX_MASKED);
    out(AT_MSIX + MSIX_CONTROL, 2, 0);
    cr_assert_eq(get(AT_MSIX + MSIX_CONTROL, 2), 0);
    cr_assert_not(told[0]);
}

Test(pass, a_store_across_the_tables_edge_goes_nowhere)
{
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY);
    cr_assert(pci_pass_store(&pass, GPA0 + TABLE - 4, 8, ~0ull));
    cr_assert_eq(real(0, 0), 0);
    cr_assert(pci_pass_store(&pass, GPA0 + TABLE + 2, 4, ~0ull));
    cr_assert_eq(load(GPA0 + TABLE), 0);
}

Test(pass, a_msi_message_is_the_hypervisors)
{
    out(AT_MSI + MSI_ADDRESS, 4, 0xfee00000);
    out(AT_MSI + 12, 2, 0x41);
    out(AT_MSI + MSI_CONTROL, 2, MSI_ENABLE | 4 << 4);
    cr_assert_eq(in(AT_MSI + MSI_CONTROL, 2), MSI_WIDE | MSI_MASKS | MSI_ENABLE);
    cr_assert_eq(get(AT_MSI + MSI_ADDRESS, 4), 0xfee01000);
    cr_assert_eq(get(AT_MSI + 12, 2), 0x60);
    cr_assert(get(AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE);
    cr_assert_eq(in(AT_MSI + MSI_ADDRESS, 4), 0xfee00000);
    out(AT_MSI + 16, 4, 1);
    cr_assert_eq(get(AT_MSI + 16, 4), ~0u);
    cr_assert(get(AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE, "masked, it does not fall back to its line");
    out(AT_MSI + MSI_CONTROL, 2, 0);
    cr_assert_not(get(AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE);
}

Test(pass, sends_nothing_that_its_owner_does_not_know)
{
    may_send = false;
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY);
    store(GPA0 + TABLE + 12, 0);
    out(AT_MSIX + MSIX_CONTROL, 2, MSIX_ENABLE);
    cr_assert_eq(real(0, 3), MSIX_MASKED);
    out(AT_MSIX + MSIX_CONTROL, 2, 0);
    out(AT_MSI + MSI_CONTROL, 2, MSI_ENABLE);
    cr_assert_eq(get(AT_MSI + MSI_ADDRESS, 4), 0);
    cr_assert_eq(get(AT_MSI + 16, 4), ~0u);
}

Test(pass, masters_the_bus_only_by_leave)
{
    may_master = false;
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    cr_assert_eq(in(CONFIG_COMMAND, 2), COMMAND_MEMORY);
    cr_assert_not(get(CONFIG_COMMAND, 2) & COMMAND_MASTER);
    may_master = true;
    out(CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    cr_assert(get(CONFIG_COMMAND, 2) & COMMAND_MASTER);
    pci_pass_reset(&pass);
    cr_assert_not(get(CONFIG_COMMAND, 2) & COMMAND_MASTER);
    cr_assert_eq(in(CONFIG_COMMAND, 2), 0);
    cr_assert_eq(in(CONFIG_BAR, 4), GPA0);
    cr_assert_eq(resets, 2);
}

Test(pass, a_line_is_held_by_either_side)
{
    pci_pass_hold_line(&pass, true);
    cr_assert(get(CONFIG_COMMAND, 2) & COMMAND_NO_INTX);
    cr_assert_not(in(CONFIG_COMMAND, 2) & COMMAND_NO_INTX);
    out(CONFIG_COMMAND, 2, COMMAND_NO_INTX);
    pci_pass_hold_line(&pass, false);
    cr_assert(get(CONFIG_COMMAND, 2) & COMMAND_NO_INTX);
    out(CONFIG_COMMAND, 2, 0);
    cr_assert_not(get(CONFIG_COMMAND, 2) & COMMAND_NO_INTX);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What hostile LPARs have their functions do, and what they write to them, behind the Verilated relay. */
#include <criterion/criterion.h>
#include <string.h>

#include "card_rig.h"
#include "lpar_devices.h"
#include "pci_config.h"
#include "relay_regs.h"

static void set_up(void)
{
    rig_open(&(struct rig_plan){.ports = 4, .owner = {[1] = 1, [2] = 2, [3] = 1}});
}

TestSuite(hostile, .init = set_up, .timeout = 60);

Test(hostile, forged_messages_do_not_get_out)
{
    struct router_fault fault;

    rig_use_msix(1);
    rig_use_msix(2);
    rig_write(2, 0xfee00000, ROUTER_VECTOR + router.port[1].first + 1, 2); /* its neighbour's vector */
    rig_write(2, 0xfee00000, 0xf1, 2);                                     /* the hypervisor's timer */
    rig_write(2, 0xfee01000, 0x400, 2);                                    /* an NMI */
    rig_write(2, 0xfee00000, ROUTER_VECTOR + router.port[1].first + 1, 1); /* in its name */
    cr_assert_eq(rig.messages, 0);
    rig_settle();
    cr_assert_eq(rig_handled(), 0);
    router_fault(2, &fault);
    cr_assert(fault.valid);
    cr_assert_eq(fault.messages, 4);
    cr_assert_eq(fault.reason, RELAY_DMA_FAULT_REASON_MESSAGE);
    rig_message(2, 0);
    rig_settle();
    cr_assert_eq(rig.device[2].messages, 1, "its own still do");
}

Test(hostile, dma_reaches_the_lpars_memory_and_nothing_else)
{
    const uint64_t at = (uintptr_t)rig.blue->memory.range[0].host;
    struct router_fault fault;

    rig_write(2, 0x1000, 1, 2);
    cr_assert_eq(rig.writes, 1);
    cr_assert_eq(rig.last, at + 0x1000);
    rig_read(2, RIG_MEMORY - 4);
    cr_assert_eq(rig.reads, 1);
    cr_assert_eq(rig.last, at + RIG_MEMORY - 4);
    rig_write(2, RIG_MEMORY, 1, 2);
    rig_read(2, at); /* where it lies in the machine */
    rig_write(2, (uintptr_t)rig.red->memory.range[0].host, 1, 2);
    rig_write(2, 0x1000, 1, 1); /* in its neighbour's name */
    rig_write(4, 0x1000, 1, 4); /* nobody's function */
    cr_assert_eq(rig.writes + rig.reads, 2);
    router_fault(2, &fault);
    cr_assert_eq(fault.dma, 4);
    cr_assert_eq(fault.address, RIG_MEMORY);
    cr_assert_eq(fault.reason, RELAY_DMA_FAULT_REASON_OUTSIDE);
    cr_assert_eq(fault.requester, rig_id(2));
}

Test(hostile, nothing_lands_after_a_reset)
{
    rig_guest_set_config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY);
    rig_write(2, 0x1000, 1, 2);
    cr_assert_eq(rig.writes, 0);
    rig_guest_set_config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
    rig_write(2, 0x1000, 1, 2);
    cr_assert_eq(rig.writes, 1);
    rig_want(2, true);
    rig_interrupt(0);
    cr_assert(router.port[2].in_service);
    lpar_devices_reset(rig.blue);
    rig_write(2, 0x1000, 1, 2);
    cr_assert_eq(rig.writes, 1);
    cr_assert_not(router.port[2].in_service);
    cr_assert_not(rig.blue->set.ioapic.lines >> lpar_pci_gsi(rig_pass_of(2)) & 1);
    rig_write(1, 0x1000, 1, 1);
    cr_assert_eq(rig.writes, 2, "the neighbour goes on");
}

Test(hostile, a_function_of_nobody_is_not_heard)
{
    rig_want(4, true);
    rig_settle();
    cr_assert_eq(router.stats.strangers, 1);
    cr_assert_not(rig.level, "its wire is masked");
    rig_want(1, true);
    rig_settle();
    cr_assert_eq(rig.device[1].lines, 1);
    cr_assert_eq(rig_in_vain(), 0);
    rig_want(4, false);
    rig_want(4, true);
    rig_settle();
    cr_assert_not(rig.level);
}

/* ---- what a guest writes, while its neighbour works ---- */

static uint64_t state = 1;

static unsigned dice(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

/* Red's function 1 goes on, one interrupt at a time. Blue gets nothing of it, and takes nothing from it. */
static void neighbour_works(void)
{
    static unsigned long asked;

    cr_assert(rig_message(1, asked & 1));
    asked++;
    rig_settle();
    cr_assert_eq(rig.device[1].messages, asked);
    cr_assert_eq(rig.device[1].in_vain, 0);
    cr_assert_eq(rig.wrong_lpar, 0);
}

static uint32_t word_of_entry(unsigned f, unsigned entry, unsigned word)
{
    uint32_t value;

    memcpy(&value, rig.device[f].bar + RIG_TABLE + 16 * entry + 4 * word, sizeof value);
    return value;
}

/* The device holds the hypervisor's message, or none. */
static void expect_own_message(unsigned f, unsigned entry)
{
    if (word_of_entry(f, entry, 3) & MSIX_MASKED)
        return;
    cr_assert_eq(word_of_entry(f, entry, 0), 0xfee01000);
    cr_assert_eq(word_of_entry(f, entry, 1), 0);
    cr_assert_eq(word_of_entry(f, entry, 2), ROUTER_VECTOR + router.port[f].first + 1 + entry);
}

Test(hostile, a_msix_table_rewritten_in_mid_flight)
{
    /* Its own vectors, an NMI and an INIT to itself; other local APICs, remapped form, no interrupt at all.
     */
    static const uint32_t vectors[] = {0x62, 0x72, 0x400, 0x500};
    static const uint64_t addresses[] = {0xfee00000, 0xfee01000, 0xfeeff004, 0xfee00010, 0x1000, 0x1fee00000};
    const uint64_t table = rig_pass_of(2)->placed[0] + RIG_TABLE;

    rig_use_msix(1);
    rig_use_msix(2);
    for (unsigned i = 0; i < 400; i++) {
        const unsigned entry = dice(RIG_ENTRIES);
        const uint64_t at = table + 16 * entry, address = addresses[dice(6)];

        if (dice(2))
            rig_message(2, entry);
        if (dice(2))
            rig_interrupt(1);
        rig_guest_store(rig.blue, at, 8, address);
        rig_guest_store(rig.blue, at + 8, 4, vectors[dice(4)]);
        rig_guest_store(rig.blue, at + 12, 4, dice(2));
        expect_own_message(2, entry);
        if (dice(4) == 0)
            neighbour_works();
    }
    cr_assert_eq(rig.device[2].lines, 0);
}

Test(hostile, configuration_space_written_at_random)
{
    rig_use_msix(1);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned size = 1u << dice(3);
        const uint32_t offset = dice(CONFIG_BYTES / size) * size;

        rig_guest_set_config(2, offset, size, dice(0x10000) << 16 | dice(0x10000));
        for (unsigned bar = 0; bar < PCI_BARS; bar++)
            cr_assert(rig_pass_of(2)->placed[bar] == PCI_NOWHERE ||
                      (rig_pass_of(2)->placed[bar] >= rig.blue->pci.aperture &&
                       rig_pass_of(2)->placed[bar] + RIG_BAR_BYTES <= PCI_ECAM));
        cr_assert_eq(rig_config(2, CONFIG_BAR, 4), 0xfd000000 + 2 * RIG_BAR_BYTES,
                     "BARs of the machine stay");
        if (rig_config(2, RIG_AT_MSI + MSI_CONTROL, 2) & MSI_ENABLE)
            cr_assert_eq(rig_config(2, RIG_AT_MSI + MSI_ADDRESS, 4), 0xfee01000);
        cr_assert_eq(rig_config(2, RIG_AT_PCIE + PCIE_DEVICE_CONTROL, 2), 0);
        if (i % 200 == 0) {
            rig_write(2, (uintptr_t)rig.red->memory.range[0].host, 1, 2);
            cr_assert_eq(rig.writes, 0);
            neighbour_works();
        }
    }
}

Test(hostile, a_function_reset_while_its_interrupts_are_under_way)
{
    rig_use_msix(1);
    for (unsigned i = 0; i < 32; i++) {
        const unsigned long lines = rig.device[3].lines;

        rig_guest_set_config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY | COMMAND_MASTER);
        rig_use_msix(2);
        rig_message(2, 0);
        if (i & 1)
            rig_interrupt(1);
        if (i & 2)
            rig_message(2, 1);
        rig_want(3, true);
        if (i & 4)
            rig_interrupt(0);
        rig.device[2].owed[0] = rig.device[2].owed[1] = 0;
        rig.device[2].unmet[0] = rig.device[2].unmet[1] =
            1; /* what has reached its local APIC may be handled */
        lock_take(&rig.blue->devices);
        pci_pass_reset(rig_pass_of(2));
        lock_release(&rig.blue->devices);
        rig_settle();
        cr_assert_eq(rig.device[3].lines, lines + 1);
        cr_assert_eq(rig.device[2].in_vain, 0, "%u", i);
        rig_write(2, 0x1000, 1, 2);
        cr_assert_eq(rig.writes, 0, "its windows are closed");
        neighbour_works();
    }
    cr_assert_geq(rig.device[2].resets, 32);
}

/* Two windows, and the LPAR's memory behind them, closed and opened between any two writes. */
Test(hostile, windows_closed_in_mid_traffic)
{
    unsigned landed = 0;

    for (unsigned i = 0; i < 400; i++) {
        const bool open = dice(2);
        const unsigned before = rig.writes;

        rig_guest_set_config(2, CONFIG_COMMAND, 2, COMMAND_MEMORY | (open ? COMMAND_MASTER : 0));
        rig_write(2, 0x1000 * dice(RIG_MEMORY / 0x1000), 1, 2);
        cr_assert_eq(rig.writes - before, open);
        rig_write(2, RIG_MEMORY + 0x1000 * dice(64), 1, 2);
        cr_assert_eq(rig.writes - before, open);
        landed += open;
    }
    cr_assert_gt(landed, 100);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What hostile LPARs have their functions do, and what they write to them, behind the Verilated relay. */
#include <criterion/criterion.h>

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

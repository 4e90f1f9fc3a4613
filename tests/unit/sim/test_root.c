/* SPDX-License-Identifier: BSD-2-Clause */
/* The root, the circuit and exercisers behind it, in one process. */
#include "exerciser.h"
#include "exerciser_regs.h"
#include "machine.h"
#include "relay_regs.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIRST = 1, SECOND = 2, BUFFER = 2 /* BAR */ };

static struct machine *m;

static struct function *exerciser(unsigned pin)
{
    return exerciser_open(&(struct exerciser_options){.pin = pin, .msi = true, .msix = true});
}

static void build(void)
{
    struct function *functions[] = {exerciser(1), exerciser(1)};
    m = machine_open(&(struct machine_options){.ports = 4, .width_dw = 2, .timeout_ms = 20}, functions, 2);
}

static void end(void)
{
    machine_close(m);
}

TestSuite(root, .init = build, .fini = end);

static uint32_t ex_read(unsigned f, unsigned reg)
{
    return machine_read(m, f, 0, reg, 4);
}

static void ex_write(unsigned f, unsigned reg, uint32_t value)
{
    machine_write(m, f, 0, reg, 4, value);
}

static const struct root_counters *counters(void)
{
    return root_counters(m->root);
}

/* ---- accesses ----------------------------------------------------------------------------------- */

Test(root, finds_what_is_there)
{
    cr_expect(root_present(m->root, 0));
    cr_expect(root_present(m->root, FIRST));
    cr_expect(root_present(m->root, SECOND));
    cr_expect_not(root_present(m->root, 3), "no function on port 3");
    cr_expect_not(root_present(m->root, 7), "no such port");
    cr_expect_not(root_present(m->root, 8));
    cr_expect_eq(root_region_size(m->root, 0, 0), RELAY_BAR_BYTES);
    cr_expect_eq(root_region_size(m->root, FIRST, 0), EX_BAR0_BYTES);
    cr_expect_eq(root_region_size(m->root, FIRST, BUFFER), EXERCISER_BUFFER_BYTES);
    cr_expect_eq(root_region_size(m->root, FIRST, 3), 0, "the upper half of BAR 2");
    cr_expect_eq(root_region_size(m->root, FIRST, ROOT_CONFIG), 4096);
    cr_expect_eq(root_interrupt_pin(m->root, FIRST), 1);
    cr_expect_eq(root_interrupt_pin(m->root, 0), 0);
}

Test(root, accesses_reach_the_function_they_are_for)
{
    cr_expect_eq(machine_read(m, 0, 0, RELAY_ID, 4), RELAY_ID_RESET);
    ex_write(FIRST, EX_SCRATCH, 0x11111111);
    ex_write(SECOND, EX_SCRATCH, 0x22222222);
    cr_expect_eq(ex_read(FIRST, EX_SCRATCH), 0x11111111);
    cr_expect_eq(ex_read(SECOND, EX_SCRATCH), 0x22222222);
}

Test(root, every_place_and_size_of_an_access)
{
    uint8_t expected[96], bytes[96];
    for (unsigned i = 0; i < sizeof expected; i++) {
        expected[i] = (uint8_t)(i * 37 + 1);
    }
    machine_access(m, FIRST, BUFFER, 0x1000, expected, sizeof expected, true);
    for (unsigned offset = 0; offset < 9; offset++) {
        for (unsigned n = 1; n + offset <= 72; n++) {
            machine_access(m, FIRST, BUFFER, 0x1000 + offset, bytes, n, false);
            cr_assert_arr_eq(bytes, expected + offset, n, "%u bytes at %u", n, offset);
        }
    }
    for (unsigned offset = 0; offset < 8; offset++) {
        for (unsigned n = 1; n <= 8; n++) {
            memset(bytes, (int)(16 * n + offset), n);
            memcpy(expected + offset, bytes, n);
            machine_access(m, FIRST, BUFFER, 0x1000 + offset, bytes, n, true);
            machine_access(m, FIRST, BUFFER, 0x1000, bytes, 32, false);
            cr_assert_arr_eq(bytes, expected, 32, "%u bytes at %u", n, offset);
        }
    }
}

Test(root, whole_configuration_space_at_once)
{
    static uint8_t bulk[4096];
    for (unsigned f = 0; f <= SECOND; f++) {
        machine_access(m, f, ROOT_CONFIG, 0, bulk, sizeof bulk, false);
        for (unsigned reg = 0; reg < 256; reg += 4) {
            uint32_t value;
            memcpy(&value, bulk + reg, 4);
            cr_assert_eq(value, machine_read(m, f, ROOT_CONFIG, reg, 4));
        }
    }
}

Test(root, outside_of_a_region_reads_as_ones)
{
    uint64_t refused = counters()->refused_down;
    cr_expect_eq(machine_read(m, FIRST, 0, EX_BAR0_BYTES, 4), ~0u);
    cr_expect_eq(machine_read(m, FIRST, 0, EX_BAR0_BYTES - 2, 4), ~0u);
    cr_expect_eq(machine_read(m, FIRST, 4, 0, 4), ~0u);
    cr_expect_eq(machine_read(m, 5, ROOT_CONFIG, 0, 4), ~0u);
    cr_expect_eq(machine_read(m, FIRST, 0, UINT64_MAX, 4), ~0u);
    cr_expect_eq(counters()->refused_down, refused + 5);
}

Test(root, memory_space_off_reads_as_ones)
{
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, 0);
    cr_expect_eq(ex_read(FIRST, EX_ID), ~0u);
    ex_write(FIRST, EX_SCRATCH, 5);
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    cr_expect_eq(ex_read(FIRST, EX_ID), EX_ID_VALUE);
    cr_expect_eq(ex_read(FIRST, EX_SCRATCH), 0);
}

Test(root, a_request_without_answer_ends_after_the_timeout)
{
    ex_write(FIRST, EX_MISBEHAVE, EX_MUTE);
    cr_expect_eq(ex_read(FIRST, EX_ID), ~0u);
    cr_expect_eq(counters()->timeouts, 1);
    ex_write(FIRST, EX_MISBEHAVE, 0);
    cr_expect_eq(ex_read(FIRST, EX_ID), EX_ID_VALUE, "and goes on");
    cr_expect_eq(ex_read(SECOND, EX_ID), EX_ID_VALUE);
}

/* ---- requests from below ------------------------------------------------------------------------ */

static void send_raw(unsigned f, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    size_t n = tlp_pack(t, dw);
    for (size_t i = 0; i < n; i++) {
        ex_write(f, EX_RAW + 4 * (unsigned)i, dw[i]);
    }
    ex_write(f, EX_RAW_SEND, (uint32_t)n);
}

static struct tlp write_tlp(uint64_t address, size_t bytes, const uint32_t *payload)
{
    struct tlp t = {.kind = TLP_MWR, .requester = 0x0100 | FIRST, .payload = payload};
    tlp_set_range(&t, address, bytes);
    return t;
}

Test(root, writes_land_in_memory_with_their_byte_enables)
{
    uint32_t payload[2] = {0x01020304, 0x05060708};
    memset(m->ram, 0xee, 64);
    struct tlp t = write_tlp(RAM_BASE + 8, 8, payload);
    t.first_be = 0x5;
    t.last_be = 0xa;
    send_raw(FIRST, &t);
    const uint8_t expected[] = {0x01, 0xee, 0x03, 0xee, 0xee, 0x06, 0xee, 0x08};
    cr_expect_arr_eq(m->ram + 8, expected, sizeof expected);
    cr_expect_eq(m->ram[7], 0xee);
    cr_expect_eq(m->ram[16], 0xee);
}

Test(root, writes_without_bus_mastering_are_dropped)
{
    uint32_t payload[1] = {0};
    struct tlp t = write_tlp(RAM_BASE, 4, payload);
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    memset(m->ram, 0xee, 4);
    send_raw(FIRST, &t);
    cr_expect_eq(m->ram[0], 0xee);
    cr_expect_eq(counters()->no_bus_master, 1);
}

Test(root, poisoned_writes_are_dropped)
{
    uint32_t payload[1] = {0};
    struct tlp t = write_tlp(RAM_BASE, 4, payload);
    t.ep = true;
    memset(m->ram, 0xee, 4);
    send_raw(FIRST, &t);
    cr_expect_eq(m->ram[0], 0xee);
    cr_expect_eq(counters()->poisoned, 1);
}

Test(root, strangers_reach_nothing)
{
    uint32_t payload[1] = {0};
    struct tlp t = write_tlp(RAM_BASE, 4, payload);
    memset(m->ram, 0xee, 4);
    for (unsigned requester = 0; requester < 0x10000; requester += 0x0fff) {
        t.requester = (uint16_t)requester;
        send_raw(FIRST, &t);
    }
    cr_expect_eq(m->ram[0], 0xee);
    cr_expect_eq(counters()->memory_writes, 0);
    cr_expect_eq(ex_read(SECOND, EX_ID), EX_ID_VALUE, "nobody else is disturbed");
}

Test(root, malformed_tlps_disturb_nobody)
{
    uint32_t payload[4] = {0};
    struct tlp over_line = write_tlp(RAM_BASE + 0xffc, 4, payload);
    over_line.length = 2;
    over_line.last_be = 15;
    struct tlp enables = write_tlp(RAM_BASE, 4, payload);
    enables.last_be = 15;
    const struct tlp bad[] = {over_line, enables};
    memset(m->ram, 0xee, 8192);
    for (size_t i = 0; i < 2; i++) {
        send_raw(FIRST, &bad[i]);
    }
    ex_write(FIRST, EX_RAW, 0x40000010); /* announces 16 DW, brings 1 */
    ex_write(FIRST, EX_RAW + 4, 0x0101000f);
    ex_write(FIRST, EX_RAW + 8, RAM_BASE);
    ex_write(FIRST, EX_RAW_SEND, 4);
    for (unsigned i = 0; i < 8192; i++) {
        cr_assert_eq(m->ram[i], 0xee);
    }
    cr_expect_eq(ex_read(FIRST, EX_ID), EX_ID_VALUE);
    cr_expect_eq(ex_read(SECOND, EX_ID), EX_ID_VALUE);
}

static uint32_t dma(uint32_t command, uint64_t address, uint32_t bytes)
{
    ex_write(FIRST, EX_DMA_ADDR_LO, (uint32_t)address);
    ex_write(FIRST, EX_DMA_ADDR_HI, (uint32_t)(address >> 32));
    ex_write(FIRST, EX_DMA_BYTES, bytes);
    ex_write(FIRST, EX_DMA_SEED, 9);
    ex_write(FIRST, EX_DMA_COMMAND, command);
    return ex_read(FIRST, EX_DMA_STATUS);
}

Test(root, dma_both_ways)
{
    cr_expect_eq(dma(EX_DMA_FILL, RAM_BASE + 0x123, 5000), EX_DMA_DONE);
    for (unsigned i = 0; i < 5000; i++) {
        cr_assert_eq(m->ram[0x123 + i], exerciser_pattern(9, i));
    }
    cr_expect_eq(dma(EX_DMA_CHECK, RAM_BASE + 0x123, 5000), EX_DMA_DONE);
    cr_expect_eq(ex_read(FIRST, EX_DMA_MISMATCHES), 0);
    m->ram[0x200] ^= 0x80;
    dma(EX_DMA_CHECK, RAM_BASE + 0x123, 5000);
    cr_expect_eq(ex_read(FIRST, EX_DMA_MISMATCHES), 1);
}

Test(root, dma_commands_out_of_the_buffer_are_rejected)
{
    cr_expect_eq(dma(EX_DMA_READ, RAM_BASE, EXERCISER_BUFFER_BYTES + 1) & EX_DMA_REJECTED, EX_DMA_REJECTED);
    ex_write(FIRST, EX_DMA_OFFSET, 0xfffffff0);
    cr_expect_eq(dma(EX_DMA_READ, RAM_BASE, 32) & EX_DMA_REJECTED, EX_DMA_REJECTED);
    ex_write(FIRST, EX_DMA_OFFSET, 0);
    cr_expect_eq(dma(EX_DMA_READ, RAM_BASE, 0) & EX_DMA_REJECTED, EX_DMA_REJECTED);
    cr_expect_eq(dma(99, RAM_BASE, 4) & EX_DMA_REJECTED, EX_DMA_REJECTED);
}

/* The descriptor-less ranges of a guest, such as its ROMs. */
Test(root, reads_of_what_is_not_mapped_are_asked_of_the_host)
{
    cr_expect_eq(dma(EX_DMA_READ, 0xfffe1003, 300), EX_DMA_DONE);
    uint8_t bytes[300];
    machine_access(m, FIRST, BUFFER, 0, bytes, sizeof bytes, false);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        cr_assert_eq(bytes[i], (uint8_t)(3 + i));
    }
    cr_expect_eq(counters()->host_reads, 1);
}

Test(root, nothing_waits_for_the_host_to_answer_a_read)
{
    m->hold_reads = true;
    cr_expect_eq(dma(EX_DMA_READ, 0x10, 4), EX_DMA_BUSY);
    cr_expect_eq(ex_read(FIRST, EX_ID), EX_ID_VALUE);
    cr_expect_eq(ex_read(SECOND, EX_ID), EX_ID_VALUE);
    m->hold_reads = false;
    machine_run(m);
    cr_expect_eq(ex_read(FIRST, EX_DMA_STATUS), EX_DMA_DONE);
}

Test(root, refused_reads_are_unsupported_requests)
{
    m->refuse_reads = true;
    cr_expect_eq(dma(EX_DMA_READ, 0x10, 4) & 0xff, EX_DMA_DONE | EX_DMA_FAILED);
    cr_expect_eq(counters()->unmapped_reads, 1);
}

Test(root, a_host_that_leaves_answers_no_more_reads)
{
    m->hold_reads = true;
    dma(EX_DMA_READ, 0x10, 4);
    root_attach(m->root, FIRST, NULL, NULL, NULL);
    machine_run(m);
    cr_expect_not(root_busy(m->root));
    root_read_done(m->root, 0, (const uint8_t *)"1234", 4);
    cr_expect_eq(counters()->unexpected, 1, "too late");
}

Test(root, completions_nobody_asked_for_are_counted)
{
    struct tlp request = {.kind = TLP_MRD, .requester = ROOT_ID, .tag = 77, .length = 1, .first_be = 15};
    struct tlp c = tlp_completion(&request, 0x0100 | FIRST, TLP_SC);
    send_raw(FIRST, &c);
    cr_expect_eq(counters()->unexpected, 1);
}

/* ---- message interrupts ------------------------------------------------------------------------- */

static void enable_msi(unsigned f, uint32_t data)
{
    unsigned cap = root_capability(m->root, f, PCI_CAP_ID_MSI);
    machine_write(m, f, ROOT_CONFIG, cap + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
    machine_write(m, f, ROOT_CONFIG, cap + PCI_MSI_DATA_64, 4, data);
    machine_write(m, f, ROOT_CONFIG, cap + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
}

static void raise(unsigned f, unsigned count)
{
    ex_write(f, EX_IRQ_COUNT, count);
    ex_write(f, EX_IRQ_GO, 1);
}

Test(root, message_interrupts_reach_the_host_of_their_function)
{
    enable_msi(FIRST, 0x41);
    enable_msi(SECOND, 0x42);
    raise(FIRST, 3);
    raise(SECOND, 2);
    cr_assert_eq(m->message_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        cr_expect_eq(m->messages[i].address, 0xfee00000);
        cr_expect_eq(m->messages[i].n, 4);
        cr_expect_eq(m->messages[i].data, i < 3 ? 0x41 : 0x42);
        cr_expect_eq(m->messages[i].function, i < 3 ? FIRST : SECOND);
    }
    cr_expect_eq(m->lines[FIRST], 0, "INTx isn't used meanwhile");
}

Test(root, memory_is_up_to_date_when_the_interrupt_comes)
{
    enable_msi(FIRST, 0x41);
    dma(EX_DMA_FILL | EX_DMA_INTERRUPT, RAM_BASE, 0x8000);
    cr_assert_eq(m->message_count, 1);
    cr_expect_eq(m->ram[0x7fff], exerciser_pattern(9, 0x7fff));
}

Test(root, odd_interrupts)
{
    enable_msi(FIRST, 0x41);
    ex_write(FIRST, EX_MISBEHAVE, EX_NO_SNOOP_RELAXED);
    raise(FIRST, 1);
    cr_expect_eq(m->message_count, 1, "unusual, but legal");
    ex_write(FIRST, EX_MISBEHAVE, EX_POISON);
    raise(FIRST, 1);
    cr_expect_eq(m->message_count, 1);
    ex_write(FIRST, EX_REQUESTER, 0x0500);
    ex_write(FIRST, EX_MISBEHAVE, EX_WRONG_REQUESTER);
    raise(FIRST, 1);
    cr_expect_eq(m->message_count, 1);
    ex_write(FIRST, EX_MISBEHAVE, 0);
    raise(FIRST, 1);
    cr_expect_eq(m->message_count, 2);
}

static uint64_t interrupts(unsigned f)
{
    return board_counters(m->board)->interrupts[f];
}

Test(root, interrupts_are_counted_where_they_enter)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(interrupts(FIRST), 1);
    struct tlp again = {.kind = TLP_MSG, .routing = TLP_LOCAL, .requester = 0x0100, .code = TLP_ASSERT_INTA};
    send_raw(FIRST, &again);
    cr_expect_eq(interrupts(FIRST), 1, "the wire is up already");
    ex_write(FIRST, EX_IRQ_PIN, 0);
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(interrupts(FIRST), 2);
    enable_msi(SECOND, 0x42);
    raise(SECOND, 5);
    cr_expect_eq(interrupts(SECOND), 5);
    ex_write(SECOND, EX_MISBEHAVE, EX_POISON);
    raise(SECOND, 1);
    cr_expect_eq(interrupts(SECOND), 5, "poisoned");
    ex_write(SECOND, EX_REQUESTER, 0x0500);
    ex_write(SECOND, EX_MISBEHAVE, EX_WRONG_REQUESTER);
    raise(SECOND, 1);
    cr_expect_eq(interrupts(SECOND), 6, "it came by this port, whoever it says it is");
    dma(EX_DMA_FILL, RAM_BASE, 4);
    cr_expect_eq(interrupts(FIRST), 2, "one DW, but to memory");
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    root_reset(m->root, FIRST);
    machine_run(m);
    cr_expect_eq(interrupts(FIRST), 2, "a reset forgets the wire, not the count");
}

/* ---- INTx --------------------------------------------------------------------------------------- */

/* Where the card reads to take the line of a function down. */
static uint64_t poke_address(unsigned f)
{
    return machine_bar(m, f, 0) + EX_BAR0_BYTES - 4;
}

/* What QEMU does with such a read: passes it on as an access to the BAR, then acknowledges if it was up. */
static void poked(unsigned f, bool up)
{
    ex_read(f, EX_BAR0_BYTES - 4);
    if (up) {
        root_line_acknowledged(m->root, f);
        machine_run(m);
    }
}

Test(root, a_line_rises_with_the_wire_and_is_taken_down_with_it)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(m->lines[FIRST], 1);
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(m->lines[FIRST], 1, "it is up already");
    ex_write(FIRST, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    cr_assert_geq(m->message_count, 1);
    cr_expect_eq(m->messages[0].address, poke_address(FIRST));
    poked(FIRST, true);
    unsigned pokes = m->message_count;
    machine_run_ms(m, 5);
    cr_expect_eq(m->message_count, pokes, "once taken down it's left alone");
    cr_expect_eq(m->lines[FIRST], 1);
}

Test(root, the_read_of_the_card_itself_does_not_reach_the_function)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(FIRST, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    uint64_t sent = board_counters(m->board)->port_down[FIRST];
    poked(FIRST, true);
    cr_expect_eq(board_counters(m->board)->port_down[FIRST], sent);
    ex_read(FIRST, EX_BAR0_BYTES - 4); /* the one that was asked for before the first was answered */
    ex_read(FIRST, EX_BAR0_BYTES - 4);
    cr_expect_eq(board_counters(m->board)->port_down[FIRST], sent + 1, "the guest's own read there does");
}

Test(root, a_raise_that_was_late_is_taken_down_in_the_end)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(FIRST, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    unsigned pokes = m->message_count;
    poked(FIRST, false); /* the eventfd had not been looked at: no acknowledgement */
    cr_expect_eq(m->message_count, pokes + 1, "the next try was asked for before that one was answered");
    poked(FIRST, true);
    pokes = m->message_count;
    poked(FIRST, false);
    machine_run_ms(m, 5);
    cr_expect_eq(m->message_count, pokes, "it is down, and left alone");
}

Test(root, a_line_that_is_down_again_is_raised_while_the_host_waits_and_taken_down_next)
{
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 1);
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 0);
    machine_run(m);
    cr_assert_eq(counters()->intx_asserts, 1);
    cr_assert_eq(counters()->intx_deasserts, 1);
    cr_expect_eq(m->lines[FIRST], 0);
    cr_assert_eq(m->message_count, 1);
    cr_expect_eq(m->messages[0].address, poke_address(FIRST));
    poked(FIRST, false);
    cr_expect_eq(m->lines[FIRST], 1, "it was down at that");
    cr_expect_eq(m->message_count, 2, "and is taken down by this");
    poked(FIRST, true);
    machine_run_ms(m, 5);
    cr_expect_eq(m->lines[FIRST], 1);
}

Test(root, a_line_that_is_to_be_raised_again_is_however_late_the_host_is)
{
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 1);
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 0);
    machine_run(m);
    poked(FIRST, false);
    cr_assert_eq(m->lines[FIRST], 1);
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 1);
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 0);
    machine_run_ms(m, 30);
    cr_expect_eq(m->lines[FIRST], 1, "the host has not acknowledged the first");
    root_line_acknowledged(m->root, FIRST);
    machine_run(m);
    for (unsigned i = 0; i < 3; i++)
        ex_read(FIRST, EX_BAR0_BYTES - 4);
    machine_run_ms(m, 30);
    cr_expect_eq(m->lines[FIRST], 2);
}

Test(root, a_pulse_outlives_its_carrier)
{
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 1);
    machine_post(m, FIRST, 0, EX_IRQ_PIN, 4, 0);
    machine_run(m);
    cr_assert_eq(m->messages[0].function, FIRST);
    root_set_line(m->root, FIRST, false);
    cr_assert_eq(m->message_count, 2);
    cr_expect_eq(m->messages[1].function, SECOND);
    ex_read(SECOND, EX_BAR0_BYTES - 4);
    cr_expect_eq(m->lines[SECOND], 1);
}

Test(root, tries_that_have_no_effect_slow_down)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(FIRST, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    for (unsigned i = 0; i < 20; i++)
        ex_read(FIRST, EX_BAR0_BYTES - 4);
    unsigned pokes = m->message_count;
    cr_expect_lt(pokes, 20);
    machine_run_ms(m, 30); /* one that nobody reads is repeated after 20 ms */
    cr_expect_gt(m->message_count, pokes, "and do not end");
}

Test(root, an_acknowledgement_while_the_wire_is_high_raises_again)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    for (unsigned i = 2; i < 6; i++) {
        root_line_acknowledged(m->root, FIRST);
        machine_run(m);
        cr_expect_eq(m->lines[FIRST], i);
    }
}

Test(root, a_handler_that_acknowledges_leaves_nothing_to_take_down)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(FIRST, EX_IRQ_ACK, 1);
    root_line_acknowledged(m->root, FIRST);
    machine_run_ms(m, 5);
    cr_expect_eq(m->message_count, 0);
    cr_expect_eq(m->lines[FIRST], 1);
}

Test(root, interrupt_disable_takes_the_wire_down_and_up_again)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2,
                  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    cr_expect_eq(counters()->intx_deasserts, 1);
    cr_expect(machine_read(m, FIRST, ROOT_CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    cr_expect_eq(counters()->intx_asserts, 2);
}

Test(root, functions_with_one_pin_share_one_line)
{
    ex_write(SECOND, EX_IRQ_PIN, 1);
    unsigned raised = m->lines[FIRST] + m->lines[SECOND];
    cr_expect_eq(raised, 1);
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(m->lines[FIRST] + m->lines[SECOND], 1, "the line is up");
    ex_write(SECOND, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    cr_expect_eq(m->message_count, 0, "and stays up for the other");
    ex_write(FIRST, EX_IRQ_PIN, 0);
    machine_run_ms(m, 5);
    cr_expect_geq(m->message_count, 1);
}

Test(root, another_function_carries_the_line_when_one_can_no_longer)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    cr_expect_eq(m->lines[FIRST], 1);
    ex_write(SECOND, EX_IRQ_PIN, 1);
    cr_expect_eq(m->lines[SECOND], 0);
    /* The first one's driver turns INTx off: its own wire falls, and its line is of no more use. */
    machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2,
                  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    cr_expect_eq(m->lines[SECOND], 1);
    machine_run_ms(m, 5);
    cr_expect_eq(m->messages[0].address, poke_address(FIRST), "the old line is taken down");
}

/* ---- resets ------------------------------------------------------------------------------------- */

Test(root, hot_reset_releases_the_wire_of_that_function_only)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(SECOND, EX_SCRATCH, 7);
    root_reset(m->root, FIRST);
    machine_run(m);
    cr_expect_eq(counters()->intx_deasserts, 1);
    cr_expect_eq(ex_read(SECOND, EX_SCRATCH), 7);
    cr_expect_eq(ex_read(FIRST, EX_ID), ~0u, "its BARs are gone");
    cr_expect_eq(machine_read(m, FIRST, ROOT_CONFIG, PCI_VENDOR_ID, 2), EXERCISER_VENDOR);
    cr_expect_eq(machine_read(m, FIRST, ROOT_CONFIG, PCI_BASE_ADDRESS_0, 4), 0);
}

Test(root, function_level_reset_releases_the_wire)
{
    unsigned cap = root_capability(m->root, FIRST, PCI_CAP_ID_EXP);
    ex_write(FIRST, EX_IRQ_PIN, 1);
    ex_write(SECOND, EX_IRQ_PIN, 1);
    machine_write(m, FIRST, ROOT_CONFIG, cap + (unsigned)PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
    cr_expect_eq(counters()->intx_deasserts, 0, "the other one's wire holds the pin up");
    ex_write(SECOND, EX_IRQ_PIN, 0);
    cr_expect_eq(counters()->intx_deasserts, 1);
    cr_expect_eq(machine_read(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2), 0);
}

Test(root, reset_under_traffic)
{
    for (unsigned i = 0; i < 50; i++) {
        enable_msi(FIRST, 0x41);
        ex_write(FIRST, EX_IRQ_COUNT, 0);
        ex_write(FIRST, EX_IRQ_PERIOD_NS, 1000);
        ex_write(FIRST, EX_DMA_ADDR_LO, RAM_BASE);
        ex_write(FIRST, EX_DMA_BYTES, 0x8000);
        ex_write(FIRST, EX_DMA_COMMAND, i % 2 ? EX_DMA_READ : EX_DMA_WRITE);
        root_reset(m->root, FIRST);
        machine_run(m);
        cr_assert_eq(ex_read(SECOND, EX_ID), EX_ID_VALUE);
        machine_write(m, FIRST, ROOT_CONFIG, PCI_BASE_ADDRESS_0, 4, (uint32_t)machine_bar(m, FIRST, 0));
        machine_write(m, FIRST, ROOT_CONFIG, PCI_BASE_ADDRESS_2, 4, (uint32_t)machine_bar(m, FIRST, 2));
        machine_write(m, FIRST, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        cr_assert_eq(ex_read(FIRST, EX_ID), EX_ID_VALUE);
        cr_assert_eq(dma(EX_DMA_FILL, RAM_BASE, 4096), EX_DMA_DONE);
    }
}

Test(root, power_cycle_starts_everything_anew)
{
    ex_write(FIRST, EX_IRQ_PIN, 1);
    machine_write(m, 0, 0, RELAY_SCRATCH, 4, 0x1234);
    root_power_cycle(m->root);
    machine_run(m);
    cr_expect_eq(machine_read(m, 0, ROOT_CONFIG, PCI_COMMAND, 2), 0);
    machine_write(m, 0, ROOT_CONFIG, PCI_BASE_ADDRESS_0, 4, (uint32_t)machine_bar(m, 0, 0));
    machine_write(m, 0, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    cr_expect_eq(machine_read(m, 0, 0, RELAY_SCRATCH, 4), 0);
    cr_expect_eq(machine_read(m, 0, 0, RELAY_WIRES_IN, 4), 0);
}

/* ---- other shapes ------------------------------------------------------------------------------- */

Test(shapes, accesses_and_interrupts_in_each)
{
    static const struct machine_options shapes[] = {
        {.ports = 7, .width_dw = 2, .timeout_ms = 20},
        {.ports = 4, .width_dw = 4, .timeout_ms = 20},
        {.ports = 7, .width_dw = 4, .timeout_ms = 20},
        {.ports = 4, .width_dw = 2, .timeout_ms = 20, .bypass_dma = true},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct function *functions[7];
        for (unsigned i = 0; i < shapes[s].ports; i++) {
            functions[i] = exerciser(1 + i % 4);
        }
        m = machine_open(&shapes[s], functions, shapes[s].ports);
        for (unsigned f = 1; f <= shapes[s].ports; f++) {
            ex_write(f, EX_SCRATCH, f * 0x1111);
            enable_msi(f, f);
        }
        for (unsigned f = 1; f <= shapes[s].ports; f++) {
            cr_expect_eq(ex_read(f, EX_SCRATCH), f * 0x1111);
            raise(f, 1);
            cr_expect_eq(m->messages[f - 1].data, f);
        }
        cr_expect_eq(dma(EX_DMA_FILL, RAM_BASE + 0x123, 5000), EX_DMA_DONE);
        cr_expect_eq(dma(EX_DMA_CHECK, RAM_BASE + 0x123, 5000), EX_DMA_DONE);
        cr_expect_eq(ex_read(FIRST, EX_DMA_MISMATCHES), 0);
        cr_expect_eq(counters()->memory_writes == 0, shapes[s].bypass_dma);
        machine_close(m);
    }
}

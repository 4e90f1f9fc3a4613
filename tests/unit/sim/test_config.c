/* SPDX-License-Identifier: BSD-2-Clause */
#include "completer.h"
#include "config_space.h"
#include "msi.h"

#include <criterion/criterion.h>
#include <string.h>

static struct config_space config;

static void build(void)
{
    static const struct config_identity identity = {
        .vendor = 0x1209, .device = 0x5161, .class_code = 0xff0000, .revision = 7, .interrupt_pin = 2};
    config_init(&config, &identity);
    config_add_bar(&config, 0, 0x4000, false, false);
    config_add_bar(&config, 2, UINT64_C(1) << 33, true, true);
}

TestSuite(config, .init = build);

Test(config, header_says_who_it_is)
{
    cr_expect_eq(config_get32(&config, PCI_VENDOR_ID), 0x51611209);
    cr_expect_eq(config_get32(&config, PCI_CLASS_REVISION), 0xff000007);
    cr_expect_eq(config.bytes[PCI_INTERRUPT_PIN], 2);
    config_write(&config, PCI_VENDOR_ID, 0, 15);
    cr_expect_eq(config_get32(&config, PCI_VENDOR_ID), 0x51611209, "read-only");
}

Test(config, bars_tell_their_size_and_decode)
{
    uint64_t base = 0;
    config_write(&config, PCI_BASE_ADDRESS_0, ~0u, 15);
    cr_expect_eq(config_get32(&config, PCI_BASE_ADDRESS_0), 0xffffc000);
    config_write(&config, PCI_BASE_ADDRESS_2, ~0u, 15);
    config_write(&config, PCI_BASE_ADDRESS_3, ~0u, 15);
    cr_expect_eq(config_get32(&config, PCI_BASE_ADDRESS_2), 0x0000000c);
    cr_expect_eq(config_get32(&config, PCI_BASE_ADDRESS_3), 0xfffffffe);
    config_write(&config, PCI_BASE_ADDRESS_2, 0, 15);
    config_write(&config, PCI_BASE_ADDRESS_3, 0x80, 15);
    cr_expect_not(config_bar_base(&config, 2, &base), "memory space is off");
    config_write(&config, PCI_COMMAND, PCI_COMMAND_MEMORY, 1);
    cr_expect(config_bar_base(&config, 2, &base));
    cr_expect_eq(base, UINT64_C(0x80) << 32);
    cr_expect_not(config_bar_base(&config, 3, &base), "the upper half is no BAR of its own");
}

Test(config, byte_enables_choose_bytes)
{
    config_write(&config, PCI_BASE_ADDRESS_0, 0x12345678, 15);
    config_write(&config, PCI_BASE_ADDRESS_0, 0xaabbccdd, 4);
    cr_expect_eq(config_get32(&config, PCI_BASE_ADDRESS_0), 0x12bb4000);
}

Test(config, capabilities_are_chained)
{
    struct msi msi;
    msi_init(&msi, &config, NULL, NULL);
    msi_add(&msi, 16);
    msix_add(&msi, 5, 0, 0x1000, 0x1800);
    config_add_pcie(&config, 256);
    unsigned at = config.bytes[PCI_CAPABILITY_LIST], n = 0;
    const uint8_t ids[] = {PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX, PCI_CAP_ID_EXP};
    for (; at && n < 3; at = config.bytes[at + 1]) {
        cr_expect_eq(config.bytes[at], ids[n++]);
    }
    cr_expect_eq(n, 3);
    cr_expect_eq(at, 0);
}

Test(config, payload_size_stays_within_what_the_function_can)
{
    config_add_pcie(&config, 256);
    unsigned devctl = config.pcie + (unsigned)PCI_EXP_DEVCTL;
    cr_expect_eq(config_max_payload(&config), 128);
    cr_expect_eq(config_max_read_request(&config), 512);
    config_write(&config, devctl, 1 << 5 | 5 << 12, 3);
    cr_expect_eq(config_max_payload(&config), 256);
    cr_expect_eq(config_max_read_request(&config), 4096);
    config_write(&config, devctl, 7 << 5 | 7 << 12, 3);
    cr_expect_eq(config_max_payload(&config), 256);
    cr_expect_eq(config_max_read_request(&config), 4096);
}

Test(config, reset_restores_what_was_sealed)
{
    config_add_pcie(&config, 256);
    config_seal(&config);
    config_write(&config, PCI_COMMAND, PCI_COMMAND_MASTER, 1);
    config_write(&config, PCI_BASE_ADDRESS_0, 0xe0000000, 15);
    config_reset(&config);
    cr_expect_not(config_bus_master(&config));
    cr_expect_eq(config_get32(&config, PCI_BASE_ADDRESS_0), 0);
}

/* ---- MSI and MSI-X ------------------------------------------------------------------------------ */

static struct {
    uint64_t address;
    uint32_t data;
} sent[64];
static unsigned sent_count;

static void send(void *owner, uint64_t address, uint32_t data)
{
    (void)owner;
    sent[sent_count].address = address;
    sent[sent_count++].data = data;
}

static struct msi msi;

static void build_msi(void)
{
    build();
    config_put16(&config, PCI_COMMAND, PCI_COMMAND_MASTER);
    msi_init(&msi, &config, send, NULL);
    msi_add(&msi, 8);
    msix_add(&msi, 5, 0, 0x1000, 0x1800);
}

TestSuite(msi, .init = build_msi);

Test(msi, nothing_is_sent_while_both_are_off)
{
    cr_expect_not(msi_enabled(&msi));
    cr_expect_not(msi_raise(&msi, 0));
    cr_expect_eq(sent_count, 0);
}

static void enable_msi(unsigned log2)
{
    config_put32(&config, msi.msi + PCI_MSI_ADDRESS_LO, 0xfee01000);
    config_put32(&config, msi.msi + PCI_MSI_ADDRESS_HI, 1);
    config_put16(&config, msi.msi + PCI_MSI_DATA_64, 0x4047);
    config_write(&config, msi.msi, (PCI_MSI_FLAGS_ENABLE | log2 << 4) << 16, 12);
}

Test(msi, low_bits_of_the_data_are_the_vector)
{
    enable_msi(2);
    cr_expect(msi_enabled(&msi));
    for (unsigned v = 0; v < 6; v++) {
        cr_expect(msi_raise(&msi, v));
        cr_expect_eq(sent[v].address, UINT64_C(0x1fee01000));
        cr_expect_eq(sent[v].data, 0x4044u | (v & 3), "vectors above those given are folded");
    }
}

Test(msi, more_vectors_than_asked_for_are_not_used)
{
    enable_msi(5);
    msi_raise(&msi, 9);
    cr_expect_eq(sent[0].data, 0x4041);
}

Test(msi, masked_stays_pending_and_is_sent_once_when_unmasked)
{
    enable_msi(3);
    config_put32(&config, msi.msi + PCI_MSI_MASK_64, 1 << 3);
    msi_raise(&msi, 3);
    msi_raise(&msi, 3);
    cr_expect_eq(sent_count, 0);
    cr_expect_eq(config_get32(&config, msi.msi + PCI_MSI_PENDING_64), 1 << 3);
    config_put32(&config, msi.msi + PCI_MSI_MASK_64, 0);
    msi_update(&msi);
    cr_expect_eq(sent_count, 1);
    cr_expect_eq(config_get32(&config, msi.msi + PCI_MSI_PENDING_64), 0);
    msi_update(&msi);
    cr_expect_eq(sent_count, 1);
}

Test(msi, without_bus_mastering_it_waits)
{
    enable_msi(0);
    config_put16(&config, PCI_COMMAND, 0);
    msi_raise(&msi, 0);
    msi_update(&msi);
    cr_expect_eq(sent_count, 0);
    config_put16(&config, PCI_COMMAND, PCI_COMMAND_MASTER);
    msi_update(&msi);
    cr_expect_eq(sent_count, 1);
}

static void enable_msix(uint32_t more)
{
    for (unsigned v = 0; v < 5; v++) {
        msix_write(&msi, 0x1000 + 16 * v, 0xfee00003 + v * 0x1000, 15);
        msix_write(&msi, 0x1004 + 16 * v, v, 15);
        msix_write(&msi, 0x1008 + 16 * v, 0x30 + v, 15);
        msix_write(&msi, 0x100c + 16 * v, 0, 15);
    }
    config_write(&config, msi.msix, (uint32_t)(PCI_MSIX_FLAGS_ENABLE | more) << 16, 12);
}

Test(msi, table_entries_are_sent_as_programmed)
{
    enable_msix(0);
    for (unsigned v = 0; v < 5; v++) {
        cr_expect(msi_raise(&msi, v));
        cr_expect_eq(sent[v].address, 0xfee00000u + v * 0x1000 + ((uint64_t)v << 32), "bits 1:0 are 0");
        cr_expect_eq(sent[v].data, 0x30 + v);
    }
    cr_expect_not(msi_raise(&msi, 5), "there's no such vector");
}

Test(msi, table_masks_hold_back_and_pending_bits_show_it)
{
    enable_msix(0);
    msix_write(&msi, 0x100c + 16 * 2, 0xffffffff, 15);
    cr_expect_eq(msix_read(&msi, 0x100c + 16 * 2), 1);
    msi_raise(&msi, 2);
    cr_expect_eq(sent_count, 0);
    cr_expect_eq(msix_read(&msi, 0x1800), 1 << 2);
    msix_write(&msi, 0x1800, 0, 15);
    cr_expect_eq(msix_read(&msi, 0x1800), 1 << 2, "read-only");
    msix_write(&msi, 0x100c + 16 * 2, 0, 1);
    cr_expect_eq(sent_count, 1);
    cr_expect_eq(msix_read(&msi, 0x1800), 0);
}

Test(msi, function_mask_holds_all_back)
{
    enable_msix(PCI_MSIX_FLAGS_MASKALL);
    msi_raise(&msi, 0);
    msi_raise(&msi, 4);
    cr_expect_eq(sent_count, 0);
    config_write(&config, msi.msix, (uint32_t)PCI_MSIX_FLAGS_ENABLE << 16, 12);
    msi_update(&msi);
    cr_expect_eq(sent_count, 2);
}

Test(msi, only_the_table_and_pending_bits_are_taken_from_the_bar)
{
    cr_expect(msix_owns(&msi, 0, 0x1000));
    cr_expect(msix_owns(&msi, 0, 0x104c));
    cr_expect_not(msix_owns(&msi, 0, 0x1050));
    cr_expect_not(msix_owns(&msi, 0, 0x0ffc));
    cr_expect(msix_owns(&msi, 0, 0x1800));
    cr_expect_not(msix_owns(&msi, 0, 0x1808));
    cr_expect_not(msix_owns(&msi, 1, 0x1000));
}

Test(msi, reset_masks_everything)
{
    enable_msix(0);
    msi_reset(&msi);
    msi_raise(&msi, 0);
    cr_expect_eq(sent_count, 0);
}

/* ---- splitting of completions ------------------------------------------------------------------- */

/* The rules of 2.3.1.1, checked on every start in a line and lengths around the sizes. */
static void check_split(uint64_t address, unsigned bytes, unsigned max_payload, unsigned boundary)
{
    uint32_t payload[TLP_MAX_PAYLOAD_DW + 1], dw[TLP_MAX_DW];
    struct tlp read = {.kind = TLP_MRD, .requester = 0x0100, .tag = 3};
    tlp_set_range(&read, address, bytes);
    for (unsigned i = 0; i < read.length; i++) {
        payload[i] = 0x1000 + i;
    }
    struct completer c;
    completer_begin(&c, &read, 0x0203, payload, max_payload, boundary);
    uint64_t at = address;
    unsigned left = bytes, next = 0;
    while (completer_next(&c)) {
        const struct tlp *t = &c.tlp;
        cr_assert_eq(tlp_check(dw, tlp_pack(t, dw), max_payload), TLP_OK);
        cr_assert_eq(t->byte_count, left);
        cr_assert_eq(t->lower_address, at & 0x7f);
        cr_assert_eq(t->payload[0], 0x1000 + next);
        unsigned carried = t->length * 4u - (unsigned)(at & 3);
        carried = carried < left ? carried : left;
        at += carried;
        left -= carried;
        next += t->length;
        cr_assert(!left || at % boundary == 0, "split off a boundary at %jx", (uintmax_t)at);
    }
    cr_assert_eq(left, 0);
    cr_assert_eq(next, read.length);
}

Test(completer, splits_only_at_boundaries_and_within_the_payload_size)
{
    static const unsigned lengths[] = {1,   2,   3,   4,   5,   63,  64,  65,  127,
                                       128, 129, 255, 256, 300, 511, 512, 513, 1024};
    for (unsigned start = 0; start < 256; start++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            check_split(0x3000 + start, lengths[i], 128, 64);
            check_split(0x3000 + start, lengths[i], 128, 128);
            check_split(0x3000 + start, lengths[i], 512, 64);
        }
    }
    check_split(0x3000, 4096, 128, 128);
    check_split(0x3000, 4096, 512, 64);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLPs against vectors written by hand from the tables of PCIe Base 5.0, chapter 2, not from the library.
 */
#include "tlp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MPS = 512 };

struct vector {
    const char *what;
    uint32_t dw[8];
    size_t n;
    const char *printed;
};

static const struct vector good[] = {
    {"MSI: memory write, 3 DW header, Table 2-3 Fmt 010 Type 00000",
     {0x40000001, 0x0102050f, 0xfee00000, 0x21400000},
     4,
     "MWr from 01:00.2 tag 05 at fee00000 be f/0 1 DW = 21400000"},
    {"MSI-X above 4 GiB: Fmt 011",
     {0x60000001, 0x0103000f, 0x00000001, 0xfee01004, 0x22400000},
     5,
     "MWr from 01:00.3 tag 00 at 00000001fee01004 be f/0 1 DW = 22400000"},
    {"memory read of 1024 DW: Length 0",
     {0x00000000, 0x000004ff, 0x00001000},
     3,
     "MRd from 00:00.0 tag 04 at 00001000 be f/f 1024 DW"},
    {"memory read, 64-bit address",
     {0x20000002, 0x0108127e, 0x00000080, 0x12345678},
     4,
     "MRd from 01:01.0 tag 12 at 0000008012345678 be e/7 2 DW"},
    {"zero-length read: one DW, no byte enables (2.2.5)",
     {0x00000001, 0x00000900, 0x80000000},
     3,
     "MRd from 00:00.0 tag 09 at 80000000 be 0/0 1 DW"},
    {"two DW in an aligned QW: holes are allowed",
     {0x00000002, 0x00000069, 0x80000008},
     3,
     "MRd from 00:00.0 tag 00 at 80000008 be 9/6 2 DW"},
    {"I/O read", {0x02000001, 0x0000010f, 0x0000cf8c}, 3, "IORd from 00:00.0 tag 01 at 0000cf8c be f/0 1 DW"},
    {"I/O write",
     {0x42000001, 0x00000101, 0x000003f8, 0x41000000},
     4,
     "IOWr from 00:00.0 tag 01 at 000003f8 be 1/0 1 DW = 41000000"},
    {"configuration read, type 0: bus 1, device 0, function 3, register 0x100",
     {0x04000001, 0x00000a0f, 0x01030100},
     3,
     "CfgRd0 from 00:00.0 tag 0a to 01:00.3 reg 100 be f/0 1 DW"},
    {"configuration write, type 0, two bytes",
     {0x44000001, 0x00000b03, 0x01010004, 0x06040000},
     4,
     "CfgWr0 from 00:00.0 tag 0b to 01:00.1 reg 004 be 3/0 1 DW = 06040000"},
    {"configuration read, type 1",
     {0x05000001, 0x0000000f, 0x02000000},
     3,
     "CfgRd1 from 00:00.0 tag 00 to 02:00.0 reg 000 be f/0 1 DW"},
    {"configuration write, type 1",
     {0x45000001, 0x0000000f, 0x02000010, 0xffffffff},
     4,
     "CfgWr1 from 00:00.0 tag 00 to 02:00.0 reg 010 be f/0 1 DW = ffffffff"},
    {"Assert_INTA: Msg, local, code 0x20",
     {0x34000000, 0x01000020, 0, 0},
     4,
     "Msg from 01:00.0 Assert_INTA (20) routed local"},
    {"Deassert_INTD", {0x34000000, 0x01000027, 0, 0}, 4, "Msg from 01:00.0 Deassert_INTD (27) routed local"},
    {"ERR_FATAL: to the root",
     {0x30000000, 0x02000033, 0, 0},
     4,
     "Msg from 02:00.0 ERR_FATAL (33) routed root"},
    {"Set_Slot_Power_Limit: MsgD, local, one DW",
     {0x74000001, 0x00000050, 0, 0, 0x19000000},
     5,
     "MsgD from 00:00.0 Set_Slot_Power_Limit (50) routed local 1 DW = 19000000"},
    {"vendor-defined by ID, traffic class 3",
     {0x32300000, 0x0100007f, 0x03081af4, 0xcafe0001},
     4,
     "Msg from 01:00.0 Vendor_Type1 (7f) routed id 03:01.0 03081af4 cafe0001 TC3"},
    {"completion without data: UR",
     {0x0a000000, 0x01002004, 0x00000700},
     3,
     "Cpl from 01:00.0 to 00:00.0 tag 07 UR bytes 4 low 00"},
    {"completion with data",
     {0x4a000001, 0x01020004, 0x00000710, 0x78563412},
     4,
     "CplD from 01:00.2 to 00:00.0 tag 07 SC bytes 4 low 10 1 DW = 78563412"},
    {"completion, byte count 4096 is coded 0",
     {0x4a000001, 0x01020000, 0x00000740, 0},
     4,
     "CplD from 01:00.2 to 00:00.0 tag 07 SC bytes 4096 low 40 1 DW = 00000000"},
    {"locked read and its completions",
     {0x01000001, 0x0000000f, 0x00000000},
     3,
     "MRdLk from 00:00.0 tag 00 at 00000000 be f/0 1 DW"},
    {"CplLk",
     {0x0b000000, 0x01002004, 0x00000000},
     3,
     "CplLk from 01:00.0 to 00:00.0 tag 00 UR bytes 4 low 00"},
    {"CplDLk",
     {0x4b000001, 0x01000004, 0x00000000, 1},
     4,
     "CplDLk from 01:00.0 to 00:00.0 tag 00 SC bytes 4 low 00 1 DW = 00000001"},
    {"FetchAdd, 32 bit",
     {0x4c000001, 0x0108000f, 0x10000004, 1},
     4,
     "FetchAdd from 01:01.0 tag 00 at 10000004 be f/0 1 DW = 00000001"},
    {"Swap, 64 bit, 64-bit address",
     {0x6d000002, 0x010800ff, 0x00000001, 0x10000008, 1, 2},
     6,
     "Swap from 01:01.0 tag 00 at 0000000110000008 be f/f 2 DW = 00000001 00000002"},
    {"CAS, 32 bit: two operands",
     {0x4e000002, 0x010800ff, 0x10000004, 1, 2},
     5,
     "CAS from 01:01.0 tag 00 at 10000004 be f/f 2 DW = 00000001 00000002"},
    {"every attribute, poisoned, digest; ten-bit tag 0x3aa",
     {0x40ffd001u | 0x00050000u | 0x2000u, 0x0102aa0f, 0x00001000, 0x11223344, 0xdeadbeef},
     5,
     "MWr from 01:00.2 tag 3aa at 00001000 be f/0 1 DW TC7 RO NS IDO TH POISONED = 11223344 digest deadbeef"},
};

Test(tlp, good_vectors_check_unpack_print_and_pack_again)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct vector *v = &good[i];
        struct tlp t;
        char text[TLP_PRINT_SIZE];
        uint32_t again[TLP_MAX_DW];

        enum tlp_error error = tlp_check(v->dw, v->n, MPS);
        cr_assert_eq(error, TLP_OK, "%s: %s", v->what, tlp_error_text(error));
        cr_assert_eq(tlp_unpack(&t, v->dw, v->n), TLP_OK, "%s", v->what);
        tlp_print(text, sizeof text, &t);
        cr_expect_str_eq(text, v->printed, "%s", v->what);
        size_t n = tlp_pack(&t, again);
        cr_assert_eq(n, v->n, "%s", v->what);
        for (size_t k = 0; k < n; k++) {
            uint32_t reserved = k == 0 && i == sizeof good / sizeof *good - 1 ? 0x00020000u : 0; /* LN */
            cr_expect_eq(again[k], v->dw[k] & ~reserved, "%s: DW%zu is %08x", v->what, k, again[k]);
        }
    }
}

static const struct {
    const char *what;
    enum tlp_error error;
    uint32_t dw[8];
    size_t n;
} bad[] = {
    {"nothing", TLP_E_SHORT, {0}, 0},
    {"two DW", TLP_E_SHORT, {0x00000001, 0x0000000f}, 2},
    {"4-DW header with three", TLP_E_SHORT, {0x60000001, 0x0000000f, 1}, 3},
    {"end-to-end prefix", TLP_E_PREFIX, {0x90000000, 0x40000001, 0x0000000f, 0, 0}, 5},
    {"Type 00011", TLP_E_TYPE, {0x03000001, 0x0000000f, 0}, 3},
    {"I/O read with a 4-DW header", TLP_E_TYPE, {0x22000001, 0x0000000f, 0, 0}, 4},
    {"message with a 3-DW header", TLP_E_TYPE, {0x14000000, 0x01000020, 0}, 3},
    {"completion with a 4-DW header", TLP_E_TYPE, {0x2a000000, 0x01002004, 0, 0}, 4},
    {"write whose payload is missing", TLP_E_LENGTH, {0x40000001, 0x0000000f, 0}, 3},
    {"write with one DW too many", TLP_E_LENGTH, {0x40000001, 0x0000000f, 0, 1, 2}, 5},
    {"read with payload", TLP_E_LENGTH, {0x00000001, 0x0000000f, 0, 1}, 4},
    {"digest announced, not there", TLP_E_LENGTH, {0x40008001, 0x0000000f, 0, 1}, 4},
    {"I/O of two DW", TLP_E_LENGTH, {0x02000002, 0x0000000f, 0}, 3},
    {"configuration write of two DW", TLP_E_LENGTH, {0x44000002, 0x0000000f, 0x01000000, 1, 2}, 5},
    {"FetchAdd of three DW", TLP_E_LENGTH, {0x4c000003, 0x000000ff, 0, 1, 2, 3}, 6},
    {"CAS of one DW", TLP_E_LENGTH, {0x4e000001, 0x0000000f, 0, 1}, 4},
    {"one DW with last byte enables", TLP_E_BYTE_ENABLES, {0x00000001, 0x0000001f, 0}, 3},
    {"two DW without last byte enables", TLP_E_BYTE_ENABLES, {0x00000002, 0x0000000f, 0}, 3},
    {"two DW without first byte enables", TLP_E_BYTE_ENABLES, {0x00000002, 0x000000f0, 0}, 3},
    {"two DW, not an aligned QW, with a hole", TLP_E_BYTE_ENABLES, {0x00000002, 0x000000f9, 4}, 3},
    {"three DW, first byte enables 0111", TLP_E_BYTE_ENABLES, {0x00000003, 0x000000f7, 0}, 3},
    {"three DW, last byte enables 1110", TLP_E_BYTE_ENABLES, {0x00000003, 0x000000ef, 0}, 3},
    {"read over a 4 KiB line", TLP_E_4K, {0x00000002, 0x000000ff, 0x00000ffc}, 3},
    {"write over a 4 KiB line", TLP_E_4K, {0x40000002, 0x000000ff, 0x00001ffc, 1, 2}, 5},
    {"atomic off its operand", TLP_E_ALIGNMENT, {0x4c000002, 0x000000ff, 4, 1, 2}, 5},
    {"configuration with TC 1", TLP_E_FIELD, {0x04100001, 0x0000000f, 0x01000000}, 3},
    {"configuration with RO", TLP_E_FIELD, {0x04002001, 0x0000000f, 0x01000000}, 3},
    {"I/O with AT", TLP_E_FIELD, {0x02000401, 0x0000000f, 0}, 3},
    {"configuration with last byte enables", TLP_E_BYTE_ENABLES, {0x04000001, 0x0000001f, 0x01000000}, 3},
    {"INTx with TC 2", TLP_E_FIELD, {0x34200000, 0x01000020, 0, 0}, 4},
    {"INTx routed to the root", TLP_E_ROUTING, {0x30000000, 0x01000020, 0, 0}, 4},
    {"INTx of function 1", TLP_E_INTX, {0x34000000, 0x01010020, 0, 0}, 4},
    {"INTx with data", TLP_E_TYPE, {0x74000001, 0x01000020, 0, 0, 1}, 5},
    {"PM_PME routed local", TLP_E_ROUTING, {0x34000000, 0x01000018, 0, 0}, 4},
    {"routing 110", TLP_E_ROUTING, {0x36000000, 0x01000020, 0, 0}, 4},
    {"Set_Slot_Power_Limit without data", TLP_E_TYPE, {0x34000000, 0x00000050, 0, 0}, 4},
    {"vendor-defined, gathered", TLP_E_ROUTING, {0x35000000, 0x0100007e, 0, 0}, 4},
};

Test(tlp, bad_vectors_are_named)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum tlp_error error = tlp_check(bad[i].dw, bad[i].n, MPS);
        cr_expect_eq(error, bad[i].error, "%s: got \"%s\"", bad[i].what, tlp_error_text(error));
    }
}

Test(tlp, payload_above_the_maximum_is_refused)
{
    uint32_t dw[3 + 64] = {0x40000040, 0x000000ff, 0x1000};
    cr_expect_eq(tlp_check(dw, 67, 256), TLP_OK);
    cr_expect_eq(tlp_check(dw, 67, 128), TLP_E_PAYLOAD);
}

Test(tlp, unknown_message_code_is_not_malformed)
{
    uint32_t dw[4] = {0x34000000, 0x01000066, 0, 0};
    cr_expect_eq(tlp_check(dw, 4, MPS), TLP_OK);
}

/* Every byte range within two DW beyond a line start, counted byte by byte. */
Test(tlp, ranges_have_the_byte_enables_of_their_bytes)
{
    for (unsigned start = 0; start < 8; start++) {
        for (unsigned bytes = 1; bytes <= 24; bytes++) {
            struct tlp t = {.kind = TLP_MRD};
            tlp_set_range(&t, 0x2000 + start, bytes);
            cr_expect_eq(t.address, 0x2000 + start / 4 * 4);
            unsigned enabled = 0, first = 0;
            for (unsigned b = 0; b < t.length * 4u; b++) {
                unsigned be = b / 4 == 0 ? t.first_be : b / 4 == t.length - 1u ? t.last_be : 15;
                bool on = be >> b % 4 & 1;
                cr_expect_eq(on, t.address + b >= 0x2000 + start && t.address + b < 0x2000 + start + bytes);
                first = on && !enabled ? b : first;
                enabled += on;
            }
            cr_expect_eq(enabled, bytes);
            cr_expect_eq(tlp_be_offset(&t), first);
            cr_expect_eq(tlp_be_bytes(&t), bytes);
            uint32_t dw[TLP_MAX_DW];
            cr_expect_eq(tlp_check(dw, tlp_pack(&t, dw), MPS), TLP_OK);
        }
    }
}

Test(tlp, four_dw_header_above_4_gib_only)
{
    struct tlp t = {.kind = TLP_MRD};
    tlp_set_range(&t, 0xfffffffc, 4);
    cr_expect_not(t.addr64);
    tlp_set_range(&t, 0x100000000, 4);
    cr_expect(t.addr64);
}

Test(tlp, completion_copies_what_the_requester_matches_by)
{
    struct tlp read = {.kind = TLP_MRD, .requester = 0x0102, .tag = 0x155, .tc = 3, .ro = true, .ns = true};
    tlp_set_range(&read, 0x1000a5, 6);
    struct tlp c = tlp_completion(&read, 0x0203, TLP_SC);
    cr_expect_eq(c.kind, TLP_CPL);
    cr_expect_eq(c.requester, 0x0102);
    cr_expect_eq(c.completer, 0x0203);
    cr_expect_eq(c.tag, 0x155);
    cr_expect_eq(c.tc, 3);
    cr_expect(c.ro && c.ns);
    cr_expect_eq(c.byte_count, 6);
    cr_expect_eq(c.lower_address, 0x25);
    read.kind = TLP_CFGRD0;
    c = tlp_completion(&read, 0x0203, TLP_SC);
    cr_expect_eq(c.byte_count, 4);
    cr_expect_eq(c.lower_address, 0);
}

Test(tlp, payload_bytes_land_where_memory_has_them)
{
    uint32_t dw[4] = {0};
    tlp_put_bytes(dw, 0, "\x78\x56\x34\x12", 4);
    cr_expect_eq(dw[0], 0x78563412, "byte 0 of memory is in bits 31:24");
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t n = 1; n + offset <= 16; n++) {
            uint8_t in[16], out[16] = {0};
            for (size_t i = 0; i < n; i++) {
                in[i] = (uint8_t)(17 * i + offset + 1);
            }
            memset(dw, 0, sizeof dw);
            tlp_put_bytes(dw, offset, in, n);
            tlp_get_bytes(dw, offset, out, n);
            cr_expect_arr_eq(in, out, n);
            for (size_t i = 0; i < 16; i++) {
                uint8_t byte = (uint8_t)(dw[i / 4] >> (24 - 8 * (i % 4)));
                cr_expect_eq(byte, i >= offset && i < offset + n ? in[i - offset] : 0);
            }
        }
    }
}

/* Any bits whatever: no crash, and what is well formed packs to the bits that have a meaning. */
Test(tlp, random_bits)
{
    unsigned seed = 1, formed = 0;
    for (unsigned round = 0; round < 200000; round++) {
        uint32_t dw[8], again[TLP_MAX_DW];
        for (size_t i = 0; i < 8; i++) {
            dw[i] = (uint32_t)rand_r(&seed) << 16 ^ (uint32_t)rand_r(&seed);
        }
        dw[0] = (dw[0] & 0x7ffff000) | (dw[0] & 3); /* short lengths, no prefix: else few are whole */
        size_t n = (size_t)rand_r(&seed) % 9;
        struct tlp t;
        char text[TLP_PRINT_SIZE];
        if (tlp_check(dw, n, MPS) == TLP_OK) {
            cr_assert_eq(tlp_unpack(&t, dw, n), TLP_OK);
            tlp_print(text, sizeof text, &t);
            cr_assert_eq(tlp_pack(&t, again), n);
            cr_assert_eq(again[0] >> 24, dw[0] >> 24);
            struct tlp u;
            uint32_t third[TLP_MAX_DW];
            cr_assert_eq(tlp_unpack(&u, again, n), TLP_OK);
            cr_assert_eq(tlp_pack(&u, third), n);
            cr_assert_arr_eq(again, third, n * sizeof *again);
            cr_assert(!t.payload || !memcmp(t.payload, u.payload, t.length * sizeof *dw));
            char second[TLP_PRINT_SIZE];
            tlp_print(second, sizeof second, &u);
            cr_assert_str_eq(text, second);
            formed++;
        }
    }
    cr_assert_gt(formed, 1000);
}

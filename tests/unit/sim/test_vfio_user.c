/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as QEMU sends them, written out as bytes; and all that isn't one. */
#include "vfio_user.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct vu_message message;
static int error;

/* Bytes in hexadecimal, blanks between them ignored. */
static size_t bytes_of(const char *text, uint8_t *bytes)
{
    size_t n = 0;
    for (; *text; text++) {
        if (*text != ' ') {
            char pair[3] = {text[0], text[1], 0};
            bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
            text++;
        }
    }
    return n;
}

static enum vu_verdict parse(const char *text, unsigned descriptors)
{
    static uint8_t bytes[256]; /* the message points into it */
    size_t n = bytes_of(text, bytes);
    struct vu_header header;
    memcpy(&header, bytes, sizeof header);
    cr_assert_eq(header.size, n, "the test's own length: %zu", n);
    cr_assert_eq(vu_check_header(&header), VU_OK);
    return vu_parse(bytes, n, descriptors, &message, &error);
}

Test(vfio_user, version)
{
    cr_expect_eq(parse("0100 0100 1e000000 00000000 00000000 0000 0100 7b2261223a317d 00 0000", 0), VU_REFUSE,
                 "more than one NUL: not one text");
    cr_expect_eq(parse("0100 0100 1c000000 00000000 00000000 0000 0100 7b2261223a317d 00", 0), VU_OK);
    cr_expect_eq(message.header.id, 1);
    cr_expect_eq(message.version.major, 0);
    cr_expect_eq(message.version.minor, 1);
    cr_expect_eq(message.data_bytes, 8);
    cr_expect_eq(parse("0100 0100 1b000000 00000000 00000000 0000 0100 7b2261223a317d", 0), VU_REFUSE,
                 "no NUL at the end");
    cr_expect_eq(parse("0100 0100 14000000 00000000 00000000 0000 0000", 0), VU_OK, "no capabilities");
    cr_expect_eq(parse("0100 0100 12000000 00000000 00000000 0000", 0), VU_REFUSE, "too short");
}

Test(vfio_user, dma_map)
{
    const char *text =
        "0200 0200 30000000 00000000 00000000 20000000 03000000 0010000000000000"
        "0000000001000000 0000f00000000000";
    cr_expect_eq(parse(text, 1), VU_OK);
    cr_expect_eq(message.map.flags, 3);
    cr_expect_eq(message.map.offset, 0x1000);
    cr_expect_eq(message.map.address, UINT64_C(0x100000000));
    cr_expect_eq(message.map.size, 0xf00000);
    cr_expect_eq(parse(text, 0), VU_OK);
    cr_expect_eq(parse(text, 2), VU_REFUSE);
    cr_expect_eq(parse("0200 0200 28000000 00000000 00000000 20000000 03000000 0010000000000000"
                       "0000000001000000",
                       1),
                 VU_REFUSE, "too short");
}

Test(vfio_user, region_accesses)
{
    cr_expect_eq(parse("0300 0900 20000000 00000000 00000000 1400000000000000 07000000 04000000", 0), VU_OK);
    cr_expect_eq(message.access.offset, 0x14);
    cr_expect_eq(message.access.region, 7);
    cr_expect_eq(message.access.count, 4);
    cr_expect_eq(parse("0300 0900 20000000 00000000 00000000 1400000000000000 07000000 01000100", 0),
                 VU_REFUSE, "above the largest transfer");
    cr_expect_eq(parse("0300 0a00 24000000 10000000 00000000 1400000000000000 00000000 04000000 efbeadde", 0),
                 VU_OK);
    cr_expect_eq(message.header.flags, VU_NO_REPLY);
    cr_expect_eq(message.data_bytes, 4);
    cr_expect_eq(message.data[3], 0xde);
    cr_expect_eq(parse("0300 0a00 24000000 10000000 00000000 1400000000000000 00000000 05000000 efbeadde", 0),
                 VU_REFUSE, "count and data disagree");
    cr_expect_eq(parse("0300 0a00 24000000 10000000 00000000 1400000000000000 00000000 ffffffff efbeadde", 0),
                 VU_REFUSE);
}

Test(vfio_user, interrupts)
{
    const char *trigger = "0400 0800 24000000 00000000 00000000 14000000 24000000 00000000 00000000 01000000";
    cr_expect_eq(parse(trigger, 1), VU_OK);
    cr_expect_eq(message.irqs.count, 1);
    cr_expect_eq(parse(trigger, 0), VU_OK, "takes it away");
    cr_expect_eq(parse(trigger, 2), VU_REFUSE);
    cr_expect_eq(
        parse("0400 0800 24000000 00000000 00000000 14000000 11000000 00000000 00000000 01000000", 0), VU_OK,
        "unmask");
    cr_expect_eq(
        parse("0400 0800 24000000 00000000 00000000 14000000 11000000 00000000 00000000 01000000", 1),
        VU_REFUSE, "a descriptor without use");
    cr_expect_eq(
        parse("0400 0800 24000000 00000000 00000000 14000000 31000000 00000000 00000000 01000000", 0),
        VU_REFUSE, "two actions");
    cr_expect_eq(
        parse("0400 0800 24000000 00000000 00000000 14000000 00000000 00000000 00000000 01000000", 0),
        VU_REFUSE, "none");
    cr_expect_eq(
        parse("0400 0800 24000000 00000000 00000000 14000000 91000000 00000000 00000000 01000000", 0),
        VU_REFUSE, "unknown bits");
    cr_expect_eq(
        parse("0400 0800 26000000 00000000 00000000 14000000 12000000 00000000 00000000 02000000 0101", 0),
        VU_OK, "a byte each");
    cr_expect_eq(
        parse("0400 0800 26000000 00000000 00000000 14000000 12000000 00000000 00000000 03000000 0101", 0),
        VU_REFUSE);
}

Test(vfio_user, replies)
{
    cr_expect_eq(parse("0500 0b00 24000000 01000000 00000000 0010000000000000 0400000000000000 01020304", 0),
                 VU_OK);
    cr_expect_eq(message.dma.count, 4);
    cr_expect_eq(message.data_bytes, 4);
    cr_expect_eq(parse("0500 0b00 10000000 21000000 13000000", 0), VU_OK, "an error has no body");
    cr_expect_eq(message.data_bytes, 0);
    cr_expect_eq(parse("0500 0b00 10000000 01000000 00000000", 0), VU_REFUSE, "no body");
}

Test(vfio_user, unknown_commands_are_refused_as_such)
{
    for (unsigned command = 0; command < 0x10000; command += command < 32 ? 1 : 997) {
        uint8_t bytes[VU_HEADER_BYTES] = {0};
        struct vu_header header = {.command = (uint16_t)command, .size = sizeof bytes};
        memcpy(bytes, &header, sizeof header);
        bool known = command >= VU_VERSION && command <= VU_DEVICE_RESET && command != VU_GET_REGION_IO_FDS;
        enum vu_verdict verdict = vu_parse(bytes, sizeof bytes, 0, &message, &error);
        if (!known) {
            cr_expect_eq(verdict, VU_REFUSE);
            cr_expect_eq(error, ENOTSUP, "command %u", command);
        }
    }
}

Test(vfio_user, headers_that_begin_no_message)
{
    const struct vu_header good = {.command = VU_VERSION, .size = VU_HEADER_BYTES};
    struct vu_header h = good;
    cr_expect_eq(vu_check_header(&h), VU_OK);
    h.size = VU_HEADER_BYTES - 1;
    cr_expect_eq(vu_check_header(&h), VU_CLOSE);
    h.size = 0;
    cr_expect_eq(vu_check_header(&h), VU_CLOSE);
    h.size = VU_MAX_MESSAGE + 1;
    cr_expect_eq(vu_check_header(&h), VU_CLOSE);
    h.size = UINT32_MAX;
    cr_expect_eq(vu_check_header(&h), VU_CLOSE);
    h = good;
    h.flags = 2;
    cr_expect_eq(vu_check_header(&h), VU_CLOSE, "neither request nor reply");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "aml.h"

enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_EXTENDED = 0x5b,
    OP_EXTENDED_DEVICE = 0x82,
};

static void put(struct aml *aml, unsigned byte)
{
    if (aml->used == aml->size) {
        aml->overflow = true;
        return;
    }
    aml->bytes[aml->used++] = (uint8_t)byte;
}

static void put_little(struct aml *aml, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        put(aml, (unsigned)(value >> 8 * i) & 0xff);
}

static void put_text(struct aml *aml, const char *text)
{
    while (*text)
        put(aml, (uint8_t)*text++);
}

/* ---- packages: PkgLength in its three-byte form, filled in by aml_close() ---------------------- */

static aml_mark open_package(struct aml *aml)
{
    aml_mark mark = aml->used;
    put_little(aml, 0, 3);
    return mark;
}

void aml_close(struct aml *aml, aml_mark mark)
{
    const size_t length = aml->used - mark;
    if (aml->overflow)
        return;
    aml->bytes[mark] = (uint8_t)(0x80 | (length & 15));
    aml->bytes[mark + 1] = (uint8_t)(length >> 4);
    aml->bytes[mark + 2] = (uint8_t)(length >> 12);
}

aml_mark aml_scope(struct aml *aml, const char *path)
{
    put(aml, OP_SCOPE);
    aml_mark mark = open_package(aml);
    put_text(aml, path);
    return mark;
}

aml_mark aml_device(struct aml *aml, const char *name)
{
    put(aml, OP_EXTENDED);
    put(aml, OP_EXTENDED_DEVICE);
    aml_mark mark = open_package(aml);
    put_text(aml, name);
    return mark;
}

aml_mark aml_package(struct aml *aml, uint8_t elements)
{
    put(aml, OP_PACKAGE);
    aml_mark mark = open_package(aml);
    put(aml, elements);
    return mark;
}

/* ---- objects ---------------------------------------------------------------------------------- */

void aml_name(struct aml *aml, const char *name)
{
    put(aml, OP_NAME);
    put_text(aml, name);
}

void aml_integer(struct aml *aml, uint64_t value)
{
    if (value <= 1) {
        put(aml, value ? OP_ONE : OP_ZERO);
    } else if (value <= 0xff) {
        put(aml, OP_BYTE);
        put_little(aml, value, 1);
    } else if (value <= 0xffff) {
        put(aml, OP_WORD);
        put_little(aml, value, 2);
    } else if (value <= 0xffffffff) {
        put(aml, OP_DWORD);
        put_little(aml, value, 4);
    } else {
        put(aml, OP_QWORD);
        put_little(aml, value, 8);
    }
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of five bits, four hexadecimal digits, most significant byte first. */
void aml_eisa_id(struct aml *aml, const char *id)
{
    unsigned letters = ((unsigned)(id[0] - '@') & 31) << 10 | ((unsigned)(id[1] - '@') & 31) << 5 |
                       ((unsigned)(id[2] - '@') & 31);
    put(aml, OP_DWORD);
    put(aml, letters >> 8);
    put(aml, letters & 0xff);
    put(aml, hex_digit(id[3]) << 4 | hex_digit(id[4]));
    put(aml, hex_digit(id[5]) << 4 | hex_digit(id[6]));
}

void aml_string(struct aml *aml, const char *text)
{
    put(aml, OP_STRING);
    put_text(aml, text);
    put(aml, 0);
}

/* ---- resources (ACPI 6.5 chapter 6.4) ---------------------------------------------------------- */

struct aml_resources aml_resources(struct aml *aml)
{
    struct aml_resources r;
    put(aml, OP_BUFFER);
    r.buffer = open_package(aml);
    put(aml, OP_WORD);
    r.length = aml->used;
    put_little(aml, 0, 2);
    return r;
}

void aml_resources_end(struct aml *aml, struct aml_resources r)
{
    put(aml, 0x79); /* end tag; a checksum of 0 counts as good */
    put(aml, 0);
    if (aml->overflow)
        return;
    const size_t length = aml->used - r.length - 2;
    aml->bytes[r.length] = (uint8_t)length;
    aml->bytes[r.length + 1] = (uint8_t)(length >> 8);
    aml_close(aml, r.buffer);
}

void aml_io(struct aml *aml, uint16_t first, uint8_t count)
{
    put(aml, 0x47);
    put(aml, 1); /* all 16 address bits are decoded */
    put_little(aml, first, 2);
    put_little(aml, first, 2);
    put(aml, 1);
    put(aml, count);
}

void aml_interrupt(struct aml *aml, uint32_t gsi, bool level, bool active_low)
{
    put(aml, 0x89);
    put_little(aml, 6, 2);
    put(aml, 1u | (level ? 0 : 2) | (active_low ? 4 : 0) | (level ? 8 : 0)); /* a level may be shared */
    put(aml, 1);
    put_little(aml, gsi, 4);
}

void aml_memory(struct aml *aml, uint32_t first, uint32_t bytes)
{
    put(aml, 0x86);
    put_little(aml, 9, 2);
    put(aml, 1); /* writable */
    put_little(aml, first, 4);
    put_little(aml, bytes, 4);
}

enum { WINDOW_MEMORY = 0, WINDOW_IO = 1, WINDOW_BUS = 2 };

/* Word and DWord address space descriptors, producer, range fixed at both ends. */
static void window(struct aml *aml, unsigned kind, unsigned flags, unsigned width, uint32_t first,
                   uint32_t last)
{
    put(aml, width == 2 ? 0x88 : 0x87);
    put_little(aml, 3 + 5 * width, 2);
    put(aml, kind);
    put(aml, 0xc);
    put(aml, flags);
    put_little(aml, 0, width); /* granularity */
    put_little(aml, first, width);
    put_little(aml, last, width);
    put_little(aml, 0, width); /* translation */
    put_little(aml, (uint64_t)last - first + 1, width);
}

void aml_bus_window(struct aml *aml, uint16_t first, uint16_t last)
{
    window(aml, WINDOW_BUS, 0, 2, first, last);
}

void aml_io_window(struct aml *aml, uint16_t first, uint16_t last)
{
    window(aml, WINDOW_IO, 3, 2, first, last); /* the entire range */
}

void aml_memory_window(struct aml *aml, uint32_t first, uint32_t last)
{
    window(aml, WINDOW_MEMORY, 1, 4, first, last); /* writable */
}

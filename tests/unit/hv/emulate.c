/* SPDX-License-Identifier: BSD-2-Clause */
/* What the comparison with the CPU (emulate_native.c) cannot reach: other modes, segments, ports, control
 * registers. */
#include <criterion/criterion.h>
#include <string.h>

#include "alu.h"
#include "emulate.h"

#define MEMORY_BYTES 0x20000u

static struct {
    struct context context;
    struct emulator emulator;
    uint8_t memory[MEMORY_BYTES];
    uint64_t cr[9], dr[8];
    uint32_t port_value;
    uint16_t port;
    unsigned port_size, port_reads, port_writes, memory_writes, exchanges_to_lose;
    uint64_t invalidated;
    uint64_t read_only_from; /* linear: writes from here on fault */
    enum emulate_result port_result;
} t;

static enum emulate_result fault(struct emulate_fault *fault, uint64_t linear, bool write)
{
    *fault =
        (struct emulate_fault){.vector = 14, .has_error = true, .error = write ? 2 : 0, .address = linear};
    return EMULATE_FAULT;
}

static enum emulate_result read_memory(void *owner, uint64_t linear, void *to, unsigned size,
                                       enum emulate_access access, struct emulate_fault *f)
{
    (void)owner;
    bool modify = access == ACCESS_MODIFY;
    if (linear + size > MEMORY_BYTES || (modify && linear + size > t.read_only_from))
        return fault(f, linear, modify);
    memcpy(to, t.memory + linear, size);
    return EMULATE_DONE;
}

static enum emulate_result write_memory(void *owner, uint64_t linear, const void *from, unsigned size,
                                        struct emulate_fault *f)
{
    (void)owner;
    if (linear + size > t.read_only_from)
        return fault(f, linear, true);
    t.memory_writes++;
    memcpy(t.memory + linear, from, size);
    return EMULATE_DONE;
}

static enum emulate_result exchange(void *owner, uint64_t linear, const void *expected, const void *desired,
                                    unsigned size, bool *equal, struct emulate_fault *f)
{
    if (t.exchanges_to_lose) {
        t.exchanges_to_lose--;
        *equal = false;
        return EMULATE_DONE;
    }
    *equal = !memcmp(t.memory + linear, expected, size);
    return *equal ? write_memory(owner, linear, desired, size, f) : EMULATE_DONE;
}

static enum emulate_result port_read(void *owner, uint16_t port, unsigned size, uint32_t *value)
{
    (void)owner;
    t.port = port;
    t.port_size = size;
    t.port_reads++;
    *value = t.port_value;
    return t.port_result;
}

static enum emulate_result port_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
    (void)owner;
    t.port = port;
    t.port_size = size;
    t.port_writes++;
    t.port_value = value;
    return t.port_result;
}

static enum emulate_result cr_read(void *owner, unsigned number, uint64_t *value, struct emulate_fault *f)
{
    (void)owner;
    (void)f;
    *value = t.cr[number];
    return EMULATE_DONE;
}

static enum emulate_result cr_write(void *owner, unsigned number, uint64_t value, struct emulate_fault *f)
{
    (void)owner;
    if (number == 4 && value == ~0ull) {
        *f = (struct emulate_fault){.vector = 13, .has_error = true};
        return EMULATE_FAULT;
    }
    t.cr[number] = value;
    return EMULATE_DONE;
}

static enum emulate_result dr_write(void *owner, unsigned number, uint64_t value, struct emulate_fault *f)
{
    (void)owner;
    (void)f;
    t.dr[number] = value;
    return EMULATE_DONE;
}

static enum emulate_result invlpg(void *owner, uint64_t linear)
{
    (void)owner;
    t.invalidated = linear;
    return EMULATE_DONE;
}

static const struct emulate_ops ops = {
    .read = read_memory,
    .write = write_memory,
    .exchange = exchange,
    .io_read = port_read,
    .io_write = port_write,
    .cr_read = cr_read,
    .cr_write = cr_write,
    .dr_write = dr_write,
    .invlpg = invlpg,
};

enum { REAL, PROTECTED_16, PROTECTED_32, LONG };

static void set_up(int mode)
{
    memset(&t, 0, sizeof t);
    t.emulator = (struct emulator){.context = &t.context, .ops = &ops};
    t.read_only_from = MEMORY_BYTES;
    t.context.known = t.context.seg_known = ~0u;
    t.context.reg[REG_RFLAGS] = 2;
    t.context.reg[REG_RIP] = 0x1000;
    t.context.reg[REG_RSP] = 0x8000;
    t.context.reg[REG_CR0] = mode == REAL ? 0x10 : 0x80000011;
    t.context.reg[REG_EFER] = mode == LONG ? 0x500 : 0;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        t.context.seg[i] =
            (struct segment){.limit = mode == REAL ? 0xffff : 0xffffffff,
                             .attributes = mode == REAL || mode == PROTECTED_16 ? 0x93 : 0xc93};
    static const uint16_t code[] = {0x9b, 0x9b, 0xc9b, 0xa9b};
    t.context.seg[SEG_CS].attributes = code[mode];
}

static enum emulate_result run_bytes(const uint8_t *bytes, size_t count)
{
    uint64_t at = t.context.reg[REG_RIP] + t.context.seg[SEG_CS].base;
    memcpy(t.memory + at, bytes, count);
    return emulate(&t.emulator);
}
#define RUN(...) run_bytes((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void expect_fault(unsigned vector, uint64_t rip)
{
    cr_assert_eq(t.emulator.fault.vector, vector, "vector %u", t.emulator.fault.vector);
    cr_assert_eq(t.context.reg[REG_RIP], rip, "RIP stays");
}

Test(emulate, real_mode_adds_segment_bases)
{
    set_up(REAL);
    t.context.seg[SEG_CS].base = 0x2000;
    t.context.seg[SEG_DS].base = 0x500;
    t.context.seg[SEG_SS].base = 0x700;
    t.context.reg[REG_RBX] = 0x10;
    t.context.reg[REG_RSI] = 0x20;
    t.context.reg[REG_RBP] = 0x30;
    t.memory[0x535] = 0x42;
    t.memory[0x73f] = 0x43;
    cr_assert_eq(RUN(0x8a, 0x40, 0x05), EMULATE_DONE); /* mov al,[bx+si+5] */
    cr_assert_eq(t.context.reg[REG_RAX], 0x42);
    cr_assert_eq(t.context.reg[REG_RIP], 0x1003);
    cr_assert_eq(RUN(0x8a, 0x66, 0x0f), EMULATE_DONE); /* mov ah,[bp+15] */
    cr_assert_eq(t.context.reg[REG_RAX], 0x4342);
}

Test(emulate, addresses_wrap_at_the_address_size)
{
    set_up(REAL);
    t.context.reg[REG_RBX] = 0xffff;
    t.memory[4] = 0x77;
    cr_assert_eq(RUN(0x8a, 0x47, 0x05), EMULATE_DONE); /* mov al,[bx+5] */
    cr_assert_eq(t.context.reg[REG_RAX], 0x77);
}

Test(emulate, a_limit_raises_gp_and_ss)
{
    set_up(PROTECTED_32);
    t.context.seg[SEG_DS].limit = 0xfff;
    t.context.reg[REG_RAX] = 0xffc;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_DONE); /* mov ecx,[eax] */
    t.context.reg[REG_RIP] = 0x1000;
    t.context.reg[REG_RAX] = 0xffd;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_FAULT);
    expect_fault(13, 0x1000);
    t.context.seg[SEG_SS].limit = 0x7f00;
    cr_assert_eq(RUN(0x50), EMULATE_FAULT); /* push eax */
    expect_fault(12, 0x1000);
    cr_assert_eq(t.context.reg[REG_RSP], 0x8000);
}

Test(emulate, segments_that_expand_down)
{
    set_up(PROTECTED_32);
    t.context.seg[SEG_DS].attributes = 0x97; /* 16-bit, writable, expand-down */
    t.context.seg[SEG_DS].limit = 0x5fff;
    t.context.reg[REG_RAX] = 0x5fff;
    cr_assert_eq(RUN(0x8a, 0x08), EMULATE_FAULT);
    expect_fault(13, 0x1000);
    t.context.reg[REG_RAX] = 0x6000;
    cr_assert_eq(RUN(0x8a, 0x08), EMULATE_DONE);
    t.context.reg[REG_RAX] = 0xffff;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_FAULT, "over the top");
}

Test(emulate, segment_types)
{
    set_up(PROTECTED_32);
    cr_assert_eq(RUN(0x2e, 0x88, 0x00), EMULATE_FAULT); /* mov cs:[eax],al */
    expect_fault(13, 0x1000);
    cr_assert_eq(RUN(0x2e, 0x8a, 0x00), EMULATE_DONE); /* mov al,cs:[eax] */
    t.context.seg[SEG_CS].attributes = 0xc99;          /* execute-only */
    cr_assert_eq(RUN(0x2e, 0x8a, 0x00), EMULATE_FAULT);
    t.context.seg[SEG_DS].attributes = 0xc91; /* read-only */
    cr_assert_eq(RUN(0x88, 0x00), EMULATE_FAULT);
    cr_assert_eq(RUN(0x8a, 0x00), EMULATE_DONE);
    t.context.seg[SEG_ES].attributes = SEG_UNUSABLE;
    cr_assert_eq(RUN(0xaa), EMULATE_FAULT); /* stosb */
    expect_fault(13, t.context.reg[REG_RIP]);
}

Test(emulate, addresses_that_are_not_canonical)
{
    set_up(LONG);
    t.context.reg[REG_RAX] = 0x7fffffffffff;
    cr_assert_eq(RUN(0x8a, 0x08), EMULATE_FAULT);
    expect_fault(14, 0x1000);
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_FAULT, "the last byte is not");
    expect_fault(13, 0x1000);
    t.context.reg[REG_RBP] = 0x800000000000;
    cr_assert_eq(RUN(0x8a, 0x4d, 0), EMULATE_FAULT);
    expect_fault(12, 0x1000);
    t.context.reg[REG_CR4] = 1 << 12; /* LA57 */
    cr_assert_eq(RUN(0x8a, 0x4d, 0), EMULATE_FAULT);
    expect_fault(14, 0x1000);
}

Test(emulate, alignment_checks_are_for_users)
{
    set_up(PROTECTED_32);
    t.context.reg[REG_CR0] |= 1 << 18;
    t.context.reg[REG_RFLAGS] |= FLAG_AC;
    t.context.reg[REG_RAX] = 0x2001;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_DONE);
    t.context.reg[REG_RIP] = 0x1000;
    t.context.seg[SEG_SS].attributes |= 0x60;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_FAULT);
    expect_fault(17, 0x1000);
    cr_assert_eq(RUN(0x8a, 0x08), EMULATE_DONE, "a byte is aligned anywhere");
}

Test(emulate, fetches_stop_at_the_code_segments_limit)
{
    set_up(PROTECTED_32);
    t.context.seg[SEG_CS].limit = 0x1001;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_DONE);
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0x8b, 0x48, 0x04), EMULATE_FAULT);
    expect_fault(13, 0x1000);
}

Test(emulate, a_fetch_asks_for_the_next_page_only_if_it_must)
{
    set_up(LONG);
    t.context.reg[REG_RIP] = MEMORY_BYTES - 2;
    cr_assert_eq(RUN(0x8b, 0x08), EMULATE_DONE);
    t.context.reg[REG_RIP] = MEMORY_BYTES - 2;
    t.memory[MEMORY_BYTES - 1] = 0x48;
    cr_assert_eq(emulate(&t.emulator), EMULATE_FAULT);
    expect_fault(14, MEMORY_BYTES - 2);
    cr_assert_eq(t.emulator.fault.address, MEMORY_BYTES);
}

Test(emulate, bytes_that_the_cpu_gave_are_not_fetched)
{
    set_up(LONG);
    t.context.reg[REG_RIP] = 0xffff800000000000;
    t.emulator.bytes = (const uint8_t[]){0x8b, 0x08};
    t.emulator.byte_count = 2;
    cr_assert_eq(emulate(&t.emulator), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RIP], 0xffff800000000002);
}

Test(emulate, a_decoded_instruction_is_known_again)
{
    static struct emulate_cache cache;
    set_up(LONG);
    t.emulator.cache = &cache;
    t.context.reg[REG_RAX] = 0x4000;
    t.memory[0x4001] = 0x77;
    for (unsigned i = 0; i < 3; i++) {
        t.context.reg[REG_RIP] = 0x1000;
        cr_assert_eq(RUN(0x8a, 0x48, 0x01), EMULATE_DONE); /* mov cl,[rax+1] */
        cr_assert_eq(t.context.reg[REG_RCX], 0x77);
    }
    cr_assert_eq(cache.hits, 2);
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0x8a, 0x48, 0x02), EMULATE_DONE); /* the guest wrote other code there */
    cr_assert_eq(t.context.reg[REG_RCX], 0);
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0x8a, 0x48, 0x02, 0xff), EMULATE_DONE); /* what follows does not matter */
    cr_assert_eq(cache.hits, 3);
    t.context.reg[REG_RIP] = 0x1000;
    t.context.seg[SEG_CS].attributes = 0xc9b; /* the same bytes as 32-bit code */
    cr_assert_eq(RUN(0x8a, 0x48, 0x02), EMULATE_DONE);
    cr_assert_eq(cache.hits, 3);
    /* An entry must not stand for an instruction of which not all bytes could be fetched. */
    t.context.seg[SEG_CS].attributes = 0xa9b;
    t.context.reg[REG_RIP] = MEMORY_BYTES - 3;
    cr_assert_eq(RUN(0x8a, 0x48, 0x02), EMULATE_DONE);
    t.context.reg[REG_RIP] = MEMORY_BYTES - 3;
    t.emulator.bytes = t.memory + MEMORY_BYTES - 3;
    t.emulator.byte_count = 2;
    t.memory[MEMORY_BYTES - 1] = 3;
    cr_assert_eq(emulate(&t.emulator), EMULATE_DONE);
    cr_assert_eq(t.emulator.insn.memory.disp, 3);
}

Test(emulate, undefined_and_too_long)
{
    set_up(LONG);
    cr_assert_eq(RUN(0x0f, 0x04), EMULATE_FAULT);
    expect_fault(6, 0x1000);
    cr_assert_not(t.emulator.fault.has_error);
    memset(t.memory + 0x1000, 0x66, 16);
    cr_assert_eq(emulate(&t.emulator), EMULATE_FAULT);
    expect_fault(13, 0x1000);
    cr_assert_eq(RUN(0x0f, 0xa2), EMULATE_UNHANDLED); /* cpuid */
    cr_assert_eq(t.context.reg[REG_RIP], 0x1000);
}

Test(emulate, repeated_strings_are_bounded)
{
    set_up(LONG);
    t.context.reg[REG_RCX] = 3 * EMULATE_REPEATS + 1;
    t.context.reg[REG_RDI] = 0x4000;
    t.context.reg[REG_RAX] = 0x5a;
    for (unsigned i = 1; i <= 3; i++) {
        cr_assert_eq(RUN(0xf3, 0xaa), EMULATE_AGAIN);
        cr_assert_eq(t.context.reg[REG_RCX], (3 - i) * EMULATE_REPEATS + 1);
        cr_assert_eq(t.context.reg[REG_RIP], 0x1000);
    }
    cr_assert_eq(RUN(0xf3, 0xaa), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RDI], 0x4000 + 3 * EMULATE_REPEATS + 1);
    cr_assert_eq(t.context.reg[REG_RIP], 0x1002);
    cr_assert_eq(t.memory[0x4000 + 3 * EMULATE_REPEATS], 0x5a);
    cr_assert_eq(t.memory[0x4000 + 3 * EMULATE_REPEATS + 1], 0);
}

Test(emulate, single_step_takes_one_element_at_a_time)
{
    set_up(LONG);
    t.context.reg[REG_RFLAGS] |= FLAG_TF;
    t.context.reg[REG_RCX] = 2;
    t.context.reg[REG_RDI] = 0x4000;
    cr_assert_eq(RUN(0xf3, 0xaa), EMULATE_AGAIN);
    cr_assert_eq(t.context.reg[REG_RCX], 1);
    cr_assert_eq(RUN(0xf3, 0xaa), EMULATE_DONE);
}

Test(emulate, a_fault_in_a_string_keeps_what_is_done)
{
    set_up(LONG);
    t.read_only_from = 0x4010;
    t.context.reg[REG_RCX] = 8;
    t.context.reg[REG_RDI] = 0x4000;
    cr_assert_eq(RUN(0xf3, 0xab), EMULATE_FAULT); /* rep stosd */
    expect_fault(14, 0x1000);
    cr_assert_eq(t.context.reg[REG_RCX], 4);
    cr_assert_eq(t.context.reg[REG_RDI], 0x4010);
    cr_assert_eq(t.emulator.fault.address, 0x4010);
}

Test(emulate, ports)
{
    set_up(LONG);
    t.port_value = 0x12345678;
    t.context.reg[REG_RAX] = ~0ull;
    cr_assert_eq(RUN(0xe4, 0x71), EMULATE_DONE); /* in al,0x71 */
    cr_assert_eq(t.port, 0x71);
    cr_assert_eq(t.port_size, 1);
    cr_assert_eq(t.context.reg[REG_RAX], 0xffffffffffffff78);
    t.context.reg[REG_RDX] = 0xabcd0cf8;
    cr_assert_eq(RUN(0x48, 0xed), EMULATE_DONE); /* REX.W in eax,dx */
    cr_assert_eq(t.port, 0xcf8);
    cr_assert_eq(t.port_size, 4);
    cr_assert_eq(t.context.reg[REG_RAX], 0x12345678);
    cr_assert_eq(RUN(0x66, 0xef), EMULATE_DONE); /* out dx,ax */
    cr_assert_eq(t.port_size, 2);
    cr_assert_eq(t.port_value, 0x5678);
    t.port_result = EMULATE_STOPPED;
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0xee), EMULATE_STOPPED);
}

Test(emulate, ins_reads_no_port_whose_value_it_cannot_store)
{
    set_up(LONG);
    t.read_only_from = 0x4004;
    t.context.reg[REG_RCX] = 3;
    t.context.reg[REG_RDI] = 0x4000;
    t.context.reg[REG_RDX] = 0x1f0;
    t.port_value = 0x11223344;
    cr_assert_eq(RUN(0xf3, 0x6d), EMULATE_FAULT); /* rep insd */
    expect_fault(14, 0x1000);
    cr_assert_eq(t.port_reads, 1);
    cr_assert_eq(t.memory[0x4000], 0x44);
    cr_assert_eq(t.context.reg[REG_RCX], 2);
    t.context.reg[REG_RSI] = 0x4000;
    t.context.reg[REG_RCX] = 1;
    cr_assert_eq(RUN(0xf3, 0x6f), EMULATE_DONE); /* rep outsd */
    cr_assert_eq(t.port_writes, 1);
    cr_assert_eq(t.port_value, 0x11223344);
}

Test(emulate, control_registers)
{
    set_up(LONG);
    t.context.reg[REG_RDX] = 0x123456789000;
    cr_assert_eq(RUN(0x0f, 0x22, 0xda), EMULATE_DONE); /* mov cr3,rdx */
    cr_assert_eq(t.cr[3], 0x123456789000);
    cr_assert_eq(RUN(0x41, 0x0f, 0x20, 0xd9), EMULATE_DONE); /* mov r9,cr3 */
    cr_assert_eq(t.context.reg[REG_R9], 0x123456789000);
    t.context.reg[REG_RDX] = ~0ull;
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0x0f, 0x22, 0xe2), EMULATE_FAULT); /* mov cr4,rdx */
    expect_fault(13, 0x1000);
    t.cr[0] = 0x80000018;
    cr_assert_eq(RUN(0x0f, 0x06), EMULATE_DONE); /* clts */
    cr_assert_eq(t.cr[0], 0x80000010);
    t.context.reg[REG_RAX] = 0xffff;
    cr_assert_eq(RUN(0x0f, 0x01, 0xf0), EMULATE_DONE); /* lmsw ax */
    cr_assert_eq(t.cr[0], 0x8000001f);
    t.context.reg[REG_RAX] = 0;
    cr_assert_eq(RUN(0x0f, 0x01, 0xf0), EMULATE_DONE);
    cr_assert_eq(t.cr[0], 0x80000011, "LMSW does not clear PE");
    t.context.reg[REG_RBX] = 0x4000;
    cr_assert_eq(RUN(0x0f, 0x01, 0x23), EMULATE_DONE); /* smsw [rbx] */
    cr_assert_eq(t.memory[0x4000], 0x11);
    cr_assert_eq(t.memory[0x4002], 0);
    t.context.reg[REG_RAX] = 0x400;
    cr_assert_eq(RUN(0x0f, 0x23, 0xf8), EMULATE_DONE); /* mov dr7,rax */
    cr_assert_eq(t.dr[7], 0x400);
    t.context.reg[REG_RIP] = 0x1000;
    cr_assert_eq(RUN(0x0f, 0x21, 0xf8), EMULATE_UNHANDLED, "no callback for it");
}

Test(emulate, invlpg_takes_any_address)
{
    set_up(LONG);
    t.context.seg[SEG_GS].base = 0x1000;
    t.context.reg[REG_RAX] = 0xdead000000000000;
    cr_assert_eq(RUN(0x65, 0x0f, 0x01, 0x38), EMULATE_DONE);
    cr_assert_eq(t.invalidated, 0xdead000000001000);
}

Test(emulate, a_lost_race_is_run_again)
{
    set_up(LONG);
    t.context.reg[REG_RBX] = 0x4000;
    t.context.reg[REG_RAX] = 5;
    t.exchanges_to_lose = 1;
    cr_assert_eq(RUN(0xf0, 0x0f, 0xc1, 0x03), EMULATE_AGAIN); /* lock xadd [rbx],eax */
    cr_assert_eq(t.context.reg[REG_RAX], 5);
    cr_assert_eq(t.context.reg[REG_RIP], 0x1000);
    cr_assert_eq(RUN(0xf0, 0x0f, 0xc1, 0x03), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RAX], 0);
    cr_assert_eq(t.memory[0x4000], 5);
    t.exchanges_to_lose = 1;
    cr_assert_eq(RUN(0x87, 0x03), EMULATE_AGAIN, "XCHG is locked without a prefix");
}

Test(emulate, cmpxchg16b_wants_alignment)
{
    set_up(LONG);
    t.context.reg[REG_RDI] = 0x4008;
    cr_assert_eq(RUN(0x48, 0x0f, 0xc7, 0x0f), EMULATE_FAULT);
    expect_fault(13, 0x1000);
    t.context.reg[REG_RDI] = 0x4010;
    t.memory[0x4018] = 1;
    cr_assert_eq(RUN(0xf0, 0x48, 0x0f, 0xc7, 0x0f), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RDX], 1);
    cr_assert_eq(t.context.reg[REG_RFLAGS] & FLAG_ZF, 0);
}

Test(emulate, the_resume_flag_ends_with_the_instruction)
{
    set_up(LONG);
    t.context.reg[REG_RFLAGS] |= FLAG_RF;
    cr_assert_eq(RUN(0x90), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RFLAGS] & FLAG_RF, 0);
}

Test(emulate, pop_counts_rsp_after_its_increment)
{
    set_up(LONG);
    t.memory[0x8000] = 0x99;
    cr_assert_eq(RUN(0x8f, 0x44, 0x24, 0x10), EMULATE_DONE); /* pop [rsp+16] */
    cr_assert_eq(t.context.reg[REG_RSP], 0x8008);
    cr_assert_eq(t.memory[0x8018], 0x99);
}

Test(emulate, stacks_of_16_bits_wrap)
{
    set_up(PROTECTED_32);
    t.context.seg[SEG_SS].attributes = 0x93;
    t.context.seg[SEG_SS].limit = 0xffff;
    t.context.reg[REG_RSP] = 0x12340000;
    t.context.reg[REG_RAX] = 0x01020304;
    cr_assert_eq(RUN(0x50), EMULATE_DONE);
    cr_assert_eq(t.context.reg[REG_RSP], 0x1234fffc);
    cr_assert_eq(t.memory[0xfffc], 4);
}

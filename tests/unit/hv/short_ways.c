/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/mmio_short.c comes to what the long way comes to, and stands back when anything has changed;
 * hv/core/lost_rip.c mends what it should and nothing else. */
#include "guest64.h"
#include "hosted_lpar.h"
#include "lost_rip.h"
#include "vcpu_emulate.h"
#include "x86_bits.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LAPIC = 0xfee00000, TPR = LAPIC + 0x80, VERSION = LAPIC + 0x30, IOAPIC = 0xfec00000 };

static struct lpar *lpar;
static struct vcpu *vcpu;

static void make(void)
{
    if (!lpar)
        lpar = hosted_lpar(0, 0, 1, 16 << 20, "");
    cr_assert(lpar);
    vcpu = lpar->vcpu[0];
    guest64_enter(lpar);
}

static uint64_t get(enum reg reg)
{
    return context_get(&vcpu->context, reg);
}

static void set(enum reg reg, uint64_t value)
{
    context_set(&vcpu->context, reg, value);
}

static void put_code(uint64_t at, const void *code, size_t size)
{
    cr_assert(memory_write(&lpar->memory, at, code, size));
}

/* The exit of an access to that address, by the instruction at RIP. True: it went the short way. */
static bool access(uint64_t gpa, bool write)
{
    const struct exit exit = {
        .kind = EXIT_MMIO, .decode = true, .mmio = {.gpa = gpa, .read = !write, .write = write}};
    const uint64_t hits = vcpu->mmio_short.hits;

    vcpu_emulate(vcpu, &exit);
    return vcpu->mmio_short.hits > hits;
}

/* ---- mmio_short ---- */

struct example {
    const char *name;
    uint8_t code[12];
    unsigned length;
    bool write, is_short;
};

/* RBX is the device's register, RSI the same less 10h. */
static const struct example examples[] = {
    {"mov (%rbx), %eax", {0x8b, 0x03}, 2, false, true},
    {"mov (%rbx), %rax", {0x48, 0x8b, 0x03}, 3, false, true},
    {"mov (%rbx), %r9d", {0x44, 0x8b, 0x0b}, 3, false, true},
    {"mov (%rbx), %ax", {0x66, 0x8b, 0x03}, 3, false, true},
    {"mov (%rbx), %cl", {0x8a, 0x0b}, 2, false, true},
    {"mov 16(%rsi), %edx", {0x8b, 0x56, 0x10}, 3, false, true},
    {"movzbl (%rbx), %eax", {0x0f, 0xb6, 0x03}, 3, false, true},
    {"movzwl (%rbx), %eax", {0x0f, 0xb7, 0x03}, 3, false, true},
    {"movzbw (%rbx), %ax", {0x66, 0x0f, 0xb6, 0x03}, 4, false, false},
    {"movsbl (%rbx), %eax", {0x0f, 0xbe, 0x03}, 3, false, false},
    {"add (%rbx), %eax", {0x03, 0x03}, 2, false, false},
    {"mov %eax, (%rbx)", {0x89, 0x03}, 2, true, true},
    {"mov %r8d, (%rbx)", {0x44, 0x89, 0x03}, 3, true, true},
    {"movl $0x30, (%rbx)", {0xc7, 0x03, 0x30, 0, 0, 0}, 6, true, true},
    {"or %eax, (%rbx)", {0x09, 0x03}, 2, true, false},
};

static void begin(const struct example *e, uint64_t gpa)
{
    for (unsigned r = 0; r < 16; r++)
        set(r, 0x1122334455667700u + r);
    set(REG_RAX, 0x8877665500000020);
    set(REG_R8, 0x40);
    set(REG_RBX, gpa);
    set(REG_RSI, gpa - 16);
    set(REG_RSP, GUEST64_STACK);
    set(REG_RIP, GUEST64_CODE);
    set(REG_RFLAGS, 0x2 | RFLAGS_RF | RFLAGS_IF);
    put_code(GUEST64_CODE, e->code, e->length);
}

/* Registers and the device after it. */
static void outcome(uint64_t out[19], uint64_t gpa)
{
    for (unsigned r = 0; r < 16; r++)
        out[r] = get(r);
    out[16] = get(REG_RIP);
    out[17] = get(REG_RFLAGS);
    out[18] = vcpu_device_read(vcpu, gpa, 4);
}

Test(mmio_short, comes_to_what_the_long_way_does)
{
    for (unsigned i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct example *e = &examples[i];
        uint64_t first[19], second[19];

        make();
        vcpu_device_write(vcpu, TPR, 4, 0x57);
        begin(e, TPR);
        cr_assert_not(access(TPR, e->write), "%s: the first time", e->name);
        cr_assert_eq(get(REG_RIP), GUEST64_CODE + e->length, "%s", e->name);
        cr_assert_not(vcpu->pending.valid, "%s raises %u", e->name, vcpu->pending.vector);
        outcome(first, TPR);
        vcpu_device_write(vcpu, TPR, 4, 0x57);
        begin(e, TPR);
        cr_assert_eq(access(TPR, e->write), e->is_short, "%s: the second time", e->name);
        outcome(second, TPR);
        for (unsigned n = 0; n < 19; n++)
            cr_assert_eq(first[n], second[n], "%s: %u is %lx, by the long way %lx", e->name, n, second[n],
                         first[n]);
        cr_assert_eq(get(REG_RFLAGS) & RFLAGS_RF, 0, "%s", e->name);
    }
}

/* One that is learnt; what then changes must be seen. */
static void learn(void)
{
    make();
    begin(&examples[0], VERSION);
    access(VERSION, false);
    set(REG_RIP, GUEST64_CODE);
    cr_assert(access(VERSION, false));
    set(REG_RIP, GUEST64_CODE);
}

Test(mmio_short, another_instruction_at_the_place)
{
    learn();
    set(REG_RCX, 0);
    put_code(GUEST64_CODE, "\x8b\x0b", 2); /* mov (%rbx), %ecx */
    cr_assert_not(access(VERSION, false));
    cr_assert_neq(get(REG_RCX), 0);
}

Test(mmio_short, other_code_by_another_page_table_entry)
{
    learn();
    put_code(0x200000 + GUEST64_CODE, "\x8b\x0b", 2);
    guest64_put(lpar, GUEST64_PD, 0x200087);
    set(REG_RCX, 0);
    cr_assert_not(access(VERSION, false));
    cr_assert_neq(get(REG_RCX), 0);
}

Test(mmio_short, an_entry_of_a_higher_level)
{
    learn();
    guest64_put(lpar, GUEST64_PDPT, GUEST64_PD | 3);
    cr_assert_not(access(VERSION, false));
    set(REG_RIP, GUEST64_CODE);
    cr_assert(access(VERSION, false), "it is learnt anew");
}

Test(mmio_short, other_tables)
{
    learn();
    guest64_put(lpar, 0x30000, GUEST64_PDPT | 7);
    set(REG_CR3, 0x30000);
    cr_assert_not(access(VERSION, false));
    set(REG_RIP, GUEST64_CODE);
    cr_assert(access(VERSION, false));
}

Test(mmio_short, another_place_and_another_address)
{
    learn();
    put_code(GUEST64_CODE + 0x100, "\x8b\x03", 2);
    set(REG_RIP, GUEST64_CODE + 0x100);
    cr_assert_not(access(VERSION, false));
    set(REG_RIP, GUEST64_CODE + 0x100);
    set(REG_RBX, TPR);
    vcpu_device_write(vcpu, TPR, 4, 0x31);
    cr_assert(access(TPR, false), "the address comes from the exit, not from what was learnt");
    cr_assert_eq(get(REG_RAX), 0x31);
}

Test(mmio_short, what_is_no_plain_access)
{
    const struct exit present = {.kind = EXIT_MMIO, .mmio = {.gpa = VERSION, .read = true, .present = true}};
    const struct exit across = {.kind = EXIT_MMIO, .mmio = {.gpa = LAPIC + 0xffe, .read = true}};
    const struct exit write = {.kind = EXIT_MMIO, .mmio = {.gpa = VERSION, .write = true}};

    learn();
    cr_assert_not(mmio_short(vcpu, &present));
    cr_assert_not(mmio_short(vcpu, &across));
    cr_assert_not(mmio_short(vcpu, &write));
    context_set_segment(&vcpu->context, SEG_CS,
                        &(struct segment){.selector = 8, .limit = ~0u, .attributes = 0xc9b});
    cr_assert_not(access(VERSION, false), "32-bit code");
}

/* ---- lost_rip ---- */

enum { HANDLER_GP = 0x12345678, HANDLER_PF = 0x2abcdef0, UNMAPPED = 0x40000000 };

/* Stack from RSP upwards as after an exception with an error code at RIP. */
static void push_frame(uint64_t error, uint64_t cs, uint64_t cr2)
{
    static const uint64_t gp[2] = {(HANDLER_GP & 0xffff) | 8 << 16 | 0x8e00ull << 32 |
                                       (uint64_t)(HANDLER_GP >> 16) << 48,
                                   0xffffffff},
                          pf[2] = {(HANDLER_PF & 0xffff) | 8 << 16 | 0x8e00ull << 32 |
                                       (uint64_t)(HANDLER_PF >> 16) << 48,
                                   0xffffffff};
    const uint64_t frame[] = {error, GUEST64_CODE, cs, 0x10202, 0x7000, 16};

    make();
    cr_assert(memory_write(&lpar->memory, GUEST64_IDT + 13 * 16, gp, sizeof gp));
    cr_assert(memory_write(&lpar->memory, GUEST64_IDT + 14 * 16, pf, sizeof pf));
    cr_assert(memory_write(&lpar->memory, GUEST64_STACK - 0x40, frame, sizeof frame));
    guest64_put(lpar, GUEST64_PDPT + 8, 0); /* no tables from UNMAPPED on */
    set(REG_RSP, GUEST64_STACK - 0x40);
    set(REG_RFLAGS, 2);
    set(REG_CR2, cr2);
    vcpu->rips_mended = 0;
}

static void expect_mended(uint64_t handler)
{
    lost_rip_mend(vcpu);
    cr_assert_eq(get(REG_RIP), 0xffffffff00000000 | handler, "%lx", get(REG_RIP));
    cr_assert_eq(vcpu->rips_mended, 1);
}

static void expect_left_alone(void)
{
    const uint64_t rip = get(REG_RIP);

    lost_rip_mend(vcpu);
    cr_assert_eq(get(REG_RIP), rip);
    cr_assert_eq(vcpu->rips_mended, 0);
}

Test(lost_rip, finds_the_handler_of_a_page_fault)
{
    push_frame(0, 8, UNMAPPED);
    expect_mended(HANDLER_PF);
    push_frame(4, 0x23, UNMAPPED);
    expect_mended(HANDLER_PF);
    push_frame(3, 8, 0x1000); /* a write where one must not, mapped */
    expect_mended(HANDLER_PF);
}

Test(lost_rip, finds_the_handler_of_a_general_protection_fault)
{
    push_frame(0, 8, 0x1000); /* what CR2 has of some earlier fault is mapped */
    expect_mended(HANDLER_GP);
    push_frame(0x28, 8, UNMAPPED); /* a selector */
    expect_mended(HANDLER_GP);
    push_frame(0, 0x23, UNMAPPED); /* of user code: a page fault would have said so */
    expect_mended(HANDLER_GP);
}

Test(lost_rip, leaves_alone_what_is_not_that_state)
{
    push_frame(0, 8, UNMAPPED);
    set(REG_RFLAGS, 2 | RFLAGS_IF);
    expect_left_alone();
    push_frame(0, 8, UNMAPPED);
    set(REG_RIP, GUEST64_CODE + 1);
    expect_left_alone();
    push_frame(0, 8, UNMAPPED);
    set(REG_RSP, GUEST64_STACK - 0x38);
    expect_left_alone();
    push_frame(0x12345678, 8, UNMAPPED);
    expect_left_alone();
    push_frame(0, 0xfff00008, UNMAPPED);
    expect_left_alone();
    push_frame(0, 8, UNMAPPED);
    set(REG_RSP, UNMAPPED);
    expect_left_alone();
    push_frame(0, 8, UNMAPPED);
    context_set_segment(&vcpu->context, SEG_IDTR, &(struct segment){.base = UNMAPPED, .limit = 4095});
    expect_left_alone();
    push_frame(0, 8, UNMAPPED);
    context_set_segment(&vcpu->context, SEG_CS,
                        &(struct segment){.selector = 8, .limit = ~0u, .attributes = 0xc9b});
    expect_left_alone();
}

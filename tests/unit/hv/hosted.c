/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosted back end: hv/core runs on it, and its TLB catches a flush that was forgotten. */
#include "hosted.h"
#include "exit.h"
#include "gpmap.h"
#include "hosted_lpar.h"
#include "x86_bits.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1ull << 20)

/* ---- a context without an LPAR ---- */

enum { CODE = 0x1000, DATA = 0x200000 };

static uint8_t *memory, *other;
static struct gpmap map;

static void *pages(size_t bytes)
{
    void *at = aligned_alloc(2 * MIB, bytes);

    return memset(at, 0, bytes);
}

/* 32-bit code without paging, from CODE; memory from 0 to 4 MiB, of which the second half is the data. */
static void make(struct context *context, unsigned cpu, tag_t tag, const uint8_t *code, size_t size)
{
    if (!memory) {
        memory = pages(2 * MIB);
        other = pages(2 * MIB);
        gpmap_init(&map, &hosted_ops);
        gpmap_add(&map, 0, (uintptr_t)memory, 2 * MIB, RIGHT_ALL, MEMORY_WB);
        for (uint64_t at = 0; at < 2 * MIB; at += FRAME_SIZE)
            gpmap_add(&map, DATA + at, (uintptr_t)other + at, FRAME_SIZE, RIGHT_ALL, MEMORY_WB);
    }
    memcpy(memory + CODE, code, size);
    *context = (struct context){.machine = &hosted_ops, .cpu = cpu};
    context->backend = hosted_ops.frames(hosted_ops.backend_size);
    hosted_ops.context_init(context);
    hosted_ops.root_load(context, (uintptr_t)map.root, tag);
    hosted_ops.context_reset(context);
    for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
        context_set_segment(context, seg,
                            &(struct segment){.limit = ~0u, .selector = 8, .attributes = 0xc93});
    context_set_segment(context, SEG_CS,
                        &(struct segment){.limit = ~0u, .selector = 16, .attributes = 0xc9b});
    context_set(context, REG_CR0, CR0_PE | CR0_ET);
    context_set(context, REG_RIP, CODE);
}

static uint64_t *leaf_of(uint64_t gpa)
{
    uint64_t *table = map.root;

    for (unsigned level = 4; level > 1; level--)
        table = (uint64_t *)(uintptr_t)(table[gpa >> (12 + 9 * (level - 1)) & 511] &
                                        map.machine->paging->address_mask);
    return &table[gpa >> 12 & 511];
}

/* 1: mov 0x200000, %eax; cpuid; jmp 1b */
static const uint8_t reads[] = {0xa1, 0x00, 0x00, 0x20, 0x00, 0x0f, 0xa2, 0xeb, 0xf7};

static enum exit_kind step(struct context *context)
{
    struct exit exit;

    hosted_ops.run(context, &exit);
    if (exit.kind == EXIT_CPUID)
        context_set(context, REG_RIP, context_get(context, REG_RIP) + exit.length);
    return exit.kind;
}

Test(hosted, an_instruction_exits_with_its_length)
{
    struct context context;
    struct exit exit;

    make(&context, 0, 1, reads, sizeof reads);
    memcpy(other, "\x78\x56\x34\x12", 4);
    hosted_ops.run(&context, &exit);
    cr_assert_eq(exit.kind, EXIT_CPUID);
    cr_assert_eq(exit.length, 2);
    cr_assert_eq(context_get(&context, REG_RAX), 0x12345678);
}

Test(hosted, memory_that_is_not_mapped_exits)
{
    static const uint8_t code[] = {0xa2, 0x00, 0x00, 0x00, 0xf0}; /* mov %al, 0xf0000000 */
    struct context context;
    struct exit exit;

    make(&context, 0, 1, code, sizeof code);
    hosted_ops.run(&context, &exit);
    cr_assert_eq(exit.kind, EXIT_MMIO);
    cr_assert_eq(exit.mmio.gpa, 0xf0000000);
    cr_assert(exit.mmio.write && !exit.mmio.present);
    cr_assert_eq(context_get(&context, REG_RIP), CODE);
}

/* The one that flushes may take a page away; the one that forgets to is refused at its next use. */
static enum exit_kind take_page_away(bool forget)
{
    struct context context;

    make(&context, 0, 1, reads, sizeof reads);
    cr_assert_eq(step(&context), EXIT_CPUID);
    *leaf_of(DATA) = 0;
    if (!forget)
        hosted_ops.flush(&context, 1);
    return step(&context);
}

Test(hosted, a_page_taken_away_with_a_flush_is_gone)
{
    cr_assert_eq(take_page_away(false), EXIT_MMIO);
    cr_assert_eq(hosted_stale(0), 0);
}

Test(hosted, a_page_taken_away_without_a_flush_is_refused)
{
    const char *what;

    cr_assert_eq(take_page_away(true), EXIT_INVALID);
    cr_assert_eq(hosted_stale(&what), 1);
    cr_assert(strstr(what, "guest-physical 200000"), "%s", what);
}

Test(hosted, rights_reduced_without_a_flush_are_refused)
{
    struct context context;

    make(&context, 0, 1, reads, sizeof reads);
    cr_assert_eq(step(&context), EXIT_CPUID);
    *leaf_of(DATA) = map.machine->paging->leaf((uintptr_t)other, 1, RIGHT_READ, MEMORY_WB);
    cr_assert_eq(step(&context), EXIT_INVALID);
}

Test(hosted, rights_widened_need_no_flush)
{
    struct context context;

    make(&context, 0, 1, reads, sizeof reads);
    *leaf_of(DATA) = map.machine->paging->leaf((uintptr_t)other, 1, RIGHT_READ, MEMORY_WB);
    cr_assert_eq(step(&context), EXIT_CPUID);
    *leaf_of(DATA) = map.machine->paging->leaf((uintptr_t)other, 1, RIGHT_ALL, MEMORY_WB);
    cr_assert_eq(step(&context), EXIT_CPUID);
    cr_assert_eq(hosted_stale(0), 0);
}

Test(hosted, a_flush_on_one_cpu_leaves_the_others_stale)
{
    struct context here, there;

    make(&here, 0, 1, reads, sizeof reads);
    make(&there, 1, 1, reads, sizeof reads);
    cr_assert_eq(step(&here), EXIT_CPUID);
    cr_assert_eq(step(&there), EXIT_CPUID);
    *leaf_of(DATA) = map.machine->paging->leaf((uintptr_t)memory, 1, RIGHT_ALL, MEMORY_WB);
    hosted_ops.flush(&here, 1);
    cr_assert_eq(step(&here), EXIT_CPUID);
    cr_assert_eq(step(&there), EXIT_INVALID);
}

/* A tag that another root had must be flushed before it is given away. */
static enum exit_kind hand_over_tag(bool forget)
{
    struct context context;
    struct gpmap second;

    make(&context, 0, 3, reads, sizeof reads);
    cr_assert_eq(step(&context), EXIT_CPUID);
    gpmap_init(&second, &hosted_ops);
    gpmap_add(&second, 0, (uintptr_t)memory, 2 * MIB, RIGHT_ALL, MEMORY_WB);
    gpmap_add(&second, DATA, (uintptr_t)memory, 2 * MIB, RIGHT_ALL, MEMORY_WB);
    hosted_ops.root_load(&context, (uintptr_t)second.root, 3);
    if (!forget)
        hosted_ops.flush(&context, 3);
    return step(&context);
}

Test(hosted, a_tag_handed_over_with_a_flush_is_clean)
{
    cr_assert_eq(hand_over_tag(false), EXIT_CPUID);
}

Test(hosted, a_tag_handed_over_without_a_flush_is_refused)
{
    cr_assert_eq(hand_over_tag(true), EXIT_INVALID);
}

Test(hosted, a_root_with_a_tag_of_its_own_needs_no_flush)
{
    struct context context;
    struct gpmap second;

    make(&context, 0, 3, reads, sizeof reads);
    cr_assert_eq(step(&context), EXIT_CPUID);
    gpmap_init(&second, &hosted_ops);
    gpmap_add(&second, 0, (uintptr_t)memory, 2 * MIB, RIGHT_ALL, MEMORY_WB);
    gpmap_add(&second, DATA, (uintptr_t)memory, 2 * MIB, RIGHT_ALL, MEMORY_WB);
    hosted_ops.root_load(&context, (uintptr_t)second.root, 4);
    cr_assert_eq(step(&context), EXIT_CPUID);
    hosted_ops.root_load(&context, (uintptr_t)map.root, 3);
    cr_assert_eq(step(&context), EXIT_CPUID);
    cr_assert_eq(hosted_stale(0), 0);
    cr_assert_gt(hosted_cached(0, 3), 0);
    cr_assert_gt(hosted_cached(0, 4), 0);
}

/* ---- hv/core on it, with machines that are broken on purpose ---- */

/* A multiboot kernel that goes to 64-bit mode and toggles CR4.PGE twice. */
__asm__(
    ".pushsection .data\n"
    ".balign 8\n"
    "kernel: .long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)\n"
    ".long 0x100000, 0x100000, 0x100000 + kernel_end - kernel, 0, 0x100000 + entry - kernel\n"
    ".code32\n"
    "entry: movl $0x102003, 0x101000\n" /* PML4 */
    "movl $0x83, 0x102000\n"            /* PDPT: 1 GiB, write */
    "movl $0x103003, 0x102000\n"
    "movl $0x183, 0x103000\n" /* PD: 2 MiB, global */
    "movl $0x101000, %eax; movl %eax, %cr3\n"
    "movl $0xa0, %eax; movl %eax, %cr4\n" /* PAE, PGE */
    "movl $0xc0000080, %ecx; movl $0x100, %eax; xorl %edx, %edx; wrmsr\n"
    "movl $0x80000011, %eax; movl %eax, %cr0\n"
    "lgdt 0x100000 + gdt_pointer - kernel\n"
    "ljmp $8, $(0x100000 + wide - kernel)\n"
    ".code64\n"
    "wide: movl $2, %ebx\n"
    "1: movl $0x20, %eax; movq %rax, %cr4\n"
    "movl $0xa0, %eax; movq %rax, %cr4\n"
    "movl 0x100000, %eax\n"
    "decl %ebx; jnz 1b\n"
    "movb $0x2a, %al; outb %al, $0xe9; movb $10, %al; outb %al, $0xe9\n"
    "movw $0x604, %dx; movw $0x3400, %ax; outw %ax, %dx\n" /* PM1: off */
    "2: cli; hlt; jmp 2b\n"
    ".balign 8\n"
    "gdt: .quad 0, 0x00af9b000000ffff\n"
    "gdt_pointer: .word 15; .long 0x100000 + gdt - kernel\n"
    "kernel_end:\n"
    ".popsection\n");
extern const uint8_t kernel[], kernel_end[];

static unsigned forgotten;
static struct machine_ops broken;

static void forget_flush(struct context *context, tag_t tag)
{
    (void)context;
    (void)tag;
    forgotten++;
}

Test(hosted, the_core_runs_a_guest_without_a_stale_translation)
{
    struct lpar *lpar = hosted_lpar(kernel, (size_t)(kernel_end - kernel), 1, 16 * MIB, "");

    cr_assert(lpar);
    hosted_lpar_run(lpar, 1 << 24, 0);
    cr_assert_eq(lpar->state, LPAR_OFF, "%s", hosted_output());
    cr_assert(strstr(hosted_output(), "guest| *"), "%s", hosted_output());
    cr_assert_eq(hosted_stale(0), 0);
    cr_assert_gt(lpar->vcpu[0]->stats->exits[EXIT_CR], 4);
}

Test(hosted, a_core_that_forgets_to_flush_is_caught)
{
    struct lpar *lpar = hosted_lpar(kernel, (size_t)(kernel_end - kernel), 1, 16 * MIB, "");
    const char *what;

    cr_assert(lpar);
    broken = hosted_ops;
    broken.flush = forget_flush;
    lpar->vcpu[0]->context.machine = &broken;
    hosted_lpar_run(lpar, 1 << 24, 0);
    cr_assert_gt(forgotten, 0);
    cr_assert_eq(lpar->state, LPAR_FAILED);
    cr_assert_eq(hosted_stale(&what), 1);
    cr_assert(strstr(what, "control register"), "%s", what);
    cr_assert(strstr(hosted_output(), what), "the dump does not tell: %s", hosted_output());
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "exit.h"
#include "format.h"
#include "hosted_cpu.h"
#include "tlb.h"
#include "x86_bits.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

enum { CPUS = 32, TICKS_PER_SECOND = 100000000, ARENA = 64 << 20 };

static uint64_t clock_ticks = 1; /* of all CPUs: one a step of any of them */
static volatile bool ended;
static uint64_t deadlines[CPUS];
static _Thread_local struct context *running; /* on this thread */

void hosted_end(void)
{
    ended = true;
}

bool hosted_ended(void)
{
    return ended;
}

unsigned hosted_cached(unsigned cpu, tag_t tag)
{
    return tlb_count(cpu, tag);
}

/* ---- nested tables: one bit a right, 2-MiB leaves ---- */

enum { ENTRY_READ = 1, ENTRY_WRITE = 2, ENTRY_EXECUTE = 4, ENTRY_LEAF = 128 };

static uint64_t leaf(uint64_t address, unsigned level, unsigned rights, enum memory_type type)
{
    (void)type;
    return address | rights | (level > 1 ? ENTRY_LEAF : 0);
}

static uint64_t table(uint64_t address)
{
    return address | ENTRY_READ | ENTRY_WRITE | ENTRY_EXECUTE;
}

static unsigned rights(uint64_t entry)
{
    return entry & RIGHT_ALL;
}

static const struct paging_format format_hosted = {
    .levels = 4,
    .largest_leaf = 2,
    .present_mask = RIGHT_ALL,
    .leaf_mask = ENTRY_LEAF,
    .address_mask = 0x0000fffffffff000,
    .leaf = leaf,
    .table = table,
    .rights = rights,
};

/* ---- a context ---- */

static unsigned tags(void)
{
    return 64;
}

static int context_init(struct context *context)
{
    (void)context;
    return 0;
}

static void context_fini(struct context *context)
{
    (void)context;
}

static void context_reset(struct context *context)
{
    static const struct segment data = {.limit = 0xffff, .attributes = 0x93};
    struct hosted *hosted = context->backend;
    const uint64_t root = hosted->root, tsc_offset = hosted->tsc_offset;

    memset(hosted, 0, sizeof *hosted);
    hosted->root = root;
    hosted->tsc_offset = tsc_offset;
    hosted->msr[3] = 0x0007040600070406; /* PAT */
    hosted->dr[6] = 0xffff0ff0;
    memset(context->reg, 0, sizeof context->reg);
    context->reg[REG_RIP] = 0xfff0;
    context->reg[REG_RFLAGS] = 2;
    context->reg[REG_CR0] = hosted->cr0_before = 0x60000010;
    context->reg[REG_DR7] = 0x400;
    for (unsigned seg = 0; seg < SEG_COUNT; seg++)
        context->seg[seg] = data;
    context->seg[SEG_CS] =
        (struct segment){.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .attributes = 0x9b};
    context->seg[SEG_LDTR].attributes = 0x82;
    context->seg[SEG_TR].attributes = 0x8b;
    context->known = context->seg_known = ~0u;
    context->vectoring.valid = false;
}

static void fetch(struct context *context, enum reg which)
{
    context->known |= 1u << which;
}

static void fetch_segment(struct context *context, enum seg which)
{
    context->seg_known |= 1u << which;
}

static void inject(struct context *context, const struct event *event)
{
    ((struct hosted *)context->backend)->injected = *event;
}

static void retract(struct context *context)
{
    ((struct hosted *)context->backend)->injected.valid = false;
}

static void window(struct context *context, unsigned windows)
{
    ((struct hosted *)context->backend)->windows = windows;
}

static unsigned blocking(struct context *context)
{
    const struct hosted *hosted = context->backend;

    return (hosted->shadow ? BLOCK_STI : 0u) | (hosted->nmi_blocked ? BLOCK_NMI : 0u);
}

static void set_blocking(struct context *context, unsigned what)
{
    struct hosted *hosted = context->backend;

    hosted->shadow = what & (BLOCK_STI | BLOCK_MOV_SS);
    hosted->nmi_blocked = what & BLOCK_NMI;
}

static unsigned open_windows(struct context *context)
{
    const struct hosted *hosted = context->backend;
    const unsigned blocked = blocking(context);

    return (hosted->windows & WINDOW_INTERRUPT && context->reg[REG_RFLAGS] & RFLAGS_IF &&
                    !(blocked & BLOCK_STI)
                ? WINDOW_INTERRUPT
                : 0u) |
           (hosted->windows & WINDOW_NMI && !blocked ? WINDOW_NMI : 0u);
}

/* A change of these makes translations of linear addresses stale (SDM 3A 4.10.4.1); hv/core is to flush. */
static void check_control(struct context *context)
{
    const uint64_t cr0 = CR0_PG | CR0_WP, cr4 = CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP;
    struct hosted *hosted = context->backend;

    if (((context->reg[REG_CR0] ^ hosted->cr0_before) & cr0 ||
         (context->reg[REG_CR4] ^ hosted->cr4_before) & cr4) &&
        hosted->flushes == hosted->flushes_before)
        tlb_doom(context->cpu, context->tag);
}

static bool due(unsigned cpu)
{
    return __atomic_load_n(&deadlines[cpu], __ATOMIC_RELAXED) <=
               __atomic_load_n(&clock_ticks, __ATOMIC_RELAXED) &&
           deadlines[cpu];
}

static void tick(struct context *context, uint64_t ticks)
{
    __atomic_fetch_add(&clock_ticks, ticks, __ATOMIC_RELAXED);
    if (due(context->cpu)) {
        deadlines[context->cpu] = 0;
        __atomic_fetch_or(&context->requests, REQUEST_TIMER, __ATOMIC_SEQ_CST);
    }
}

static void end_thread(void)
{
    if (ended)
        pthread_exit(0);
}

static void run_until_exit(struct context *context, struct exit *exit)
{
    struct hosted *hosted = context->backend;

    if (hosted->injected.valid) {
        hosted->injected.valid = false;
        if (!hosted_deliver(context, &hosted->injected)) {
            *exit = hosted->exit;
            return;
        }
    }
    for (;;) {
        end_thread();
        tick(context, 1);
        if (context->requests) {
            *exit = (struct exit){.kind = EXIT_IRQ}; /* a kick is an interrupt to a guest that runs */
            return;
        }
        if (open_windows(context)) {
            *exit = (struct exit){.kind = EXIT_WINDOW, .windows = open_windows(context)};
            hosted->windows = 0;
            return;
        }
        if (!hosted_step(context)) {
            *exit = hosted->exit;
            return;
        }
    }
}

static void run(struct context *context, struct exit *exit)
{
    struct hosted *hosted = context->backend;

    end_thread();
    running = context;
    tick(context, 1);
    if (context->requests) {
        *exit = (struct exit){.kind = EXIT_KICK};
        return;
    }
    check_control(context);
    context->vectoring.valid = false;
    run_until_exit(context, exit);
    context->known = context->seg_known = ~0u;
    context->dirty = context->seg_dirty = 0;
    hosted->cr0_before = context->reg[REG_CR0];
    hosted->cr4_before = context->reg[REG_CR4];
    hosted->flushes_before = hosted->flushes;
}

static uint64_t next_rip(struct context *context)
{
    return ((struct hosted *)context->backend)->next_rip;
}

static bool retire(struct context *context)
{
    ((struct hosted *)context->backend)->shadow = false;
    return false;
}

static uint64_t *msr_of(struct context *context, uint32_t msr)
{
    struct hosted *hosted = context->backend;

    for (unsigned i = 0; i < HOSTED_MSRS; i++)
        if (hosted_msr_numbers[i] == msr && msr)
            return &hosted->msr[i];
    return 0;
}

static int msr_read(struct context *context, uint32_t msr, uint64_t *value)
{
    const uint64_t *at = msr_of(context, msr);

    if (!at)
        return -1;
    *value = *at;
    return 0;
}

static int msr_write(struct context *context, uint32_t msr, uint64_t value)
{
    uint64_t *at = msr_of(context, msr);

    if (!at)
        return -1;
    *at = value;
    if (msr == MSR_FS_BASE || msr == MSR_GS_BASE)
        context->seg[msr == MSR_FS_BASE ? SEG_FS : SEG_GS].base = value;
    return 0;
}

static uint64_t dr_read(struct context *context, unsigned number)
{
    return ((struct hosted *)context->backend)->dr[number & 7];
}

static void dr_write(struct context *context, unsigned number, uint64_t value)
{
    ((struct hosted *)context->backend)->dr[number & 7] = value;
}

static int xcr_write(struct context *context, uint32_t index, uint64_t value)
{
    (void)context;
    (void)value;
    return index ? -1 : 0;
}

static void vector_read(struct context *context, enum vector_file file, unsigned number, void *data)
{
    const struct hosted *hosted = context->backend;

    memcpy(data, file == VECTOR_XMM ? hosted->xmm[number] : hosted->mmx[number], file == VECTOR_XMM ? 16 : 8);
}

static void vector_write(struct context *context, enum vector_file file, unsigned number, const void *data)
{
    struct hosted *hosted = context->backend;

    memcpy(file == VECTOR_XMM ? hosted->xmm[number] : hosted->mmx[number], data, file == VECTOR_XMM ? 16 : 8);
}

static void set_tsc_offset(struct context *context, uint64_t offset)
{
    ((struct hosted *)context->backend)->tsc_offset = offset;
}

static void root_load(struct context *context, uint64_t root, tag_t tag)
{
    ((struct hosted *)context->backend)->root = root;
    context->tag = tag;
}

static void flush(struct context *context, tag_t tag)
{
    tlb_flush(context->cpu, tag);
    ((struct hosted *)context->backend)->flushes++;
}

static void describe(struct context *context, char *text, size_t size)
{
    format(text, size, "%s", ((struct hosted *)context->backend)->why);
}

/* ---- the machine ---- */

static void *frames(size_t bytes)
{
    static uint8_t *arena;
    static size_t used;
    const size_t whole = (bytes + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);

    if (!arena) {
        arena = mmap(0, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (arena == MAP_FAILED)
            return 0;
    }
    if (whole > ARENA - used)
        return 0;
    used += whole;
    return arena + used - whole;
}

/* Requests are looked at before each instruction. */
static void kick(unsigned cpu, bool urgent)
{
    (void)cpu;
    (void)urgent;
}

/* Time passes faster while nothing is to be done. */
static void wait(struct context *context)
{
    end_thread();
    if (context->requests)
        return;
    tick(context, 1000);
    sched_yield();
}

static uint64_t ticks(void)
{
    return __atomic_load_n(&clock_ticks, __ATOMIC_RELAXED);
}

static uint64_t ticks_per_second(void)
{
    return TICKS_PER_SECOND;
}

static void deadline(uint64_t at)
{
    if (running)
        __atomic_store_n(&deadlines[running->cpu], at == ~0ull ? 0 : at, __ATOMIC_RELAXED);
}

/* A CPU without vector extensions. */
static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)subleaf;
    memset(out, 0, 4 * sizeof *out);
    switch (leaf) {
    case 0:
        out[0] = 0x16;
        memcpy(&out[1], "Auth", 4);
        memcpy(&out[3], "enti", 4);
        memcpy(&out[2], "cAMD", 4);
        break;
    case 1:
        out[0] = 0x00800f12;
        out[2] = 1 << 13 | 1 << 23;
        out[3] = 0x0783fbff;
        break;
    case 0x80000000:
        out[0] = 0x80000008;
        break;
    case 0x80000001:
        out[3] = 1 << 11 | 1 << 20 | 1 << 29;
        break;
    case 0x80000008:
        out[0] = 0x3028;
        break;
    default:
        break;
    }
}

static void pause_cpu(void)
{
    sched_yield();
}

const struct machine_ops hosted_ops = {
    .name = "hosted",
    .paging = &format_hosted,
    .tags = tags,
    .backend_size = sizeof(struct hosted),
    .context_init = context_init,
    .context_fini = context_fini,
    .context_reset = context_reset,
    .run = run,
    .fetch = fetch,
    .fetch_segment = fetch_segment,
    .inject = inject,
    .retract = retract,
    .window = window,
    .blocking = blocking,
    .set_blocking = set_blocking,
    .next_rip = next_rip,
    .retire = retire,
    .msr_read = msr_read,
    .msr_write = msr_write,
    .dr_read = dr_read,
    .dr_write = dr_write,
    .xcr_write = xcr_write,
    .vector_read = vector_read,
    .vector_write = vector_write,
    .tsc_offset = set_tsc_offset,
    .root_load = root_load,
    .flush = flush,
    .describe = describe,
    .frames = frames,
    .kick = kick,
    .wait = wait,
    .ticks = ticks,
    .ticks_per_second = ticks_per_second,
    .deadline = deadline,
    .cpuid = cpuid,
    .pause = pause_cpu,
};

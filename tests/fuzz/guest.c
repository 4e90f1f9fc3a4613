/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions in an LPAR on the hosted machine: decoder, emulator, exits, devices and injection as in
 * the image. Each input is register values and code; what the code does wrong goes by an IDT to handlers that
 * step on by a byte. Whatever the guest does: its run ends, nothing outside its memory is written, its nested
 * tables stay as they were, no translation is used that should have been flushed, and CR4 and EFER hold no
 * bit that it may not have.
 */
#include "create.h"
#include "guest64.h"
#include "hosted.h"
#include "policy.h"
#include "x86_bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

enum { MEMORY = 2 << 20, GUARD = 2 << 20, TICKS = 1500 };
enum { CODE_MAX = 512 };

static struct machine_ops machine;
static struct lpar *lpar;
static uint64_t end, wanted_deadline;

/* ---- a machine whose guest ends after TICKS ---- */

static void deadline(uint64_t at)
{
    wanted_deadline = at;
    hosted_ops.deadline(at < end ? at : end);
}

static void stop_when_due(void)
{
    if (hosted_ops.ticks() >= end)
        lpar_stop(lpar, WANT_OFF);
}

static void run(struct context *context, struct exit *exit)
{
    stop_when_due();
    deadline(wanted_deadline);
    hosted_ops.run(context, exit);
}

static void wait(struct context *context)
{
    stop_when_due();
    hosted_ops.wait(context);
}

/* ---- the guest ---- */

static uint8_t *place; /* guard, the LPAR's memory, guard */

static void make(void)
{
    struct lpar_plan plan = {
        .name = "fuzzed", .cpus = 1, .bytes = MEMORY, .console = true, .x2apic = true, .test_device = true};
    static struct carve carve;
    struct exit exit;

    machine = hosted_ops;
    machine.run = run;
    machine.wait = wait;
    machine.deadline = deadline;
    place = mmap(0, 2 * GUARD + 2 * MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(place != MAP_FAILED);
    place = (uint8_t *)(((uintptr_t)place + GUARD + MEMORY - 1) & ~(uintptr_t)(MEMORY - 1));
    CHECK(mprotect(place, MEMORY, PROT_READ | PROT_WRITE) == 0);
    carve_add(&carve, (uintptr_t)place, (uintptr_t)place + MEMORY);
    lpar = lpar_create(&plan, &machine, &carve);
    CHECK(lpar);
    /* The back end's deadline is of the context that ran last on a thread: one has to have run. */
    lpar->vcpu[0]->context.requests = REQUEST_EVENT;
    hosted_ops.run(&lpar->vcpu[0]->context, &exit);
    CHECK(exit.kind == EXIT_KICK);
}

static uint64_t value_of(uint8_t choice, uint8_t more)
{
    static const uint64_t interesting[] = {
        GUEST64_CODE, GUEST64_STACK,  GUEST64_PML4,     GUEST64_PD,  GUEST64_GDT, GUEST64_IDT, 0xfee00000,
        0xfec00000,   STATISTICS_GPA, MEMORY,           0x90000000,  0xb0000000,  0xc0000080,  0x80000008,
        0xcf8,        0x3f8,          0x80000000000ull, ~0ull << 47, 0x277,       0x40000001,
    };

    return interesting[choice % (sizeof interesting / sizeof *interesting)] + more;
}

static void start(const uint8_t *data, size_t size)
{
    struct context *context = &lpar->vcpu[0]->context;

    end = hosted_ops.ticks() + TICKS;
    guest64_enter(lpar);
    for (unsigned r = 0; r < 16 && size >= 2; r++, data += 2, size -= 2)
        if (r != REG_RSP)
            context_set(context, r, value_of(data[0], data[1]));
    size = size < CODE_MAX ? size : CODE_MAX;
    memcpy(place + GUEST64_CODE, data, size);
    place[GUEST64_CODE + size] = 0xe9; /* jmp to the start */
    memcpy(place + GUEST64_CODE + size + 1, &(int32_t){-(int32_t)size - 5}, 4);
}

/* ---- what must hold ---- */

static uint64_t hash_tables(const uint64_t *table, unsigned level)
{
    uint64_t hash = 14695981039346656037ull;

    for (unsigned i = 0; i < 512; i++) {
        const uint64_t entry = table[i];

        hash = (hash ^ entry) * 1099511628211ull;
        if (entry & machine.paging->present_mask && level > 1 && !(entry & machine.paging->leaf_mask))
            hash ^=
                hash_tables((const uint64_t *)(uintptr_t)(entry & machine.paging->address_mask), level - 1);
    }
    return hash;
}

/* The back end refuses what it does not model in the same way as a stale translation. */
static bool is_stale(uint64_t before)
{
    const char *what;

    return hosted_stale(&what) != before && strncmp(what, "this back end", 13) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t tables;
    struct vcpu *vcpu;
    uint64_t stale = hosted_stale(0);

    if (!lpar) {
        make();
        tables = hash_tables(lpar->map.root, 4);
    }
    vcpu = lpar->vcpu[0];
    start(data, size);
    vcpu_run(vcpu);
    CHECK(!is_stale(stale));
    CHECK(hash_tables(lpar->map.root, 4) == tables);
    CHECK((context_get(&vcpu->context, REG_CR4) & ~vcpu->context.cr4_allowed) == 0);
    CHECK((context_get(&vcpu->context, REG_EFER) & ~(policy_efer(vcpu) | EFER_LMA)) == 0);
    CHECK(hosted_ops.ticks() < end + 100000);
    return 0;
}

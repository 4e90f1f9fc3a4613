/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emulate_native 64|32 SEED COUNT: runs COUNT random instructions both in the emulator and on this CPU and
 * compares registers, flags that the manuals define, memory, vector registers and faults. Ends with 1 at any
 * difference, with 77 where the CPU is no x86.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "alu.h"
#include "emulate.h"
#include "native_cpu.h"

/* Nothing of the arena but code and data is mapped; what lies below 64 KiB is not either. */
#define ARENA       0x20000000ul
#define ARENA_BYTES 0x40000ul
#define CODE_AT     (ARENA + 0x20000)
#define RIP_AT      (CODE_AT + 0x800)
#define CODE_BYTES  0x2000u
#define DATA_AT     (CODE_AT + 0x8000)
#define DATA_BYTES  0x3000u
#define MOST_SHOWN  10

struct state {
    struct native_cpu cpu;
    uint8_t data[DATA_BYTES];
};

static enum decode_mode mode;
static uint8_t *const code = (uint8_t *)CODE_AT, *const at_rip = (uint8_t *)RIP_AT,
                      *const data = (uint8_t *)DATA_AT;
static uint64_t random_state;
static bool wild; /* the emulator reached for memory that is not ours to touch */
static unsigned long ran, faulted, ops_seen[INSN_COUNT];

static uint64_t random64(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(unsigned n)
{
    return (unsigned)(random64() >> 33) % n;
}

/* Values near where carries, signs and counts change. */
static uint64_t random_value(void)
{
    static const uint64_t edges[] = {0,      1,          ~0ull,      0x7f,       0x80,       0x7fff,
                                     0x8000, 0x7fffffff, 0x80000000, 1ull << 63, ~0ull >> 1, 0xffffffff};
    switch (below(4)) {
    case 0:
        return edges[below(sizeof edges / sizeof *edges)];
    case 1:
        return below(256);
    default:
        return random64() >> below(64);
    }
}

/* ---- the emulator's side ---------------------------------------------------------------------- */

static bool is_code(uint64_t linear)
{
    return linear >= CODE_AT && linear < CODE_AT + CODE_BYTES;
}

static bool is_data(uint64_t linear)
{
    return linear >= DATA_AT && linear < DATA_AT + DATA_BYTES;
}

static bool unmapped(uint64_t linear)
{
    bool arena = linear >= ARENA && linear < ARENA + ARENA_BYTES;
    return linear < 0x10000 || (arena && !is_code(linear) && !is_data(linear));
}

static enum emulate_result reach(uint64_t linear, unsigned size, bool write, struct emulate_fault *fault)
{
    const uint64_t last = linear + size - 1;
    for (uint64_t at = linear;; at = (at | 4095) + 1) {
        if (is_code(at) ? write : !is_data(at)) {
            wild = !unmapped(at);
            *fault = (struct emulate_fault){
                .vector = 14, .has_error = true, .error = write ? 6 : 4, .address = at};
            return EMULATE_FAULT;
        }
        if ((at | 4095) >= last)
            return EMULATE_DONE;
    }
}

static enum emulate_result read_memory(void *owner, uint64_t linear, void *to, unsigned size,
                                       enum emulate_access access, struct emulate_fault *fault)
{
    (void)owner;
    enum emulate_result result = reach(linear, size, access == ACCESS_MODIFY, fault);
    if (result == EMULATE_DONE)
        memcpy(to, (void *)linear, size);
    return result;
}

static enum emulate_result write_memory(void *owner, uint64_t linear, const void *from, unsigned size,
                                        struct emulate_fault *fault)
{
    (void)owner;
    enum emulate_result result = reach(linear, size, true, fault);
    if (result == EMULATE_DONE)
        memcpy((void *)linear, from, size);
    return result;
}

static enum emulate_result exchange_memory(void *owner, uint64_t linear, const void *expected,
                                           const void *desired, unsigned size, bool *equal,
                                           struct emulate_fault *fault)
{
    (void)owner;
    enum emulate_result result = reach(linear, size, true, fault);
    if (result != EMULATE_DONE)
        return result;
    *equal = !memcmp((void *)linear, expected, size);
    if (*equal)
        memcpy((void *)linear, desired, size);
    return EMULATE_DONE;
}

static enum emulate_result read_vector(void *owner, enum operand_kind kind, unsigned number, void *to)
{
    struct native_cpu *cpu = owner;
    if (kind == OPERAND_XMM)
        memcpy(to, cpu->xmm[number], 16);
    else
        memcpy(to, cpu->mmx[number], 8);
    return EMULATE_DONE;
}

static enum emulate_result write_vector(void *owner, enum operand_kind kind, unsigned number,
                                        const void *from)
{
    struct native_cpu *cpu = owner;
    if (kind == OPERAND_XMM)
        memcpy(cpu->xmm[number], from, 16);
    else
        memcpy(cpu->mmx[number], from, 8);
    return EMULATE_DONE;
}

static const struct emulate_ops ops = {
    .read = read_memory,
    .write = write_memory,
    .exchange = exchange_memory,
    .vector_read = read_vector,
    .vector_write = write_vector,
};

static void make_context(struct context *c, const struct native_cpu *cpu)
{
    static const struct segment flat = {.limit = 0xffffffff, .attributes = 0xcf3};
    memset(c, 0, sizeof *c);
    c->known = ~0u;
    c->seg_known = ~0u;
    memcpy(c->reg, cpu->gpr, sizeof cpu->gpr);
    c->reg[REG_RIP] = cpu->rip;
    c->reg[REG_RFLAGS] = cpu->rflags;
    c->reg[REG_CR0] = 0x80050033;
    c->reg[REG_CR4] = 0x6f0;
    c->reg[REG_EFER] = 0xd01;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        c->seg[i] = flat;
    c->seg[SEG_CS].attributes = mode == DECODE_64 ? 0xafb : 0xcfb;
    c->seg[SEG_FS].base = native_fs_base();
    c->seg[SEG_GS].base = NATIVE_GS_BASE;
    if (mode == DECODE_32)
        c->seg[SEG_FS].attributes = c->seg[SEG_GS].attributes = SEG_UNUSABLE;
}

/* The CPU fetches where a branch went. False: it could find code of this process there. */
static bool follow_branch(struct native_cpu *cpu)
{
    if (is_code(cpu->rip))
        return *(uint8_t *)cpu->rip == 0xcc;
    if (!unmapped(cpu->rip) && !is_data(cpu->rip))
        return false;
    cpu->trap = 14;
    cpu->error = is_data(cpu->rip) ? 0x15 : 0x14;
    cpu->address = cpu->rip;
    return true;
}

/* False: the instruction or its addresses are not for this test. */
static bool run_emulated(struct native_cpu *cpu)
{
    static struct emulate_cache
        cache; /* all instructions are at one address: what it remembers is always another */
    struct context context;
    make_context(&context, cpu);
    struct emulator e = {.context = &context, .ops = &ops, .owner = cpu, .cache = &cache};
    enum emulate_result result;

    wild = false;
    unsigned rounds = 0;
    do
        result = emulate(&e);
    while (result == EMULATE_AGAIN && ++rounds < 1000);
    /* Whether the push of a CALL or its target faults first is the vendors' choice, too. */
    if (result == EMULATE_FAULT && e.fault.vector == 13 && e.insn.op == INSN_CALL)
        return false;
    /* Of a misaligned and non-canonical vector in the stack segment, vendors differ which fault comes first.
     */
    if (result == EMULATE_FAULT && e.fault.vector == 12 && e.insn.op == INSN_MOV_VECTOR)
        return false;
    if (wild || result == EMULATE_UNHANDLED || result == EMULATE_AGAIN)
        return false;
    memcpy(cpu->gpr, context.reg, sizeof cpu->gpr);
    cpu->rip = context.reg[REG_RIP];
    cpu->rflags = context.reg[REG_RFLAGS];
    cpu->trap = 3;
    cpu->error = 0;
    if (result == EMULATE_FAULT) {
        cpu->trap = e.fault.vector;
        cpu->error = e.fault.error;
        cpu->address = e.fault.address;
    }
    return result == EMULATE_FAULT || follow_branch(cpu);
}

/* ---- one random instruction ------------------------------------------------------------------- */

static bool for_this_test(const struct insn *insn, bool operand_prefix)
{
    switch (insn->op) {
    case INSN_OTHER:
    case INSN_IN:
    case INSN_OUT:
    case INSN_INS:
    case INSN_OUTS:
    case INSN_CLTS:
    case INSN_LMSW:
    case INSN_SMSW: /* the host's own CR0 */
    case INSN_INVLPG:
    case INSN_JMP_FAR: /* the host's own descriptors */
    case INSN_LTR:
    case INSN_LLDT:
    case INSN_NOP: /* some hints are undefined on some CPUs */
        return false;
    case INSN_TZCNT:
    case INSN_LZCNT:
    case INSN_MOVBE:
        return native_has_bit_counts();
    default:
        break;
    }
    for (unsigned i = 0; i < 2; i++)
        if (insn->operand[i].kind >= OPERAND_SEGMENT && insn->operand[i].kind <= OPERAND_DEBUG)
            return false;
    /* What the manuals leave undefined altogether. */
    if ((insn->op == INSN_SHLD || insn->op == INSN_SHRD) && insn->operand[0].size == 2)
        return false;
    /* Intel's and AMD's CPUs read 66 before a near branch in 64-bit code differently. */
    if ((insn->op == INSN_JMP || insn->op == INSN_CALL || insn->op == INSN_RET) && mode == DECODE_64 &&
        operand_prefix)
        return false;
    return insn->op != INSN_BSWAP || insn->operand[0].size != 2;
}

/* Displacements of four bytes and MOV's offsets are bent to point into the data. */
static bool bend_displacement(uint8_t *bytes, struct insn *insn, uint64_t target)
{
    uint64_t wanted = insn->memory.rip_relative ? target - (RIP_AT + insn->length) : target;
    for (int size = 8; size >= 4; size -= 4) {
        for (unsigned at = 1; at + (unsigned)size <= insn->length; at++) {
            struct insn again;
            uint8_t before[8];
            if (memcmp(bytes + at, &insn->memory.disp, (size_t)size))
                continue;
            memcpy(before, bytes + at, (size_t)size);
            memcpy(bytes + at, &wanted, (size_t)size);
            if (decode(bytes, INSN_MAX_BYTES, mode, &again) == DECODE_OK && again.length == insn->length &&
                again.op == insn->op && !memcmp(&again.memory.disp, &wanted, (size_t)size)) {
                *insn = again;
                return true;
            }
            memcpy(bytes + at, before, (size_t)size);
        }
    }
    return false;
}

static void aim(uint8_t *bytes, struct insn *insn, struct native_cpu *cpu)
{
    const struct insn_memory *m = &insn->memory;
    /* Mostly within the data, at times over its edges. */
    uint64_t target = DATA_AT + below(DATA_BYTES);
    if (below(4))
        target &= ~15ull;
    if (!below(64))
        target = 0x8000000000000000 | random64(); /* hardly ever canonical */
    if (m->segment == INSN_GS && mode == DECODE_64)
        target -= NATIVE_GS_BASE;

    if (m->index != INSN_NO_REGISTER && m->index != m->base)
        cpu->gpr[m->index] = below(64);
    if (m->base == INSN_NO_REGISTER && m->index == INSN_NO_REGISTER)
        bend_displacement(bytes, insn, target);
    else if (m->base == INSN_NO_REGISTER)
        cpu->gpr[m->index] = (target - (uint64_t)m->disp) / m->scale;
    else if (m->base == m->index)
        cpu->gpr[m->base] = (target - (uint64_t)m->disp) / (m->scale + 1u);
    else
        cpu->gpr[m->base] =
            target - (uint64_t)m->disp - (m->index == INSN_NO_REGISTER ? 0 : cpu->gpr[m->index] * m->scale);
}

static bool has_string(const struct insn *insn)
{
    return insn->operand[0].kind == OPERAND_STRING_DI || insn->operand[0].kind == OPERAND_STRING_SI ||
           insn->operand[1].kind == OPERAND_STRING_DI || insn->operand[1].kind == OPERAND_STRING_SI;
}

static void make_bytes(uint8_t bytes[16])
{
    static const uint8_t prefixes[] = {0x66, 0x66, 0x67, 0xf2, 0xf3, 0x65, 0xf0, 0x26};
    unsigned at = 0;
    for (unsigned i = 0; i < 16; i++)
        bytes[i] = (uint8_t)random64();
    for (unsigned i = below(8) ? 0 : 1 + below(2); i; i--)
        bytes[at++] = prefixes[below(sizeof prefixes)];
    if (!below(4))
        bytes[at++] = 0x66;
    if (mode == DECODE_64 && below(2))
        bytes[at++] = (uint8_t)(0x40 | below(16));
    if (below(2)) {
        bytes[at++] = 0x0f;
        if (!below(16)) {
            bytes[at++] = 0x38;
            bytes[at++] = (uint8_t)(0xf0 + below(2));
        }
    }
}

static void make_state(struct state *s, uint8_t bytes[16], struct insn *insn)
{
    memset(&s->cpu, 0, sizeof s->cpu);
    for (unsigned i = 0; i < 16; i++)
        s->cpu.gpr[i] = random_value();
    for (unsigned i = 0; i < sizeof s->cpu.xmm; i++)
        ((uint8_t *)s->cpu.xmm)[i] = (uint8_t)random64();
    for (unsigned i = 0; i < sizeof s->cpu.mmx; i++)
        ((uint8_t *)s->cpu.mmx)[i] = (uint8_t)random64();
    for (unsigned i = 0; i < DATA_BYTES; i += 8) {
        uint64_t value = random_value();
        memcpy(s->data + i, &value, 8);
    }
    s->cpu.rip = RIP_AT;
    s->cpu.rflags = 0x202 | (random64() & (FLAGS_ARITHMETIC | (below(4) ? 0 : FLAG_DF)));
    s->cpu.gpr[4] = DATA_AT + below(DATA_BYTES);
    if (insn->rep && has_string(insn))
        s->cpu.gpr[1] = below(8) ? below(200) : 0;
    if (has_string(insn)) {
        s->cpu.gpr[6] = DATA_AT + below(DATA_BYTES);
        s->cpu.gpr[7] = DATA_AT + below(DATA_BYTES);
    } else if (insn->memory.present) {
        aim(bytes, insn, &s->cpu);
    }
    if (mode == DECODE_32)
        for (unsigned i = 0; i < 16; i++)
            s->cpu.gpr[i] = i < 8 ? (uint32_t)s->cpu.gpr[i] : 0;
    s->cpu.compatibility = mode == DECODE_32;
}

/* ---- comparison ------------------------------------------------------------------------------- */

static uint64_t undefined_flags(const struct insn *insn, const struct native_cpu *before)
{
    const unsigned size = insn->operand[0].size;
    unsigned count =
        insn->operand[1].kind == OPERAND_IMMEDIATE ? (unsigned)insn->immediate : (unsigned)before->gpr[1];
    count &= size == 8 ? 63 : 31;
    switch (insn->op) {
    case INSN_AND:
    case INSN_OR:
    case INSN_XOR:
    case INSN_TEST:
        return FLAG_AF;
    case INSN_ROL:
    case INSN_ROR:
    case INSN_RCL:
    case INSN_RCR:
        return count > 1 ? FLAG_OF : 0;
    case INSN_SHL:
    case INSN_SHR:
    case INSN_SAR:
        return count ? FLAG_AF | (count > 1 ? FLAG_OF : 0u) | (count >= 8 * size ? FLAG_CF : 0u) : 0;
    case INSN_SHLD:
    case INSN_SHRD:
        return FLAG_AF | FLAG_OF;
    case INSN_MUL:
    case INSN_IMUL:
        return FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;
    case INSN_DIV:
    case INSN_IDIV:
        return FLAGS_ARITHMETIC;
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    case INSN_BSF:
    case INSN_BSR:
        return FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    case INSN_TZCNT:
    case INSN_LZCNT:
        return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    default:
        return 0;
    }
}

static bool same(const struct state *ours, const struct state *cpus, uint64_t ignored_flags)
{
    const struct native_cpu *a = &ours->cpu, *b = &cpus->cpu;
    uint64_t flags = (FLAGS_ARITHMETIC | FLAG_DF) & ~ignored_flags;
    if (a->trap != b->trap || a->rip != b->rip)
        return false;
    if (a->trap == 14 && (a->address != b->address || a->error != b->error))
        return false;
    if (a->trap == 13 && a->error != b->error)
        return false;
    return !memcmp(a->gpr, b->gpr, sizeof a->gpr) && !((a->rflags ^ b->rflags) & flags) &&
           !memcmp(a->xmm, b->xmm, sizeof a->xmm) && !memcmp(a->mmx, b->mmx, sizeof a->mmx) &&
           !memcmp(ours->data, cpus->data, DATA_BYTES);
}

static void show(const uint8_t *bytes, const struct insn *insn, const struct state *before,
                 const struct state *ours, const struct state *cpus)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    printf("%s:", insn_name(insn->op));
    for (unsigned i = 0; i < insn->length; i++)
        printf(" %02x", bytes[i]);
    printf("\n");
    for (unsigned i = 0; i < 16; i++)
        printf("  %-6s %016" PRIx64 " -> %016" PRIx64 " cpu %016" PRIx64 "%s\n", names[i], before->cpu.gpr[i],
               ours->cpu.gpr[i], cpus->cpu.gpr[i], ours->cpu.gpr[i] == cpus->cpu.gpr[i] ? "" : "   <--");
    printf("  rip %" PRIx64 " cpu %" PRIx64 ", rflags %" PRIx64 " -> %" PRIx64 " cpu %" PRIx64
           ", trap %u cpu %u, error %x cpu %x, address %" PRIx64 " cpu %" PRIx64 "\n",
           ours->cpu.rip, cpus->cpu.rip, before->cpu.rflags, ours->cpu.rflags, cpus->cpu.rflags,
           ours->cpu.trap, cpus->cpu.trap, ours->cpu.error, cpus->cpu.error, ours->cpu.address,
           cpus->cpu.address);
    for (unsigned i = 0; i < DATA_BYTES; i++)
        if (ours->data[i] != cpus->data[i])
            printf("  data+%x: %02x -> %02x cpu %02x\n", i, before->data[i], ours->data[i], cpus->data[i]);
}

static bool map(uint64_t at, size_t bytes, int protection)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    return mmap((void *)at, bytes, protection, flags, -1, 0) == (void *)at;
}

/* A random instruction of those this test is for, at RIP_AT with nothing but INT3 behind it. */
static void make_instruction(struct insn *insn)
{
    uint8_t bytes[16];
    do
        make_bytes(bytes);
    while (decode(bytes, INSN_MAX_BYTES, mode, insn) != DECODE_OK ||
           !for_this_test(insn, memchr(bytes, 0x66, insn->length)));
    memset(code, 0xcc, CODE_BYTES);
    memcpy(at_rip, bytes, insn->length);
}

/* False: a difference. */
static bool compare_one(unsigned *shown)
{
    static struct state before, ours, cpus;
    struct insn insn;

    make_instruction(&insn);
    make_state(&before, at_rip, &insn);
    ours = cpus = before;
    memcpy(data, before.data, DATA_BYTES);
    if (!run_emulated(&ours.cpu))
        return true;
    memcpy(ours.data, data, DATA_BYTES);
    memcpy(data, before.data, DATA_BYTES);
    native_run(&cpus.cpu);
    memcpy(cpus.data, data, DATA_BYTES);
    ran++;
    faulted += ours.cpu.trap != 3;
    ops_seen[insn.op]++;
    if (same(&ours, &cpus, ours.cpu.trap == 3 ? undefined_flags(&insn, &before.cpu) : 0))
        return true;
    if ((*shown)++ < MOST_SHOWN)
        show(at_rip, &insn, &before, &ours, &cpus);
    return false;
}

int main(int argc, char **argv)
{
    unsigned long count, different = 0;
    unsigned shown = 0, kinds = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: emulate_native 64|32 SEED COUNT\n");
        return 2;
    }
    if (!native_init())
        return 77;
    mode = !strcmp(argv[1], "32") ? DECODE_32 : DECODE_64;
    random_state = strtoull(argv[2], NULL, 10);
    count = strtoul(argv[3], NULL, 10);
    if (!map(ARENA, ARENA_BYTES, PROT_NONE) ||
        mprotect((void *)CODE_AT, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        mprotect((void *)DATA_AT, DATA_BYTES, PROT_READ | PROT_WRITE)) {
        perror("emulate_native");
        return 2;
    }
    for (unsigned long i = 0; i < count; i++)
        different += !compare_one(&shown);
    for (unsigned op = 0; op < INSN_COUNT; op++)
        kinds += ops_seen[op] != 0;
    printf("%lu instructions of %u kinds on both, %lu of them faulted, %lu differ\n", ran, kinds, faulted,
           different);
    return different || ran < count / 4;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode_objdump BITS MINIMUM: compares our decoder with the disassembly of binutils on standard input
 * (objdump -d -M intel,intel64 --insn-width=16), instruction by instruction: length, mnemonic, operands. Ends
 * with 1 at any difference, or when fewer than MINIMUM instructions were compared.
 *
 * decode_objdump random SEED: half a MiB of random bytes on standard output, the same for the same seed.
 *
 * A line is not compared where objdump itself says (bad), or takes prefixes as instructions of their own.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define MOST_SHOWN 40

struct line {
    uint64_t address;
    uint8_t bytes[32]; /* of this instruction and of those that follow it without a gap */
    unsigned length, available;
    char text[200];
};

struct memory {
    char segment[4]; /* empty: none printed */
    char base[8], index[8];
    unsigned scale;
    uint64_t disp;
    bool present;
};

static enum decode_mode mode;
static unsigned long compared, skipped, differences;

/* ---- reading objdump's lines ------------------------------------------------------------------ */

static bool parse_line(const char *raw, struct line *line)
{
    char *end;
    memset(line, 0, sizeof *line);
    line->address = strtoull(raw, &end, 16);
    if (end == raw || *end != ':' || end[1] != '\t')
        return false;
    end += 2;
    while (isxdigit((unsigned char)end[0]) && isxdigit((unsigned char)end[1]) && line->length < 16) {
        line->bytes[line->length++] = (uint8_t)strtoul((char[]){end[0], end[1], 0}, NULL, 16);
        end += 2;
        if (*end == ' ')
            end++;
    }
    while (*end == ' ' || *end == '\t')
        end++;
    snprintf(line->text, sizeof line->text, "%s", end);
    line->text[strcspn(line->text, "\n")] = 0;
    char *comment = strstr(line->text, " #");
    if (comment)
        *comment = 0;
    char *symbol = strstr(line->text, " <");
    if (symbol)
        *symbol = 0;
    for (size_t n = strlen(line->text); n && line->text[n - 1] == ' '; n--)
        line->text[n - 1] = 0;
    line->available = line->length;
    return line->length > 0;
}

/* ---- the text of one instruction -------------------------------------------------------------- */

static bool is_prefix_word(const char *word, size_t length)
{
    static const char *const words[] = {"rep",    "repz",   "repnz",    "lock",     "data16", "data32",
                                        "addr16", "addr32", "xacquire", "xrelease", "bnd",    "notrack",
                                        "cs",     "ds",     "es",       "ss",       "fs",     "gs"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && !strncmp(word, words[i], length))
            return true;
    return length >= 3 && !strncmp(word, "rex", 3);
}

static char *skip_prefix_words(char *text)
{
    for (;;) {
        size_t length = strcspn(text, " ");
        if (!is_prefix_word(text, length))
            return text;
        text += length;
        while (*text == ' ')
            text++;
    }
}

static unsigned split_operands(char *text, char *operand[4])
{
    unsigned n = 0, depth = 0;
    while (*text == ' ')
        text++;
    if (!*text)
        return 0;
    operand[n++] = text;
    for (; *text; text++) {
        depth += *text == '[';
        depth -= *text == ']';
        if (*text == ',' && !depth && n < 4) {
            *text = 0;
            operand[n++] = text + 1;
        }
    }
    return n;
}

/* Skips "DWORD PTR ", "DWORD BCST "; returns the size where it is one that our operands can have. */
static unsigned pointer_size(const char **text)
{
    static const struct {
        const char *name;
        unsigned size;
    } sizes[] = {{"BYTE ", 1},  {"WORD ", 2},   {"DWORD ", 4},  {"FWORD ", 6},
                 {"QWORD ", 8}, {"TBYTE ", 10}, {"OWORD ", 16}, {"XMMWORD ", 16}};
    const char *end = strstr(*text, " PTR ");
    size_t skip = 5;
    if (!end) {
        end = strstr(*text, " BCST ");
        skip = 6;
    }
    if (!end)
        return 0;
    const char *word = *text;
    *text = end + skip;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strncmp(word, sizes[i].name, strlen(sizes[i].name)))
            return sizes[i].size;
    return 0;
}

/* "gs:[rax+rbx*4-0x10]", "ds:0x1234" */
static bool parse_memory(const char *text, struct memory *m)
{
    memset(m, 0, sizeof *m);
    if (text[0] && text[1] == 's' && text[2] == ':') {
        snprintf(m->segment, sizeof m->segment, "%.2s", text);
        text += 3;
        if (!strncmp(text, "0x", 2)) {
            m->disp = strtoull(text, NULL, 16);
            return m->present = true;
        }
    }
    if (*text++ != '[')
        return false;
    m->scale = 1;
    while (*text && *text != ']') {
        bool negative = *text == '-';
        if (*text == '+' || *text == '-')
            text++;
        size_t n = strcspn(text, "+-]*");
        if (!strncmp(text, "0x", 2)) {
            uint64_t value = strtoull(text, NULL, 16);
            m->disp = negative ? -value : value;
        } else if (text[n] == '*') {
            snprintf(m->index, sizeof m->index, "%.*s", (int)n, text);
            m->scale = (unsigned)strtoul(text + n + 1, NULL, 10);
            n += 2;
        } else if (!*m->base) {
            snprintf(m->base, sizeof m->base, "%.*s", (int)n, text);
        } else {
            snprintf(m->index, sizeof m->index, "%.*s", (int)n, text);
        }
        text += n;
    }
    if (!strcmp(m->index, "riz") || !strcmp(m->index, "eiz"))
        m->index[0] = 0;
    return m->present = true;
}

/* ---- our reading in the same words ------------------------------------------------------------- */

static const char *register_name(unsigned number, unsigned size)
{
    static const char *const low[8] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    static const char *const byte[8] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    static char name[4][8];
    static unsigned turn;
    char *out = name[turn++ & 3];
    if (number >= 8)
        snprintf(out, 8, "r%u%s", number, size == 1 ? "b" : size == 2 ? "w" : size == 4 ? "d" : "");
    else if (size == 1)
        snprintf(out, 8, "%s", byte[number]);
    else
        snprintf(out, 8, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", low[number]);
    return out;
}

static const char *const segment_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

static uint64_t mask(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((1ull << (8 * size)) - 1);
}

static bool same_memory(const struct insn *insn, const struct memory *theirs)
{
    const struct insn_memory *m = &insn->memory;
    const unsigned size = insn->address_size;
    const char *base = m->rip_relative ? (size == 8 ? "rip" : "eip") : "", *index = "";
    if (m->base != INSN_NO_REGISTER)
        base = register_name(m->base, size);
    if (m->index != INSN_NO_REGISTER)
        index = register_name(m->index, size);

    /* In 64-bit code objdump prints segment prefixes that the CPU ignores. */
    bool flat = mode == DECODE_64 && m->segment != INSN_FS && m->segment != INSN_GS;
    const char *segment = segment_names[m->segment];
    bool default_segment = m->segment == INSN_DS || m->segment == INSN_SS;
    if (flat               ? theirs->segment[0] == 'f' || theirs->segment[0] == 'g'
        : *theirs->segment ? strcmp(theirs->segment, segment) != 0
                           : !default_segment)
        return false;
    /* A vector index or a scaled displacement is left to objdump. */
    if (theirs->index[0] == 'x' || theirs->index[0] == 'y' || theirs->index[0] == 'z')
        return !strcmp(base, theirs->base);
    return !strcmp(base, theirs->base) && !strcmp(index, theirs->index) &&
           (!*index || m->scale == theirs->scale) &&
           (m->scaled_disp8 || mask((uint64_t)m->disp, size) == mask(theirs->disp, size));
}

/* objdump prints every far pointer as FWORD; with REX.W Intel's has ten bytes. */
static bool is_far(const struct insn *insn)
{
    return insn->op == INSN_JMP_FAR || insn->op == INSN_CALL_FAR;
}

static bool same_operand(const struct line *line, const struct insn *insn, const struct insn_operand *o,
                         const char *theirs)
{
    static const char *const high[4] = {"ah", "ch", "dh", "bh"};
    char ours[64];
    struct memory memory;
    unsigned size = pointer_size(&theirs);

    switch (o->kind) {
    case OPERAND_REGISTER:
        /* It prints the whole register that LLDT and LTR take 16 bits of. */
        return !strcmp(theirs, register_name(o->number, o->size)) ||
               ((insn->op == INSN_LLDT || insn->op == INSN_LTR) &&
                !strcmp(theirs, register_name(o->number, 4)));
    case OPERAND_HIGH_BYTE:
        return !strcmp(theirs, high[o->number]);
    case OPERAND_MEMORY:
    case OPERAND_STRING_SI:
        return (!size || !o->size || size == o->size || is_far(insn)) && parse_memory(theirs, &memory) &&
               same_memory(insn, &memory);
    case OPERAND_STRING_DI:
        snprintf(ours, sizeof ours, "es:[%s]", register_name(7, insn->address_size));
        return size == o->size && !strcmp(theirs, ours);
    case OPERAND_IMMEDIATE:
        return mask(strtoull(theirs, NULL, 0), o->size) == mask((uint64_t)insn->immediate, o->size);
    case OPERAND_RELATIVE:
        /* objdump keeps the upper half of a 16-bit target's own address. */
        return mask(strtoull(theirs, NULL, 16), o->size) ==
               mask(line->address + insn->length + (uint64_t)insn->immediate, o->size);
    case OPERAND_FAR:
        snprintf(ours, sizeof ours, "0x%x:0x%" PRIx64, insn->selector,
                 mask((uint64_t)insn->immediate, o->size));
        return !strcmp(theirs, ours);
    case OPERAND_SEGMENT:
        return !strcmp(theirs, segment_names[o->number]);
    case OPERAND_CONTROL:
        snprintf(ours, sizeof ours, "cr%u", o->number);
        return !strcmp(theirs, ours);
    case OPERAND_DEBUG:
        snprintf(ours, sizeof ours, "dr%u", o->number);
        return !strcmp(theirs, ours) ||
               (theirs[0] == 'd' && theirs[1] == 'b' && !strcmp(theirs + 2, ours + 2));
    case OPERAND_XMM:
        snprintf(ours, sizeof ours, "xmm%u", o->number);
        return !strcmp(theirs, ours);
    case OPERAND_MMX:
        snprintf(ours, sizeof ours, "mm%u", o->number);
        return !strcmp(theirs, ours);
    default:
        return false;
    }
}

static bool starts(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static bool same_mnemonic(const struct insn *insn, const char *theirs)
{
    static const char *const conditions[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                               "s", "ns", "p", "np", "l", "ge", "le", "g"};
    static const struct {
        enum insn_op op;
        const char *name;
    } aliases[] = {
        {INSN_MOV, "movabs"},       {INSN_MOVSX, "movsxd"},     {INSN_CBW, "cwde"},
        {INSN_CBW, "cdqe"},         {INSN_CWD, "cdq"},          {INSN_CWD, "cqo"},
        {INSN_IRET, "iretd"},       {INSN_IRET, "iretq"},       {INSN_IRET, "iretw"},
        {INSN_PUSHF, "pushfq"},     {INSN_PUSHF, "pushfd"},     {INSN_PUSHF, "pushfw"},
        {INSN_POPF, "popfq"},       {INSN_POPF, "popfd"},       {INSN_POPF, "popfw"},
        {INSN_PUSHA, "pushaw"},     {INSN_PUSHA, "pushad"},     {INSN_POPA, "popaw"},
        {INSN_POPA, "popad"},       {INSN_JCXZ, "jecxz"},       {INSN_JCXZ, "jrcxz"},
        {INSN_UD, "ud0"},           {INSN_UD, "ud1"},           {INSN_UD, "ud2"},
        {INSN_SYSRET, "sysretd"},   {INSN_SYSRET, "sysretq"},   {INSN_SYSRET, "sysretl"},
        {INSN_JMP_FAR, "jmp"},      {INSN_CALL_FAR, "call"},    {INSN_CMPXCHG8B, "cmpxchg16b"},
        {INSN_SYSEXIT, "sysexitq"}, {INSN_SYSEXIT, "sysexitd"}, {INSN_SHL, "sal"},
        {INSN_PUSH, "pushw"},       {INSN_PUSH, "pushd"},       {INSN_PUSH, "pushq"},
        {INSN_CALL, "callw"},       {INSN_CALL, "calld"},       {INSN_JMP, "jmpd"},
        {INSN_VMMCALL, "vmgexit"},  {INSN_JMP, "jmpw"},         {INSN_RET, "retw"},
        {INSN_RET_FAR, "retfw"},    {INSN_RET_FAR, "rex.W"},    {INSN_CALL, "callq"},
        {INSN_WBINVD, "wbnoinvd"},  {INSN_POP, "popw"},         {INSN_POP, "popd"},
        {INSN_ENTER, "enterw"},     {INSN_LEAVE, "leavew"},     {INSN_ENTER, "enterd"},
        {INSN_LEAVE, "leaved"},     {INSN_RET, "retd"},         {INSN_RET_FAR, "retfd"},
        {INSN_RET_FAR, "retfq"},    {INSN_RET, "retq"},         {INSN_SGDT, "sgdtd"},
        {INSN_SIDT, "sidtd"},       {INSN_LGDT, "lgdtd"},       {INSN_LIDT, "lidtd"},
        {INSN_SGDT, "sgdtw"},       {INSN_SIDT, "sidtw"},       {INSN_LGDT, "lgdtw"},
        {INSN_LIDT, "lidtw"},
    };
    char ours[24];
    bool conditional = insn->op == INSN_JCC || insn->op == INSN_SET || insn->op == INSN_CMOV;

    if (insn->op == INSN_NOP) /* hints have many names */
        return true;
    if (insn->op == INSN_MOV_VECTOR)
        return starts(theirs, "mov");
    snprintf(ours, sizeof ours, "%s%s", insn_name(insn->op), conditional ? conditions[insn->condition] : "");
    if (!strcmp(ours, theirs))
        return true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (aliases[i].op == insn->op && !strcmp(aliases[i].name, theirs))
            return true;
    return false;
}

/* The memory operand of an instruction of which we report no other. */
static bool same_other(const struct insn *insn, char *operand[], unsigned count)
{
    struct memory memory;
    for (unsigned i = 0; i < count; i++) {
        const char *text = operand[i];
        pointer_size(&text);
        if (parse_memory(text, &memory))
            return !insn->memory.present || same_memory(insn, &memory);
    }
    return !insn->memory.present;
}

static bool same_text(const struct line *line, const struct insn *insn, char *text)
{
    char *operand[4] = {0};
    char *mnemonic = skip_prefix_words(text);
    size_t length = strcspn(mnemonic, " ");
    char *rest = mnemonic + length;
    if (*rest)
        *rest++ = 0;
    unsigned count = split_operands(rest, operand);

    if (insn->op == INSN_OTHER)
        return same_other(insn, operand, count);
    if (!same_mnemonic(insn, mnemonic))
        return false;
    if (insn->op == INSN_NOP || insn->op == INSN_UD)
        return same_other(insn, operand, count);
    for (unsigned i = 0; i < 3 && insn->operand[i].kind != OPERAND_NONE; i++)
        if (!operand[i] || !same_operand(line, insn, &insn->operand[i], operand[i]))
            return false;
    return true;
}

static bool is_vector_prefix(uint8_t byte)
{
    return byte == 0xc4 || byte == 0xc5 || byte == 0x62 || byte == 0x8f;
}

/* An EVEX prefix with a bit that only APX gives a meaning. */
static bool is_apx(const struct line *line)
{
    for (unsigned i = 0; i + 2 < line->length; i++)
        if (line->bytes[i] == 0x62)
            return line->bytes[i + 1] & 8 || !(line->bytes[i + 2] & 4);
    return false;
}

/* Where objdump goes its own way and does not tell by (bad). */
static bool left_to_objdump(const struct line *line, const struct insn *insn, enum decode_result result)
{
    char text[200];
    snprintf(text, sizeof text, "%s", line->text);
    char *mnemonic = skip_prefix_words(text);
    /* Data within code: hex digits and as many characters. */
    if (strlen(line->text) == line->length)
        return true;
    if (!*mnemonic || strstr(line->text, "bad)") || strstr(line->text, "bad}") || starts(mnemonic, "."))
        return true;
    /* It prints LOCK before what cannot be locked, and REX bytes that other prefixes made void. */
    if (result == DECODE_UNDEFINED && insn->lock)
        return true;
    /* Segment registers that do not exist or cannot be loaded, control and test registers that no CPU has. */
    if (result == DECODE_UNDEFINED && starts(mnemonic, "mov ") &&
        (strchr(mnemonic, '?') || strstr(mnemonic, " cs,") || strstr(mnemonic, "cr") ||
         strstr(mnemonic, "tr") || strstr(mnemonic, "db") || strstr(mnemonic, "dr")))
        return true;
    /* It allows 66, F2, F3, LOCK and REX before a vector prefix; CPUs do not (SDM vol. 2 2.3.2). */
    if (result == DECODE_UNDEFINED && insn->length > 1 && is_vector_prefix(line->bytes[insn->length - 1]))
        return true;
    /* Instructions of VIA's CPUs. */
    if (result == DECODE_UNDEFINED && (starts(mnemonic, "x") || starts(mnemonic, "montmul")))
        return true;
    /* It takes F3 with REX.B before 90 for PAUSE; CPUs exchange R8. */
    if (insn->op == INSN_XCHG && starts(mnemonic, "pause"))
        return true;
    /* APX is not ours: no LPAR is offered it. */
    if (result == DECODE_UNDEFINED && ((mode == DECODE_64 && insn->opcode == 0xd5) ||
                                       (insn->map && insn->length < line->length && is_apx(line))))
        return true;
    /* It takes FWAIT and the x87 instruction behind it for one. */
    return line->bytes[0] == 0x9b || insn->op == INSN_WAIT;
}

static void show(const struct line *line, const struct insn *insn, enum decode_result result)
{
    if (differences++ >= MOST_SHOWN)
        return;
    printf("%" PRIx64 ":", line->address);
    for (unsigned i = 0; i < line->length; i++)
        printf(" %02x", line->bytes[i]);
    printf("  objdump: %s\n    ours: result %d, length %u, %s, operand size %u, address size %u\n",
           line->text, (int)result, insn->length, insn_name(insn->op), insn->operand_size,
           insn->address_size);
    const struct insn_memory *m = &insn->memory;
    for (unsigned i = 0; i < 3; i++)
        printf("    operand %u: kind %u number %u size %u\n", i, insn->operand[i].kind,
               insn->operand[i].number, insn->operand[i].size);
    printf("    memory %d: segment %u base %u index %u scale %u disp %" PRIx64 ", immediate %" PRIx64 "\n",
           m->present, m->segment, m->base, m->index, m->scale, (uint64_t)m->disp, (uint64_t)insn->immediate);
}

static void compare(const struct line *line)
{
    struct insn insn;
    char text[200];
    enum decode_result result = decode(line->bytes, line->available, mode, &insn);

    if (left_to_objdump(line, &insn, result)) {
        skipped++;
        return;
    }
    compared++;
    snprintf(text, sizeof text, "%s", line->text);
    if (result != DECODE_OK || insn.length != line->length || !same_text(line, &insn, text))
        show(line, &insn, result);
}

/* splitmix64 */
static int random_bytes(uint64_t state)
{
    for (unsigned i = 0; i < 65536; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        z ^= z >> 31;
        fwrite(&z, sizeof z, 1, stdout);
    }
    return fflush(stdout) || ferror(stdout);
}

int main(int argc, char **argv)
{
    static struct line window[16];
    unsigned filled = 0;
    char raw[512];
    if (argc != 3) {
        fprintf(stderr, "usage: decode_objdump 16|32|64 MINIMUM | random SEED\n");
        return 2;
    }
    if (!strcmp(argv[1], "random"))
        return random_bytes(strtoull(argv[2], NULL, 10));
    mode = !strcmp(argv[1], "16") ? DECODE_16 : !strcmp(argv[1], "32") ? DECODE_32 : DECODE_64;
    for (bool more = true; more || filled;) {
        more = more && fgets(raw, sizeof raw, stdin);
        if (more && !parse_line(raw, &window[filled]))
            continue;
        filled += more;
        if (filled < 16 && more)
            continue;
        if (!filled)
            break;
        struct line *first = &window[0];
        for (unsigned i = 1; i < filled && first->available + window[i].length <= sizeof first->bytes; i++) {
            if (window[i].address != first->address + first->available)
                break;
            memcpy(first->bytes + first->available, window[i].bytes, window[i].length);
            first->available += window[i].length;
        }
        compare(first);
        memmove(&window[0], &window[1], sizeof *window * --filled);
    }
    printf("%lu instructions compared, %lu left to objdump, %lu differ\n", compared, skipped, differences);
    if (compared < strtoul(argv[2], NULL, 10)) {
        printf("too few instructions: at least %s were expected\n", argv[2]);
        return 1;
    }
    return differences ? 1 : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "decode.h"
#include "decode_table.h"

/* What one call of decode() knows on its way through the bytes. */
struct state {
    const uint8_t *bytes;
    unsigned available; /* of them; at most INSN_MAX_BYTES */
    unsigned at;
    enum decode_mode mode;
    enum decode_result result; /* of the first thing that went wrong */

    bool operand_prefix, address_prefix;
    uint8_t segment_prefix; /* INSN_NO_REGISTER: none */
    uint8_t rex;            /* W R X B in bits 3:0; 0x40 set when a REX byte stood there */
    bool evex;

    bool has_modrm, memory_form;
    uint8_t modrm;
    uint8_t v, z, n, y; /* sizes of operands, as the letters of decode_table.h name them */
};

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

/* Once they have run out, bytes read 0: callers need not look at each one. */
static uint64_t run_out(struct state *s)
{
    s->at = s->available;
    if (s->result == DECODE_OK)
        s->result = s->at >= INSN_MAX_BYTES ? DECODE_TOO_LONG : DECODE_SHORT;
    return 0;
}

static inline uint8_t next(struct state *s)
{
    return s->at < s->available ? s->bytes[s->at++] : (uint8_t)run_out(s);
}

/* Looks at the next byte without taking it. */
static inline uint8_t peek(struct state *s)
{
    return s->at < s->available ? s->bytes[s->at] : (uint8_t)run_out(s);
}

static uint64_t next_bytes(struct state *s, unsigned size)
{
    uint64_t value = 0;
    if (s->available - s->at < size)
        return run_out(s);
    for (unsigned i = size; i-- > 0;)
        value = value << 8 | s->bytes[s->at + i];
    s->at += size;
    return value;
}

static int64_t next_signed(struct state *s, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (int64_t)(next_bytes(s, size) << unused) >> unused;
}

/* No byte is looked at any more. */
static void undefined(struct state *s)
{
    if (s->result == DECODE_OK)
        s->result = DECODE_UNDEFINED;
    s->available = s->at;
}

/* Bit per byte: 26 2e 36 3e 64 65 66 67 f0 f2 f3 */
static bool is_prefix(uint8_t byte)
{
    static const uint32_t bits[8] = {0, 0x40404040, 0, 0xf0, 0, 0, 0, 0x000d0000};
    return bits[byte >> 5] >> (byte & 31) & 1;
}

static void take_prefix(struct state *s, struct insn *insn, uint8_t byte)
{
    switch (byte) {
    case 0x64:
        s->segment_prefix = INSN_FS;
        break;
    case 0x65:
        s->segment_prefix = INSN_GS;
        break;
    case 0x66:
        s->operand_prefix = true;
        break;
    case 0x67:
        s->address_prefix = true;
        break;
    case 0xf0:
        insn->lock = true;
        break;
    case 0xf2:
    case 0xf3:
        insn->rep = byte;
        break;
    default:
        /* In 64-bit code these four are ignored, and do not undo an FS or GS before them. */
        if (s->mode != DECODE_64)
            s->segment_prefix = (byte >> 3) & 3;
        break;
    }
}

/* Returns the byte behind the prefixes, taken. */
static uint8_t take_prefixes(struct state *s, struct insn *insn)
{
    for (;;) {
        const uint8_t byte = next(s);
        if (s->mode == DECODE_64 && (byte & 0xf0) == 0x40) {
            /* A REX byte counts only right before the opcode. */
            s->rex = byte;
            continue;
        }
        if (!is_prefix(byte))
            return byte;
        s->rex = 0;
        take_prefix(s, insn, byte);
    }
}

/* Index into decode_prefixed. F2 and F3 win over 66. */
static unsigned mandatory_prefix(const struct state *s, const struct insn *insn)
{
    if (insn->rep)
        return insn->rep == 0xf3 ? 2 : 3;
    return s->operand_prefix ? 1 : 0;
}

static void take_modrm(struct state *s)
{
    if (s->has_modrm)
        return;
    s->has_modrm = true;
    s->modrm = next(s);
    s->memory_form = s->modrm < 0xc0;
}

static unsigned reg_field(const struct state *s)
{
    return (s->modrm >> 3 & 7u) | (s->rex & REX_R ? 8u : 0u);
}

static unsigned rm_field(const struct state *s)
{
    return (s->modrm & 7u) | (s->rex & REX_B ? 8u : 0u);
}

/* ---- memory operands ------------------------------------------------------------------------ */

static void default_segment(const struct state *s, struct insn_memory *m, enum insn_segment segment)
{
    m->segment = s->segment_prefix != INSN_NO_REGISTER ? s->segment_prefix : (uint8_t)segment;
}

/* SDM vol. 2 table 2-1. */
static void take_memory_16(struct state *s, struct insn_memory *m)
{
    enum { BX = 3, BP = 5, SI = 6, DI = 7, NO = INSN_NO_REGISTER };
    static const uint8_t base[8] = {BX, BX, BP, BP, SI, DI, BP, BX};
    static const uint8_t index[8] = {SI, DI, SI, DI, NO, NO, NO, NO};
    unsigned mod = s->modrm >> 6, rm = s->modrm & 7;

    m->base = base[rm];
    m->index = index[rm];
    default_segment(s, m, m->base == BP ? INSN_SS : INSN_DS);
    if (mod == 0 && rm == 6) {
        m->base = INSN_NO_REGISTER;
        default_segment(s, m, INSN_DS);
        m->disp = next_signed(s, 2);
    } else if (mod) {
        m->disp = next_signed(s, mod);
        m->scaled_disp8 = s->evex && mod == 1;
    }
}

/* SDM vol. 2 tables 2-2 and 2-3. */
static void take_memory_32(struct state *s, struct insn_memory *m)
{
    enum { SP = 4, BP = 5 };
    unsigned mod = s->modrm >> 6, rm = s->modrm & 7;
    bool no_base = mod == 0 && rm == BP;

    if (rm == SP) {
        uint8_t sib = next(s);
        unsigned index = (sib >> 3 & 7u) | (s->rex & REX_X ? 8u : 0u);
        rm = sib & 7;
        no_base = mod == 0 && rm == BP;
        m->scale = (uint8_t)(1u << (sib >> 6));
        m->index = index == SP ? INSN_NO_REGISTER : (uint8_t)index;
    } else if (no_base && s->mode == DECODE_64) {
        m->rip_relative = true;
    }
    if (!no_base)
        m->base = (uint8_t)(rm | (s->rex & REX_B ? 8u : 0u));
    default_segment(s, m, !no_base && (m->base == SP || m->base == BP) ? INSN_SS : INSN_DS);
    if (mod == 1) {
        m->disp = next_signed(s, 1);
        m->scaled_disp8 = s->evex;
    } else if (mod == 2 || no_base) {
        m->disp = next_signed(s, 4);
    }
}

static void take_memory(struct state *s, struct insn *insn)
{
    struct insn_memory *m = &insn->memory;
    if (m->present)
        return;
    m->present = true;
    if (insn->address_size == 2)
        take_memory_16(s, m);
    else
        take_memory_32(s, m);
}

/* ---- operands ------------------------------------------------------------------------------- */

static void set_operand(struct insn_operand *o, enum operand_kind kind, unsigned number, unsigned size)
{
    o->kind = (uint8_t)kind;
    o->number = (uint8_t)number;
    o->size = (uint8_t)size;
}

static void set_register(const struct state *s, struct insn_operand *o, unsigned number, unsigned size)
{
    /* Without any REX byte, byte registers 4 to 7 are AH, CH, DH, BH. */
    if (size == 1 && number >= 4 && !(s->rex & 0x40) && number < 8)
        set_operand(o, OPERAND_HIGH_BYTE, number - 4, 1);
    else
        set_operand(o, OPERAND_REGISTER, number, size);
}

/* r/m operand: a register of `kind` and register_size, or memory of memory_size. */
static void take_rm(struct state *s, struct insn *insn, struct insn_operand *o, enum operand_kind kind,
                    unsigned register_size, unsigned memory_size)
{
    take_modrm(s);
    if (s->memory_form) {
        take_memory(s, insn);
        set_operand(o, OPERAND_MEMORY, 0, memory_size);
    } else if (kind == OPERAND_REGISTER) {
        set_register(s, o, rm_field(s), register_size);
    } else if (kind != OPERAND_NONE) {
        set_operand(o, kind, kind == OPERAND_MMX ? s->modrm & 7u : rm_field(s), register_size);
    }
}

static void take_memory_only(struct state *s, struct insn *insn, struct insn_operand *o, unsigned size)
{
    take_modrm(s);
    if (s->memory_form)
        take_rm(s, insn, o, OPERAND_NONE, 0, size);
    else
        undefined(s);
}

static void take_immediate(struct insn *insn, struct insn_operand *o, int64_t value, unsigned size)
{
    insn->immediate = value;
    set_operand(o, OPERAND_IMMEDIATE, 0, size);
}

static void take_offset(struct state *s, struct insn *insn, struct insn_operand *o, unsigned size)
{
    struct insn_memory *m = &insn->memory;
    m->present = true;
    m->disp = (int64_t)next_bytes(s, insn->address_size);
    default_segment(s, m, INSN_DS);
    set_operand(o, OPERAND_MEMORY, 0, size);
}

static void take_string_source(struct state *s, struct insn *insn, struct insn_operand *o, unsigned size)
{
    struct insn_memory *m = &insn->memory;
    m->present = true;
    m->base = 6;
    default_segment(s, m, INSN_DS);
    set_operand(o, OPERAND_STRING_SI, 0, size);
}

static void take_operand(struct state *s, struct insn *insn, struct insn_operand *o, enum spec spec)
{
    const unsigned v = s->v, z = s->z, n = s->n, y = s->y;

    switch (spec) {
    case NONE:
        break;
    case Eb:
        take_rm(s, insn, o, OPERAND_REGISTER, 1, 1);
        break;
    case Ew:
        take_rm(s, insn, o, OPERAND_REGISTER, 2, 2);
        break;
    case Ez:
        take_rm(s, insn, o, OPERAND_REGISTER, z, z);
        break;
    case Ev:
        take_rm(s, insn, o, OPERAND_REGISTER, v, v);
        break;
    case Ey:
        take_rm(s, insn, o, OPERAND_REGISTER, y, y);
        break;
    case En:
        take_rm(s, insn, o, OPERAND_REGISTER, n, n);
        break;
    case Emw:
        take_rm(s, insn, o, OPERAND_REGISTER, v, 2);
        break;
    case E0:
        take_rm(s, insn, o, OPERAND_NONE, 0, 0);
        break;
    case Md:
        take_memory_only(s, insn, o, 4);
        break;
    case Mq:
        take_memory_only(s, insn, o, 8);
        break;
    case Mo:
        take_memory_only(s, insn, o, 16);
        break;
    case Mv:
        take_memory_only(s, insn, o, v);
        break;
    case My:
        take_memory_only(s, insn, o, y);
        break;
    case Mp:
        take_memory_only(s, insn, o, v + 2);
        break;
    case Mxx:
        take_memory_only(s, insn, o, 2 * y);
        break;
    case Ms:
        take_memory_only(s, insn, o, 2 + n);
        break;
    case M0:
        take_memory_only(s, insn, o, 0);
        break;
    case Rn:
        take_modrm(s);
        set_operand(o, OPERAND_REGISTER, rm_field(s), n);
        break;
    case Gb:
        take_modrm(s);
        set_register(s, o, reg_field(s), 1);
        break;
    case Gw:
        take_modrm(s);
        set_register(s, o, reg_field(s), 2);
        break;
    case Gv:
        take_modrm(s);
        set_register(s, o, reg_field(s), v);
        break;
    case Gy:
        take_modrm(s);
        set_register(s, o, reg_field(s), y);
        break;
    case Gn:
        take_modrm(s);
        set_register(s, o, reg_field(s), n);
        break;
    case G0:
        take_modrm(s);
        break;
    case Zb:
        set_register(s, o, (insn->opcode & 7u) | (s->rex & REX_B ? 8u : 0u), 1);
        break;
    case Zv:
        set_operand(o, OPERAND_REGISTER, (insn->opcode & 7u) | (s->rex & REX_B ? 8u : 0u), v);
        break;
    case AL:
        set_operand(o, OPERAND_REGISTER, 0, 1);
        break;
    case CL:
        set_operand(o, OPERAND_REGISTER, 1, 1);
        break;
    case DX:
        set_operand(o, OPERAND_REGISTER, 2, 2);
        break;
    case rAX:
        set_operand(o, OPERAND_REGISTER, 0, v);
        break;
    case eAX:
        set_operand(o, OPERAND_REGISTER, 0, z);
        break;
    case I1:
        take_immediate(insn, o, 1, 1);
        break;
    case Ib:
        take_immediate(insn, o, (int64_t)next_bytes(s, 1), 1);
        break;
    case Is:
        take_immediate(insn, o, next_signed(s, 1), v);
        break;
    case Iw:
        take_immediate(insn, o, (int64_t)next_bytes(s, 2), 2);
        break;
    case Iz:
        take_immediate(insn, o, next_signed(s, z), v);
        break;
    case Iv:
        take_immediate(insn, o, next_signed(s, v), v);
        break;
    case Iwb:
        take_immediate(insn, o, (int64_t)next_bytes(s, 2), 2);
        insn->selector = next(s);
        break;
    case Ibb:
        take_immediate(insn, o, (int64_t)next_bytes(s, 2), 2);
        break;
    case Jb:
        insn->immediate = next_signed(s, 1);
        set_operand(o, OPERAND_RELATIVE, 0, v);
        break;
    case Jz:
        insn->immediate = next_signed(s, z);
        set_operand(o, OPERAND_RELATIVE, 0, v);
        break;
    case Ap:
        insn->immediate = (int64_t)next_bytes(s, z);
        insn->selector = (uint16_t)next_bytes(s, 2);
        set_operand(o, OPERAND_FAR, 0, v);
        break;
    case Ob:
        take_offset(s, insn, o, 1);
        break;
    case Ov:
        take_offset(s, insn, o, v);
        break;
    case Xb:
        take_string_source(s, insn, o, 1);
        break;
    case Xv:
        take_string_source(s, insn, o, v);
        break;
    case Xz:
        take_string_source(s, insn, o, z);
        break;
    case Yb:
        set_operand(o, OPERAND_STRING_DI, 0, 1);
        break;
    case Yv:
        set_operand(o, OPERAND_STRING_DI, 0, v);
        break;
    case Yz:
        set_operand(o, OPERAND_STRING_DI, 0, z);
        break;
    case Sw:
        take_modrm(s);
        set_operand(o, OPERAND_SEGMENT, s->modrm >> 3 & 7u, 2);
        if (o->number > INSN_GS || (o->number == INSN_CS && o == &insn->operand[0]))
            undefined(s);
        break;
    case So:
        set_operand(o, OPERAND_SEGMENT, insn->opcode >> 3 & 7u, v);
        break;
    case Cn:
        take_modrm(s);
        set_operand(o, OPERAND_CONTROL, reg_field(s), n);
        if (o->number == 1 || o->number > 8 || (o->number > 4 && o->number < 8))
            undefined(s);
        break;
    case Dn:
        take_modrm(s);
        set_operand(o, OPERAND_DEBUG, reg_field(s), n);
        if (o->number > 7)
            undefined(s);
        break;
    case Vo:
    case Vq:
    case Vd:
        take_modrm(s);
        set_operand(o, OPERAND_XMM, reg_field(s), spec == Vo ? 16 : spec == Vq ? 8 : 4);
        break;
    case Wo:
        take_rm(s, insn, o, OPERAND_XMM, 16, 16);
        break;
    case Wq:
        take_rm(s, insn, o, OPERAND_XMM, 8, 8);
        break;
    case Wd:
        take_rm(s, insn, o, OPERAND_XMM, 4, 4);
        break;
    case Pq:
    case Pd:
        take_modrm(s);
        set_operand(o, OPERAND_MMX, s->modrm >> 3 & 7u, spec == Pq ? 8 : 4);
        break;
    case Qq:
        take_rm(s, insn, o, OPERAND_MMX, 8, 8);
        break;
    }
}

/* ---- opcodes -------------------------------------------------------------------------------- */

static const struct decode_entry escape_vector = {VALID, INSN_OTHER, {E0, G0, NONE}};
static const struct decode_entry escape_vector_ib = {VALID, INSN_OTHER, {E0, G0, Ib}};
static const struct decode_entry escape_vector_id = {VALID, INSN_OTHER, {E0, G0, Iz}};
static const struct decode_entry no_operands = {VALID, INSN_OTHER, {NONE, NONE, NONE}};

/* Operands of VEX, EVEX and XOP instructions follow their map: only an immediate can come behind the ModRM.
 */
static const struct decode_entry *vector_entry(struct state *s, const struct insn *insn)
{
    switch (insn->map) {
    case 1:
        if (insn->opcode == 0x77 && !s->evex)
            return &no_operands; /* VZEROUPPER, VZEROALL */
        if ((insn->opcode >= 0x70 && insn->opcode <= 0x73) || insn->opcode == 0xc2 ||
            (insn->opcode >= 0xc4 && insn->opcode <= 0xc6))
            return &escape_vector_ib;
        return &escape_vector;
    case 2:
    case 5:
    case 6:
    case 9:
        return &escape_vector;
    case 3:
    case 8:
        return &escape_vector_ib;
    case 10:
        return &escape_vector_id;
    default:
        undefined(s);
        return &no_operands;
    }
}

/* The bytes after C5, C4, 62 or 8F. Legacy prefixes that a vector prefix replaces are undefined before it. */
static const struct decode_entry *take_vector_prefix(struct state *s, struct insn *insn, uint8_t first)
{
    if (s->operand_prefix || insn->rep || insn->lock || s->rex)
        undefined(s);
    uint8_t p0 = next(s);
    if (first == 0xc5) {
        s->rex = (uint8_t)(~p0 >> 5 & REX_R);
        insn->map = 1;
    } else {
        insn->map = p0 & (first == 0x62 ? 7 : 0x1f);
        s->rex = (uint8_t)(~p0 >> 5 & 7);
        uint8_t p1 = next(s);
        if (p1 & 0x80)
            s->rex |= REX_W;
        if (first == 0x62) {
            s->evex = true;
            next(s);
            /* Bit 3 of P0 and bit 2 of P1 are fixed (SDM vol. 2 table 2-30). */
            if (p0 & 8 || !(p1 & 4))
                undefined(s);
        } else if (first == 0xc4 && (insn->map < 1 || insn->map > 3)) {
            undefined(s);
        } else if (first == 0x8f && insn->map > 10) {
            undefined(s);
        }
    }
    if (s->mode != DECODE_64)
        s->rex = 0; /* registers 8 to 15 do not exist there */
    insn->opcode = next(s);
    return vector_entry(s, insn);
}

/* C4, C5, 62 and 8F are vector prefixes where the older instruction could not have that byte behind it. */
static bool is_vector_prefix(struct state *s, uint8_t byte)
{
    const uint8_t following = peek(s);
    if (s->result != DECODE_OK)
        return false;
    if (byte == 0x8f)
        return (following & 0x1f) >= 8;
    return s->mode == DECODE_64 || following >= 0xc0;
}

static const struct decode_entry *two_byte_entry(struct state *s, struct insn *insn)
{
    insn->map = 1;
    insn->opcode = next(s);
    if (insn->opcode == 0x38) {
        insn->map = 2;
        insn->opcode = next(s);
        return &decode_0f38[insn->opcode];
    }
    if (insn->opcode == 0x3a) {
        insn->map = 3;
        insn->opcode = next(s);
        return &decode_0f3a;
    }
    return &decode_0f[insn->opcode];
}

static const struct decode_entry *opcode_entry(struct state *s, struct insn *insn, uint8_t byte)
{
    const struct decode_entry *e = &decode_one_byte[byte];
    insn->opcode = byte;
    if (!(e->flags & ESCAPE))
        return e;
    if (byte == 0x0f)
        return two_byte_entry(s, insn);
    return is_vector_prefix(s, byte) ? take_vector_prefix(s, insn, byte) : e;
}

/* Opcodes whose meaning hangs on more than ModRM reg and a mandatory prefix. */
static const struct decode_entry *special_entry(const struct state *s, const struct insn *insn,
                                                const struct decode_entry *e)
{
    static const struct decode_entry movsxd = {VALID, INSN_MOVSX, {Gv, Ez}};
    static const struct decode_entry nop = {VALID, INSN_NOP, {NONE}};
    static const struct decode_entry pause = {VALID, INSN_PAUSE, {NONE}};

    if (insn->opcode == 0x63)
        return s->mode == DECODE_64 ? &movsxd : e;
    return s->rex & REX_B ? e : insn->rep == 0xf3 ? &pause : &nop;
}

static const struct decode_entry *group_entry(struct state *s, const struct decode_entry *e)
{
    static const struct decode_entry xabort = {VALID, INSN_OTHER, {G0, Ib}};
    static const struct decode_entry xbegin = {VALID | FORCE64, INSN_OTHER, {G0, Jz}};

    take_modrm(s);
    if (s->modrm == 0xf8 && e->op == GRP_11_Eb)
        return &xabort;
    if (s->modrm == 0xf8 && e->op == GRP_11_Ev)
        return &xbegin;
    return &decode_groups[e->op][s->modrm >> 3 & 7];
}

static const struct decode_entry *split_entry(struct state *s, const struct decode_entry *e)
{
    take_modrm(s);
    unsigned reg = s->modrm >> 3 & 7;
    if (e->op == SPLIT_GRP_9)
        return &decode_groups[s->memory_form ? GRP_9_MEMORY : GRP_9_REGISTER][reg];
    return s->memory_form ? &decode_groups[GRP_7_MEMORY][reg] : &decode_0f01_register[s->modrm & 0x3f];
}

static const struct decode_entry *resolve(struct state *s, struct insn *insn, const struct decode_entry *e)
{
    if (e->flags & NOT64 && s->mode == DECODE_64)
        undefined(s);
    if (e->flags & SPECIAL)
        e = special_entry(s, insn, e);
    if (e->flags & SPLIT)
        e = split_entry(s, e);
    if (e->flags & GROUP)
        e = group_entry(s, e);
    if (e->flags & PREFIXED)
        e = &decode_prefixed[e->op][mandatory_prefix(s, insn)];
    if (!(e->flags & VALID) || (e->flags & NOT64 && s->mode == DECODE_64) ||
        (e->flags & ONLY64 && s->mode != DECODE_64))
        undefined(s);
    return e;
}

/* @pre the entry is known: it may change the operand size */
static void set_sizes(struct state *s, struct insn *insn, const struct decode_entry *e)
{
    static const uint8_t address[2][3] = {{2, 4, 8}, {4, 2, 4}};
    const bool long_mode = s->mode == DECODE_64;
    unsigned v = (s->mode == DECODE_16) == s->operand_prefix ? 4 : 2;
    if (s->rex & REX_W || (long_mode && e->flags & (FORCE64 | DEFAULT64) && (v == 4 || e->flags & FORCE64)))
        v = 8;
    s->v = insn->operand_size = (uint8_t)v;
    s->z = v < 4 ? 2 : 4;
    s->n = long_mode ? 8 : 4;
    s->y = s->rex & REX_W ? 8 : 4;
    insn->address_size = address[s->address_prefix][s->mode];
}

enum decode_result decode(const uint8_t *bytes, unsigned available, enum decode_mode mode, struct insn *insn)
{
    /* What makes an entry need more than its three operands. */
    const unsigned indirect = SPECIAL | SPLIT | GROUP | PREFIXED | NOT64 | ONLY64;
    struct state s = {
        .bytes = bytes,
        .available = available < INSN_MAX_BYTES ? available : INSN_MAX_BYTES,
        .mode = mode,
        .result = DECODE_OK,
        .segment_prefix = INSN_NO_REGISTER,
    };
    *insn = (struct insn){
        .memory = {.base = INSN_NO_REGISTER, .index = INSN_NO_REGISTER, .scale = 1},
    };

    const uint8_t byte = take_prefixes(&s, insn);
    const struct decode_entry *e = opcode_entry(&s, insn, byte);
    if ((e->flags & (indirect | VALID)) != VALID)
        e = resolve(&s, insn, e);
    set_sizes(&s, insn, e);
    insn->op = e->op;
    insn->condition = insn->opcode & 15;
    for (unsigned i = 0; i < 3 && e->operand[i] != NONE; i++)
        take_operand(&s, insn, &insn->operand[i], (enum spec)e->operand[i]);
    if (insn->lock && !(e->flags & LOCKABLE && insn->operand[0].kind == OPERAND_MEMORY))
        undefined(&s);
    insn->length = (uint8_t)s.at;
    return s.result;
}

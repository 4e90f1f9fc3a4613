/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder's tables: one entry an opcode, in the notation of the manuals' opcode maps (SDM vol. 2 appendix
 * A). */
#ifndef DECODE_TABLE_H
#define DECODE_TABLE_H

#include <stdint.h>

#include "decode.h"

/*
 * Operand kinds. First letter: E ModRM register or memory, M ModRM memory only, R ModRM register only (mod
 * ignored), G ModRM reg field, Z opcode's low bits, I immediate, J relative, O offset without ModRM, X/Y
 * string source and destination, S/C/D segment, control, debug register, V/W and P/Q vector registers.
 * Second: b, w, d, q, o (16) bytes; v operand size; z operand size but at most 4; y 4, or 8 in 64-bit code
 * with REX.W; n the mode's native size (4, or 8 in 64-bit code).
 */
enum spec {
    NONE,
    Eb,
    Ew,
    Ez,
    Ev,
    Ey,
    En,
    Emw, /* operand size as register, 2 bytes as memory (MOV to and from segment registers, SMSW, SLDT, STR)
          */
    E0,  /* not told apart: memory of unknown size or a register of any kind */
    Md,
    Mq,
    Mo,
    Mv,
    My,
    Mp,  /* far pointer: selector and operand size */
    Mxx, /* CMPXCHG8B, 16B: twice the operand */
    Ms,  /* descriptor table register: 2 bytes limit and the native size */
    M0,  /* address only */
    Rn,
    Gb,
    Gw,
    Gv,
    Gy,
    Gn,
    G0,
    Zb,
    Zv,
    AL,
    CL,
    DX,
    rAX, /* AX, EAX, RAX by operand size */
    eAX, /* AX, EAX: ports have no 64-bit form */
    I1,
    Ib, /* zero-extended */
    Is, /* one byte, sign-extended */
    Iw,
    Iz,
    Iv,
    Iwb, /* ENTER: 16 bits, then 8 */
    Ibb, /* two bytes */
    Jb,
    Jz,
    Ap,
    Ob,
    Ov,
    Xb,
    Xv,
    Xz,
    Yb,
    Yv,
    Yz,
    Sw,
    So, /* opcode bits 5:3 */
    Cn,
    Dn,
    Vo,
    Vq,
    Vd,
    Wo,
    Wq,
    Wd,
    Pq,
    Pd,
    Qq,
};

enum entry_flag {
    VALID = 1 << 0,
    NOT64 = 1 << 1,     /* undefined in 64-bit code */
    ONLY64 = 1 << 2,    /* undefined elsewhere */
    DEFAULT64 = 1 << 3, /* operand size 8 in 64-bit code unless 66 makes it 2 */
    FORCE64 = 1 << 4,   /* operand size 8 in 64-bit code, 66 ignored */
    LOCKABLE = 1 << 5,  /* LOCK allowed when the first operand is memory */
    GROUP = 1 << 6,     /* `op` indexes decode_groups by ModRM reg */
    PREFIXED = 1 << 7,  /* `op` indexes decode_prefixed by 66, F3, F2 */
    SPLIT = 1 << 8,     /* `op` indexes decode_split: memory form, register form */
    SPECIAL = 1 << 9,   /* decode() knows: 63, 90 */
    ESCAPE = 1 << 10,   /* 0F, or what can be a vector prefix */
};

struct decode_entry {
    uint16_t flags;
    uint8_t op;
    uint8_t operand[3];
};

/* Indices into decode_groups, decode_prefixed and decode_split. */
enum group {
    GRP_1_EbIb,
    GRP_1_EvIz,
    GRP_1_EvIs,
    GRP_1A,
    GRP_2_EbIb,
    GRP_2_EvIb,
    GRP_2_Eb1,
    GRP_2_Ev1,
    GRP_2_EbCL,
    GRP_2_EvCL,
    GRP_3_Eb,
    GRP_3_Ev,
    GRP_4,
    GRP_5,
    GRP_6,
    GRP_7_MEMORY,
    GRP_8,
    GRP_9_MEMORY,
    GRP_9_REGISTER,
    GRP_11_Eb,
    GRP_11_Ev,
    GRP_15,
    GRP_VECTOR_SHIFT,
    GROUPS
};

enum prefixed {
    PFX_0F10,
    PFX_0F11,
    PFX_0F12,
    PFX_0F13,
    PFX_0F16,
    PFX_0F17,
    PFX_0F28,
    PFX_0F29,
    PFX_0F2B,
    PFX_0F6E,
    PFX_0F6F,
    PFX_0F78,
    PFX_0F79,
    PFX_0F7E,
    PFX_0F7F,
    PFX_0FB8,
    PFX_0FBC,
    PFX_0FBD,
    PFX_0FC3,
    PFX_0FD6,
    PFX_0FE7,
    PFX_VMPTR,
    PFX_LKGS,
    PFX_0F3880,
    PFX_0F3881,
    PFX_0F3882,
    PFX_0F38F0,
    PFX_0F38F1,
    PREFIXED_ENTRIES
};

enum split { SPLIT_GRP_7, SPLIT_GRP_9, SPLITS };

extern const struct decode_entry decode_one_byte[256];
extern const struct decode_entry decode_0f[256];
extern const struct decode_entry decode_0f38[256];
extern const struct decode_entry decode_0f3a;
extern const struct decode_entry decode_groups[GROUPS][8];
/* By mandatory prefix: none, 66, F3, F2. An entry without VALID falls back to the one before it that CPUs
 * take. */
extern const struct decode_entry decode_prefixed[PREFIXED_ENTRIES][4];
/* 0F 01 with a register form: by the whole ModRM byte from C0. */
extern const struct decode_entry decode_0f01_register[64];

#endif

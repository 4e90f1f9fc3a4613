/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode_table.h"

/* The tables read best as the manuals print them. */
/* clang-format off */

#define OP(name, ...) {VALID, INSN_##name, {__VA_ARGS__}}
#define OPF(flags, name, ...) {VALID | (flags), INSN_##name, {__VA_ARGS__}}
#define IN_GROUP(name) {VALID | GROUP, GRP_##name, {NONE}}
#define BY_PREFIX(name) {VALID | PREFIXED, PFX_##name, {NONE}}
#define UNDEFINED {0, INSN_OTHER, {NONE}}

/* The six forms of an arithmetic operation from opcode `base` on. */
#define ALU(base, name, lock) \
    [(base) + 0] = OPF(lock, name, Eb, Gb), [(base) + 1] = OPF(lock, name, Ev, Gv), \
    [(base) + 2] = OP(name, Gb, Eb), [(base) + 3] = OP(name, Gv, Ev), \
    [(base) + 4] = OP(name, AL, Ib), [(base) + 5] = OP(name, rAX, Iz)

/* The eight arithmetic operations of group 1. */
#define GROUP_1(e, i) \
    {OPF(LOCKABLE, ADD, e, i), OPF(LOCKABLE, OR, e, i), OPF(LOCKABLE, ADC, e, i), OPF(LOCKABLE, SBB, e, i), \
     OPF(LOCKABLE, AND, e, i), OPF(LOCKABLE, SUB, e, i), OPF(LOCKABLE, XOR, e, i), OP(CMP, e, i)}

/* Shifts and rotates; /6 is an undocumented second SHL on every CPU. */
#define GROUP_2(e, by) \
    {OP(ROL, e, by), OP(ROR, e, by), OP(RCL, e, by), OP(RCR, e, by), \
     OP(SHL, e, by), OP(SHR, e, by), OP(SHL, e, by), OP(SAR, e, by)}

#define GROUP_3(e, i) \
    {OP(TEST, e, i), OP(TEST, e, i), OPF(LOCKABLE, NOT, e), OPF(LOCKABLE, NEG, e), \
     OP(MUL, e), OP(IMUL, e), OP(DIV, e), OP(IDIV, e)}

/* A vector instruction whose operands nobody needs, without and with an 8-bit immediate. */
#define VECTOR    OP(OTHER, E0, G0)
#define VECTOR_Ib OP(OTHER, E0, G0, Ib)

const struct decode_entry decode_one_byte[256] = {
    ALU(0x00, ADD, LOCKABLE),
    [0x06] = OPF(NOT64, PUSH, So),
    [0x07] = OPF(NOT64, POP, So),
    ALU(0x08, OR, LOCKABLE),
    [0x0e] = OPF(NOT64, PUSH, So),
    [0x0f] = OPF(ESCAPE, OTHER, NONE),
    ALU(0x10, ADC, LOCKABLE),
    [0x16] = OPF(NOT64, PUSH, So),
    [0x17] = OPF(NOT64, POP, So),
    ALU(0x18, SBB, LOCKABLE),
    [0x1e] = OPF(NOT64, PUSH, So),
    [0x1f] = OPF(NOT64, POP, So),
    ALU(0x20, AND, LOCKABLE),
    [0x27] = OPF(NOT64, OTHER, NONE), /* DAA */
    ALU(0x28, SUB, LOCKABLE),
    [0x2f] = OPF(NOT64, OTHER, NONE), /* DAS */
    ALU(0x30, XOR, LOCKABLE),
    [0x37] = OPF(NOT64, OTHER, NONE), /* AAA */
    ALU(0x38, CMP, 0),
    [0x3f] = OPF(NOT64, OTHER, NONE), /* AAS */
    [0x40 ... 0x47] = OPF(NOT64, INC, Zv),
    [0x48 ... 0x4f] = OPF(NOT64, DEC, Zv),
    [0x50 ... 0x57] = OPF(DEFAULT64, PUSH, Zv),
    [0x58 ... 0x5f] = OPF(DEFAULT64, POP, Zv),
    [0x60] = OPF(NOT64, PUSHA, NONE),
    [0x61] = OPF(NOT64, POPA, NONE),
    [0x62] = OPF(NOT64 | ESCAPE, OTHER, M0, G0), /* BOUND */
    [0x63] = OPF(SPECIAL, OTHER, Ew, Gw),        /* ARPL; MOVSXD in 64-bit code */
    [0x68] = OPF(DEFAULT64, PUSH, Iz),
    [0x69] = OP(IMUL, Gv, Ev, Iz),
    [0x6a] = OPF(DEFAULT64, PUSH, Is),
    [0x6b] = OP(IMUL, Gv, Ev, Is),
    [0x6c] = OP(INS, Yb, DX),
    [0x6d] = OP(INS, Yz, DX),
    [0x6e] = OP(OUTS, DX, Xb),
    [0x6f] = OP(OUTS, DX, Xz),
    [0x70 ... 0x7f] = OPF(FORCE64, JCC, Jb),
    [0x80] = IN_GROUP(1_EbIb),
    [0x81] = IN_GROUP(1_EvIz),
    [0x82] = {VALID | GROUP | NOT64, GRP_1_EbIb, {NONE}},
    [0x83] = IN_GROUP(1_EvIs),
    [0x84] = OP(TEST, Eb, Gb),
    [0x85] = OP(TEST, Ev, Gv),
    [0x86] = OPF(LOCKABLE, XCHG, Eb, Gb),
    [0x87] = OPF(LOCKABLE, XCHG, Ev, Gv),
    [0x88] = OP(MOV, Eb, Gb),
    [0x89] = OP(MOV, Ev, Gv),
    [0x8a] = OP(MOV, Gb, Eb),
    [0x8b] = OP(MOV, Gv, Ev),
    [0x8c] = OP(MOV, Emw, Sw),
    [0x8d] = OP(LEA, Gv, M0),
    [0x8e] = OP(MOV, Sw, Emw),
    [0x8f] = {VALID | GROUP | ESCAPE, GRP_1A, {NONE}},
    [0x90] = OPF(SPECIAL, XCHG, Zv, rAX),
    [0x91 ... 0x97] = OP(XCHG, Zv, rAX),
    [0x98] = OP(CBW, NONE),
    [0x99] = OP(CWD, NONE),
    [0x9a] = OPF(NOT64, CALL_FAR, Ap),
    [0x9b] = OP(WAIT, NONE),
    [0x9c] = OPF(DEFAULT64, PUSHF, NONE),
    [0x9d] = OPF(DEFAULT64, POPF, NONE),
    [0x9e] = OP(SAHF, NONE),
    [0x9f] = OP(LAHF, NONE),
    [0xa0] = OP(MOV, AL, Ob),
    [0xa1] = OP(MOV, rAX, Ov),
    [0xa2] = OP(MOV, Ob, AL),
    [0xa3] = OP(MOV, Ov, rAX),
    [0xa4] = OP(MOVS, Yb, Xb),
    [0xa5] = OP(MOVS, Yv, Xv),
    [0xa6] = OP(CMPS, Xb, Yb),
    [0xa7] = OP(CMPS, Xv, Yv),
    [0xa8] = OP(TEST, AL, Ib),
    [0xa9] = OP(TEST, rAX, Iz),
    [0xaa] = OP(STOS, Yb, AL),
    [0xab] = OP(STOS, Yv, rAX),
    [0xac] = OP(LODS, AL, Xb),
    [0xad] = OP(LODS, rAX, Xv),
    [0xae] = OP(SCAS, AL, Yb),
    [0xaf] = OP(SCAS, rAX, Yv),
    [0xb0 ... 0xb7] = OP(MOV, Zb, Ib),
    [0xb8 ... 0xbf] = OP(MOV, Zv, Iv),
    [0xc0] = IN_GROUP(2_EbIb),
    [0xc1] = IN_GROUP(2_EvIb),
    [0xc2] = OPF(FORCE64, RET, Iw),
    [0xc3] = OPF(FORCE64, RET, NONE),
    [0xc4] = OPF(NOT64 | ESCAPE, OTHER, M0, G0), /* LES */
    [0xc5] = OPF(NOT64 | ESCAPE, OTHER, M0, G0), /* LDS */
    [0xc6] = IN_GROUP(11_Eb),
    [0xc7] = IN_GROUP(11_Ev),
    [0xc8] = OPF(DEFAULT64, ENTER, Iwb),
    [0xc9] = OPF(DEFAULT64, LEAVE, NONE),
    [0xca] = OP(RET_FAR, Iw),
    [0xcb] = OP(RET_FAR, NONE),
    [0xcc] = OP(INT3, NONE),
    [0xcd] = OP(INT, Ib),
    [0xce] = OPF(NOT64, INTO, NONE),
    [0xcf] = OP(IRET, NONE),
    [0xd0] = IN_GROUP(2_Eb1),
    [0xd1] = IN_GROUP(2_Ev1),
    [0xd2] = IN_GROUP(2_EbCL),
    [0xd3] = IN_GROUP(2_EvCL),
    [0xd4] = OPF(NOT64, OTHER, Ib),   /* AAM */
    [0xd5] = OPF(NOT64, OTHER, Ib),   /* AAD */
    [0xd6] = OPF(NOT64, OTHER, NONE), /* SALC */
    [0xd7] = OP(XLAT, NONE),
    [0xd8 ... 0xdf] = OP(OTHER, E0), /* x87 */
    [0xe0] = OPF(FORCE64, LOOPNE, Jb),
    [0xe1] = OPF(FORCE64, LOOPE, Jb),
    [0xe2] = OPF(FORCE64, LOOP, Jb),
    [0xe3] = OPF(FORCE64, JCXZ, Jb),
    [0xe4] = OP(IN, AL, Ib),
    [0xe5] = OP(IN, eAX, Ib),
    [0xe6] = OP(OUT, Ib, AL),
    [0xe7] = OP(OUT, Ib, eAX),
    [0xe8] = OPF(FORCE64, CALL, Jz),
    [0xe9] = OPF(FORCE64, JMP, Jz),
    [0xea] = OPF(NOT64, JMP_FAR, Ap),
    [0xeb] = OPF(FORCE64, JMP, Jb),
    [0xec] = OP(IN, AL, DX),
    [0xed] = OP(IN, eAX, DX),
    [0xee] = OP(OUT, DX, AL),
    [0xef] = OP(OUT, DX, eAX),
    [0xf1] = OP(INT1, NONE),
    [0xf4] = OP(HLT, NONE),
    [0xf5] = OP(CMC, NONE),
    [0xf6] = IN_GROUP(3_Eb),
    [0xf7] = IN_GROUP(3_Ev),
    [0xf8] = OP(CLC, NONE),
    [0xf9] = OP(STC, NONE),
    [0xfa] = OP(CLI, NONE),
    [0xfb] = OP(STI, NONE),
    [0xfc] = OP(CLD, NONE),
    [0xfd] = OP(STD, NONE),
    [0xfe] = IN_GROUP(4),
    [0xff] = IN_GROUP(5),
};

const struct decode_entry decode_0f[256] = {
    [0x00] = IN_GROUP(6),
    [0x01] = {VALID | SPLIT, SPLIT_GRP_7, {NONE}},
    [0x02] = OP(OTHER, G0, E0), /* LAR */
    [0x03] = OP(OTHER, G0, E0), /* LSL */
    [0x05] = OP(SYSCALL, NONE),
    [0x06] = OP(CLTS, NONE),
    [0x07] = OP(SYSRET, NONE),
    [0x08] = OP(INVD, NONE),
    [0x09] = OP(WBINVD, NONE),
    [0x0b] = OP(UD, NONE),
    [0x0d] = OP(NOP, E0), /* prefetches: hints that touch nothing an exit could see */
    [0x0e] = OP(OTHER, NONE),
    [0x0f] = VECTOR_Ib, /* 3DNow!: the immediate is the opcode */
    [0x10] = BY_PREFIX(0F10),
    [0x11] = BY_PREFIX(0F11),
    [0x12] = BY_PREFIX(0F12),
    [0x13] = BY_PREFIX(0F13),
    [0x14] = VECTOR,
    [0x15] = VECTOR,
    [0x16] = BY_PREFIX(0F16),
    [0x17] = BY_PREFIX(0F17),
    [0x18 ... 0x1f] = OP(NOP, E0),
    [0x20] = OP(MOV, Rn, Cn),
    [0x21] = OP(MOV, Rn, Dn),
    [0x22] = OP(MOV, Cn, Rn),
    [0x23] = OP(MOV, Dn, Rn),
    [0x28] = BY_PREFIX(0F28),
    [0x29] = BY_PREFIX(0F29),
    [0x2a] = VECTOR,
    [0x2b] = BY_PREFIX(0F2B),
    [0x2c] = VECTOR,
    [0x2d] = VECTOR,
    [0x2e] = VECTOR,
    [0x2f] = VECTOR,
    [0x30] = OP(WRMSR, NONE),
    [0x31] = OP(RDTSC, NONE),
    [0x32] = OP(RDMSR, NONE),
    [0x33] = OP(RDPMC, NONE),
    [0x34] = OP(SYSENTER, NONE),
    [0x35] = OP(SYSEXIT, NONE),
    [0x37] = OP(OTHER, NONE), /* GETSEC */
    [0x40 ... 0x4f] = OP(CMOV, Gv, Ev),
    [0x50 ... 0x6d] = VECTOR,
    [0x6e] = BY_PREFIX(0F6E),
    [0x6f] = BY_PREFIX(0F6F),
    [0x70] = VECTOR_Ib,
    [0x71] = IN_GROUP(VECTOR_SHIFT),
    [0x72] = IN_GROUP(VECTOR_SHIFT),
    [0x73] = IN_GROUP(VECTOR_SHIFT),
    [0x74] = VECTOR,
    [0x75] = VECTOR,
    [0x76] = VECTOR,
    [0x77] = OP(OTHER, NONE), /* EMMS */
    [0x78] = BY_PREFIX(0F78),
    [0x79] = BY_PREFIX(0F79),
    [0x7c] = VECTOR,
    [0x7d] = VECTOR,
    [0x7e] = BY_PREFIX(0F7E),
    [0x7f] = BY_PREFIX(0F7F),
    [0x80 ... 0x8f] = OPF(FORCE64, JCC, Jz),
    [0x90 ... 0x9f] = OP(SET, Eb),
    [0xa0] = OPF(DEFAULT64, PUSH, So),
    [0xa1] = OPF(DEFAULT64, POP, So),
    [0xa2] = OP(CPUID, NONE),
    [0xa3] = OP(BT, Ev, Gv),
    [0xa4] = OP(SHLD, Ev, Gv, Ib),
    [0xa5] = OP(SHLD, Ev, Gv, CL),
    [0xa8] = OPF(DEFAULT64, PUSH, So),
    [0xa9] = OPF(DEFAULT64, POP, So),
    [0xaa] = OP(RSM, NONE),
    [0xab] = OPF(LOCKABLE, BTS, Ev, Gv),
    [0xac] = OP(SHRD, Ev, Gv, Ib),
    [0xad] = OP(SHRD, Ev, Gv, CL),
    [0xae] = IN_GROUP(15),
    [0xaf] = OP(IMUL, Gv, Ev),
    [0xb0] = OPF(LOCKABLE, CMPXCHG, Eb, Gb),
    [0xb1] = OPF(LOCKABLE, CMPXCHG, Ev, Gv),
    [0xb2] = OP(OTHER, G0, M0), /* LSS */
    [0xb3] = OPF(LOCKABLE, BTR, Ev, Gv),
    [0xb4] = OP(OTHER, G0, M0), /* LFS */
    [0xb5] = OP(OTHER, G0, M0), /* LGS */
    [0xb6] = OP(MOVZX, Gv, Eb),
    [0xb7] = OP(MOVZX, Gv, Ew),
    [0xb8] = BY_PREFIX(0FB8),
    [0xb9] = OP(UD, E0),
    [0xba] = IN_GROUP(8),
    [0xbb] = OPF(LOCKABLE, BTC, Ev, Gv),
    [0xbc] = BY_PREFIX(0FBC),
    [0xbd] = BY_PREFIX(0FBD),
    [0xbe] = OP(MOVSX, Gv, Eb),
    [0xbf] = OP(MOVSX, Gv, Ew),
    [0xc0] = OPF(LOCKABLE, XADD, Eb, Gb),
    [0xc1] = OPF(LOCKABLE, XADD, Ev, Gv),
    [0xc2] = VECTOR_Ib,
    [0xc3] = BY_PREFIX(0FC3),
    [0xc4] = VECTOR_Ib,
    [0xc5] = VECTOR_Ib,
    [0xc6] = VECTOR_Ib,
    [0xc7] = {VALID | SPLIT, SPLIT_GRP_9, {NONE}},
    [0xc8 ... 0xcf] = OP(BSWAP, Zv),
    [0xd0 ... 0xd5] = VECTOR,
    [0xd6] = BY_PREFIX(0FD6),
    [0xd7 ... 0xe6] = VECTOR,
    [0xe7] = BY_PREFIX(0FE7),
    [0xe8 ... 0xfe] = VECTOR,
    [0xff] = OP(UD, E0),
};

const struct decode_entry decode_0f38[256] = {
    [0x00 ... 0x7f] = VECTOR,
    [0x80] = BY_PREFIX(0F3880),
    [0x81] = BY_PREFIX(0F3881),
    [0x82] = BY_PREFIX(0F3882),
    [0x83 ... 0xef] = VECTOR,
    [0xf0] = BY_PREFIX(0F38F0),
    [0xf1] = BY_PREFIX(0F38F1),
    [0xf2 ... 0xff] = VECTOR,
};

const struct decode_entry decode_0f3a = VECTOR_Ib;

const struct decode_entry decode_groups[GROUPS][8] = {
    [GRP_1_EbIb] = GROUP_1(Eb, Ib),
    [GRP_1_EvIz] = GROUP_1(Ev, Iz),
    [GRP_1_EvIs] = GROUP_1(Ev, Is),
    [GRP_1A] = {OPF(DEFAULT64, POP, Ev)},
    [GRP_2_EbIb] = GROUP_2(Eb, Ib),
    [GRP_2_EvIb] = GROUP_2(Ev, Ib),
    [GRP_2_Eb1] = GROUP_2(Eb, I1),
    [GRP_2_Ev1] = GROUP_2(Ev, I1),
    [GRP_2_EbCL] = GROUP_2(Eb, CL),
    [GRP_2_EvCL] = GROUP_2(Ev, CL),
    [GRP_3_Eb] = GROUP_3(Eb, Ib),
    [GRP_3_Ev] = GROUP_3(Ev, Iz),
    [GRP_4] = {OPF(LOCKABLE, INC, Eb), OPF(LOCKABLE, DEC, Eb)},
    [GRP_5] = {OPF(LOCKABLE, INC, Ev), OPF(LOCKABLE, DEC, Ev), OPF(FORCE64, CALL, Ev), OP(CALL_FAR, Mp),
               OPF(FORCE64, JMP, Ev), OP(JMP_FAR, Mp), OPF(DEFAULT64, PUSH, Ev), UNDEFINED},
    [GRP_6] = {OP(SLDT, Emw), OP(STR, Emw), OP(LLDT, Ew), OP(LTR, Ew), OP(OTHER, Ew), OP(OTHER, Ew),
               BY_PREFIX(LKGS), UNDEFINED},
    [GRP_7_MEMORY] = {OP(SGDT, Ms), OP(SIDT, Ms), OP(LGDT, Ms), OP(LIDT, Ms), OP(SMSW, Emw), OP(OTHER, M0),
                      OP(LMSW, Ew), OP(INVLPG, M0)},
    [GRP_8] = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, OP(BT, Ev, Ib), OPF(LOCKABLE, BTS, Ev, Ib),
               OPF(LOCKABLE, BTR, Ev, Ib), OPF(LOCKABLE, BTC, Ev, Ib)},
    [GRP_9_MEMORY] = {UNDEFINED, OPF(LOCKABLE, CMPXCHG8B, Mxx), UNDEFINED, OP(OTHER, M0), OP(OTHER, M0),
                      OP(OTHER, M0), BY_PREFIX(VMPTR), OP(VMPTRST, Mq)},
    [GRP_9_REGISTER] = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, OP(OTHER, Ev),
                        OP(OTHER, Ev)},
    /* C6 F8, C7 F8 (XABORT, XBEGIN) are told apart in decode(). */
    [GRP_11_Eb] = {OP(MOV, Eb, Ib)},
    [GRP_11_Ev] = {OP(MOV, Ev, Iz)},
    [GRP_15] = {[0 ... 7] = OP(OTHER, E0)},
    [GRP_VECTOR_SHIFT] = {UNDEFINED, UNDEFINED, OP(OTHER, E0, Ib), OP(OTHER, E0, Ib), OP(OTHER, E0, Ib),
                          UNDEFINED, OP(OTHER, E0, Ib), OP(OTHER, E0, Ib)},
};

const struct decode_entry decode_prefixed[PREFIXED_ENTRIES][4] = {
    /*              none                    66                      F3                      F2 */
    [PFX_0F10] = {OP(MOV_VECTOR, Vo, Wo), OP(MOV_VECTOR, Vo, Wo), OP(MOV_VECTOR, Vd, Wd),
                  OP(MOV_VECTOR, Vq, Wq)},
    [PFX_0F11] = {OP(MOV_VECTOR, Wo, Vo), OP(MOV_VECTOR, Wo, Vo), OP(MOV_VECTOR, Wd, Vd),
                  OP(MOV_VECTOR, Wq, Vq)},
    [PFX_0F12] = {VECTOR, OP(OTHER, M0), VECTOR, VECTOR},
    [PFX_0F13] = {OP(MOV_VECTOR, Mq, Vq), OP(MOV_VECTOR, Mq, Vq), UNDEFINED, UNDEFINED},
    [PFX_0F16] = {VECTOR, OP(OTHER, M0), VECTOR, UNDEFINED},
    [PFX_0F17] = {OP(OTHER, M0), OP(OTHER, M0), UNDEFINED, UNDEFINED},
    [PFX_0F28] = {OP(MOV_VECTOR, Vo, Wo), OP(MOV_VECTOR, Vo, Wo), UNDEFINED, UNDEFINED},
    [PFX_0F29] = {OP(MOV_VECTOR, Wo, Vo), OP(MOV_VECTOR, Wo, Vo), UNDEFINED, UNDEFINED},
    [PFX_0F2B] = {OP(MOV_VECTOR, Mo, Vo), OP(MOV_VECTOR, Mo, Vo), OP(MOV_VECTOR, Md, Vd),
                  OP(MOV_VECTOR, Mq, Vq)},
    [PFX_0F6E] = {OP(MOV_VECTOR, Pd, Ey), OP(MOV_VECTOR, Vd, Ey), UNDEFINED, UNDEFINED},
    [PFX_0F6F] = {OP(MOV_VECTOR, Pq, Qq), OP(MOV_VECTOR, Vo, Wo), OP(MOV_VECTOR, Vo, Wo), UNDEFINED},
    [PFX_0F78] = {OP(VMREAD, En, Gn), OP(OTHER, E0, Ibb), UNDEFINED, OP(OTHER, E0, G0, Ibb)},
    [PFX_0F79] = {OP(VMWRITE, Gn, En), VECTOR, UNDEFINED, VECTOR},
    [PFX_0F7E] = {OP(MOV_VECTOR, Ey, Pd), OP(MOV_VECTOR, Ey, Vd), OP(MOV_VECTOR, Vq, Wq), UNDEFINED},
    [PFX_0F7F] = {OP(MOV_VECTOR, Qq, Pq), OP(MOV_VECTOR, Wo, Vo), OP(MOV_VECTOR, Wo, Vo), UNDEFINED},
    [PFX_0FB8] = {UNDEFINED, UNDEFINED, OP(POPCNT, Gv, Ev), UNDEFINED},
    [PFX_0FBC] = {OP(BSF, Gv, Ev), OP(BSF, Gv, Ev), OP(TZCNT, Gv, Ev), OP(BSF, Gv, Ev)},
    [PFX_0FBD] = {OP(BSR, Gv, Ev), OP(BSR, Gv, Ev), OP(LZCNT, Gv, Ev), OP(BSR, Gv, Ev)},
    [PFX_0FC3] = {OP(MOVNTI, My, Gy), UNDEFINED, UNDEFINED, UNDEFINED},
    [PFX_0FD6] = {UNDEFINED, OP(MOV_VECTOR, Wq, Vq), VECTOR, VECTOR},
    [PFX_0FE7] = {OP(MOV_VECTOR, Mq, Pq), OP(MOV_VECTOR, Mo, Vo), VECTOR, VECTOR},
    [PFX_VMPTR] = {OP(VMPTRLD, Mq), OP(VMCLEAR, Mq), OP(VMXON, Mq), UNDEFINED},
    [PFX_LKGS] = {UNDEFINED, UNDEFINED, UNDEFINED, OP(OTHER, Ew)},
    [PFX_0F3880] = {UNDEFINED, OP(INVEPT, Gn, Mo), UNDEFINED, UNDEFINED},
    [PFX_0F3881] = {UNDEFINED, OP(INVVPID, Gn, Mo), UNDEFINED, UNDEFINED},
    [PFX_0F3882] = {UNDEFINED, OP(INVPCID, Gn, Mo), UNDEFINED, UNDEFINED},
    [PFX_0F38F0] = {OP(MOVBE, Gv, Mv), OP(MOVBE, Gv, Mv), VECTOR, VECTOR}, /* F2: CRC32 */
    [PFX_0F38F1] = {OP(MOVBE, Mv, Gv), OP(MOVBE, Mv, Gv), VECTOR, VECTOR},
};

const struct decode_entry decode_0f01_register[64] = {
    [0x01] = OP(VMCALL, NONE),
    [0x02] = OP(VMLAUNCH, NONE),
    [0x03] = OP(VMRESUME, NONE),
    [0x04] = OP(VMXOFF, NONE),
    [0x05] = OP(OTHER, NONE), /* PCONFIG */
    [0x08] = OP(MONITOR, NONE),
    [0x09] = OP(MWAIT, NONE),
    [0x0a] = OP(CLAC, NONE),
    [0x0b] = OP(STAC, NONE),
    [0x0c ... 0x0e] = OP(OTHER, NONE), /* TDX */
    [0x0f] = OP(OTHER, NONE),          /* ENCLS */
    [0x10] = OP(XGETBV, NONE),
    [0x11] = OP(XSETBV, NONE),
    [0x14] = OP(VMFUNC, NONE),
    [0x15] = OP(OTHER, NONE), /* XEND */
    [0x16] = OP(OTHER, NONE), /* XTEST */
    [0x17] = OP(OTHER, NONE), /* ENCLU */
    [0x18] = OP(VMRUN, NONE),
    [0x19] = OP(VMMCALL, NONE),
    [0x1a] = OP(VMLOAD, NONE),
    [0x1b] = OP(VMSAVE, NONE),
    [0x1c] = OP(STGI, NONE),
    [0x1d] = OP(CLGI, NONE),
    [0x1e] = OP(SKINIT, NONE),
    [0x1f] = OP(INVLPGA, NONE),
    [0x20 ... 0x27] = OP(SMSW, Emw),
    [0x28 ... 0x2f] = OP(OTHER, NONE), /* SERIALIZE, RDPKRU, WRPKRU and what later CPUs put beside them */
    [0x30 ... 0x37] = OP(LMSW, Ew),
    [0x38] = OPF(ONLY64, SWAPGS, NONE),
    [0x39] = OP(RDTSCP, NONE),
    [0x3a] = OP(OTHER, NONE), /* MONITORX */
    [0x3b] = OP(OTHER, NONE), /* MWAITX */
    [0x3c] = OP(OTHER, NONE), /* CLZERO */
    [0x3d] = OP(OTHER, NONE), /* RDPRU */
    [0x3e] = OP(OTHER, NONE), /* INVLPGB */
    [0x3f] = OP(OTHER, NONE), /* TLBSYNC */
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction decoder: bytes at a guest's RIP to operation, operands and length.
 *
 * Emulators of SVM give neither the next RIP nor a decoded operand, and on no CPU does an exit name the
 * register of an MMIO access: the hypervisor must read the instruction itself. Every instruction of 16-, 32-
 * and 64-bit code up to AVX-512 gets its length and its memory operand; those that an exit can need get their
 * operands, too.
 *
 * Where Intel and AMD differ (operand-size prefix on a near branch in 64-bit code), Intel's reading is taken.
 */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>

#define INSN_MAX_BYTES 15

enum decode_mode { DECODE_16, DECODE_32, DECODE_64 };

enum decode_result {
    DECODE_OK,
    DECODE_SHORT,     /* more bytes are needed than were given */
    DECODE_TOO_LONG,  /* longer than 15 bytes: the CPU raises #GP(0) */
    DECODE_UNDEFINED, /* no such instruction: the CPU raises #UD */
};

/* Operations, X(name, mnemonic). INSN_OTHER: an instruction of which length and memory operand are known
 * only. */
#define INSN_OPS(X)                                                                                          \
    X(OTHER, "other")                                                                                        \
    X(ADD, "add")                                                                                            \
    X(OR, "or")                                                                                              \
    X(ADC, "adc")                                                                                            \
    X(SBB, "sbb")                                                                                            \
    X(AND, "and")                                                                                            \
    X(SUB, "sub")                                                                                            \
    X(XOR, "xor")                                                                                            \
    X(CMP, "cmp")                                                                                            \
    X(TEST, "test")                                                                                          \
    X(NOT, "not")                                                                                            \
    X(NEG, "neg")                                                                                            \
    X(INC, "inc")                                                                                            \
    X(DEC, "dec")                                                                                            \
    X(MUL, "mul")                                                                                            \
    X(IMUL, "imul") /* one operand: rDX:rAX; two or three: the first is the destination */                   \
    X(DIV, "div")                                                                                            \
    X(IDIV, "idiv")                                                                                          \
    X(ROL, "rol")                                                                                            \
    X(ROR, "ror")                                                                                            \
    X(RCL, "rcl")                                                                                            \
    X(RCR, "rcr")                                                                                            \
    X(SHL, "shl")                                                                                            \
    X(SHR, "shr")                                                                                            \
    X(SAR, "sar")                                                                                            \
    X(SHLD, "shld")                                                                                          \
    X(SHRD, "shrd")                                                                                          \
    X(BT, "bt")                                                                                              \
    X(BTS, "bts")                                                                                            \
    X(BTR, "btr")                                                                                            \
    X(BTC, "btc")                                                                                            \
    X(BSF, "bsf")                                                                                            \
    X(BSR, "bsr")                                                                                            \
    X(TZCNT, "tzcnt")                                                                                        \
    X(LZCNT, "lzcnt")                                                                                        \
    X(POPCNT, "popcnt")                                                                                      \
    X(BSWAP, "bswap")                                                                                        \
    X(MOV, "mov")                                                                                            \
    X(MOVZX, "movzx")                                                                                        \
    X(MOVSX, "movsx") /* MOVSXD, too */                                                                      \
    X(MOVBE, "movbe")                                                                                        \
    X(MOVNTI, "movnti")                                                                                      \
    X(MOV_VECTOR, "movv") /* a whole XMM or MMX register, or its low part, to or from memory */              \
    X(XCHG, "xchg")                                                                                          \
    X(XADD, "xadd")                                                                                          \
    X(CMPXCHG, "cmpxchg")                                                                                    \
    X(CMPXCHG8B, "cmpxchg8b") /* CMPXCHG16B with an operand size of 8 */                                     \
    X(CMOV, "cmov")                                                                                          \
    X(SET, "set")                                                                                            \
    X(LEA, "lea")                                                                                            \
    X(CBW, "cbw") /* sign extension within rAX */                                                            \
    X(CWD, "cwd") /* sign extension of rAX into rDX */                                                       \
    X(PUSH, "push")                                                                                          \
    X(POP, "pop")                                                                                            \
    X(PUSHA, "pusha")                                                                                        \
    X(POPA, "popa")                                                                                          \
    X(PUSHF, "pushf")                                                                                        \
    X(POPF, "popf")                                                                                          \
    X(ENTER, "enter")                                                                                        \
    X(LEAVE, "leave")                                                                                        \
    X(MOVS, "movs")                                                                                          \
    X(CMPS, "cmps")                                                                                          \
    X(STOS, "stos")                                                                                          \
    X(LODS, "lods")                                                                                          \
    X(SCAS, "scas")                                                                                          \
    X(INS, "ins")                                                                                            \
    X(OUTS, "outs")                                                                                          \
    X(IN, "in")                                                                                              \
    X(OUT, "out")                                                                                            \
    X(JCC, "j")                                                                                              \
    X(JMP, "jmp")                                                                                            \
    X(CALL, "call")                                                                                          \
    X(RET, "ret")                                                                                            \
    X(JMP_FAR, "jmpf")                                                                                       \
    X(CALL_FAR, "callf")                                                                                     \
    X(RET_FAR, "retf")                                                                                       \
    X(IRET, "iret")                                                                                          \
    X(LOOP, "loop")                                                                                          \
    X(LOOPE, "loope")                                                                                        \
    X(LOOPNE, "loopne")                                                                                      \
    X(JCXZ, "jcxz")                                                                                          \
    X(INT, "int")                                                                                            \
    X(INT3, "int3")                                                                                          \
    X(INT1, "int1")                                                                                          \
    X(INTO, "into")                                                                                          \
    X(UD, "ud")                                                                                              \
    X(SYSCALL, "syscall")                                                                                    \
    X(SYSRET, "sysret")                                                                                      \
    X(SYSENTER, "sysenter")                                                                                  \
    X(SYSEXIT, "sysexit")                                                                                    \
    X(CLC, "clc")                                                                                            \
    X(STC, "stc")                                                                                            \
    X(CMC, "cmc")                                                                                            \
    X(CLI, "cli")                                                                                            \
    X(STI, "sti")                                                                                            \
    X(CLD, "cld")                                                                                            \
    X(STD, "std")                                                                                            \
    X(LAHF, "lahf")                                                                                          \
    X(SAHF, "sahf")                                                                                          \
    X(XLAT, "xlat")                                                                                          \
    X(NOP, "nop")                                                                                            \
    X(PAUSE, "pause")                                                                                        \
    X(HLT, "hlt")                                                                                            \
    X(WAIT, "fwait")                                                                                         \
    X(CPUID, "cpuid")                                                                                        \
    X(RDTSC, "rdtsc")                                                                                        \
    X(RDTSCP, "rdtscp")                                                                                      \
    X(RDPMC, "rdpmc")                                                                                        \
    X(RDMSR, "rdmsr")                                                                                        \
    X(WRMSR, "wrmsr")                                                                                        \
    X(XGETBV, "xgetbv")                                                                                      \
    X(XSETBV, "xsetbv")                                                                                      \
    X(MONITOR, "monitor")                                                                                    \
    X(MWAIT, "mwait")                                                                                        \
    X(INVD, "invd")                                                                                          \
    X(WBINVD, "wbinvd")                                                                                      \
    X(INVLPG, "invlpg")                                                                                      \
    X(INVPCID, "invpcid")                                                                                    \
    X(CLTS, "clts")                                                                                          \
    X(LMSW, "lmsw")                                                                                          \
    X(SMSW, "smsw")                                                                                          \
    X(SGDT, "sgdt")                                                                                          \
    X(SIDT, "sidt")                                                                                          \
    X(LGDT, "lgdt")                                                                                          \
    X(LIDT, "lidt")                                                                                          \
    X(SLDT, "sldt")                                                                                          \
    X(STR, "str")                                                                                            \
    X(LLDT, "lldt")                                                                                          \
    X(LTR, "ltr")                                                                                            \
    X(SWAPGS, "swapgs")                                                                                      \
    X(CLAC, "clac")                                                                                          \
    X(STAC, "stac")                                                                                          \
    X(RSM, "rsm")                                                                                            \
    X(VMCALL, "vmcall")                                                                                      \
    X(VMLAUNCH, "vmlaunch")                                                                                  \
    X(VMRESUME, "vmresume")                                                                                  \
    X(VMXOFF, "vmxoff")                                                                                      \
    X(VMXON, "vmxon")                                                                                        \
    X(VMCLEAR, "vmclear")                                                                                    \
    X(VMPTRLD, "vmptrld")                                                                                    \
    X(VMPTRST, "vmptrst")                                                                                    \
    X(VMREAD, "vmread")                                                                                      \
    X(VMWRITE, "vmwrite")                                                                                    \
    X(VMFUNC, "vmfunc")                                                                                      \
    X(INVEPT, "invept")                                                                                      \
    X(INVVPID, "invvpid")                                                                                    \
    X(VMRUN, "vmrun")                                                                                        \
    X(VMMCALL, "vmmcall")                                                                                    \
    X(VMLOAD, "vmload")                                                                                      \
    X(VMSAVE, "vmsave")                                                                                      \
    X(STGI, "stgi")                                                                                          \
    X(CLGI, "clgi")                                                                                          \
    X(SKINIT, "skinit")                                                                                      \
    X(INVLPGA, "invlpga")

enum insn_op {
#define X(name, mnemonic) INSN_##name,
    INSN_OPS(X)
#undef X
        INSN_COUNT
};

/* Register numbers are those of the encoding (RAX 0 … RDI 7, R8 … R15). */
enum insn_segment { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS };

enum operand_kind {
    OPERAND_NONE,
    OPERAND_REGISTER,  /* general register `number` */
    OPERAND_HIGH_BYTE, /* AH, CH, DH, BH: bits 15:8 of register `number` (0 … 3) */
    OPERAND_MEMORY,    /* struct insn.memory */
    OPERAND_IMMEDIATE, /* struct insn.immediate, sign-extended where the instruction does */
    OPERAND_RELATIVE,  /* branch target: next RIP + struct insn.immediate */
    OPERAND_FAR,       /* struct insn.selector : struct insn.immediate */
    OPERAND_STRING_DI, /* ES:[rDI] */
    OPERAND_STRING_SI, /* struct insn.memory: [rSI] with its segment */
    OPERAND_SEGMENT,   /* segment register `number` */
    OPERAND_CONTROL,   /* control register `number` */
    OPERAND_DEBUG,     /* debug register `number` */
    OPERAND_XMM,
    OPERAND_MMX,
};

struct insn_operand {
    uint8_t kind; /* enum operand_kind */
    uint8_t number;
    uint8_t size; /* in bytes; 0: unknown (INSN_OTHER) or meaningless (LEA, INVLPG) */
};

#define INSN_NO_REGISTER 0xff

struct insn_memory {
    uint8_t segment; /* enum insn_segment, defaults and ignored overrides resolved */
    uint8_t base;    /* register number or INSN_NO_REGISTER */
    uint8_t index;
    uint8_t scale; /* 1, 2, 4, 8 */
    bool rip_relative;
    bool present;
    bool scaled_disp8; /* EVEX: the 8-bit displacement counts in units of the vector's size; `disp` is raw */
    int64_t disp;
};

struct insn {
    uint16_t op; /* enum insn_op */
    uint8_t length;
    uint8_t operand_size; /* 2, 4, 8 */
    uint8_t address_size; /* 2, 4, 8 */
    uint8_t rep;          /* 0, 0xf2, 0xf3: the last of them that stood there */
    bool lock;
    uint8_t condition; /* low four opcode bits of Jcc, SETcc, CMOVcc */
    uint8_t opcode;
    uint8_t map; /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a; others as VEX, EVEX, XOP count them */
    struct insn_operand operand[3];
    struct insn_memory memory;
    int64_t immediate;
    uint16_t selector; /* far pointer's selector; ENTER's nesting level */
};

/*
 * Decodes one instruction. On a result other than DECODE_OK only `insn->length` means something: the bytes
 * looked at.
 * @pre available <= 15 is not required; bytes past the 15th are never read
 */
enum decode_result decode(const uint8_t *bytes, unsigned available, enum decode_mode mode, struct insn *insn);

/* Mnemonic without condition and size. @pre op < INSN_COUNT */
const char *insn_name(unsigned op);

#endif

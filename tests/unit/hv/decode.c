/* SPDX-License-Identifier: BSD-2-Clause */
/* What a comparison with a disassembler cannot show: edges, results, and the fields it does not print. */
#include <criterion/criterion.h>
#include <string.h>

#include "decode.h"

static struct insn insn;

#define DECODE(mode, ...)                                                                                    \
    decode((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), mode, &insn)

Test(decode, every_prefix_of_an_instruction_asks_for_more)
{
    /* lock add qword gs:[rax+rcx*8+0x12345678], 0x11223344 */
    static const uint8_t bytes[] = {0x65, 0xf0, 0x48, 0x81, 0x84, 0xc8, 0x78,
                                    0x56, 0x34, 0x12, 0x44, 0x33, 0x22, 0x11};
    for (unsigned n = 0; n < sizeof bytes; n++) {
        cr_assert_eq(decode(bytes, n, DECODE_64, &insn), DECODE_SHORT, "%u bytes", n);
        cr_assert_eq(insn.length, n);
    }
    cr_assert_eq(decode(bytes, sizeof bytes, DECODE_64, &insn), DECODE_OK);
    cr_assert_eq(insn.length, sizeof bytes);
    cr_assert_eq(insn.op, INSN_ADD);
    cr_assert(insn.lock);
    cr_assert_eq(insn.operand[0].kind, OPERAND_MEMORY);
    cr_assert_eq(insn.operand[0].size, 8);
    cr_assert_eq(insn.memory.segment, INSN_GS);
    cr_assert_eq(insn.memory.base, 0);
    cr_assert_eq(insn.memory.index, 1);
    cr_assert_eq(insn.memory.scale, 8);
    cr_assert_eq(insn.memory.disp, 0x12345678);
    cr_assert_eq(insn.immediate, 0x11223344);
}

Test(decode, fifteen_bytes_are_the_limit)
{
    uint8_t bytes[32];
    memset(bytes, 0x66, sizeof bytes);
    cr_assert_eq(decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_TOO_LONG);
    cr_assert_eq(insn.length, 15);
    bytes[14] = 0x90;
    cr_assert_eq(decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_OK);
    cr_assert_eq(insn.length, 15);
    memset(bytes, 0x66, sizeof bytes);
    bytes[12] = 0x05; /* add ax, imm16 would end at 15: fits; one prefix more does not */
    cr_assert_eq(decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_OK);
    cr_assert_eq(insn.length, 15);
    bytes[12] = 0x66;
    bytes[13] = 0x05;
    cr_assert_eq(decode(bytes, sizeof bytes, DECODE_32, &insn), DECODE_TOO_LONG);
    cr_assert_eq(decode(bytes, 15, DECODE_32, &insn), DECODE_TOO_LONG);
    cr_assert_eq(decode(bytes, 14, DECODE_32, &insn), DECODE_SHORT);
}

Test(decode, lock_is_for_memory_destinations_that_allow_it)
{
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x01, 0x08), DECODE_OK);        /* add [rax],ecx */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x01, 0xc8), DECODE_UNDEFINED); /* add eax,ecx */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x03, 0x08), DECODE_UNDEFINED); /* add ecx,[rax] */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x39, 0x08), DECODE_UNDEFINED); /* cmp [rax],ecx */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x89, 0x08), DECODE_UNDEFINED); /* mov [rax],ecx */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x87, 0x08), DECODE_OK);        /* xchg */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x0f, 0xba, 0x28, 3), DECODE_OK);
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x0f, 0xba, 0x20, 3), DECODE_UNDEFINED); /* bt */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x0f, 0xc7, 0x08), DECODE_OK);           /* cmpxchg8b */
    cr_assert_eq(DECODE(DECODE_64, 0xf0, 0x90), DECODE_UNDEFINED);
}

Test(decode, control_and_debug_registers)
{
    cr_assert_eq(DECODE(DECODE_64, 0x0f, 0x22, 0xd8), DECODE_OK); /* mov cr3, rax */
    cr_assert_eq(insn.operand[0].kind, OPERAND_CONTROL);
    cr_assert_eq(insn.operand[0].number, 3);
    cr_assert_eq(insn.operand[1].number, 0);
    cr_assert_eq(insn.operand[1].size, 8);
    cr_assert_eq(DECODE(DECODE_64, 0x44, 0x0f, 0x20, 0xc1), DECODE_OK); /* mov rcx, cr8 */
    cr_assert_eq(insn.operand[1].number, 8);
    cr_assert_eq(DECODE(DECODE_32, 0x0f, 0x22, 0xd8), DECODE_OK);
    cr_assert_eq(insn.operand[1].size, 4);
    /* The mod field is ignored: never memory. */
    cr_assert_eq(DECODE(DECODE_64, 0x0f, 0x22, 0x1d), DECODE_OK);
    cr_assert_eq(insn.length, 3);
    cr_assert_eq(insn.operand[1].number, 5);
    for (unsigned n = 0; n < 16; n++) {
        uint8_t rex = n & 8 ? 0x44 : 0x40, modrm = (uint8_t)(0xc0 | (n & 7) << 3);
        bool exists = n == 0 || (n >= 2 && n <= 4) || n == 8;
        cr_assert_eq(DECODE(DECODE_64, rex, 0x0f, 0x20, modrm), exists ? DECODE_OK : DECODE_UNDEFINED, "cr%u",
                     n);
        cr_assert_eq(DECODE(DECODE_64, rex, 0x0f, 0x23, modrm), n < 8 ? DECODE_OK : DECODE_UNDEFINED, "dr%u",
                     n);
    }
}

Test(decode, segment_prefixes_that_64_bit_code_ignores)
{
    cr_assert_eq(DECODE(DECODE_64, 0x64, 0x2e, 0x8b, 0x00), DECODE_OK); /* mov eax, fs:[rax] */
    cr_assert_eq(insn.memory.segment, INSN_FS);
    cr_assert_eq(DECODE(DECODE_64, 0x2e, 0x8b, 0x04, 0x24), DECODE_OK); /* mov eax, [rsp] */
    cr_assert_eq(insn.memory.segment, INSN_SS);
    cr_assert_eq(DECODE(DECODE_32, 0x2e, 0x8b, 0x04, 0x24), DECODE_OK);
    cr_assert_eq(insn.memory.segment, INSN_CS);
    cr_assert_eq(DECODE(DECODE_32, 0x64, 0x2e, 0x8b, 0x04, 0x24), DECODE_OK);
    cr_assert_eq(insn.memory.segment, INSN_CS, "the last one counts");
}

Test(decode, a_rex_byte_counts_only_before_the_opcode)
{
    cr_assert_eq(DECODE(DECODE_64, 0x48, 0x66, 0x89, 0x08), DECODE_OK);
    cr_assert_eq(insn.operand[0].size, 2);
    cr_assert_eq(DECODE(DECODE_64, 0x66, 0x48, 0x89, 0x08), DECODE_OK);
    cr_assert_eq(insn.operand[0].size, 8);
    cr_assert_eq(DECODE(DECODE_64, 0x88, 0x20), DECODE_OK); /* mov [rax], ah */
    cr_assert_eq(insn.operand[1].kind, OPERAND_HIGH_BYTE);
    cr_assert_eq(insn.operand[1].number, 0);
    cr_assert_eq(DECODE(DECODE_64, 0x40, 0x88, 0x20), DECODE_OK); /* mov [rax], spl */
    cr_assert_eq(insn.operand[1].kind, OPERAND_REGISTER);
    cr_assert_eq(insn.operand[1].number, 4);
}

Test(decode, string_instructions_name_their_sources_segment)
{
    cr_assert_eq(DECODE(DECODE_32, 0xf3, 0x65, 0xa5), DECODE_OK); /* rep movs dword es:[edi], gs:[esi] */
    cr_assert_eq(insn.op, INSN_MOVS);
    cr_assert_eq(insn.rep, 0xf3);
    cr_assert_eq(insn.operand[0].kind, OPERAND_STRING_DI);
    cr_assert_eq(insn.operand[1].kind, OPERAND_STRING_SI);
    cr_assert_eq(insn.memory.segment, INSN_GS);
    cr_assert_eq(DECODE(DECODE_64, 0x48, 0x6d), DECODE_OK); /* insd: ports have no 64-bit access */
    cr_assert_eq(insn.operand[0].size, 4);
}

Test(decode, undefined_ones)
{
    cr_assert_eq(DECODE(DECODE_64, 0x06), DECODE_UNDEFINED); /* push es */
    cr_assert_eq(DECODE(DECODE_32, 0x06), DECODE_OK);
    cr_assert_eq(DECODE(DECODE_64, 0x82, 0xc0, 1), DECODE_UNDEFINED);
    cr_assert_eq(DECODE(DECODE_64, 0x0f, 0x04), DECODE_UNDEFINED);
    cr_assert_eq(DECODE(DECODE_64, 0xff, 0xf8), DECODE_UNDEFINED); /* group 5 /7 */
    cr_assert_eq(DECODE(DECODE_64, 0xff, 0xd8), DECODE_UNDEFINED); /* far call of a register */
    cr_assert_eq(DECODE(DECODE_64, 0x8d, 0xc0), DECODE_UNDEFINED); /* lea of a register */
    cr_assert_eq(DECODE(DECODE_64, 0x8e, 0xc8), DECODE_UNDEFINED); /* mov cs, eax */
    cr_assert_eq(DECODE(DECODE_64, 0x8c, 0xf0), DECODE_UNDEFINED); /* mov eax, segment 6 */
    cr_assert_eq(DECODE(DECODE_64, 0x66, 0xc5, 0xf8, 0x77), DECODE_UNDEFINED);
    cr_assert_eq(DECODE(DECODE_64, 0x0f, 0x0b), DECODE_OK, "UD2 is an instruction");
    cr_assert_eq(insn.op, INSN_UD);
}

Test(decode, exits_need_these)
{
    static const struct {
        uint8_t bytes[4];
        uint8_t length;
        enum insn_op op;
    } cases[] = {
        {{0x0f, 0xa2}, 2, INSN_CPUID},
        {{0x0f, 0x30}, 2, INSN_WRMSR},
        {{0x0f, 0x32}, 2, INSN_RDMSR},
        {{0x0f, 0x01, 0xc1}, 3, INSN_VMCALL},
        {{0x0f, 0x01, 0xd9}, 3, INSN_VMMCALL},
        {{0x0f, 0x01, 0xd1}, 3, INSN_XSETBV},
        {{0x0f, 0x01, 0x38}, 3, INSN_INVLPG},
        {{0x0f, 0x01, 0xf0}, 3, INSN_LMSW},
        {{0x0f, 0x06}, 2, INSN_CLTS},
        {{0xf4}, 1, INSN_HLT},
        {{0xf3, 0x90}, 2, INSN_PAUSE},
        {{0x0f, 0x09}, 2, INSN_WBINVD},
        {{0x0f, 0x31}, 2, INSN_RDTSC},
        {{0x0f, 0x01, 0xf9}, 3, INSN_RDTSCP},
        {{0x0f, 0x01, 0xc8}, 3, INSN_MONITOR},
        {{0x0f, 0x01, 0xd8}, 3, INSN_VMRUN},
        {{0x0f, 0x78, 0xc8}, 3, INSN_VMREAD},
        {{0xec}, 1, INSN_IN},
        {{0x6f}, 1, INSN_OUTS},
        {{0x0f, 0xc3, 0x08}, 3, INSN_MOVNTI},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(decode(cases[i].bytes, 4, DECODE_64, &insn), DECODE_OK);
        cr_assert_eq(insn.op, cases[i].op, "%s", insn_name(cases[i].op));
        cr_assert_eq(insn.length, cases[i].length, "%s", insn_name(cases[i].op));
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int mode = DECODE_16; mode <= DECODE_64; mode++) {
        struct insn insn, again;
        enum decode_result result = decode(data, (unsigned)size, (enum decode_mode)mode, &insn);

        CHECK(insn.length <= INSN_MAX_BYTES && insn.length <= size);
        CHECK(result != DECODE_SHORT || insn.length == size);
        if (result != DECODE_OK)
            continue;
        CHECK(insn.length > 0 && insn.op < INSN_COUNT && *insn_name(insn.op));
        /* Nothing behind the instruction matters, and everything in it does. The copy lets ASan see a byte
         * too far. */
        uint8_t *exact = malloc(insn.length);
        CHECK(exact);
        memcpy(exact, data, insn.length);
        CHECK(decode(exact, insn.length, (enum decode_mode)mode, &again) == DECODE_OK);
        CHECK(!memcmp(&insn, &again, sizeof insn));
        CHECK(decode(exact, insn.length - 1u, (enum decode_mode)mode, &again) == DECODE_SHORT);
        free(exact);
        for (unsigned i = 0; i < 3; i++) {
            const struct insn_operand *o = &insn.operand[i];
            CHECK(o->kind != OPERAND_MEMORY || insn.memory.present);
            CHECK(o->kind != OPERAND_REGISTER || (o->number < 16 && o->size >= 1 && o->size <= 8));
            CHECK(o->kind != OPERAND_HIGH_BYTE || o->number < 4);
            CHECK(o->kind != OPERAND_SEGMENT || o->number <= INSN_GS);
        }
    }
    return 0;
}

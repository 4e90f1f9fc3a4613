/* SPDX-License-Identifier: BSD-2-Clause */
#include "decode.h"

const char *insn_name(unsigned op)
{
    static const char *const names[] = {
#define X(name, mnemonic) mnemonic,
        INSN_OPS(X)
#undef X
    };
    return names[op];
}

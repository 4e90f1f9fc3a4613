/* SPDX-License-Identifier: BSD-2-Clause */
#include "exit.h"

const char *exit_name(enum exit_kind kind)
{
    static const char *const names[EXIT_KIND_COUNT] = {
#define X(upper, lower) [EXIT_##upper] = #lower,
        EXIT_KINDS(X)
#undef X
    };
    return names[kind];
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's vector registers. The hypervisor uses none, so they stay in the CPU while it runs; a register
 * number is part of an instruction, hence a case each.
 */
#include "context.h"

#define EACH_8(X, base)                                                                                      \
    X(base, 0) X(base, 1) X(base, 2) X(base, 3) X(base, 4) X(base, 5) X(base, 6) X(base, 7)
#define EACH_16(X, base)                                                                                     \
    EACH_8(X, base)                                                                                          \
    X(base, 8) X(base, 9) X(base, 10) X(base, 11) X(base, 12) X(base, 13) X(base, 14) X(base, 15)

#define STORE(instruction, n)                                                                                \
    case n:                                                                                                  \
        __asm__ volatile(instruction #n ", (%0)" : : "r"(data) : "memory");                                  \
        break;
#define LOAD(instruction, n)                                                                                 \
    case n:                                                                                                  \
        __asm__ volatile(instruction #n : : "r"(data) : "memory");                                           \
        break;

void vector_read(struct context *context, enum vector_file file, unsigned number, void *data)
{
    (void)context;
    if (file == VECTOR_XMM)
        switch (number) {
            EACH_16(STORE, "movdqu %%xmm")
        }
    else
        switch (number) {
            EACH_8(STORE, "movq %%mm")
        }
}

void vector_write(struct context *context, enum vector_file file, unsigned number, const void *data)
{
    (void)context;
    if (file == VECTOR_XMM)
        switch (number) {
            EACH_16(LOAD, "movdqu (%0), %%xmm")
        }
    else
        switch (number) {
            EACH_8(LOAD, "movq (%0), %%mm")
        }
}

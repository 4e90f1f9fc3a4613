/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one instruction on the CPU that the test runs on, from any register contents. */
#ifndef NATIVE_CPU_H
#define NATIVE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define NATIVE_GS_BASE 0x1000u

struct native_cpu {
    uint64_t gpr[16]; /* in the order of their encoding */
    uint64_t rip, rflags;
    uint8_t xmm[16][16];
    uint8_t mmx[8][8];
    bool compatibility; /* 32-bit code */
    unsigned trap;      /* out: 3 when it reached an INT3, else the vector of its fault */
    unsigned error;
    uint64_t address; /* out: CR2 of a page fault */
};

/* False: not an x86-64 that runs Linux. */
bool native_init(void);
/* TZCNT, LZCNT and MOVBE are instructions of their own, not BSF, BSR and undefined. */
bool native_has_bit_counts(void);
uint64_t native_fs_base(void);

/* @pre the code at rip and whatever it can jump to ends in INT3 */
void native_run(struct native_cpu *cpu);

#endif

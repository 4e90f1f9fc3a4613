/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of SVM that C uses. */
#ifndef SVM_INSN_H
#define SVM_INSN_H

#include <stdint.h>

/* Stores FS, GS, TR, LDTR and the MSRs of fast system calls, as VMLOAD takes them. */
static inline void vmsave(uint64_t vmcb)
{
    __asm__ volatile("vmsave %%rax" : : "a"(vmcb) : "memory");
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that C and assembler share. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define STACK_SIZE 16384
#define CPU_SIZE   32768 /* of struct cpu, which ends with its stack */

/* PAE PGE OSFXSR OSXMMEXCPT: libfdt may use SSE at boot; guests own the FPU afterwards. */
#define CR4_AT_START 0x6a0

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS  0x20

#endif

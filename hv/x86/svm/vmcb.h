/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMCB (APM 2 appendix B), exit codes (appendix C) and the bits that are used. */
#ifndef VMCB_H
#define VMCB_H

#include <stddef.h>
#include <stdint.h>

struct vmcb_segment {
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint16_t cr_reads, cr_writes, dr_reads, dr_writes;
    uint32_t exceptions, intercepts, intercepts2, intercepts3;
    uint8_t reserved0[0x3c - 0x18];
    uint16_t pause_threshold, pause_count;
    uint64_t io_map, msr_map, tsc_offset;
    uint32_t asid;
    uint8_t tlb_control, reserved1[3];
    uint32_t virtual_interrupt;
    uint8_t virtual_vector, reserved2[3];
    uint64_t shadow; /* bit 0: STI or MOV SS */
    uint64_t exit_code, exit_info1, exit_info2, exit_event, nested_paging;
    uint8_t reserved3[0xa8 - 0x98];
    uint64_t event, nested_cr3, lbr, clean, next_rip;
    uint8_t fetched, bytes[15];
    uint8_t reserved4[0x400 - 0xe0];

    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved5[0x4cb - 0x4a0];
    uint8_t cpl, reserved6[4];
    uint64_t efer;
    uint8_t reserved7[0x548 - 0x4d8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved8[0x5d8 - 0x580];
    uint64_t rsp;
    uint8_t reserved9[0x5f8 - 0x5e0];
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    uint8_t reserved10[0x668 - 0x648];
    uint64_t pat, debugctl;
    uint8_t reserved11[0x1000 - 0x678];
};
_Static_assert(sizeof(struct vmcb) == 4096, "APM 2 appendix B");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70 && offsetof(struct vmcb, next_rip) == 0xc8,
               "APM 2 B.1");
_Static_assert(offsetof(struct vmcb, tr) == 0x490 && offsetof(struct vmcb, cr2) == 0x640 &&
                   offsetof(struct vmcb, pat) == 0x668,
               "APM 2 B.2");

enum intercept {
    INTERCEPT_INTR = 1 << 0,
    INTERCEPT_NMI = 1 << 1,
    INTERCEPT_VINTR = 1 << 4,
    INTERCEPT_RDPMC = 1 << 15,
    INTERCEPT_CPUID = 1 << 18,
    INTERCEPT_IRET = 1 << 20,
    INTERCEPT_INVD = 1 << 22,
    INTERCEPT_HLT = 1 << 24,
    INTERCEPT_INVLPGA = 1 << 26,
    INTERCEPT_IO = 1 << 27,
    INTERCEPT_MSR = 1 << 28,
    INTERCEPT_TASK = 1 << 29,
};
#define INTERCEPT_SHUTDOWN (1u << 31)

enum intercept2 {
    INTERCEPT2_VMRUN = 1 << 0,
    INTERCEPT2_VMMCALL = 1 << 1,
    INTERCEPT2_VMLOAD = 1 << 2,
    INTERCEPT2_VMSAVE = 1 << 3,
    INTERCEPT2_STGI = 1 << 4,
    INTERCEPT2_CLGI = 1 << 5,
    INTERCEPT2_SKINIT = 1 << 6,
    INTERCEPT2_WBINVD = 1 << 9,
    INTERCEPT2_MONITOR = 1 << 10,
    INTERCEPT2_MWAIT = 1 << 11,
    INTERCEPT2_XSETBV = 1 << 13,
};

enum {
    VINTR_IRQ = 1 << 8,
    VINTR_PRIORITY_15 = 0xf << 16,
    VINTR_IGNORE_TPR = 1 << 20,
    VINTR_MASKING = 1 << 24,
};

enum tlb_control { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_TAG = 3 };

/* Event fields: vector, type << 8 (enum event_kind), these, and the error code above bit 31. */
enum { SVM_EVENT_HAS_ERROR = 1 << 11 };
#define SVM_EVENT_VALID (1u << 31)

/* Clean bits: the CPU may take what it cached of the VMCB. */
enum vmcb_clean {
    CLEAN_INTERCEPTS = 1 << 0,
    CLEAN_MAPS = 1 << 1,
    CLEAN_ASID = 1 << 2,
    CLEAN_TPR = 1 << 3,
    CLEAN_NESTED = 1 << 4,
    CLEAN_CR = 1 << 5,
    CLEAN_DR = 1 << 6,
    CLEAN_TABLES = 1 << 7,
    CLEAN_SEGMENTS = 1 << 8,
    CLEAN_CR2 = 1 << 9,
    CLEAN_ALL = 0x3ff,
};

enum svm_exit {
    SVM_EXIT_CR_READ = 0x00,
    SVM_EXIT_CR_WRITE = 0x10,
    SVM_EXIT_DR_READ = 0x20,
    SVM_EXIT_DR_WRITE = 0x30,
    SVM_EXIT_EXCEPTION = 0x40,
    SVM_EXIT_INTR = 0x60,
    SVM_EXIT_NMI = 0x61,
    SVM_EXIT_INIT = 0x63,
    SVM_EXIT_VINTR = 0x64,
    SVM_EXIT_RDPMC = 0x6f,
    SVM_EXIT_CPUID = 0x72,
    SVM_EXIT_IRET = 0x74,
    SVM_EXIT_INVD = 0x76,
    SVM_EXIT_HLT = 0x78,
    SVM_EXIT_INVLPGA = 0x7a,
    SVM_EXIT_IO = 0x7b,
    SVM_EXIT_MSR = 0x7c,
    SVM_EXIT_TASK = 0x7d,
    SVM_EXIT_SHUTDOWN = 0x7f,
    SVM_EXIT_VMRUN = 0x80,
    SVM_EXIT_VMMCALL = 0x81,
    SVM_EXIT_SKINIT = 0x86,
    SVM_EXIT_WBINVD = 0x89,
    SVM_EXIT_MONITOR = 0x8a,
    SVM_EXIT_MWAIT = 0x8b,
    SVM_EXIT_XSETBV = 0x8d,
    SVM_EXIT_NPF = 0x400,
};
#define SVM_EXIT_INVALID 0xffffffffu /* the low half: QEMU before 7.1 writes but 32 bits */

enum { NPF_PRESENT = 1, NPF_WRITE = 2, NPF_FETCH = 16 };
#define NPF_WALK (1ull << 33)

#endif

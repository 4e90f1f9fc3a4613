/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the model-specific registers that the hypervisor names (SDM 4; APM 2 appendix A). */
#ifndef MSR_H
#define MSR_H

enum msr {
    MSR_TSC = 0x10,
    MSR_APIC_BASE = 0x1b,
    MSR_FEATURE_CONTROL = 0x3a,
    MSR_TSC_ADJUST = 0x3b,
    MSR_SPEC_CTRL = 0x48,
    MSR_PRED_CMD = 0x49,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS = 0x17a,
    MSR_MISC_ENABLE = 0x1a0,
    MSR_DEBUGCTL = 0x1d9,
    MSR_PAT = 0x277,
    MSR_MC0_STATUS = 0x401, /* and 4 a bank from there; ADDR and MISC follow */
    MSR_VMX_BASIC = 0x480,  /* to 0x491: vmx/vmx_fields.h */
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_X2APIC = 0x800, /* and the register's xAPIC offset / 16 */
    MSR_XSS = 0xda0,
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_CSTAR = 0xc0000083,
    MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
    MSR_TSC_AUX = 0xc0000103,
    MSR_VM_CR = 0xc0010114,
    MSR_VM_HSAVE_PA = 0xc0010117,
};

enum {
    EFER_SCE = 1 << 0,
    EFER_LME = 1 << 8,
    EFER_LMA = 1 << 10,
    EFER_NXE = 1 << 11,
    EFER_SVME = 1 << 12,
};

#endif

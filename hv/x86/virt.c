/* SPDX-License-Identifier: BSD-2-Clause */
#include "virt.h"

#include "insn.h"
#include "x86_bits.h"

/* SDM 3C 24.7 and appendix A; APM 2 15.4 */
enum { CONTROL_LOCKED = 1 << 0, CONTROL_VMX = 1 << 2 };
enum { VM_CR_SVMDIS = 1 << 4 };
enum { MSR_VMX_PROCBASED = 0x482, MSR_VMX_PROCBASED2 = 0x48b };
enum { PROC_SECONDARY = 31, PROC2_EPT = 1, PROC2_UNRESTRICTED = 7 };

static enum virt detect_vmx(const char **why)
{
    uint64_t control = rdmsr(MSR_FEATURE_CONTROL), secondary = 0;

    if (!(control & CONTROL_LOCKED)) {
        wrmsr(MSR_FEATURE_CONTROL, control | CONTROL_LOCKED | CONTROL_VMX);
        control = rdmsr(MSR_FEATURE_CONTROL);
    }
    if (!(control & CONTROL_VMX)) {
        *why = "VMX is locked off by the firmware: enable Intel virtualization in its setup";
        return VIRT_NONE;
    }
    if (rdmsr(MSR_VMX_PROCBASED) >> (32 + PROC_SECONDARY) & 1)
        secondary = rdmsr(MSR_VMX_PROCBASED2) >> 32;
    if (!(secondary >> PROC2_EPT & 1) || !(secondary >> PROC2_UNRESTRICTED & 1)) {
        *why = "this CPU's VMX is too old: it has no nested paging (EPT) with unrestricted guests";
        return VIRT_NONE;
    }
    return VIRT_VMX;
}

static enum virt detect_svm(const char **why)
{
    if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS) {
        *why = "SVM is locked off by the firmware: enable SVM mode in its setup";
        return VIRT_NONE;
    }
    if (!(cpuid(0x8000000a, 0).edx & 1)) {
        *why = "this CPU's SVM is too old: it has no nested paging";
        return VIRT_NONE;
    }
    return VIRT_SVM;
}

enum virt virt_detect(const char **why)
{
    if (cpuid(1, 0).ecx >> 5 & 1)
        return detect_vmx(why);
    if (cpuid(0x80000000, 0).eax >= 0x8000000a && cpuid(0x80000001, 0).ecx >> 2 & 1)
        return detect_svm(why);
    *why = "this CPU offers neither VMX nor SVM, or the firmware hides it";
    return VIRT_NONE;
}

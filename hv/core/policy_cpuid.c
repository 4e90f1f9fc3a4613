/* SPDX-License-Identifier: BSD-2-Clause */
#include "lpar.h"
#include "policy.h"
#include "x86_bits.h"

#include <string.h>

enum { EAX, EBX, ECX, EDX };
#define BIT(n) (1u << (n))

/* Bits of feature words that are shown when the CPU has them. */
enum {
    /* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
    LEAF1_ECX = BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) |
                BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30),
    LEAF1_ECX_X2APIC = BIT(21),
    LEAF1_ECX_DEADLINE = BIT(24),
    LEAF1_ECX_OSXSAVE = BIT(27),
    LEAF1_ECX_XSAVE = BIT(26),
    LEAF1_ECX_PCID = BIT(17),
    /* all but PSN DS ACPI SS TM IA64 PBE */
    LEAF1_EDX = BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) |
                BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | BIT(23) |
                BIT(24) | BIT(25) | BIT(26),
    LEAF1_EDX_APIC = BIT(9), /* of the enabled one (SDM 3A 11.4.3) */
    LEAF1_EDX_HTT = BIT(28),
    /* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID, AVX-512 F DQ IFMA CD BW VL, RDSEED ADX SMAP CLFLUSHOPT CLWB
       SHA */
    LEAF7_EBX = BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(16) | BIT(17) | BIT(18) |
                BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30),
    LEAF7_EBX_TSC_ADJUST = BIT(1),
    /* VBMI UMIP PKU VBMI2 GFNI VAES VPCLMUL VNNI BITALG VPOPCNTDQ LA57 RDPID */
    LEAF7_ECX = BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14) |
                BIT(16) | BIT(22),
    LEAF7_ECX_OSPKE = BIT(4),
    /* FSRM */
    LEAF7_EDX = BIT(4),
    LEAF6_EAX_ARAT = BIT(2),
    /* XSAVEOPT XSAVEC XGETBV1 */
    LEAFD1_EAX = BIT(0) | BIT(1) | BIT(2),
    /* LAHF ABM SSE4A MISALIGNSSE PREFETCH */
    EXT1_ECX = BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8),
    /* SYSCALL NX MMXEXT FXSR_OPT 1G RDTSCP LM and, where AMD repeats them, those of leaf 1 */
    EXT1_EDX = BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) | BIT(27) | BIT(29),
    EXT1_EDX_AMD = 0x0183f3ff,
    EXT7_EDX_INVARIANT = BIT(8),
    /* CLZERO XSAVEERPTR WBNOINVD */
    EXT8_EBX = BIT(0) | BIT(2) | BIT(9),
};

enum { LARGEST_BASIC = 0x16, LARGEST_EXTENDED = 0x80000008 };
enum { OWN = 0x40000000, KVM = 0x40000100 };

/* x87, SSE, AVX, AVX-512, PKRU */
#define XCR0_SHOWN 0x2e7ull

static void host(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    vcpu->context.machine->cpuid(leaf, subleaf, out);
}

static bool host_is_intel(struct vcpu *vcpu)
{
    uint32_t r[4];

    host(vcpu, 0, 0, r);
    return r[EBX] == 0x756e6547;
}

uint64_t policy_xcr0(struct vcpu *vcpu)
{
    uint32_t r[4];

    host(vcpu, 1, 0, r);
    if (!(r[ECX] & LEAF1_ECX_XSAVE))
        return 0;
    host(vcpu, 0xd, 0, r);
    return (r[EAX] | (uint64_t)r[EDX] << 32) & XCR0_SHOWN;
}

static void leaf1(struct vcpu *vcpu, uint32_t r[4])
{
    uint32_t cpus = vcpu->lpar->cpus;

    r[EBX] = (r[EBX] & 0xffff) | (cpus & 0xff) << 16 | vcpu->apic_id << 24;
    r[ECX] &= LEAF1_ECX;
    r[ECX] |= LEAF1_ECX_DEADLINE | 1u << 31; /* bit 31: there is a hypervisor */
    if (vcpu->lpar->x2apic)
        r[ECX] |= LEAF1_ECX_X2APIC;
    if (context_get(&vcpu->context, REG_CR4) & CR4_OSXSAVE)
        r[ECX] |= LEAF1_ECX_OSXSAVE;
    r[EDX] &= LEAF1_EDX;
    if (!lapic_enabled(&vcpu->lapic))
        r[EDX] &= ~(uint32_t)LEAF1_EDX_APIC;
    if (cpus > 1)
        r[EDX] |= LEAF1_EDX_HTT;
}

static void leaf4(struct vcpu *vcpu, uint32_t r[4])
{
    /* Caches up to level 2 belong to one CPU, the rest to all. */
    uint32_t level = r[EAX] >> 5 & 7, cores = vcpu->lpar->cpus - 1;

    r[EAX] &= 0x3fff;
    if (r[EAX] & 0x1f)
        r[EAX] |= cores << 26 | (level > 2 ? cores << 14 : 0);
}

static void leaf7(struct vcpu *vcpu, uint32_t subleaf, uint32_t r[4])
{
    if (subleaf > 0) {
        memset(r, 0, 4 * sizeof *r);
        return;
    }
    r[EAX] = 0;
    r[EBX] = (r[EBX] & LEAF7_EBX) | LEAF7_EBX_TSC_ADJUST;
    r[ECX] &= LEAF7_ECX;
    if (context_get(&vcpu->context, REG_CR4) & CR4_PKE)
        r[ECX] |= LEAF7_ECX_OSPKE;
    r[EDX] &= LEAF7_EDX;
}

static void leaf_b(struct vcpu *vcpu, uint32_t subleaf, uint32_t r[4])
{
    uint32_t cpus = vcpu->lpar->cpus, bits = 0;

    while (1u << bits < cpus)
        bits++;
    r[EAX] = subleaf == 1 ? bits : 0;
    r[EBX] = subleaf == 0 ? 1 : subleaf == 1 ? cpus : 0;
    r[ECX] = (subleaf & 0xff) | (subleaf == 0 ? 1u << 8 : subleaf == 1 ? 2u << 8 : 0);
    r[EDX] = vcpu->apic_id;
}

static void leaf_d(struct vcpu *vcpu, uint32_t subleaf, uint32_t r[4])
{
    uint64_t shown = policy_xcr0(vcpu);

    /* The guest's XCR0 is in the CPU, so the sizes that follow from it are right as they are. */
    if (subleaf == 0) {
        uint32_t largest = 576;

        for (unsigned i = 2; i < 63; i++)
            if (shown >> i & 1) {
                uint32_t part[4];

                host(vcpu, 0xd, i, part);
                if (part[EBX] + part[EAX] > largest)
                    largest = part[EBX] + part[EAX];
            }
        r[EAX] = (uint32_t)shown;
        r[EDX] = (uint32_t)(shown >> 32);
        r[ECX] = largest;
    } else if (subleaf == 1) {
        r[EAX] &= LEAFD1_EAX;
        r[ECX] = r[EDX] = 0;
    } else if (subleaf > 62 || !(shown >> subleaf & 1)) {
        memset(r, 0, 4 * sizeof *r);
    }
}

/* The crystal is the TSC itself, which also the local APIC's timer counts by. */
static void leaf15(struct vcpu *vcpu, uint32_t r[4])
{
    uint64_t hz = vcpu->context.machine->ticks_per_second();

    r[EAX] = 1;
    r[EBX] = hz >> 32 ? 2 : 1;
    r[ECX] = (uint32_t)(hz / r[EBX]);
    r[EDX] = 0;
}

static void signature(uint32_t r[4], uint32_t largest, const char text[12])
{
    r[EAX] = largest;
    memcpy(&r[EBX], text, 4);
    memcpy(&r[ECX], text + 4, 4);
    memcpy(&r[EDX], text + 8, 4);
}

static void statistics(const struct lpar *lpar, uint32_t r[4])
{
    r[EAX] = STATISTICS_VERSION;
    r[EBX] = (uint32_t)STATISTICS_GPA;
    r[ECX] = (uint32_t)(STATISTICS_GPA >> 32);
    r[EDX] = (uint32_t)lpar->statistics_bytes;
}

static bool basic(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
    switch (leaf) {
    case 1:
        host(vcpu, 1, 0, r);
        leaf1(vcpu, r);
        return true;
    case 2:
        host(vcpu, 2, 0, r);
        return true;
    case 4:
        host(vcpu, 4, subleaf, r);
        leaf4(vcpu, r);
        return true;
    case 6:
        r[EAX] = LEAF6_EAX_ARAT;
        return true;
    case 7:
        host(vcpu, 7, subleaf, r);
        leaf7(vcpu, subleaf, r);
        return true;
    case 0xb:
        leaf_b(vcpu, subleaf, r);
        return true;
    case 0xd:
        if (!policy_xcr0(vcpu))
            return false;
        host(vcpu, 0xd, subleaf, r);
        leaf_d(vcpu, subleaf, r);
        return true;
    case 0x15:
        leaf15(vcpu, r);
        return true;
    case 0x16:
        r[EAX] = r[EBX] = (uint32_t)(vcpu->context.machine->ticks_per_second() / 1000000);
        return true;
    default:
        return false;
    }
}

static bool extended(struct vcpu *vcpu, uint32_t leaf, uint32_t r[4])
{
    if (leaf > LARGEST_EXTENDED)
        return false;
    host(vcpu, leaf, 0, r);
    switch (leaf) {
    case 0x80000000:
        r[EAX] = LARGEST_EXTENDED;
        break;
    case 0x80000001:
        r[EBX] = 0;
        r[ECX] &= EXT1_ECX;
        r[EDX] &= EXT1_EDX | (host_is_intel(vcpu) ? 0 : EXT1_EDX_AMD);
        break;
    case 0x80000007:
        r[EAX] = r[EBX] = r[ECX] = 0;
        r[EDX] = EXT7_EDX_INVARIANT; /* it is the hypervisor's own clock */
        break;
    case 0x80000008:
        r[EBX] &= EXT8_EBX;
        r[ECX] = host_is_intel(vcpu) ? 0 : vcpu->lpar->cpus - 1;
        r[EDX] = 0;
        break;
    default: /* the name, cache sizes */
        break;
    }
    return true;
}

void policy_cpuid(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    bool known = false;

    /* Programs use leaf 0 as a barrier, so it is the most frequent by far. */
    if (leaf == 0) {
        host(vcpu, 0, 0, out);
        out[EAX] = LARGEST_BASIC;
        return;
    }
    memset(out, 0, 4 * sizeof *out);
    if (leaf <= LARGEST_BASIC)
        known = basic(vcpu, leaf, subleaf, out);
    else if (leaf >= 0x80000000 && leaf <= 0x8000ffff)
        known = extended(vcpu, leaf, out);
    else if (leaf == OWN)
        signature(out, OWN + 1, STATISTICS_SIGNATURE);
    else if (leaf == OWN + 1)
        statistics(vcpu->lpar, out);
    else if (leaf == KVM)
        signature(out, KVM + 1, "KVMKVMKVM\0\0"); /* leaf KVM + 1: no features */
    if (!known && leaf < OWN)
        memset(out, 0, 4 * sizeof *out);
}

uint64_t policy_cr4(struct vcpu *vcpu)
{
    static const struct {
        uint32_t leaf;
        uint8_t word, bit;
        uint32_t cr4;
    } needs[] = {
        {1, EDX, 1, CR4_VME | CR4_PVI}, {1, EDX, 2, CR4_DE},       {1, EDX, 3, CR4_PSE},
        {1, EDX, 4, CR4_TSD},           {1, EDX, 6, CR4_PAE},      {1, EDX, 7, CR4_MCE},
        {1, EDX, 13, CR4_PGE},          {1, EDX, 24, CR4_OSFXSR},  {1, EDX, 25, CR4_OSXMMEXCPT},
        {1, ECX, 17, CR4_PCIDE},        {1, ECX, 26, CR4_OSXSAVE}, {7, EBX, 0, CR4_FSGSBASE},
        {7, EBX, 7, CR4_SMEP},          {7, EBX, 20, CR4_SMAP},    {7, ECX, 2, CR4_UMIP},
        {7, ECX, 3, CR4_PKE},           {7, ECX, 16, CR4_LA57},
    };
    uint64_t cr4 = CR4_PCE;

    for (unsigned i = 0; i < sizeof needs / sizeof *needs; i++) {
        uint32_t r[4];

        policy_cpuid(vcpu, needs[i].leaf, 0, r);
        if (r[needs[i].word] >> needs[i].bit & 1)
            cr4 |= needs[i].cr4;
    }
    return cr4;
}

uint64_t policy_efer(struct vcpu *vcpu)
{
    uint32_t r[4];

    policy_cpuid(vcpu, 0x80000001, 0, r);
    return (r[EDX] & BIT(11) ? EFER_SCE : 0u) | (r[EDX] & BIT(29) ? EFER_LME | EFER_LMA : 0u) |
           (r[EDX] & BIT(20) ? EFER_NXE : 0u) | (r[EDX] & BIT(25) ? EFER_FFXSR : 0u);
}

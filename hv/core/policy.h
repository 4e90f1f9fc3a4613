/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest is told about its CPU, and which model-specific registers it has: what is not named is not
 * there. */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* EAX, EBX, ECX, EDX. */
void policy_cpuid(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* False: #GP(0). */
bool policy_msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool policy_msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* Bits of CR4 and XCR0 that the CPUID shown allows; for EFER the bits a WRMSR may set. */
uint64_t policy_cr4(struct vcpu *vcpu);
uint64_t policy_xcr0(struct vcpu *vcpu);
uint64_t policy_efer(struct vcpu *vcpu);

#endif

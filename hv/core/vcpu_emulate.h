/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulator at work for a vCPU: memory by its page tables, devices by its LPAR's buses. */
#ifndef VCPU_EMULATE_H
#define VCPU_EMULATE_H

#include "decode.h"
#include "exit.h"

#include <stdbool.h>

struct vcpu;

/* Runs the instruction at CS:RIP and retires it, or queues its fault. exit: the MMIO exit it is for, or null.
 */
void vcpu_emulate(struct vcpu *vcpu, const struct exit *exit);

/* Decodes it. False: what the CPU would raise is queued, or the LPAR stops. */
bool vcpu_decode(struct vcpu *vcpu, struct insn *insn);

/* One access of 1, 2, 4 or 8 bytes to what is no memory: the vCPU's local APIC, or a device of the LPAR's. */
uint64_t vcpu_device_read(struct vcpu *vcpu, uint64_t gpa, unsigned size);
void vcpu_device_write(struct vcpu *vcpu, uint64_t gpa, unsigned size, uint64_t value);

bool vcpu_in_user_mode(struct vcpu *vcpu);

/* In 16- and 32-bit code RIP has 32 bits. */
bool vcpu_in_64_bit_code(struct vcpu *vcpu);

#endif

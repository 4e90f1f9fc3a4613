/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulator's erratum. Bochs 3.0, running several CPUs in turn, does not commit RIP behind an exception:
 * when an interrupt of the host makes an exit right then, the exit reports RIP of the instruction that
 * faulted, while CS, RSP, RFLAGS and the pushed frame are the handler's already. Resumed there, the guest
 * runs its own code in the wrong mode on the wrong stack.
 *
 * The state gives itself away: interrupts are off, and the frame on top of the stack was pushed by an
 * exception at that very RIP. The handler's address is then taken from the guest's IDT: for exceptions with
 * an error code, and for #UD, #DE and #NM where the instruction says which it was.
 */
#ifndef LOST_RIP_H
#define LOST_RIP_H

struct vcpu;

/* Right after an exit by an interrupt, where machine_ops.loses_rip says so. */
void lost_rip_mend(struct vcpu *vcpu);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Control and debug registers as a guest's MOV sees them: checked as the CPU would (SDM 3A 2.5), then set. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

uint64_t control_read(struct vcpu *vcpu, unsigned number);

/* False: #GP(0), nothing has changed. number: 0, 2, 3, 4, 8 */
bool control_write(struct vcpu *vcpu, unsigned number, uint64_t value);

/* False: #GP(0). */
bool control_write_xcr(struct vcpu *vcpu, uint32_t index, uint64_t value);

#endif

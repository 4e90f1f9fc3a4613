/* SPDX-License-Identifier: BSD-2-Clause */
/* The instruction at a vCPU's CS:RIP. */
#ifndef FETCH_H
#define FETCH_H

#include "decode.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

bool fetch_in_user_mode(struct vcpu *vcpu);
enum decode_mode fetch_mode(struct vcpu *vcpu);

/* False: it cannot be read or is none, and what the CPU would raise is queued. */
bool fetch_decode(struct vcpu *vcpu, struct insn *insn);

#endif

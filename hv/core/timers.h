/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of an LPAR on the one deadline that each physical CPU has: each vCPU's local APIC timer on its
 * own CPU, the devices' timers on the boot CPU's.
 */
#ifndef TIMERS_H
#define TIMERS_H

#include "device.h"

#include <stdint.h>

struct lpar;
struct vcpu;

/* On the vCPU's CPU: its local APIC's timer expires at that tick; ~0: never. */
void timers_set_lapic(struct vcpu *vcpu, uint64_t at);

/* On the vCPU's CPU, whether its LPAR runs or not: router_resume() at that tick. */
void timers_set_line(struct vcpu *vcpu, uint64_t at);

/* Any CPU, device lock held. */
void timers_set_device(struct lpar *lpar, enum device_timer timer, uint64_t at_ns);

/* None of the LPAR's devices has one. Its vCPUs do not run. */
void timers_clear_devices(struct lpar *lpar);

/* On the vCPU's CPU: what is due expires, and the deadline is set for what is next. */
void timers_run(struct vcpu *vcpu);

/* On the vCPU's CPU: none is set. */
void timers_stop(struct vcpu *vcpu);

/* Nanoseconds since the LPAR started. */
uint64_t timers_now(const struct lpar *lpar);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's own page tables, walked in software: linear to guest-physical, with the checks and the accessed
 * and dirty bits of the CPU (SDM 3A 4). Protection keys are not looked at.
 */
#ifndef WALK_H
#define WALK_H

#include "mmio_short.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

enum walk_access { WALK_READ, WALK_WRITE, WALK_EXECUTE };

struct walk_fault {
    bool memory;    /* a table lies where there is no memory: nothing that a guest could be told */
    uint32_t error; /* of the #PF */
};

/* user: the access is made at CPL 3. False: *fault tells. */
bool walk(struct vcpu *vcpu, uint64_t linear, enum walk_access access, bool user, uint64_t *gpa,
          struct walk_fault *fault);

/* As walk(); *trace tells by which entries. */
bool walk_traced(struct vcpu *vcpu, uint64_t linear, enum walk_access access, bool user, uint64_t *gpa,
                 struct walk_fault *fault, struct walk_trace *trace);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What both vendors' back ends do alike for a context. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "machine.h"

/* CPUID.1 as after reset goes to EDX. Marks every register and segment for writing back. */
void context_reset_registers(struct context *context);

/* DR0-3 and DR6 of the CPU, where the guest's stay. */
uint64_t host_dr_read(struct context *context, unsigned number);
void host_dr_write(struct context *context, unsigned number, uint64_t value);

void vector_read(struct context *context, enum vector_file file, unsigned number, void *data);
void vector_write(struct context *context, enum vector_file file, unsigned number, const void *data);

int xcr_write(struct context *context, uint32_t index, uint64_t value);

uint64_t host_ticks(void);
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif

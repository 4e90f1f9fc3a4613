/* SPDX-License-Identifier: BSD-2-Clause */
/* From what the boot loader brought to LPARs that can start. */
#ifndef PARTITIONS_H
#define PARTITIONS_H

struct boot;
struct machine_ops;

/*
 * Without a partition file there is one LPAR with all CPUs and all memory: the first module is its kernel
 * (its name, then the command line, are the module's text), the others are its modules. Pins each vCPU to its
 * CPU.
 */
void partitions_create(const struct boot *boot, const struct machine_ops *machine);

#endif

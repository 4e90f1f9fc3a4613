/* SPDX-License-Identifier: BSD-2-Clause */
/* From what the boot loader brought to LPARs that can start. */
#ifndef PARTITIONS_H
#define PARTITIONS_H

struct boot;
struct machine_ops;

/* The name of the boot module that is the partition file (docs/manual/partition-file.md). */
#define PARTITIONS_FILE "partitions.dtb"

/*
 * Creates what the partition file says, all or (when something is wrong with it, which is said) nothing.
 * Without a file there is one LPAR with all CPUs and all memory: the first module is its kernel (its name,
 * then the command line, are the module's text), the others are its modules. Pins each vCPU to its CPU.
 */
void partitions_create(struct boot *boot, const struct machine_ops *machine);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What Linux says of a PCI function and of an interrupt, read from sysfs and procfs. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "slot.h"

enum {
    KERNEL_NAME = 64,
    KERNEL_ACTIONS = 256,
    KERNEL_MSI_MAX = 2048, /* vectors of one function: PCI Local Bus 3.0, 6.8.2 */
};

/* Which Linux interrupts a function has. */
struct kernel_lines {
    unsigned intx; /* number of its INTx line's interrupt, 0: none */
    unsigned *msi; /* its MSI or MSI-X vectors' interrupts, ascending; free by kernel_lines_free */
    size_t n_msi;
    bool msix;
};

struct kernel_irq {
    uint64_t count; /* handled since boot, all CPUs */
    char chip[KERNEL_NAME];
    char actions[KERNEL_ACTIONS]; /* names of the handlers, as /proc/interrupts has them */
};

/* Name of the driver bound to a function; false: none, or no such function. */
bool kernel_driver(struct slot slot, char name[KERNEL_NAME]);

/* The level when the kernel is locked down; false when it is not, or does not know lockdown. */
bool kernel_lockdown(char level[KERNEL_NAME]);

/* Whether Linux has the function now. */
bool kernel_present(struct slot slot);

/* The Command register of a function (PCI Local Bus 3.0, 6.2.2); -1 when it can't be read. */
int kernel_command(struct slot slot);
enum { KERNEL_COMMAND_MEMORY = 2, KERNEL_COMMAND_MASTER = 4 };

/* Reads an attribute of a function in sysfs, one line. False when there is none. */
bool kernel_attribute(struct slot slot, const char *leaf, char *text, size_t size);

/* Whether the kernel tells of single interrupts in /sys/kernel/irq; else /proc/interrupts has to do. */
bool kernel_has_irq_folder(void);

/* False when there is no such function. */
bool kernel_lines(struct slot slot, struct kernel_lines *lines);
void kernel_lines_free(struct kernel_lines *lines);

/* False when there is no such interrupt, or it has no handler. */
bool kernel_irq(unsigned number, struct kernel_irq *irq);

/* Finds an interrupt in text of the form of /proc/interrupts. False when it is not there. */
bool kernel_parse_interrupts(FILE *text, unsigned number, struct kernel_irq *irq);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The partition file: a flattened device tree that says what LPARs there are (docs/manual/partition-file.md).
 *
 * The hypervisor reads it at boot, `signalbox hv check` on the host; both by these functions, so that what
 * the one takes the other does not refuse. Every error names the node and the property.
 */
#ifndef PARTITION_H
#define PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mechanism.h"

#define PARTITION_COMPATIBLE   "signalbox,partitions-1"
#define PARTITION_LPARS        16u
#define PARTITION_CPUS         32u
#define PARTITION_MODULES      8u
#define PARTITION_FUNCTIONS    16u
#define PARTITION_NAME         32u  /* with the terminating 0 */
#define PARTITION_COMMAND_LINE 512u /* so, too */
#define PARTITION_MEMORY_MIN   (2ull << 20)
#define PARTITION_MEMORY_ALIGN (2ull << 20)

struct partition_function {
    uint16_t segment;
    uint8_t bus, slot, function;
    bool dedicated; /* its messages may go straight to the LPAR's direct CPUs (direct.h) */
};

/* Strings point into the tree. */
struct partition {
    const char *name;
    unsigned cpus;
    uint32_t cpu[PARTITION_CPUS]; /* numbers of physical CPUs, the boot CPU first */
    uint64_t memory;              /* bytes */
    const char *kernel;
    const char *initrd;       /* null: none */
    const char *command_line; /* never null */
    unsigned modules;         /* of a multiboot kernel, beside the initrd */
    const char *module[PARTITION_MODULES];
    unsigned functions;
    struct partition_function function[PARTITION_FUNCTIONS];
    uint32_t mechanisms; /* bit per enum mechanism: on from the start */
    bool console;        /* has a UART (COM1) */
    bool x2apic;
    bool test_device;
    bool autostart;
    bool service; /* reads the statistics of all LPARs' functions */
};

struct partition_table {
    unsigned count;
    struct partition partition[PARTITION_LPARS];
};

struct partition_error {
    char node[80];
    char property[32]; /* empty: the node itself */
    char text[192];
};

/* What the table is to run on, as far as it is known. */
struct partition_machine {
    unsigned cpus;   /* numbered from 0 */
    uint64_t memory; /* bytes that LPARs can have */
    /* Whether the boot loader brought a module of that name; null: not known. */
    bool (*has_module)(void *owner, const char *name);
    /* Why an LPAR cannot have the function, or null: it can. Null itself: not known. */
    const char *(*refusal)(void *owner, const struct partition_function *function);
    void *owner;
};

/* False: *error tells the first thing that is wrong. @pre the tree stays where it is as long as the table is
 * used */
bool partition_read(struct partition_table *table, const void *tree, size_t bytes,
                    struct partition_error *error);

/* Whether the machine has what the table asks for. */
bool partition_fits(const struct partition_table *table, const struct partition_machine *machine,
                    struct partition_error *error);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The partition file from a hostile hand: whatever it holds, an answer, and an error that can be printed. */
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "partition.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

#define TREE_BYTES 4096

/* Bytes as a tree of their own; and as a list of properties of an LPAR in a good tree, which gets further. */
static void check(const void *tree, size_t size)
{
    static struct partition_table table;
    struct partition_error error = {0};
    const struct partition_machine machine = {.cpus = 4, .memory = 1ull << 30};

    if (!partition_read(&table, tree, size, &error)) {
        CHECK(*error.text && strlen(error.text) < sizeof error.text);
        CHECK(strlen(error.node) < sizeof error.node && strlen(error.property) < sizeof error.property);
        return;
    }
    CHECK(table.count >= 1 && table.count <= PARTITION_LPARS);
    for (unsigned i = 0; i < table.count; i++) {
        const struct partition *l = &table.partition[i];
        CHECK(l->cpus >= 1 && l->cpus <= PARTITION_CPUS && l->memory && l->kernel && l->command_line);
        CHECK(strlen(l->command_line) < PARTITION_COMMAND_LINE && strlen(l->name) < PARTITION_NAME);
        CHECK(l->modules <= PARTITION_MODULES && l->functions <= PARTITION_FUNCTIONS);
    }
    partition_fits(&table, &machine, &error);
}

static const char *const names[] = {"cpus",         "memory-mib",   "kernel",    "initrd",
                                    "modules",      "command-line", "console",   "paging",
                                    "mechanisms",   "functions",    "no-x2apic", "test-device",
                                    "manual-start", "service",      "phandle",   "other"};

static void bend(const uint8_t *data, size_t size)
{
    static char tree[TREE_BYTES];
    fdt_create_empty_tree(tree, sizeof tree);
    fdt_setprop_string(tree, 0, "compatible", PARTITION_COMPATIBLE);
    int lpars = fdt_add_subnode(tree, 0, "lpars");
    for (unsigned n = 0; n < 2; n++) {
        int lpar = fdt_add_subnode(tree, lpars, n ? "a" : "b");
        fdt_setprop_u32(tree, lpar, "cpus", n);
        fdt_setprop_u32(tree, lpar, "memory-mib", 64);
        fdt_setprop_string(tree, lpar, "kernel", "k");
        while (size >= 2) {
            const char *name = names[data[0] % (sizeof names / sizeof *names)];
            size_t bytes = data[1] & 63;
            bool last = data[1] & 64;
            data += 2;
            size -= 2;
            if (bytes > size)
                bytes = size;
            fdt_setprop(tree, lpar, name, data, (int)bytes);
            data += bytes;
            size -= bytes;
            if (last)
                break;
        }
    }
    fdt_pack(tree);
    check(tree, sizeof tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An exact copy at an address that libfdt accepts, so that a byte too far is seen. */
    void *copy = aligned_alloc(8, (size + 8) & ~7ull);
    CHECK(copy);
    memset(copy, 0, (size + 8) & ~7ull);
    memcpy(copy, data, size);
    check(copy, size);
    free(copy);
    bend(data, size);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "partition.h"

#define TREE_BYTES 8192

static char tree[TREE_BYTES];
static struct partition_table table;
static struct partition_error error;

/* A file with LPARs "web" (CPUs 0, 1) and "db" (CPU 2), for the tests to bend. */
static void make_tree(void)
{
    cr_assert_eq(fdt_create_empty_tree(tree, TREE_BYTES), 0);
    fdt_setprop_string(tree, 0, "compatible", PARTITION_COMPATIBLE);
    int lpars = fdt_add_subnode(tree, 0, "lpars");
    int db = fdt_add_subnode(tree, lpars, "db");
    fdt_setprop_u32(tree, db, "cpus", 2);
    fdt_setprop_u32(tree, db, "memory-mib", 256);
    fdt_setprop_string(tree, db, "kernel", "vmlinuz");
    lpars = fdt_path_offset(tree, "/lpars");
    int web = fdt_add_subnode(tree, lpars, "web");
    fdt_setprop_u32(tree, web, "cpus", 0);
    fdt_appendprop_u32(tree, web, "cpus", 1);
    fdt_setprop_u32(tree, web, "memory-mib", 512);
    fdt_setprop_string(tree, web, "kernel", "vmlinuz");
    fdt_setprop_string(tree, web, "initrd", "initrd.img");
    fdt_setprop_string(tree, web, "command-line", "console=ttyS0 quiet");
}

static int node(const char *path)
{
    int offset = fdt_path_offset(tree, path);
    cr_assert_geq(offset, 0, "%s", path);
    return offset;
}

static bool read(void)
{
    memset(&error, 0, sizeof error);
    return partition_read(&table, tree, TREE_BYTES, &error);
}

static void refuses(const char *where, const char *property, const char *text)
{
    cr_assert_not(read());
    cr_assert_str_eq(error.node, where, "'%s' (%s)", error.node, error.text);
    cr_assert_str_eq(error.property, property, "'%s' (%s)", error.property, error.text);
    cr_assert(strstr(error.text, text), "'%s'", error.text);
}

static void set_strings(const char *path, const char *property, const char *bytes, int count)
{
    cr_assert_eq(fdt_setprop(tree, node(path), property, bytes, count), 0);
}

TestSuite(partition, .init = make_tree);

Test(partition, what_a_file_says)
{
    set_strings("/lpars/web", "mechanisms", "relay\0promote", 14);
    set_strings("/lpars/web", "functions", "0000:03:00.0\00010:fF:1f.7",
                24); /* the second without a domain */
    set_strings("/lpars/db", "functions", "0000:04:00.0", 13);
    set_strings("/lpars/db", "console", "none", 5);
    set_strings("/lpars/db", "paging", "nested", 7);
    set_strings("/lpars/db", "modules", "a\0b", 4);
    fdt_setprop_empty(tree, node("/lpars/db"), "test-device");
    fdt_setprop_empty(tree, node("/lpars/db"), "manual-start");
    fdt_setprop_empty(tree, node("/lpars/db"), "service");
    fdt_setprop_empty(tree, node("/lpars/db"), "no-x2apic");
    cr_assert_not(read());
    set_strings("/lpars/web", "functions", "0000:03:00.0\0000010:fF:1f.7", 26);
    cr_assert(read(), "%s %s %s", error.node, error.property, error.text);
    cr_assert_eq(table.count, 2);
    const struct partition *web = &table.partition[0], *db = &table.partition[1];
    if (strcmp(web->name, "web") != 0) {
        web = &table.partition[1];
        db = &table.partition[0];
    }
    cr_assert_str_eq(web->name, "web");
    cr_assert_eq(web->cpus, 2);
    cr_assert_eq(web->cpu[1], 1);
    cr_assert_eq(web->memory, 512ull << 20);
    cr_assert_str_eq(web->kernel, "vmlinuz");
    cr_assert_str_eq(web->initrd, "initrd.img");
    cr_assert_str_eq(web->command_line, "console=ttyS0 quiet");
    cr_assert_eq(web->mechanisms, 1 << MECHANISM_RELAY | 1 << MECHANISM_PROMOTE);
    cr_assert_eq(web->functions, 2);
    cr_assert_eq(web->function[1].segment, 0x10);
    cr_assert_eq(web->function[1].bus, 0xff);
    cr_assert_eq(web->function[1].slot, 0x1f);
    cr_assert_eq(web->function[1].function, 7);
    cr_assert(web->console && web->x2apic && web->autostart && !web->test_device);
    cr_assert_str_eq(db->name, "db");
    cr_assert(!db->console && !db->x2apic && !db->autostart && db->test_device);
    cr_assert_null(db->initrd);
    cr_assert_str_eq(db->command_line, "");
    cr_assert_eq(db->modules, 2);
    cr_assert_str_eq(db->module[1], "b");
}

Test(partition, no_tree_at_all)
{
    memset(tree, 0x5a, sizeof tree);
    refuses("", "", "device tree");
    make_tree();
    cr_assert_not(partition_read(&table, tree, 8, &error));
    cr_assert_not(partition_read(&table, tree, fdt_totalsize(tree) - 1, &error));
}

Test(partition, the_root)
{
    set_strings("/", "compatible", "linux,dummy", 12);
    refuses("/", "compatible", "signalbox,partitions-1");
    fdt_delprop(tree, 0, "compatible");
    refuses("/", "compatible", "missing");
    make_tree();
    fdt_setprop_u32(tree, 0, "#address-cells", 1);
    refuses("/", "#address-cells", "no such property");
    make_tree();
    fdt_add_subnode(tree, 0, "chosen");
    refuses("/chosen", "", "no such node");
    make_tree();
    fdt_del_node(tree, node("/lpars"));
    refuses("/", "", "'lpars' is missing");
    fdt_add_subnode(tree, 0, "lpars");
    refuses("/lpars", "", "no LPAR");
    make_tree();
    fdt_add_subnode(tree, 0, "__symbols__");
    cr_assert(read(), "dtc -@ adds it");
}

Test(partition, names)
{
    static const char *const bad[] = {"1web", "web@0", "we+b", "a-name-that-goes-on-and-on-and-on", "-x"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[80];
        make_tree();
        fdt_set_name(tree, node("/lpars/web"), bad[i]);
        snprintf(path, sizeof path, "/lpars/%s", bad[i]);
        refuses(path, "", "name");
    }
    make_tree();
    fdt_set_name(tree, node("/lpars/web"), "a-name-of-exactly.31_characters");
    cr_assert(read(), "%s", error.text);
    make_tree();
    fdt_set_name(tree, node("/lpars/web"), "db");
    refuses("/lpars/db", "", "two LPARs");
    make_tree();
    fdt_add_subnode(tree, node("/lpars/web"), "x");
    refuses("/lpars/web/x", "", "no nodes below");
}

Test(partition, unknown_and_missing_properties)
{
    set_strings("/lpars/web", "kernle", "x", 2);
    refuses("/lpars/web", "kernle", "no such property");
    static const char *const required[] = {"cpus", "memory-mib", "kernel"};
    for (unsigned i = 0; i < 3; i++) {
        make_tree();
        fdt_delprop(tree, node("/lpars/web"), required[i]);
        refuses("/lpars/web", required[i], "missing");
    }
}

Test(partition, values_of_the_wrong_kind)
{
    set_strings("/lpars/web", "cpus", "01", 3);
    refuses("/lpars/web", "cpus", "numbers");
    make_tree();
    fdt_setprop_empty(tree, node("/lpars/web"), "cpus");
    refuses("/lpars/web", "cpus", "numbers");
    make_tree();
    fdt_appendprop_u32(tree, node("/lpars/web"), "memory-mib", 1);
    refuses("/lpars/web", "memory-mib", "at most 1");
    make_tree();
    fdt_setprop_u32(tree, node("/lpars/web"), "memory-mib", 33);
    refuses("/lpars/web", "memory-mib", "multiple of 2");
    fdt_setprop_u32(tree, node("/lpars/web"), "memory-mib", 0);
    refuses("/lpars/web", "memory-mib", "multiple of 2");
    make_tree();
    set_strings("/lpars/web", "kernel", "vmlinuz", 7);
    refuses("/lpars/web", "kernel", "quotation marks");
    set_strings("/lpars/web", "kernel", "a\0b", 4);
    refuses("/lpars/web", "kernel", "not a list");
    set_strings("/lpars/web", "kernel", "a b", 4);
    refuses("/lpars/web", "kernel", "no spaces");
    set_strings("/lpars/web", "kernel", "", 1);
    refuses("/lpars/web", "kernel", "empty");
    set_strings("/lpars/web", "kernel", "a\n", 3);
    refuses("/lpars/web", "kernel", "0xa");
    make_tree();
    set_strings("/lpars/web", "test-device", "yes", 4);
    refuses("/lpars/web", "test-device", "no value");
    make_tree();
    set_strings("/lpars/web", "console", "vga", 4);
    refuses("/lpars/web", "console", "neither");
    make_tree();
    set_strings("/lpars/web", "paging", "shadow", 7);
    refuses("/lpars/web", "paging", "no shadow paging");
    set_strings("/lpars/web", "paging", "flat", 5);
    refuses("/lpars/web", "paging", "neither");
    make_tree();
    set_strings("/lpars/web", "mechanisms", "relay\0warp", 11);
    refuses("/lpars/web", "mechanisms", "'warp'");
}

Test(partition, limits)
{
    char line[PARTITION_COMMAND_LINE + 1];
    memset(line, 'x', sizeof line);
    line[PARTITION_COMMAND_LINE - 1] = 0;
    set_strings("/lpars/web", "command-line", line, PARTITION_COMMAND_LINE);
    cr_assert(read(), "%s", error.text);
    line[PARTITION_COMMAND_LINE - 1] = 'x';
    line[PARTITION_COMMAND_LINE] = 0;
    set_strings("/lpars/web", "command-line", line, sizeof line);
    refuses("/lpars/web", "command-line", "longer than 511");
    make_tree();
    for (unsigned i = 2; i <= PARTITION_CPUS; i++)
        fdt_appendprop_u32(tree, node("/lpars/web"), "cpus", 10 + i);
    refuses("/lpars/web", "cpus", "33 numbers");
    make_tree();
    for (unsigned i = 0; i < PARTITION_LPARS; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%u", i);
        int lpar = fdt_add_subnode(tree, node("/lpars"), name);
        fdt_setprop_u32(tree, lpar, "cpus", 100 + i);
        fdt_setprop_u32(tree, lpar, "memory-mib", 2);
        fdt_setprop_string(tree, lpar, "kernel", "k");
    }
    cr_assert_not(read());
    cr_assert(strstr(error.text, "more than 16 LPARs"));
}

Test(partition, nothing_belongs_to_two)
{
    fdt_setprop_u32(tree, node("/lpars/db"), "cpus", 1);
    cr_assert_not(read());
    cr_assert_str_eq(error.property, "cpus");
    cr_assert(strstr(error.text, "CPU 1 is"), "%s", error.text);
    make_tree();
    fdt_appendprop_u32(tree, node("/lpars/web"), "cpus", 0);
    refuses("/lpars/web", "cpus", "CPU 0 is named twice");
    make_tree();
    set_strings("/lpars/web", "functions", "0000:03:00.0", 13);
    set_strings("/lpars/db", "functions", "0000:03:00.0", 13);
    cr_assert_not(read());
    cr_assert(strstr(error.text, "0000:03:00.0 is"), "%s", error.text);
    make_tree();
    set_strings("/lpars/web", "functions", "0000:03:00.0\0000000:03:00.0", 26);
    refuses("/lpars/web", "functions", "twice");
}

Test(partition, a_function_is_shared_unless_it_is_dedicated)
{
    static const char three[] = "0000:03:00.0\0000000:03:00.1 dedicated\0000000:03:00.2 shared";

    set_strings("/lpars/web", "functions", three, sizeof three);
    cr_assert(read(), "%s", error.text);
    cr_assert_eq(table.partition[0].functions, 3);
    cr_assert_not(table.partition[0].function[0].dedicated);
    cr_assert(table.partition[0].function[1].dedicated);
    cr_assert_eq(table.partition[0].function[1].function, 1);
    cr_assert_not(table.partition[0].function[2].dedicated);
}

Test(partition, functions_are_written_as_lspci_does)
{
    static const char *const bad[] = {"03:00.0",
                                      "0000:03:20.0",
                                      "0000:03:00.8",
                                      "0000:03:00",
                                      "0000:03:00.00",
                                      "000g:03:00.0",
                                      "0000-03:00.0",
                                      "",
                                      "0000:03:00.0 ",
                                      "0000:03:00.0 mine",
                                      "0000:03:00.0 dedicated ",
                                      "0000:03:00.0  shared"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        make_tree();
        set_strings("/lpars/web", "functions", bad[i], (int)strlen(bad[i]) + 1);
        refuses("/lpars/web", "functions", "no PCI function");
    }
}

static bool has_module(void *owner, const char *name)
{
    cr_assert_eq(owner, &table);
    return strcmp(name, "vmlinuz") == 0;
}

Test(partition, on_a_machine)
{
    struct partition_machine machine = {.cpus = 3, .memory = 768ull << 20};
    cr_assert(read());
    cr_assert(partition_fits(&table, &machine, &error));
    machine.memory--;
    cr_assert_not(partition_fits(&table, &machine, &error));
    cr_assert_str_eq(error.property, "memory-mib");
    cr_assert(strstr(error.text, "768 MiB of the machine's 767"), "%s", error.text);
    machine.memory++;
    machine.cpus = 2;
    cr_assert_not(partition_fits(&table, &machine, &error));
    cr_assert_str_eq(error.node, "/lpars/db");
    cr_assert_str_eq(error.text, "there is no CPU 2, the last is 1");
    machine.cpus = 3;
    machine.has_module = has_module;
    machine.owner = &table;
    cr_assert_not(partition_fits(&table, &machine, &error));
    cr_assert_str_eq(error.property, "initrd");
    fdt_delprop(tree, node("/lpars/web"), "initrd");
    cr_assert(read());
    cr_assert(partition_fits(&table, &machine, &error));
}

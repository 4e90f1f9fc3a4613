/* SPDX-License-Identifier: BSD-2-Clause */
#include "partitions.h"

#include "boot.h"
#include "cpu.h"
#include "create.h"
#include "exception.h"
#include "frame.h"
#include "functions.h"
#include "insn.h"
#include "log.h"
#include "partition.h"
#include "relay_host.h"
#include "rtc_host.h"
#include "text.h"
#include "x86_bits.h"

extern const uint8_t image_start[], image_end[];

/* RAM above the first MiB (BIOS, SIPI page) that holds nothing of ours. */
static void find_free(struct carve *carve, const struct boot *boot)
{
    uint64_t start, end, used;
    bool whole = true;

    for (unsigned i = 0; i < boot->regions; i++)
        if (boot->region[i].type == REGION_RAM)
            whole &= carve_add(carve, boot->region[i].start, boot->region[i].end);
    for (unsigned i = 0; i < boot->regions; i++)
        if (boot->region[i].type != REGION_RAM)
            whole &= carve_remove(carve, boot->region[i].start, boot->region[i].end);
    frames_range(&start, &end, &used);
    whole &= carve_remove(carve, 0, 1 << 20);
    whole &= carve_remove(carve, (uintptr_t)image_start, (uintptr_t)image_end);
    whole &= carve_remove(carve, start, end);
    for (unsigned i = 0; i < boot->modules; i++)
        whole &= carve_remove(carve, boot->module[i].start, boot->module[i].end);
    if (!whole)
        log_line("memory: more than %u free ranges, some are not used", CARVE_RANGES);
}

/* ---- modules ---- */

static struct boot_image image_of(const struct boot_module *module)
{
    return (struct boot_image){
        .data = (const uint8_t *)module->start, .size = module->end - module->start, .text = module->args};
}

/* The module's text is its file's name, then arguments. */
static const char *arguments(const char *text)
{
    while (*text && *text != ' ')
        text++;
    return *text ? text + 1 : text;
}

/* A module's name: of the first word of its text, what follows the last slash. */
static bool is_named(const struct boot_module *module, const char *name)
{
    const char *start = module->args;
    const char *end = start;

    for (; *end && *end != ' '; end++)
        if (*end == '/')
            start = end + 1;
    while (start < end && *start == *name) {
        start++;
        name++;
    }
    return start == end && !*name;
}

static const struct boot_module *find_module(const struct boot *boot, const char *name)
{
    for (unsigned i = 0; i < boot->modules; i++)
        if (is_named(&boot->module[i], name))
            return &boot->module[i];
    return 0;
}

static bool has_module(void *owner, const char *name)
{
    return find_module(owner, name);
}

static bool is_memory(void *owner, uint64_t start, uint64_t end)
{
    const struct boot *boot = owner;

    for (unsigned i = 0; i < boot->regions; i++) {
        const struct boot_region *region = &boot->region[i];

        if (region->type != REGION_RESERVED && start < region->end && end > region->start)
            return true;
    }
    return false;
}

static const char *refusal(void *owner, const struct partition_function *function)
{
    functions.is_memory = is_memory;
    functions.owner = owner;
    return functions_refusal(function);
}

/* ---- plans ---- */

static void add_module(struct lpar_plan *plan, const struct boot_module *module)
{
    if (plan->boot.module_count < BOOT_GUEST_MODULES)
        plan->boot.modules[plan->boot.module_count++] = image_of(module);
}

/* Without a partition file: one LPAR that has all there is; its kernel is the first module. */
static void plan_one(struct lpar_plan *plan, const struct boot *boot, const struct carve *carve)
{
    plan->name = "lpar1";
    plan->bytes = carve_free(carve, PARTITION_MEMORY_ALIGN);
    plan->console = plan->x2apic = plan->autostart = true;
    for (unsigned i = 0; i < cpu_count && i < LPAR_CPUS; i++)
        plan->cpu[plan->cpus++] = i;
    plan->boot.kernel = image_of(&boot->module[0]);
    plan->boot.command_line = arguments(boot->module[0].args);
    for (unsigned i = 1; i < boot->modules; i++)
        add_module(plan, &boot->module[i]);
}

/* @pre partition_fits(): CPUs, modules and functions exist */
static void plan_of(struct lpar_plan *plan, const struct partition *partition, const struct boot *boot)
{
    plan->name = partition->name;
    plan->bytes = partition->memory;
    plan->mechanisms = partition->mechanisms;
    plan->console = partition->console;
    plan->x2apic = partition->x2apic;
    plan->test_device = partition->test_device;
    plan->autostart = partition->autostart;
    plan->service = partition->service;
    for (unsigned i = 0; i < partition->cpus; i++)
        plan->cpu[plan->cpus++] = partition->cpu[i];
    plan->boot.kernel = image_of(find_module(boot, partition->kernel));
    plan->boot.command_line = partition->command_line;
    if (partition->initrd)
        add_module(plan, find_module(boot, partition->initrd));
    for (unsigned i = 0; i < partition->modules; i++)
        add_module(plan, find_module(boot, partition->module[i]));
    plan->functions.host = functions.tree.host;
    for (unsigned i = 0; i < partition->functions; i++) {
        plan->functions.function[i] = functions_take(&partition->function[i]);
        plan->functions.dedicated[i] = partition->function[i].dedicated;
    }
    plan->functions.count = partition->functions;
}

static void create(struct lpar_plan *plan, const struct machine_ops *machine, struct carve *carve)
{
    const struct lpar *lpar;

    plan->clock = rtc_host_seconds() - (int64_t)(machine->ticks() / machine->ticks_per_second());
    lpar = lpar_create(plan, machine, carve);

    if (!lpar)
        return;
    log_line("partitions: %s: %u CPUs, %lu MiB in %lu pages of 1 GiB, %lu of 2 MiB, %lu of 4 KiB", lpar->name,
             lpar->cpus, lpar->memory.size >> 20, lpar->map.leaves[3], lpar->map.leaves[2],
             lpar->map.leaves[1]);
    for (unsigned i = 0; i < lpar->cpus; i++) {
        struct cpu *cpu = cpus[lpar->vcpu[i]->context.cpu];

        cpu->context = &lpar->vcpu[i]->context;
        cpu->guests = i > 0 && !machine->apic->refusal(cpu->index);
    }
}

/*
 * libfdt comes from the distribution, built with a stack protector that takes its secret from FS:28h; page 0,
 * where FS points otherwise, is not mapped.
 */
static bool read_table(struct partition_table *table, const struct boot_module *file,
                       struct partition_error *error)
{
    static uint64_t thread_block[6];
    bool good;

    wrmsr(MSR_FS_BASE, (uintptr_t)thread_block);
    good = partition_read(table, (const void *)file->start, file->end - file->start, error);
    wrmsr(MSR_FS_BASE, 0);
    return good;
}

void __attribute__((noreturn)) __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    panic("libfdt has overrun its stack: the partition file is damaged");
}

static void create_table(struct boot *boot, const struct boot_module *file, const struct machine_ops *machine,
                         struct carve *carve)
{
    static struct partition_table table;
    struct partition_error error;
    const struct partition_machine have = {.cpus = cpu_count,
                                           .memory = carve_free(carve, PARTITION_MEMORY_ALIGN),
                                           .has_module = has_module,
                                           .refusal = refusal,
                                           .owner = boot};

    if (!read_table(&table, file, &error) || !partition_fits(&table, &have, &error)) {
        log_line("partitions: %s: %s%s%s", error.node[0] ? error.node : PARTITIONS_FILE, error.property,
                 error.property[0] ? ": " : "", error.text);
        return;
    }
    if (functions.relay) {
        unsigned count = 0;

        for (unsigned i = 0; i < table.count; i++)
            count += table.partition[i].functions;
        relay_host_open(count);
    }
    for (unsigned i = 0; i < table.count; i++) {
        struct lpar_plan plan = {0};

        plan_of(&plan, &table.partition[i], boot);
        create(&plan, machine, carve);
    }
    relay_host_lines();
}

void partitions_create(struct boot *boot, const struct machine_ops *machine)
{
    static struct carve carve;
    const struct boot_module *file = find_module(boot, PARTITIONS_FILE);

    if (boot->modules == 0) {
        log_line("partitions: no modules, nothing to run");
        return;
    }
    find_free(&carve, boot);
    if (file) {
        create_table(boot, file, machine, &carve);
    } else {
        struct lpar_plan plan = {0};

        plan_one(&plan, boot, &carve);
        create(&plan, machine, &carve);
    }
}

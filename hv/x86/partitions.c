/* SPDX-License-Identifier: BSD-2-Clause */
#include "partitions.h"

#include "boot.h"
#include "cpu.h"
#include "create.h"
#include "frame.h"
#include "log.h"

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

static void plan_one(struct lpar_plan *plan, const struct boot *boot, const struct carve *carve)
{
    plan->name = "lpar1";
    plan->bytes = carve_free(carve, 2 << 20);
    for (unsigned i = 0; i < cpu_count && i < LPAR_CPUS; i++)
        plan->cpu[plan->cpus++] = i;
    plan->boot.kernel = image_of(&boot->module[0]);
    plan->boot.command_line = arguments(boot->module[0].args);
    for (unsigned i = 1; i < boot->modules && plan->boot.module_count < BOOT_GUEST_MODULES; i++)
        plan->boot.modules[plan->boot.module_count++] = image_of(&boot->module[i]);
}

void partitions_create(const struct boot *boot, const struct machine_ops *machine)
{
    static struct carve carve;
    struct lpar_plan plan = {0};
    const struct lpar *lpar;

    if (boot->modules == 0) {
        log_line("partitions: no modules, nothing to run");
        return;
    }
    find_free(&carve, boot);
    plan_one(&plan, boot, &carve);
    lpar = lpar_create(&plan, machine, &carve);
    if (!lpar)
        return;
    log_line("partitions: %s: %u CPUs, %lu MiB in %lu pages of 1 GiB, %lu of 2 MiB, %lu of 4 KiB", lpar->name,
             lpar->cpus, lpar->memory.size >> 20, lpar->map.leaves[3], lpar->map.leaves[2],
             lpar->map.leaves[1]);
    for (unsigned i = 0; i < lpar->cpus; i++)
        cpus[lpar->vcpu[i]->context.cpu]->context = &lpar->vcpu[i]->context;
}

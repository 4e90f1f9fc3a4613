/* SPDX-License-Identifier: BSD-2-Clause */
#include "create.h"

#include "log.h"
#include "mechanism.h"
#include "mux.h"
#include "router_figures.h"
#include "statistics.h"
#include "text.h"

#define LARGE_PAGE (2ull << 20)

/* Pieces of whole large pages; the last odd megabyte comes out of one more. */
static int give_memory(struct lpar *lpar, uint64_t bytes, struct carve *carve)
{
    uint64_t wanted = (bytes + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);

    while (lpar->memory.size < wanted) {
        uint64_t start, size = carve_take(carve, wanted - lpar->memory.size, LARGE_PAGE, &start);

        if (!size)
            return trace_error(-1, "%s: %lu MiB of memory are not there", lpar->name, bytes >> 20);
        if (!memory_add(&lpar->memory, (uint8_t *)(uintptr_t)start, size))
            return trace_error(-1, "%s: the machine's memory is in too many pieces", lpar->name);
    }
    for (unsigned i = 0; i < lpar->memory.count; i++) {
        const struct memory_range *range = &lpar->memory.range[i];

        if (gpmap_add(&lpar->map, range->gpa, (uintptr_t)range->host, range->size, RIGHT_ALL, MEMORY_WB))
            return -1;
    }
    return 0;
}

/* The functions' page lies behind the LPAR's own. */
static int add_function_statistics(struct lpar *lpar)
{
    const uint64_t gpa = STATISTICS_GPA + lpar->statistics_bytes;

    lpar->statistics->functions = (uint32_t)lpar->statistics_bytes;
    lpar->statistics_bytes += FRAME_SIZE;
    return gpmap_add(&lpar->map, gpa, (uintptr_t)&router_page, FRAME_SIZE, RIGHT_READ, MEMORY_WB);
}

static int add_statistics(struct lpar *lpar, unsigned cpus, bool service)
{
    const struct machine_ops *machine = lpar->map.machine;
    struct statistics *s;

    lpar->statistics_bytes =
        (sizeof *s + cpus * sizeof(struct statistics_cpu) + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);
    s = machine->frames(lpar->statistics_bytes);
    if (!s)
        return trace_error(-1, "%s: no memory for its statistics", lpar->name);
    *s = (struct statistics){.magic = STATISTICS_MAGIC,
                             .version = STATISTICS_VERSION,
                             .cpus = (uint16_t)cpus,
                             .kinds = EXIT_KIND_COUNT,
                             .names = offsetof(struct statistics, kind),
                             .cpu = sizeof *s,
                             .stride = sizeof(struct statistics_cpu),
                             .exits = offsetof(struct statistics_cpu, exits),
                             .mechanisms = lpar->mechanisms,
                             .ticks_per_second = machine->ticks_per_second()};
    text_copy(s->lpar, sizeof s->lpar, lpar->name, sizeof s->lpar);
    for (unsigned kind = 0; kind < EXIT_KIND_COUNT; kind++)
        text_copy(s->kind[kind], STATISTICS_NAME, exit_name(kind), STATISTICS_NAME);
    lpar->statistics = s;
    if (gpmap_add(&lpar->map, STATISTICS_GPA, (uintptr_t)s, lpar->statistics_bytes, RIGHT_READ, MEMORY_WB))
        return -1;
    return service ? add_function_statistics(lpar) : 0;
}

static int add_vcpu(struct lpar *lpar, unsigned cpu, const struct machine_ops *machine)
{
    struct vcpu *vcpu = machine->frames(sizeof *vcpu);

    if (!vcpu)
        return trace_error(-1, "%s: no memory for a vCPU", lpar->name);
    vcpu->lpar = lpar;
    vcpu->index = vcpu->apic_id = lpar->cpus;
    vcpu->stats =
        (struct statistics_cpu *)(void *)((uint8_t *)lpar->statistics + lpar->statistics->cpu) + lpar->cpus;
    vcpu->line_at = ~0ull;
    vcpu->context.machine = machine;
    vcpu->context.cpu = cpu;
    vcpu->context.tag = 1; /* a CPU runs one context, so one tag does */
    vcpu->context.backend = machine->frames(machine->backend_size);
    if (!vcpu->context.backend)
        return trace_error(-1, "%s: no memory for a vCPU", lpar->name);
    if (!lpar_devices_add_vcpu(vcpu))
        return trace_error(-1, "%s: too many CPUs", lpar->name);
    lpar->vcpu[lpar->cpus++] = vcpu;
    return 0;
}

/* The one mechanism that has more to it than its bit. */
static void start_direct(struct lpar *lpar)
{
    const uint32_t bit = 1u << MECHANISM_DIRECT_IRQ;
    const char *why = lpar->mechanisms & bit ? direct_refusal(lpar) : 0;

    if (why)
        log_line("%s: direct_irq stays off: %s", lpar->name, why);
    if (lpar->mechanisms & bit)
        direct_switch(lpar, !why);
}

struct lpar *lpar_create(const struct lpar_plan *plan, const struct machine_ops *machine, struct carve *carve)
{
    struct lpar *lpar = &lpars[lpar_count];

    if (lpar_count == LPARS) {
        log_line("%s: more than %u LPARs", plan->name, LPARS);
        return 0;
    }
    lpar->index = lpar_count;
    lpar->boot = plan->boot;
    lpar->mechanisms = plan->mechanisms;
    lpar->console = plan->console;
    lpar->x2apic = plan->x2apic;
    lpar->test_device = plan->test_device;
    lpar->autostart = plan->autostart;
    lpar->clock = plan->clock;
    text_copy(lpar->name, sizeof lpar->name, plan->name, sizeof lpar->name);
    if (gpmap_init(&lpar->map, machine) || give_memory(lpar, plan->bytes, carve))
        return 0;
    lpar->ns_per_tick = (1000000000ull << 32) / machine->ticks_per_second();
    if (lpar_devices_add(lpar, plan->clock) || add_statistics(lpar, plan->cpus, plan->service))
        return 0;
    for (unsigned i = 0; i < plan->cpus; i++)
        if (add_vcpu(lpar, plan->cpu[i], machine))
            return 0;
    if (lpar_pci_add(lpar, &plan->functions))
        return 0;
    mux_name(lpar->index, lpar->name);
    start_direct(lpar);
    lpar_count++;
    return lpar;
}

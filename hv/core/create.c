/* SPDX-License-Identifier: BSD-2-Clause */
#include "create.h"

#include "log.h"
#include "mux.h"
#include "text.h"

#define LARGE_PAGE (2ull << 20)

static void env_console(void *owner, unsigned port, uint8_t byte)
{
    (void)port;
    mux_put(((struct lpar *)owner)->index, byte);
}

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

static int add_vcpu(struct lpar *lpar, unsigned cpu, const struct machine_ops *machine)
{
    struct vcpu *vcpu = machine->frames(sizeof *vcpu);

    if (!vcpu)
        return trace_error(-1, "%s: no memory for a vCPU", lpar->name);
    vcpu->lpar = lpar;
    vcpu->index = vcpu->apic_id = lpar->cpus;
    vcpu->context.machine = machine;
    vcpu->context.cpu = cpu;
    vcpu->context.tag = 1; /* a CPU runs one context, so one tag does */
    vcpu->context.backend = machine->frames(machine->backend_size);
    if (!vcpu->context.backend)
        return trace_error(-1, "%s: no memory for a vCPU", lpar->name);
    lpar->vcpu[lpar->cpus++] = vcpu;
    return 0;
}

static int add_devices(struct lpar *lpar)
{
    lpar->env = (struct device_env){.owner = lpar, .console = env_console};
    return debug_port_add(&lpar->debug_port, &lpar->env, 0, &lpar->ports);
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
    text_copy(lpar->name, sizeof lpar->name, plan->name, sizeof lpar->name);
    if (gpmap_init(&lpar->map, machine) || give_memory(lpar, plan->bytes, carve))
        return 0;
    for (unsigned i = 0; i < plan->cpus; i++)
        if (add_vcpu(lpar, plan->cpu[i], machine))
            return 0;
    if (add_devices(lpar)) {
        log_line("%s: its devices overlap", lpar->name);
        return 0;
    }
    mux_name(lpar->index, lpar->name);
    lpar_count++;
    return lpar;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"

#include "exception.h"
#include "insn.h"
#include "lapic_host.h"
#include "log.h"
#include "paging_host.h"
#include "relax.h"
#include "time_host.h"

#include <string.h>

/* Conventional memory that no loader leaves anything in; a SIPI names it by its page number. */
#define TRAMPOLINE 0x8000u

enum { START_TIMEOUT_MS = 200 };

extern const uint8_t trampoline[], trampoline_end[], trampoline_pml4[], trampoline_stack[];

static void poke(const uint8_t *symbol, uint64_t value)
{
    uint32_t low = (uint32_t)value; /* both lie below 4 GiB */

    memcpy((void *)(uintptr_t)(TRAMPOLINE + (symbol - trampoline)), &low, sizeof low);
}

static bool start(struct cpu *cpu)
{
    uint8_t *top = cpu->stack + sizeof cpu->stack;

    memcpy((void *)(uintptr_t)TRAMPOLINE, trampoline, (size_t)(trampoline_end - trampoline));
    poke(trampoline_pml4, paging_host_root());
    poke(trampoline_stack, (uintptr_t)top);
    memcpy(top - 8, &cpu, sizeof cpu);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    lapic_host_start(cpu->apic_id, TRAMPOLINE >> 12);
    for (unsigned ms = 0; !cpu->online && ms < START_TIMEOUT_MS; ms++)
        time_wait_us(1000);
    return cpu->online;
}

void cpus_start(void)
{
    unsigned kept = 1;

    for (unsigned i = 1; i < cpu_count; i++) {
        if (start(cpus[i])) {
            cpus[i]->index = kept;
            cpus[kept++] = cpus[i];
        } else {
            log_line("cpu: APIC id %u does not start, it is left out", cpus[i]->apic_id);
        }
    }
    cpu_count = kept;
}

void cpu_main(struct cpu *cpu)
{
    cpu_load(cpu);
    cpu_setup();
    lapic_host_init();
    cpu_work(cpu);
}

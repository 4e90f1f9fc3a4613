/* SPDX-License-Identifier: BSD-2-Clause */
#include "kick.h"

#include "cpu.h"
#include "exception.h"
#include "insn.h"
#include "lapic_host.h"
#include "machine.h"

void kick(unsigned cpu, bool urgent)
{
    if (cpu == this_cpu()->index)
        return; /* it looks before it enters the guest again */
    lapic_host_ipi(cpus[cpu]->apic_id, VECTOR_KICK);
    if (urgent) {
        cpus[cpu]->nmi_kicked = true;
        lapic_host_nmi(cpus[cpu]->apic_id);
    }
}

void kick_wait(struct context *context)
{
    /* IF is 0 from the look on until HLT: a kick that comes in between ends HLT at once. */
    if (!context->requests)
        irq_wait();
}

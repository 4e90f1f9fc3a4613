/* SPDX-License-Identifier: BSD-2-Clause */
#include "kick.h"

#include "cpu.h"
#include "exception.h"
#include "insn.h"
#include "lapic_host.h"
#include "machine.h"

/* senders: see direct_host.c. */
void kick(unsigned cpu, bool urgent)
{
    struct cpu *to = cpus[cpu];

    if (to == this_cpu())
        return; /* it looks before it enters the guest again */
    __atomic_fetch_add(&to->senders, 1, __ATOMIC_SEQ_CST);
    if (to->nmi_only)
        urgent = true;
    else
        lapic_host_ipi(to->apic_id, VECTOR_KICK);
    if (urgent) {
        to->nmi_kicked = true;
        lapic_host_nmi(to->apic_id);
    }
    __atomic_fetch_sub(&to->senders, 1, __ATOMIC_SEQ_CST);
}

void kick_wait(struct context *context)
{
    /* IF is 0 from the look on until HLT: a kick that comes in between ends HLT at once. */
    if (!context->requests)
        irq_wait();
}

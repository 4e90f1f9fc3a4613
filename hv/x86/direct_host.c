/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends to a CPU looks first whether it may, and how; who changes that waits for those who have looked
 * already:
 *
 *   sender                          the CPU itself
 *   senders++                       nmi_only = true (sent_to = false)
 *   look at nmi_only (sent_to)      until senders == 0
 *   write the ICR                   until it must have arrived
 *   senders--                       what has arrived is taken
 *
 * The x2APIC has no delivery status (SDM 3A 11.12.9): that a message between two CPUs has arrived after
 * SETTLE_US is an assumption. Messages of devices need none: their vectors are known (direct.h).
 */
#include "direct_host.h"

#include "cpu.h"
#include "exception.h"
#include "insn.h"
#include "lapic_host.h"
#include "relax.h"
#include "time_host.h"

enum { SETTLE_US = 20 };

static void settle(struct cpu *cpu)
{
    while (__atomic_load_n(&cpu->senders, __ATOMIC_SEQ_CST))
        relax();
    time_wait_us(SETTLE_US);
}

static const char *refusal(unsigned cpu)
{
    if (!lapic_host_x2apic())
        return "the machine's local APICs have no x2APIC";
    if (cpu == boot_cpu.index)
        return "the console's interrupt comes to its other CPU";
    return 0;
}

static void begin(void)
{
    struct cpu *cpu = this_cpu();

    __atomic_store_n(&cpu->nmi_only, true, __ATOMIC_SEQ_CST);
    settle(cpu);
    lapic_host_deadline(~0ull);
    irq_window();
    lapic_host_give();
    __atomic_store_n(&cpu->sent_to, true, __ATOMIC_SEQ_CST);
}

static void quiet(void)
{
    struct cpu *cpu = this_cpu();

    __atomic_store_n(&cpu->sent_to, false, __ATOMIC_SEQ_CST);
    settle(cpu);
}

static void end(void)
{
    struct cpu *cpu = this_cpu();

    __atomic_fetch_or(&cpu->attention, ATTENTION_GUEST, __ATOMIC_RELAXED);
    lapic_host_priority(0);
    while (lapic_host_any_requested())
        irq_window();
    __atomic_fetch_and(&cpu->attention, (uint8_t)~ATTENTION_GUEST, __ATOMIC_RELAXED);
    lapic_host_take();
    __atomic_store_n(&cpu->nmi_only, false, __ATOMIC_SEQ_CST);
}

static bool send(unsigned cpu, uint8_t vector)
{
    struct cpu *to = cpus[cpu];
    bool good;

    __atomic_fetch_add(&to->senders, 1, __ATOMIC_SEQ_CST);
    good = to->sent_to;
    if (good)
        lapic_host_ipi(to->apic_id, vector);
    __atomic_fetch_sub(&to->senders, 1, __ATOMIC_SEQ_CST);
    return good;
}

const struct machine_apic direct_host_apic = {
    .refusal = refusal,
    .begin = begin,
    .quiet = quiet,
    .end = end,
    .send = send,
    .read = lapic_host_read,
    .write = lapic_host_write,
    .timer = lapic_host_timer,
    .timer_stop = lapic_host_timer_stop,
    .has_deadline = lapic_host_has_deadline,
    .timer_deadline = lapic_host_timer_deadline,
};

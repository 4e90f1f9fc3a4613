/* SPDX-License-Identifier: BSD-2-Clause */
/* The real local APIC of each CPU: x2APIC where there is one, else its page of registers. */
#ifndef LAPIC_HOST_H
#define LAPIC_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Once, on the boot CPU: chooses the way of access. nmi_lints: struct acpi. */
void lapic_host_choose(unsigned nmi_lints);

/* On every CPU: enables it, all of its own sources masked but the NMIs of the platform. */
void lapic_host_init(void);

bool lapic_host_x2apic(void);
uint32_t lapic_host_id(void);
void lapic_host_eoi(void);

/* The vector waits to be taken by this CPU. */
bool lapic_host_requested(unsigned vector);

/* To the CPU with the APIC id. */
void lapic_host_ipi(uint32_t apic_id, uint8_t vector);
void lapic_host_nmi(uint32_t apic_id);
void lapic_host_nmi_others(void);
void lapic_host_start(uint32_t apic_id, uint8_t page); /* INIT, SIPI, SIPI; @pre time_init() */

/* VECTOR_TIMER once the TSC reaches the deadline; ~0: none. One that is past fires at once. @pre time_init()
 */
void lapic_host_deadline(uint64_t tsc);

/* ---- for a guest that has it to itself. @pre x2APIC; on its CPU ---- */

/* What is the hypervisor's of it goes (its error interrupt), and comes again. */
void lapic_host_give(void);
void lapic_host_take(void);

/* By x2APIC number. */
uint32_t lapic_host_read(unsigned number);
void lapic_host_write(unsigned number, uint32_t value);

void lapic_host_priority(uint8_t priority);
bool lapic_host_any_requested(void); /* something is in the IRR */

/* As machine_apic's. */
void lapic_host_timer(uint8_t vector, uint64_t at, uint64_t period, bool own);
uint64_t lapic_host_timer_stop(void);
bool lapic_host_has_deadline(void);
uint64_t lapic_host_timer_deadline(void);

#endif

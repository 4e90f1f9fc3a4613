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

#endif

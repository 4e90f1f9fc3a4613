/* SPDX-License-Identifier: BSD-2-Clause */
/* A bare PC for tests: serial line, PCI, local and I/O APIC, interrupts counted by vector. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum { PCI_NONE = 0xffffffffu, IOAPIC_PINS = 24 };

/* Interrupts that came, by vector; called back first, if set. */
extern volatile uint32_t interrupts[256];
extern void (*volatile on_vector)(unsigned vector);

void machine_init(void);
/* %u %x %08x %s; as in printf. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends QEMU with exit status 2 * code + 1. */
_Noreturn void machine_exit(unsigned code);

/* function: bus 15:8, device 7:3, function 2:0 */
uint32_t pci_read(unsigned function, unsigned reg);
void pci_write(unsigned function, unsigned reg, uint32_t value);
/* Offset of a capability; 0: none. */
unsigned pci_capability(unsigned function, unsigned id);

/* Level-triggered, active low, to this CPU. */
void ioapic_route(unsigned pin, unsigned vector);
void ioapic_mask(unsigned pin, bool masked);

/* Lets interrupts in until the count of a vector reaches a number, or about so many ms went by. */
bool wait_for(unsigned vector, uint32_t count, unsigned ms);
void wait_ms(unsigned ms);

static inline uint32_t mmio_read(uint32_t address)
{
    return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void mmio_write(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

#endif

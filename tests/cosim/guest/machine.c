/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdarg.h>

enum {
    SERIAL = 0x3f8,
    DEBUG_EXIT = 0x501,
    LAPIC = 0xfee00000u,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_TIMER = 0x320,
    IOAPIC = 0xfec00000u,
    SPURIOUS_VECTOR = 0xff,
    PM_TIMER = 0x608, /* where SeaBIOS puts the q35's */
    PM_TICKS_A_MS = 3579,
};

volatile uint32_t interrupts[256];
void (*volatile on_vector)(unsigned vector);
extern const uint32_t vectors[256];

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* ---- text --------------------------------------------------------------------------------------- */

static void put(char c)
{
    while (!(in8(SERIAL + 5) & 0x20)) {
    }
    out8(SERIAL, (uint8_t)c);
}

static void put_number(uint32_t value, unsigned base, unsigned width)
{
    char digits[10];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || n < width);
    while (n) {
        put(digits[--n]);
    }
}

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        unsigned width = 0;
        for (format++; *format >= '0' && *format <= '9'; format++) {
            width = width * 10 + (unsigned)(*format - '0');
        }
        if (*format == 's') {
            for (const char *text = va_arg(args, const char *); *text; text++) {
                put(*text);
            }
        } else {
            put_number(va_arg(args, uint32_t), *format == 'x' ? 16 : 10, width);
        }
    }
    va_end(args);
}

void machine_exit(unsigned code)
{
    out8(DEBUG_EXIT, (uint8_t)code);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

/* ---- PCI ---------------------------------------------------------------------------------------- */

static void select_register(unsigned function, unsigned reg)
{
    out32(0xcf8, 0x80000000u | function << 8 | (reg & 0xfc));
}

uint32_t pci_read(unsigned function, unsigned reg)
{
    select_register(function, reg);
    return in32(0xcfc);
}

void pci_write(unsigned function, unsigned reg, uint32_t value)
{
    select_register(function, reg);
    out32(0xcfc, value);
}

unsigned pci_capability(unsigned function, unsigned id)
{
    unsigned at = pci_read(function, 0x34) & 0xfc;
    while (at) {
        uint32_t head = pci_read(function, at);
        if ((head & 0xff) == id) {
            return at;
        }
        at = head >> 8 & 0xfc;
    }
    return 0;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

void on_interrupt(unsigned vector);

void on_interrupt(unsigned vector)
{
    if (vector < 32) {
        print("FAIL exception %u\n", vector);
        machine_exit(1);
    }
    interrupts[vector]++;
    if (on_vector) {
        on_vector(vector);
    }
    if (vector != SPURIOUS_VECTOR) {
        mmio_write(LAPIC + LAPIC_EOI, 0);
    }
}

static uint32_t ioapic_read(unsigned index)
{
    mmio_write(IOAPIC, index);
    return mmio_read(IOAPIC + 0x10);
}

static void ioapic_write(unsigned index, uint32_t value)
{
    mmio_write(IOAPIC, index);
    mmio_write(IOAPIC + 0x10, value);
}

enum { IOAPIC_MASKED = 1 << 16, IOAPIC_LEVEL = 1 << 15, IOAPIC_LOW = 1 << 13 };

void ioapic_route(unsigned pin, unsigned vector)
{
    ioapic_write(0x11 + 2 * pin, 0);
    ioapic_write(0x10 + 2 * pin, IOAPIC_LEVEL | IOAPIC_LOW | vector);
}

void ioapic_mask(unsigned pin, bool masked)
{
    /* Vector and trigger mode stay: the end of an interrupt under way is found by them. */
    uint32_t entry = ioapic_read(0x10 + 2 * pin) & ~(uint32_t)IOAPIC_MASKED;
    ioapic_write(0x10 + 2 * pin, masked ? entry | IOAPIC_MASKED : entry);
}

static void load_vectors(void)
{
    static struct {
        uint16_t low, selector, type, high;
    } idt[256];
    static struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } pointer;
    for (unsigned i = 0; i < 256; i++) {
        idt[i].low = (uint16_t)vectors[i];
        idt[i].selector = 8;
        idt[i].type = 0x8e00;
        idt[i].high = (uint16_t)(vectors[i] >> 16);
    }
    pointer.limit = sizeof idt - 1;
    pointer.base = (uint32_t)(uintptr_t)idt;
    __asm__ volatile("lidt %0" ::"m"(pointer));
}

void machine_init(void)
{
    out8(SERIAL + 1, 0);
    out8(SERIAL + 3, 3);
    out8(SERIAL + 2, 7);
    out8(0x21, 0xff); /* the old interrupt controllers stay out of it */
    out8(0xa1, 0xff);
    load_vectors();
    mmio_write(LAPIC + LAPIC_TIMER, 1 << 16);
    mmio_write(LAPIC + LAPIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        ioapic_mask(pin, true);
    }
}

static void let_in(void)
{
    __asm__ volatile("sti; nop; nop; pause; cli" ::: "memory");
}

bool wait_for(unsigned vector, uint32_t count, unsigned ms)
{
    uint32_t start = in32(PM_TIMER);
    while (interrupts[vector] < count) {
        let_in();
        if (((in32(PM_TIMER) - start) & 0xffffff) > ms * PM_TICKS_A_MS) {
            return false;
        }
    }
    return true;
}

void wait_ms(unsigned ms)
{
    wait_for(0, PCI_NONE, ms);
}

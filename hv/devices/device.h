/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device of an LPAR is: ranges on the port and memory buses, and what it may ask of its LPAR.
 *
 * A device is portable: it sees no vCPU, no LPAR, no clock of its own. All access to the devices of one LPAR
 * is serialised by the LPAR's device lock, which the caller of read(), write() and of any other entry point
 * of a device holds; functions of struct device_env are called with it held and do not call back.
 * (The local APIC is not on these buses: it belongs to its vCPU and is reached without the lock.)
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

enum power { POWER_OFF, POWER_RESET };

/* The timers of an LPAR's devices; pit_expire() and its like are called when one has come; TIMER_LINES is of
 * functions' lines (core/router.h). */
enum device_timer { TIMER_PIT, TIMER_LINES, DEVICE_TIMERS };

/* Filled in by the LPAR, or by a test. */
struct device_env {
    void *owner;
    uint64_t (*now)(void *owner);                       /* ns since the LPAR started; never goes back */
    void (*line)(void *owner, unsigned gsi, bool high); /* an input of the I/O APIC */
    void (*message)(void *owner, uint64_t address, uint32_t data); /* an MSI */
    void (*legacy)(void *owner, uint8_t vector); /* an edge of a PIC that firmware left set up; may be null */
    void (*power)(void *owner, enum power what); /* of the LPAR */
    void (*console)(void *owner, unsigned port, uint8_t byte);           /* a byte out of UART `port` */
    void (*timer)(void *owner, enum device_timer timer, uint64_t at_ns); /* ~0: stop */
};

struct device_ops {
    const char *name;
    /* offset counts from the first address of the range; size is 1, 2, 4 or (memory) 8 and the access lies
     * in the range. Bytes of the result above size are ignored. */
    uint64_t (*read)(void *device, uint64_t offset, unsigned size);
    void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
    void (*reset)(void *device); /* to its state at power-on; may be null */
};

struct bus_range {
    uint64_t first;
    uint64_t count;
    const struct device_ops *ops;
    void *device;
};

#define BUS_RANGES 32

/* The ranges of one bus (ports, or memory), in ascending order. */
struct bus {
    unsigned count;
    struct bus_range range[BUS_RANGES];
    uint64_t unclaimed; /* accesses that met no range */
};

enum bus_error { BUS_FULL = -1, BUS_OVERLAP = -2, BUS_EMPTY = -3 };

/* 0, or one of bus_error. @pre ops->read and ops->write are set */
int bus_add(struct bus *bus, uint64_t first, uint64_t count, const struct device_ops *ops, void *device);

/* An access that no range, or not one range alone, claims reads as all ones, is dropped when it writes, and
 * is counted; the result is false. @pre size is 1, 2, 4 or 8 */
bool bus_read(struct bus *bus, uint64_t address, unsigned size, uint64_t *value);
bool bus_write(struct bus *bus, uint64_t address, unsigned size, uint64_t value);

/* Calls every device's reset once per range. */
void bus_reset(struct bus *bus);

#endif

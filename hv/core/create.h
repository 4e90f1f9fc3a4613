/* SPDX-License-Identifier: BSD-2-Clause */
/* Making LPARs at boot, from a plan: nothing is allocated afterwards. */
#ifndef CREATE_H
#define CREATE_H

#include "boot_guest.h"
#include "carve.h"
#include "lpar.h"

struct lpar_plan {
    const char *name;
    unsigned cpus;
    unsigned cpu[LPAR_CPUS]; /* physical CPUs, by their number */
    uint64_t bytes;          /* of memory */
    int64_t clock;           /* seconds since 1970, at tick 0 of the machine */
    struct boot_guest boot;
    struct lpar_functions functions;
    uint32_t mechanisms;
    bool console, x2apic, test_device, autostart, service;
};

/* The new LPAR, off; null with the reason on the log. Its contexts are to be initialised on their own CPUs.
 */
struct lpar *lpar_create(const struct lpar_plan *plan, const struct machine_ops *machine,
                         struct carve *carve);

#endif

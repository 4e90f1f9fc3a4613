/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A logical partition: CPUs, memory and devices of its own, and its life.
 *
 * State changes are made by CPUs of the LPAR itself: whoever wants an LPAR stopped or reset says so in
 * `wanted` and requests a stop of every vCPU; the last one to leave its guest does what is wanted
 * (lpar_left). Nobody waits.
 */
#ifndef LPAR_H
#define LPAR_H

#include "boot_guest.h"
#include "gpmap.h"
#include "lock.h"
#include "lpar_devices.h"
#include "lpar_pci.h"
#include "memory.h"
#include "vcpu.h"

#define LPARS     16u
#define LPAR_CPUS 32u
#define LPAR_NAME 32u
#define LPAR_TEXT 512u

enum lpar_state {
    LPAR_OFF,      /* never started, powered off, or stopped */
    LPAR_STARTING, /* its boot CPU loads its kernel */
    LPAR_RUNNING,
    LPAR_FAILED, /* stopped for a reason that lpar->failure tells */
};

enum lpar_wanted { WANT_NOTHING, WANT_OFF, WANT_RESET, WANT_FAILED };

struct lpar {
    char name[LPAR_NAME];
    unsigned index;      /* in lpars[] */
    uint32_t mechanisms; /* bit per enum mechanism: switched on */
    bool console, x2apic, test_device;
    bool autostart; /* at boot, not from the console */
    struct memory memory;
    struct gpmap map;
    struct boot_guest boot;
    unsigned cpus;
    struct vcpu *vcpu[LPAR_CPUS];

    struct lock lock; /* of the next four */
    enum lpar_state state;
    enum lpar_wanted wanted;
    unsigned inside; /* vCPUs that have not left yet */
    char failure[96];

    struct lock devices; /* see device.h */
    struct bus ports, space;
    struct device_set set;
    struct lpar_pci pci;
    uint64_t device_at[DEVICE_TIMERS]; /* tick of the devices' timers, ~0: none; written with the lock */
    uint64_t device_next;              /* the earliest of them, for those who look without the lock */
    uint64_t started;                  /* tick */
    int64_t clock;                     /* seconds since 1970, at tick 0 */
    uint64_t ns_per_tick;              /* 2^-32 ns */
    uint64_t starts;
    struct statistics *statistics; /* the LPAR reads it */
    size_t statistics_bytes;
};

extern struct lpar lpars[LPARS];
extern unsigned lpar_count;

/* Any CPU. What is asked of an LPAR that is in no state for it changes nothing, and the result is false. The
 * work is done by the LPAR's own CPUs. */
bool lpar_start(struct lpar *lpar);
bool lpar_stop(struct lpar *lpar, enum lpar_wanted wanted);

/* On a CPU of the LPAR, for what its guest did: a dump goes to the log, the LPAR stops, the others run on. */
void lpar_fail(struct lpar *lpar, struct vcpu *vcpu, const char *why);

/* What a CPU with a vCPU does for ever: runs it whenever its LPAR runs. */
void lpar_cpu(struct vcpu *vcpu) __attribute__((noreturn));

#endif

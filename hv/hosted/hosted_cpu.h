/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the hosted back end share. */
#ifndef HOSTED_CPU_H
#define HOSTED_CPU_H

#include "emulate.h"
#include "exit.h"
#include "hosted.h"

enum { HOSTED_MSRS = 16 };

/* A context's state. */
struct hosted {
    uint64_t root;
    struct event injected;
    unsigned windows;
    bool shadow; /* the last instruction was STI, or loaded SS */
    bool nmi_blocked;
    uint64_t flushes;
    uint64_t flushes_before, cr0_before, cr4_before; /* when the guest last exited */
    uint64_t tsc_offset;
    uint64_t dr[8];
    uint64_t msr[HOSTED_MSRS];
    uint8_t xmm[16][16], mmx[8][8];
    uint64_t next_rip;
    struct emulate_cache decoded;
    struct exit exit; /* set by an access that ends in one */
    bool exiting;
    char why[160]; /* for describe() */
};

/* ---- memory (hosted_memory.c) ---- */

extern const struct emulate_ops hosted_access;

/* A system access (descriptor tables, the stack of a delivery): never a user's. */
enum emulate_result hosted_system_read(struct context *context, uint64_t linear, void *data, unsigned size,
                                       struct emulate_fault *fault);
enum emulate_result hosted_system_write(struct context *context, uint64_t linear, const void *data,
                                        unsigned size, struct emulate_fault *fault);

void hosted_refuse(struct context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- one instruction (hosted_step.c) ---- */

/* False: hosted->exit tells why the guest left. */
bool hosted_step(struct context *context);
/* Through the IDT. False: it exits. */
bool hosted_deliver(struct context *context, const struct event *event);

extern const uint32_t hosted_msr_numbers[HOSTED_MSRS];

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX back end's own state of a context. A CPU runs one context, whose VMCS stays loaded. */
#ifndef VMX_H
#define VMX_H

#include "machine.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits of CR0 the guest may change without an exit: all but CD, NW and NE. */
#define VMX_CR0_OWNED 0x8005001f

struct vmx {
    uint8_t vmcs[FRAME_SIZE];
    uint8_t msr_bitmap[FRAME_SIZE];
    uint64_t host_rsp; /* as the VMCS has it */
    uint64_t cr4_owned;
    uint32_t proc;  /* primary controls, as the VMCS has them */
    uint32_t entry; /* entry controls, but for the long-mode bit, which exits change */
    uint64_t root;
    bool launched;
};

extern const struct machine_ops vmx_ops;

/* VMX operation on, on this CPU; the controls that are needed are there. Negative: a message is on the log.
 */
int vmx_cpu_on(void);

/* Required and wished-for bits of a control word, as this CPU allows them. */
struct vmx_controls {
    uint32_t pin, proc, proc2, exit, entry;
};
extern struct vmx_controls vmx_controls;

/* vmx_state.c */
void vmx_fetch(struct context *context, enum reg which);
void vmx_fetch_segment(struct context *context, enum seg which);
void vmx_flush_registers(struct context *context);
void vmx_inject(struct context *context, const struct event *event);
void vmx_retract(struct context *context);
void vmx_window_request(struct context *context, unsigned windows);
unsigned vmx_blocking(struct context *context);
void vmx_set_blocking(struct context *context, unsigned blocking);
uint64_t vmx_next_rip(struct context *context);
bool vmx_skip(struct context *context);
bool vmx_retire(struct context *context);
int vmx_msr_read(struct context *context, uint32_t msr, uint64_t *value);
int vmx_msr_write(struct context *context, uint32_t msr, uint64_t value);
void vmx_direct(struct context *context, unsigned how);
void vmx_tsc_offset(struct context *context, uint64_t offset);

/* vmx_exit.c */
void vmx_run(struct context *context, struct exit *exit);
void vmx_describe(struct context *context, char *text, size_t size);

/* ept.c */
extern struct paging_format ept_format; /* largest_leaf is what the CPU has */
void ept_load(struct context *context, uint64_t root, tag_t tag);
void ept_flush(struct context *context, tag_t tag);

#endif

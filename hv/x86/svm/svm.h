/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM back end's own state of a context. */
#ifndef SVM_H
#define SVM_H

#include "machine.h"
#include "vmcb.h"

struct svm {
    struct vmcb vmcb;
    struct vmcb host;          /* for VMLOAD after an exit */
    uint8_t msr_map[2 * 4096]; /* two bits an MSR */
    uint8_t io_map[3 * 4096];
    uint32_t clean;
    uint32_t masking; /* VINTR_MASKING, or 0: IF and TPR of the guest are the CPU's */
    /*
     * NMIs without hardware help: one that is injected blocks others until IRET is done. IRET is intercepted;
     * it is done when RIP is no longer iret_rip. One that waits (nmi_wanted) has the guest leave by a single
     * step over what is in its way: that IRET, or the instruction in a shadow.
     */
    bool nmi_blocked, nmi_iret, nmi_wanted;
    uint64_t iret_rip;
    bool stepping, own_step; /* own_step: the guest has set TF, too */
    uint64_t step_dr6;       /* the guest's DR6 before the step */
};

extern const struct machine_ops svm_ops;

/* What this CPU has of SVM's options. */
struct svm_features {
    uint32_t asids;
    bool next_rip, flush_by_tag, decode_assists;
};
extern struct svm_features svm_features;

/* SVM on, on this CPU; negative: a message is on the log. */
int svm_cpu_on(void);

/* svm_state.c */
void svm_fetch(struct context *context, enum reg which);
void svm_fetch_segment(struct context *context, enum seg which);
void svm_flush_registers(struct context *context);
void svm_inject(struct context *context, const struct event *event);
void svm_retract(struct context *context);
void svm_window_request(struct context *context, unsigned windows);
void svm_await_nmi(struct context *context);
unsigned svm_blocking(struct context *context);
void svm_set_blocking(struct context *context, unsigned blocking);
uint64_t svm_next_rip(struct context *context);
bool svm_retire(struct context *context);
uint64_t svm_dr_read(struct context *context, unsigned number);
void svm_dr_write(struct context *context, unsigned number, uint64_t value);
int svm_msr_read(struct context *context, uint32_t msr, uint64_t *value);
int svm_msr_write(struct context *context, uint32_t msr, uint64_t value);
void svm_direct(struct context *context, unsigned how);
void svm_tsc_offset(struct context *context, uint64_t offset);

/* svm_exit.c */
void svm_run(struct context *context, struct exit *exit);
void svm_describe(struct context *context, char *text, size_t size);

/* npt.c */
extern const struct paging_format npt_format;
void npt_load(struct context *context, uint64_t root, tag_t tag);
void npt_flush(struct context *context, tag_t tag);

#endif

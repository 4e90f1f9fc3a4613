/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a guest left off: the normalised record that a back end makes of an exit. No field is a vendor's.
 */
#ifndef EXIT_H
#define EXIT_H

#include <stdbool.h>
#include <stdint.h>

#define EXIT_KINDS(X)                                                                                        \
    X(KICK, kick)           /* requests are waiting; nothing else happened */                                \
    X(IRQ, irq)             /* an interrupt of the host; its handler has run */                              \
    X(NMI, nmi)             /* an NMI of the host: a kick, or the platform's */                              \
    X(WINDOW, window)       /* what window() asked for can be taken now */                                   \
    X(EXCEPTION, exception) /* fault: an exception that is intercepted */                                    \
    X(IO, io)                                                                                                \
    X(MMIO, mmio) /* access to guest-physical memory that the tables do not allow */                         \
    X(CR, cr)                                                                                                \
    X(DR, dr)                                                                                                \
    X(MSR, msr)                                                                                              \
    X(CPUID, cpuid)                                                                                          \
    X(HLT, hlt)                                                                                              \
    X(PAUSE, pause)                                                                                          \
    X(MONITOR, monitor)     /* MONITOR, MWAIT */                                                             \
    X(HYPERCALL, hypercall) /* VMCALL, VMMCALL */                                                            \
    X(INVLPG, invlpg)                                                                                        \
    X(CACHE, cache) /* WBINVD, INVD */                                                                       \
    X(XSETBV, xsetbv)                                                                                        \
    X(RDTSC, rdtsc) /* RDTSC, RDTSCP */                                                                      \
    X(RDPMC, rdpmc)                                                                                          \
    X(DESCRIPTOR, descriptor) /* SGDT, LIDT … */                                                             \
    X(TASK, task)             /* task switch */                                                              \
    X(VIRT, virt)             /* an instruction of VMX or SVM */                                             \
    X(INIT, init)                                                                                            \
    X(SIPI, sipi)                                                                                            \
    X(TIMER, timer)       /* the preemption timer */                                                         \
    X(STEP, step)         /* one instruction was run */                                                      \
    X(SHUTDOWN, shutdown) /* triple fault */                                                                 \
    X(INVALID, invalid)   /* the CPU refused to enter the guest */                                           \
    X(OTHER, other)       /* none of these: describe() tells; the LPAR is stopped */

enum exit_kind {
#define X(upper, lower) EXIT_##upper,
    EXIT_KINDS(X)
#undef X
        EXIT_KIND_COUNT
};

struct exit_io {
    uint16_t port;
    uint8_t size; /* 1, 2, 4 */
    bool in;
    bool string;
    bool rep;
    uint8_t segment;      /* string: enum seg, where the back end knows it (segment_known) */
    uint8_t address_size; /* string: 2, 4, 8 */
    bool segment_known;
};

struct exit_mmio {
    uint64_t gpa;
    uint64_t gva; /* valid when gva_known */
    bool gva_known;
    bool walk;    /* the CPU was walking the guest's own page tables */
    bool present; /* the page is mapped, only the right is missing */
    bool read, write, execute;
};

struct exit_cr {
    uint8_t number;     /* 0, 2, 3, 4, 8 */
    uint8_t access;     /* enum exit_cr_access */
    uint8_t gpr;        /* enum reg, for a MOV */
    bool decoded;       /* false: decode the instruction at RIP; only `number` and the direction are known */
    uint8_t size;       /* SMSW's operand, in bytes */
    uint16_t source;    /* LMSW */
    bool source_memory; /* SMSW/LMSW with a memory operand */
};
enum exit_cr_access { CR_WRITE, CR_READ, CR_CLTS, CR_LMSW, CR_SMSW };

struct exit_dr {
    uint8_t number;
    uint8_t gpr;
    bool read;
    bool decoded;
};

struct exit_msr {
    bool write; /* number in ECX, value in EDX:EAX */
};

struct exit_exception {
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t address; /* #PF: the linear address; #DB: what DR6 would be set to */
    bool soft;        /* INT3, INTO, INT1 */
};

struct exit {
    enum exit_kind kind;
    bool decode;    /* the back end does not know how long the instruction is (machine_ops.next_rip) */
    uint8_t length; /* 0, or found out by hv/core */
    union {
        uint8_t vector; /* EXIT_IRQ, EXIT_SIPI */
        unsigned windows;
        struct exit_io io;
        struct exit_mmio mmio;
        struct exit_cr cr;
        struct exit_dr dr;
        struct exit_msr msr;
        struct exit_exception exception;
        bool writeback;    /* EXIT_CACHE: WBINVD */
        bool mwait;        /* EXIT_MONITOR */
        bool rdtscp;       /* EXIT_RDTSC */
        uint64_t address;  /* EXIT_INVLPG */
        uint32_t hardware; /* EXIT_INVALID, EXIT_OTHER: for the dump only */
    };
};

/* "cpuid", "mmio" …: what statistics and the console call them. @pre kind < EXIT_KIND_COUNT */
const char *exit_name(enum exit_kind kind);

#endif

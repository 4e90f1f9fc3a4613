/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine: what hv/core asks of the CPU it runs guests on.
 *
 * One of the two hardware abstractions (the other is the card, hv/hal/card.h). Three back ends fill in a
 * const struct machine_ops: vmx and svm (chosen once, at boot) and hosted (a process, for tests). hv/core
 * never sees a VMCS or a VMCB; a back end never sees an LPAR.
 *
 * A virtual CPU is a struct context here: registers as the guest sees them. A vCPU is pinned to one
 * physical CPU, and all functions that take a context are called on that CPU unless said otherwise.
 *
 * Registers are fetched late and written back late, since a VMREAD is not free: context_get() asks the back
 * end on first use after an exit, context_set() marks the register, and run() writes what is marked.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exit;
struct context;

#define FRAME_SHIFT 12
#define FRAME_SIZE  4096u

/* General registers come first and in the order of their encoding. */
enum reg {
    REG_RAX,
    REG_RCX,
    REG_RDX,
    REG_RBX,
    REG_RSP,
    REG_RBP,
    REG_RSI,
    REG_RDI,
    REG_R8,
    REG_R9,
    REG_R10,
    REG_R11,
    REG_R12,
    REG_R13,
    REG_R14,
    REG_R15,
    REG_RIP,
    REG_RFLAGS,
    REG_CR0, /* control registers and EFER hold what the guest believes, not what hardware needs */
    REG_CR2,
    REG_CR3,
    REG_CR4,
    REG_EFER,
    REG_DR7,
    REG_COUNT
};

/* Segments in the order of their encoding, then what LxDT and LTR load. */
enum seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_GDTR, SEG_IDTR, SEG_COUNT };

/* Attributes as in a descriptor: bits 0-7 are its byte 5, bits 8-11 the high half of its byte 6. */
enum {
    SEG_TYPE_MASK = 0x000f,
    SEG_CODE_DATA = 0x0010,
    SEG_DPL_SHIFT = 5,
    SEG_PRESENT = 0x0080,
    SEG_LONG = 0x0200,
    SEG_BIG = 0x0400,
    SEG_GRANULAR = 0x0800,
    SEG_UNUSABLE = 0x8000, /* a null selector was loaded; VMX keeps it apart from "not present" */
};

struct segment {
    uint64_t base;
    uint32_t limit; /* in bytes, expanded */
    uint16_t selector;
    uint16_t attributes;
};

/* Numbers of VMX and SVM, which agree. */
enum event_kind {
    EVENT_INTERRUPT = 0,
    EVENT_NMI = 2,
    EVENT_EXCEPTION = 3,
    EVENT_SOFT_INTERRUPT = 4, /* INT n */
    EVENT_ICEBP = 5,          /* INT1; SVM cannot tell it from INT n or #DB */
    EVENT_SOFT_EXCEPTION = 6, /* INT3, INTO */
};

struct event {
    bool valid;
    uint8_t kind; /* enum event_kind */
    uint8_t vector;
    uint8_t length; /* of the instruction, for the soft kinds: RIP still points to it */
    bool has_error;
    uint32_t error;
};

/* What keeps an event from being taken now. */
enum blocking {
    BLOCK_STI = 1,    /* the instruction after STI */
    BLOCK_MOV_SS = 2, /* the instruction after MOV SS or POP SS; holds back NMI and #DB as well */
    BLOCK_NMI = 8,    /* an NMI handler has not executed IRET yet */
};

enum window { WINDOW_INTERRUPT = 1, WINDOW_NMI = 2 };

/* Rights of a guest-physical page, and its memory type. */
enum right { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_EXECUTE = 4, RIGHT_ALL = 7 };
enum memory_type { MEMORY_UC = 0, MEMORY_WC = 1, MEMORY_WT = 4, MEMORY_WP = 5, MEMORY_WB = 6 };

enum vector_file { VECTOR_XMM, VECTOR_MMX };

/* A TLB tag: VPID or ASID, or the hosted back end's own. 0 is the hypervisor's. */
typedef uint16_t tag_t;

/* Bits of context->requests that the machine itself sets; the others are hv/core's. */
enum { REQUEST_TIMER = 1u << 31 };

struct context {
    uint64_t reg[REG_COUNT];    /* general registers first: assembler relies on it, and on requests next */
    volatile uint32_t requests; /* while not 0, run() returns EXIT_KICK instead of entering; set atomically */
    uint32_t known;             /* bit per enum reg: reg[] holds the guest's value */
    uint32_t dirty;             /* bit per enum reg: to be written back before the next run */
    uint32_t seg_known;
    uint32_t seg_dirty;
    struct segment seg[SEG_COUNT];
    struct event vectoring; /* event whose delivery the last exit interrupted; run() sets it */
    uint64_t cr4_allowed;   /* bits the guest may set; set before context_reset() */
    uint64_t state_reads;   /* how often guest state was asked of the CPU, where that is an instruction */
    tag_t tag;
    unsigned cpu; /* the physical CPU */
    const struct machine_ops *machine;
    void *backend; /* the back end's own state */
};

/* What a page-table entry for guest-physical memory looks like. */
struct paging_format {
    unsigned levels; /* 4; a leaf may be at level 1 (4 KiB), 2 (2 MiB), 3 (1 GiB) */
    unsigned largest_leaf;
    uint64_t present_mask; /* an entry with none of these bits is empty */
    uint64_t leaf_mask;    /* at level 2 and 3: an entry with this bit is a leaf */
    uint64_t address_mask;
    uint64_t (*leaf)(uint64_t address, unsigned level, unsigned rights, enum memory_type type);
    uint64_t (*table)(uint64_t address);
    unsigned (*rights)(uint64_t entry);
};

/* How a context has its interrupts: a mask, 0 for all by way of the hypervisor. */
enum direct_how {
    DIRECT_ON = 1, /* the guest takes them from the physical local APIC, without an exit; TPR is its own, HLT
                      is run */
    DIRECT_END_EXITS = 2, /* but its EOI exits */
    DIRECT_DEADLINE = 4,  /* IA32_TSC_DEADLINE is its own, too */
};

/*
 * The physical local APIC, for contexts that have it to themselves. Called on the context's CPU, but send()
 * and refusal(). Registers have their x2APIC numbers.
 */
struct machine_apic {
    const char *(*refusal)(unsigned cpu); /* why it cannot be had on this CPU; null: it can */
    /* From now on nothing of the hypervisor's comes to this CPU but kicks, and these as NMIs. */
    void (*begin)(void);
    /* What send() has sent has arrived, and send() is false from now on. */
    void (*quiet)(void);
    /* What is pending there goes to direct_late(), and the hypervisor has its local APIC back. */
    void (*end)(void);
    bool (*send)(unsigned cpu, uint8_t vector); /* false: nothing was sent, the CPU is not direct */
    uint32_t (*read)(unsigned number);
    void (*write)(unsigned number, uint32_t value);
    /* An interrupt at that tick (~0: none; one that is past comes at once), again each period unless that is
     * 0. own: the guest writes IA32_TSC_DEADLINE itself; `at` is what it holds now. */
    void (*timer)(uint8_t vector, uint64_t at, uint64_t period, bool own);
    uint64_t (*timer_stop)(void);     /* the ticks that were left; 0: it had expired */
    bool (*has_deadline)(void);       /* IA32_TSC_DEADLINE is there */
    uint64_t (*timer_deadline)(void); /* what it holds; 0: it has expired */
};

struct machine_ops {
    const char *name; /* "vmx", "svm", "hosted" */
    const struct paging_format *paging;
    unsigned (*tags)(void); /* how many exist; 1 .. tags() - 1 are for guests */

    /* Makes a context ready on this CPU; `backend` is its memory, zeroed, of backend_size bytes, 4-KiB
     * aligned. 0, or negative with a message on the log. */
    size_t backend_size;
    int (*context_init)(struct context *context);
    void (*context_fini)(struct context *context);

    /* Registers as after INIT or power-on (SDM 3A table 10-1); general registers too. */
    void (*context_reset)(struct context *context);

    /* Runs the guest until it exits. Always returns; an entry that the CPU refuses is EXIT_INVALID. */
    void (*run)(struct context *context, struct exit *exit);

    /* Fills in reg[which] (seg[which]) and whatever comes for free with it. */
    void (*fetch)(struct context *context, enum reg which);
    void (*fetch_segment)(struct context *context, enum seg which);

    /* Has the next run() deliver the event first. @pre deliverable now: see blocking() and RFLAGS.IF */
    void (*inject)(struct context *context, const struct event *event);
    /* Takes back what inject() queued and no run() has delivered. */
    void (*retract)(struct context *context);

    /* Asks for EXIT_WINDOW as soon as the named ones (enum window) could be taken; 0 asks for none. */
    void (*window)(struct context *context, unsigned windows);

    unsigned (*blocking)(struct context *context); /* enum blocking, a mask */
    void (*set_blocking)(struct context *context, unsigned blocking);

    /* RIP behind the instruction that exited, unless the exit said `decode`. */
    uint64_t (*next_rip)(struct context *context);
    /* next_rip() into RIP, then retire(): what nearly every exit ends with. Null: the two are called instead.
     */
    bool (*skip)(struct context *context);
    /*
     * An instruction was carried out on the guest's behalf, and RIP set: ends an STI or MOV-SS shadow and
     * RFLAGS.RF. True: RFLAGS.TF asks for a single-step trap, DR6.BS is set, and the caller is to raise #DB.
     */
    bool (*retire)(struct context *context);

    /* MSRs of the guest that the CPU holds: FS_BASE, LSTAR, PAT … Negative: not one of them. */
    int (*msr_read)(struct context *context, uint32_t msr, uint64_t *value);
    int (*msr_write)(struct context *context, uint32_t msr, uint64_t value);
    uint64_t (*dr_read)(struct context *context, unsigned number); /* 0-3, 6; DR7 is a register above */
    void (*dr_write)(struct context *context, unsigned number, uint64_t value);
    /* Loads an extended control register; negative: the CPU refuses. */
    int (*xcr_write)(struct context *context, uint32_t index, uint64_t value);
    /* An XMM (16 bytes) or MMX register (8 bytes). @pre the guest may use it now: no CR0.TS, CR0.EM */
    void (*vector_read)(struct context *context, enum vector_file file, unsigned number, void *data);
    void (*vector_write)(struct context *context, enum vector_file file, unsigned number, const void *data);
    /* Guest TSC = host TSC + offset. */
    void (*tsc_offset)(struct context *context, uint64_t offset);

    /* Guest-physical memory of the context is what the tables at `root` say, cached under `tag`. */
    void (*root_load)(struct context *context, uint64_t root, tag_t tag);
    /* Nothing cached under the tag survives on this CPU. Others are asked by a kick. */
    void (*flush)(struct context *context, tag_t tag);

    /* Whether an exit by an interrupt may come with a wrong RIP (hv/core/lost_rip.h). Null: never. */
    bool (*loses_rip)(void);

    /* Null: contexts cannot have the physical local APIC. */
    const struct machine_apic *apic;
    void (*direct)(struct context *context, unsigned how); /* enum direct_how */

    /* What could not be normalised, for a dump: one line, terminated. */
    void (*describe)(struct context *context, char *text, size_t size);

    /* Of the machine, not of a context. */
    void *(*frames)(
        size_t bytes); /* zeroed memory that is never given back, at its own physical address; or null */
    void (*kick)(unsigned cpu, bool urgent); /* any CPU. urgent: even a guest with IF=0 on an emulator */
    void (*wait)(
        struct context *context); /* for a request; returns at once if one is due, and may at any time */
    uint64_t (*ticks)(void);      /* the TSC */
    uint64_t (*ticks_per_second)(void);
    void (*deadline)(uint64_t ticks); /* REQUEST_TIMER for this CPU's context then; ~0: none */
    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
    void (*pause)(void); /* in a spin loop */
};

static inline uint64_t context_get(struct context *context, enum reg which)
{
    if (!(context->known & 1u << which))
        context->machine->fetch(context, which);
    return context->reg[which];
}

static inline void context_set(struct context *context, enum reg which, uint64_t value)
{
    context->reg[which] = value;
    context->known |= 1u << which;
    context->dirty |= 1u << which;
}

static inline const struct segment *context_segment(struct context *context, enum seg which)
{
    if (!(context->seg_known & 1u << which))
        context->machine->fetch_segment(context, which);
    return &context->seg[which];
}

static inline void context_set_segment(struct context *context, enum seg which, const struct segment *value)
{
    context->seg[which] = *value;
    context->seg_known |= 1u << which;
    context->seg_dirty |= 1u << which;
}

#endif

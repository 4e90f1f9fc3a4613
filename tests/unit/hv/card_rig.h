/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card with the Verilated relay, and LPARs on the hosted machine that own its functions, in one process.
 *
 * Real: the circuit, the indicator's reader, the router, configuration space, timers, I/O APIC and local
 * APIC. Played here: the functions behind the relay, the root port, the machine's I/O APIC input and local
 * APICs (one input; paper_apic.h, so that messages merge), and what drivers in guests do. Each of the two
 * LPARs has one vCPU, on a CPU of its own; where functions are dedicated it has a second one that may be
 * direct. Time stands but for what rig_pass() and each TLP add.
 */
#ifndef CARD_RIG_H
#define CARD_RIG_H

#include "card_sim.h"
#include "hosted.h"
#include "lpar.h"
#include "paper_apic.h"
#include "pci_host.h"
#include "router.h"
#include "tlp.h"

enum { RIG_FUNCTIONS = 7, RIG_CPUS = 4, RIG_ENTRIES = 2, RIG_MSIX_ENTRIES = 4 };
enum { RIG_BAR_BYTES = 0x2000, RIG_TABLE = 0x1000, RIG_MEMORY = 2 << 20 };
/* Where a function's capabilities are. */
enum { RIG_AT_MSIX = 0x40, RIG_AT_MSI = 0x50, RIG_AT_PCIE = 0x70 };

struct rig_plan {
    unsigned ports;                    /* 4 or 7: functions on the card */
    unsigned owner[1 + RIG_FUNCTIONS]; /* of function f: 0 nobody, 1 red, 2 blue */
    unsigned dedicated;                /* bit per function; not 0: LPARs have two vCPUs */
};

/* What a handler is called for. */
enum rig_kind { RIG_LINE, RIG_MESSAGE };

/* A function, and its driver in the guest. */
struct rig_device {
    uint8_t config[256];
    uint8_t bar[RIG_BAR_BYTES];
    bool wants, told;            /* its wire; and as the relay was last told */
    unsigned aim;                /* the vCPU that its driver wants its messages, or its line, at */
    unsigned resets;             /* function-level ones */
    unsigned owed[RIG_ENTRIES];  /* messages sent since the handler last ran; 0 at the end: none is lost */
    unsigned unmet[RIG_ENTRIES]; /* messages less calls of their handler */
    unsigned long lines;         /* calls of the handlers */
    unsigned long messages;
    unsigned long in_vain; /* of them: nothing was asked that a call before had not served already */
};

struct rig {
    struct model *model;
    struct card_sim *sim;
    uint64_t now_ns;
    struct lpar *red, *blue;
    struct rig_device device[1 + RIG_FUNCTIONS];
    struct pci_host_function described[1 + RIG_FUNCTIONS];
    bool still;               /* functions do not act yet on what is written to them */
    unsigned long wrong_lpar; /* handlers called in an LPAR that does not have the function */

    /* The root port and what is behind it. */
    bool level, input_on;
    bool due;                    /* the I/O APIC has sent it: also if the line has fallen since */
    uint64_t deadline[RIG_CPUS]; /* ticks, ~0: none */
    unsigned handling[RIG_CPUS]; /* handlers of a second vCPU's guest that have not sent EOI */
    unsigned long messages;      /* that got out */
    unsigned long straight;      /* of them: to a guest, without the hypervisor */
    uint64_t address;            /* of the last one */
    uint32_t data;
    unsigned writes, reads;              /* DMA that got out */
    uint64_t last;                       /* its last address */
    unsigned completions;                /* from functions */
    unsigned answers[1 + RIG_FUNCTIONS]; /* completions that came down to the function */
};

extern struct rig rig;

/* Prints and ends the process where `what` does not hold. */
#define RIG_CHECK(what, ...) ((what) ? (void)0 : rig_fail(__FILE__, __LINE__, #what, __VA_ARGS__))
void rig_fail(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

/* Powers all on. Guests are ready for lines of all functions; messages are off. */
void rig_open(const struct rig_plan *plan);

/*
 * The circuit is reset and nothing else: tables, ring, windows are gone, and functions that ask for an
 * interrupt ask again as soon as their links are up.
 */
void rig_reset_card(void);

/* ---- functions ---- */

uint16_t rig_id(unsigned f);
void rig_send(unsigned f, const struct tlp *t);
void rig_want(unsigned f, bool high);                                     /* its wire */
void rig_write(unsigned f, uint64_t address, uint32_t data, unsigned as); /* DMA, in the name of `as` */
void rig_read(unsigned f, uint64_t address);
/* Sends the message as it is set up. False: it is masked or off. */
bool rig_message(unsigned f, unsigned entry);
uint32_t rig_config(unsigned f, uint32_t offset, unsigned size); /* as it really is */

/* ---- the machine ---- */

void rig_pass(uint64_t ns);

/* The CPU takes one interrupt; false: none waits. */
bool rig_interrupt(unsigned cpu);

/* A line interrupt that nothing asked for. */
void rig_stray_line(void);

/* What is due of the first vCPU's timers and requests; then its guest runs `handlers` handlers at most. */
void rig_guest(struct lpar *lpar, unsigned handlers);

/* The same for the second one, whose handlers nest: one begins, if one can now; the last one that did ends.
 * False: none. @pre functions are dedicated */
bool rig_begin_handler(struct lpar *lpar);
bool rig_end_handler(struct lpar *lpar);

/* The handler of a function's line, which the vCPU has taken, to its EOI. */
void rig_end(struct lpar *lpar, unsigned f);

/* Until nothing is left to do on any CPU; time passes where something waits for it. */
void rig_settle(void);

/* ---- what a guest does ---- */

struct pci_pass *rig_pass_of(unsigned f);
uint32_t rig_guest_config(unsigned f, uint32_t offset, unsigned size);
void rig_guest_set_config(unsigned f, uint32_t offset, unsigned size, uint32_t value);
void rig_guest_store(struct lpar *lpar, uint64_t gpa, unsigned size, uint64_t value);

/* Its driver goes over to MSI-X with RIG_ENTRIES messages, to MSI with one, or back to its line. */
void rig_use_msix(unsigned f);
void rig_use_msi(unsigned f);
void rig_use_line(unsigned f);
/* At the vCPU; goes with what is used from then on. */
void rig_aim(unsigned f, unsigned vcpu);

/* `mech N relay on|off` */
void rig_switch(struct lpar *lpar, bool on);
/* `mech N direct_irq on|off`; and what hv/core's audits say then is nothing. */
void rig_switch_direct(struct lpar *lpar, bool on);

/* Sums over all functions. */
unsigned long rig_handled(void);
unsigned long rig_in_vain(void);

#endif

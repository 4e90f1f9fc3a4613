/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of functions behind the relay, on their way to the LPAR that owns the function.
 *
 * Mechanism `relay`, a bit of each LPAR. On: whatever interrupt came, one locked drain moves the relay's
 * events into per-source bits, in the hypervisor's own memory; the bits say whose it is, and the owner's
 * interrupt controllers get it. Off, the baseline: a message is known by its vector, and for a line the
 * status register of every function on it is read.
 *
 * Each function has a fixed part of the relay's source table, its line first, then its messages: source s of
 * a message is what arrives as vector ROUTER_VECTOR + s. So the device is told of a message once and for
 * good; where the guest wants it is looked up when it comes.
 *
 * A line, to the end: the wire rises, the relay tells the root and takes it down again (one-shot); the
 * owner's virtual line goes up. At the guest's EOI the virtual line goes down, and a posted write has the
 * relay look at the wire again: still high, and all of it comes anew.
 *
 * A function that is dedicated has its messages known by their vector, whether `relay` is on or off, so that
 * each comes once by whichever way it takes: while its LPAR's mechanism `direct_irq` is on, and the guest
 * aims a message at a CPU that may be direct (direct.h), the relay rewrites it to the guest's own vector at
 * that CPU, and no hypervisor is in its way. Only a circuit that confines (router_confines()) does so. Its
 * lines are routed like others'.
 *
 * A line that LPARs share is handled on a CPU of one of them. What a function of another costs that CPU is
 * measured; above a tenth of its time the function's next interrupt is put off, by not arming its wire again.
 * So who storms takes no more than that from its neighbour.
 *
 * Locks: an LPAR's device lock, then the router's. Interrupts come here between two runs of a guest, where
 * their CPU holds neither.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include "indicator.h"
#include "lock.h"
#include "pci_pass.h"
#include "router_figures.h"

#include <stdbool.h>
#include <stdint.h>

struct lpar;
struct vcpu;

enum {
    ROUTER_VECTOR = 0x30,      /* of source 0 */
    ROUTER_LINE_VECTOR = 0xe0, /* of INTA; INTB and on follow */
    ROUTER_PINS = 4,
    ROUTER_PORTS = 8, /* port 0 is the relay itself */
    ROUTER_RING_LOG2 = 8,
};

/* What the machine does for the router. */
struct router_host {
    uint32_t (*apic_id)(unsigned cpu);
    /* The input that the relay's pin arrives at is let in or not. */
    void (*line_on)(unsigned pin, bool on);
    /* The vector waits at the local APIC of the CPU that this runs on. */
    bool (*is_requested)(unsigned vector);
};

/* The quickest that an interrupt went from its handler's first line to the owner's local APIC, in ticks; 0:
 * none did. */
struct router_ticks {
    uint64_t line, line_scanned, message, message_by_vector;
};

struct routed {
    struct lpar *lpar; /* null: no LPAR has the port's function */
    struct pci_pass *pass;
    unsigned first; /* source of its line; its messages follow */
    bool dedicated;
    uint32_t direct;                          /* bit per message: it goes straight to the guest */
    struct pci_message to[PCI_PASS_MESSAGES]; /* what the relay makes of it */
    bool open;                                /* it may reach its LPAR's memory */
    bool in_service;                          /* its virtual line is up until the guest's EOI */
    bool masked;                              /* its wire is masked at the relay, for the same time */
    uint32_t by_vector; /* bit per message: it is known by its vector, not by the relay's record */
    uint32_t ahead;     /* bit per message: told by its record, its vector may be still to come */
    uint32_t turning;   /* bit per message: it goes over to the other way, the relay keeps it meanwhile */
    bool delayed;       /* it may not ask again before the period is over */
    uint64_t recorded;  /* interrupts that the relay recorded of it */
    uint64_t lines, messages; /* interrupts given to the LPAR */
    uint64_t exits;           /* for them: an arrival at the hypervisor, the guest's EOI */
    uint64_t delays;
    uint64_t taken;                            /* ticks that CPUs of other LPARs spent on it, in all */
    uint64_t timed, waited_ns, waited_most_ns; /* see router_figures.h */
    uint64_t asked_ns,
        given; /* of the last given: asked, by the relay's clock (0: not known); tick when given */
    uint64_t period_ticks;  /* length of a period */
    uint64_t period, spent; /* tick at which the period began; ticks that a CPU of another LPAR spent on it */
};

struct router_stats {
    uint64_t interrupts; /* taken by the hypervisor, for functions */
    uint64_t spurious;   /* of them: nothing was found */
    uint64_t strangers;  /* recorded by the relay, of nobody */
    uint64_t scans;      /* lines looked for in status registers */
    uint64_t scan_reads; /* bus reads for that */
    uint64_t dropped;    /* messages that were not in force any more */
    uint64_t pauses;     /* times a line was masked for a while */
    struct router_ticks least;
};

struct router {
    struct lock lock; /* of the indicator, the card, and what is below */
    bool present;
    bool unlimited; /* functions are never put off */
    struct card *card;
    const struct router_host *host;
    struct indicator indicator;
    unsigned quota; /* messages a function can have */
    unsigned count; /* functions added */
    struct routed port[ROUTER_PORTS];
    uint8_t port_of[INDICATOR_SOURCES];     /* 0: nobody's */
    uint32_t lines[INDICATOR_SOURCES / 32]; /* bit per source: the line of a function */
    uint32_t by_status[ROUTER_PINS];        /* bit per port: its line is found by its status register */
    unsigned fruitless[ROUTER_PINS];        /* interrupts in a row in which nothing was found */
    bool paused[ROUTER_PINS];               /* the input is masked, until router_resume() */
    struct vcpu *vcpu[ROUTER_PINS];         /* on whose CPU the line is handled */
    bool recovered;                         /* messages are told by their vectors since the card was reset */
    struct routed *last[ROUTER_PINS];       /* whom it was that the pin brought */
    uint32_t stale;                         /* bit per port: recorded since its figures were published */
    struct router_stats stats;
    struct router_clock clock;
    uint64_t asked_ns[INDICATOR_SOURCES]; /* by the relay's clock; 0: not, or it was given */
};

extern struct router router;

/* Takes the card into use for so many functions. Negative: a card_error, and there is no router. */
int router_open(struct card *card, const struct router_host *host, unsigned functions);

/* A function and its LPAR. @pre the function is one of the card's */
void router_add(struct lpar *lpar, struct pci_pass *pass, bool dedicated);

/*
 * Whether the circuit confines what functions may write: DMA windows, closed but for LPARs' memory, and
 * messages that it replaces by those of the hypervisor.
 */
bool router_confines(void);

/* Asks the card whether it does so now. One that was reset does not, and is set up again. */
bool router_still_confines(void);

/* Opens or closes the windows of a function to its LPAR's memory, at the LPAR's addresses. Closed, whatever
 * passed before is in memory when this returns. False: it may not, and the log says why. @pre device lock
 * held */
bool router_dma(struct lpar *lpar, struct pci_pass *pass, bool on);

/* What a port was refused since the card's reset, and the first of it. */
struct router_fault {
    uint32_t dma, messages;
    bool valid;
    uint32_t reason; /* RELAY_DMA_FAULT_REASON_… */
    uint16_t requester;
    uint64_t address;
};
void router_fault(unsigned port, struct router_fault *fault);

/* What the device is to send as message `index`. */
bool router_message_of(const struct pci_pass *pass, unsigned index, struct pci_message *message);

/* The guest's message `index`, or what it goes by, has changed: it is sent where it belongs now. @pre device
 * lock held */
void router_steer(struct pci_pass *pass, unsigned index);
void router_steer_all(struct lpar *lpar);

/* What is aimed where nothing may be aimed; null: nothing. Reads the relay's table. */
const char *router_audit(void);

/* An interrupt has come, as vector ROUTER_LINE_VECTOR + pin or ROUTER_VECTOR + source. */
void router_line(unsigned pin);
void router_message(unsigned source);

/* Counters begin anew: what it cost to set all up is not the LPARs'. */
void router_begin(void);

/* Line interrupts of the pin come to the vCPU's CPU. */
void router_handle(unsigned pin, struct vcpu *vcpu);

/* The time of a pause is over (vcpu->line_at). On the vCPU's CPU. */
void router_resume(const struct vcpu *vcpu);

/* The guest has ended the interrupt of its I/O APIC's input. @pre device lock held */
void router_end(struct lpar *lpar, unsigned gsi);

/* The end of a period: functions that were delayed may ask again, and a switch is carried out. On the CPU of
 * the LPAR's first vCPU. @pre device lock held */
void router_release(struct lpar *lpar);

/* The function is silent, and about to be reset: what it asked is void. @pre device lock held */
void router_forget(struct pci_pass *pass);

/* Why no LPAR can have the mechanism on; null: they can. */
const char *router_refusal(void);

/*
 * The LPAR's mechanism `relay` goes on or off, while it runs: nothing is lost, nothing told twice. Messages
 * go over on the CPU where they come, soon. @pre device lock held
 */
void router_switch(struct lpar *lpar, bool on);

/* Takes in what the relay has recorded until now, so that counts are of this moment. @pre no lock held */
void router_refresh(void);

/* Forces a pin's wire, as a function would; for finding out where it arrives. @pre a function with that pin
 */
void router_force(unsigned pin, bool high);

#endif

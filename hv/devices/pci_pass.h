/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function of the machine in an LPAR.
 *
 * The LPAR sees it as function 0 of a slot of its own. Its configuration space is a policy, byte by byte:
 * shown as it is, kept here (and acted upon), or hidden; nothing is passed on because nobody thought of it.
 *
 *   - BARs are the guest's to place within the aperture. Whole pages of a BAR that is placed and decoded are
 *     mapped straight, so that accesses make no exit; the pages of its MSI-X table, BARs of less than a page,
 *     and nothing else, come here.
 *   - Capabilities shown: PCIe, power, MSI, MSI-X and vendor-specific ones (to be read only). Function-level
 *     reset and power states are the hypervisor's. Extended configuration space is hidden.
 *   - A message is the guest's to write and the hypervisor's to send: the device is given what env->message()
 *     says, and never what the guest wrote.
 */
#ifndef PCI_PASS_H
#define PCI_PASS_H

#include "device.h"
#include "pci.h"
#include "pci_config.h"
#include "pci_host.h"

#define PCI_PASS_MESSAGES 32u
#define PCI_NOWHERE       (~0ull)

struct pci_pass;

struct pci_message {
    uint64_t address;
    uint32_t data;
    bool masked;
};

/* What it asks of its LPAR; device lock held. */
struct pci_pass_env {
    /* Guest-physical pages are to show the machine's; off: nothing. */
    void (*map)(void *owner, uint64_t gpa, uint64_t address, uint64_t bytes, bool on);
    /*
     * The guest's message `index` is in force from now on (or no longer: on is false): what the device is to
     * send. False: nothing; it stays masked.
     */
    bool (*message)(void *owner, struct pci_pass *pass, unsigned index, bool on, struct pci_message *host);
    /* The guest wants the function to master the bus (or no longer). False: it may not. */
    bool (*master)(void *owner, struct pci_pass *pass, bool on);
    /* Whether what functions may write is confined outside of them: then they always master the bus. */
    bool (*confined)(void *owner);
    /* It is silent now, and about to be reset: what it asked is void. */
    void (*reset)(void *owner, struct pci_pass *pass);
};

enum pci_pass_kind { PASS_HIDDEN, PASS_SHOWN, PASS_KEPT };

struct pci_pass {
    const struct pci_host *host;
    const struct pci_host_function *function;
    const struct pci_pass_env *env;
    void *owner;
    unsigned slot;
    uint64_t aperture, aperture_end; /* where the guest may place BARs */
    uint8_t kind[CONFIG_BYTES];      /* enum pci_pass_kind */
    uint8_t kept[CONFIG_BYTES];
    uint8_t writable[CONFIG_BYTES];
    uint8_t initial[CONFIG_BYTES];
    uint64_t placed[PCI_BARS]; /* gpa at which a BAR is decoded now, or PCI_NOWHERE */
    unsigned messages;         /* that the guest sees: of MSI-X, or one of MSI */
    struct pci_message message[PCI_PASS_MESSAGES];
    bool on[PCI_PASS_MESSAGES]; /* as env->message() was last told */
    bool masters;               /* the device may master the bus, as was last decided */
    bool line_held;             /* the hypervisor keeps INTx disabled at the function */
    unsigned table_bar, table_entries;
    uint64_t table_first, table_end; /* of the MSI-X table, in its BAR; pending bits likewise */
    unsigned pending_bar;
    uint64_t pending_first, pending_end;
};

/*
 * Takes the function, and resets it as pci_pass_reset() does. Its BARs are at the addresses given (multiples
 * of their sizes, in the aperture; 0 for none) until the guest moves them.
 * @pre the function is sized and is no bridge; nobody else uses it
 */
void pci_pass_init(struct pci_pass *pass, const struct pci_host *host,
                   const struct pci_host_function *function, unsigned slot, unsigned messages,
                   uint64_t aperture, uint64_t aperture_end, const uint64_t gpa[PCI_BARS],
                   const struct pci_pass_env *env, void *owner);

/* What pci_plug() takes, with the pass as `self`. */
extern const struct pci_function pci_pass_function;

/* Accesses to the aperture that no mapping serves. False: nothing of this function is there. */
bool pci_pass_load(struct pci_pass *pass, uint64_t gpa, unsigned size, uint64_t *value);
bool pci_pass_store(struct pci_pass *pass, uint64_t gpa, unsigned size, uint64_t value);

/* As after power-on; the function is silent: no message, no line, no DMA. */
void pci_pass_reset(struct pci_pass *pass);

/* Whether the function uses messages; if it does it does not use its line. */
bool pci_pass_by_message(const struct pci_pass *pass);

/* What the guest has in message `index`. False: it is not in force. */
bool pci_pass_message(const struct pci_pass *pass, unsigned index, struct pci_message *guest);

/* Gives the device its messages again, as env->message() says now. */
void pci_pass_refresh(struct pci_pass *pass);

/* Whether the function asserts its wire, by its status register, and may. */
bool pci_pass_asks(const struct pci_pass *pass);

/* INTx at the function, for a machine where nothing else can hold its line back. */
void pci_pass_hold_line(struct pci_pass *pass, bool held);

#endif

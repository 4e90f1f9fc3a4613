/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root complex above the card: turns the host's accesses to configuration and memory space into TLPs and
 * back, and what comes up from the card into memory accesses and interrupts of the host.
 *
 * The host has one attachment a function (QEMU connects each function by a socket of its own). The root knows
 * of the functions only what their configuration spaces say.
 */
#ifndef ROOT_H
#define ROOT_H

#include "board.h"
#include "config_space.h"
#include "guest_memory.h"

enum {
    ROOT_FUNCTIONS = BOARD_PORTS + 1,
    ROOT_TAGS = 256,
    ROOT_READS = 64,  /* upstream reads that wait for the host */
    ROOT_ID = 0x0000, /* requester of the host's accesses: 00:00.0 */
    ROOT_REGIONS = 8, /* BARs 0 to 5, ROM, configuration */
    ROOT_CONFIG = 7,
    ROOT_MAX_ACCESS = 1 << 16,
};

/* What the host does for a function. */
struct root_host_ops {
    /* A posted write to where no memory is mapped: a message interrupt, or another device. */
    void (*write)(void *self, uint64_t address, const void *bytes, size_t n);
    /* Asks for bytes that aren't mapped; root_read_done() answers by the cookie. False: can't. */
    bool (*read)(void *self, uint64_t address, size_t n, unsigned cookie);
    /* Has the host read what is there, which is an access to the function like any other. Nobody wants the
     * answer. */
    void (*touch)(void *self, uint64_t address, size_t n);
    /* Raises the line of the function's INTx pin; it stays up until the host acknowledges. */
    void (*raise_line)(void *self);
};

/* An access of the host. The caller's until done is called, which may be within root_submit. */
struct root_access {
    unsigned function;
    unsigned region; /* 0 to 5: BAR, ROOT_CONFIG */
    uint64_t offset;
    uint8_t *bytes; /* to write, or filled: with ones where nothing answers */
    unsigned count;
    bool write;
    void (*done)(struct root_access *access);
    void *owner;
    /* the root's: */
    struct root_access *next;
    unsigned issued;
    unsigned outstanding;
    bool advancing;
};

struct root_counters {
    uint64_t accesses;       /* of the host */
    uint64_t refused_down;   /* answered UR or CA */
    uint64_t timeouts;       /* never answered */
    uint64_t unexpected;     /* completions that match no request */
    uint64_t malformed;      /* TLPs from below that aren't well formed */
    uint64_t strangers;      /* requests of a requester that isn't behind this port */
    uint64_t no_bus_master;  /* requests of a function that may not */
    uint64_t unsupported;    /* requests of other kinds, messages of other codes */
    uint64_t poisoned;       /* writes, dropped */
    uint64_t memory_writes;  /* TLPs into guest memory */
    uint64_t memory_reads;   /* TLPs out of guest memory */
    uint64_t host_writes;    /* writes to where no memory is mapped, message interrupts among them */
    uint64_t host_reads;     /* reads of that kind */
    uint64_t unmapped_reads; /* answered UR */
    uint64_t intx_asserts;   /* INTx messages */
    uint64_t intx_deasserts;
    uint64_t lines_raised;    /* at the host */
    uint64_t lines_lowered;   /* tries of it, by a read of the card's own */
    uint64_t errors_reported; /* ERR_ messages */
};

struct root;

struct root_options {
    uint8_t bus; /* of the card */
    uint8_t device;
    unsigned timeout_ms; /* a request that nobody answers is answered with ones after so long */
    bool bypass_dma;     /* DMA of the functions doesn't pass the circuit */
};

/* Connects itself to the board. Null: no memory. */
struct root *root_open(struct board *board, const struct root_options *options);
void root_close(struct root *r);

/* Finds out what functions there are, by configuration TLPs through the circuit. */
void root_enumerate(struct root *r);
bool root_present(const struct root *r, unsigned function);
/* Bytes of a region; 0: no such region. */
uint64_t root_region_size(const struct root *r, unsigned function, unsigned region);
/* Offset of a capability in a function's configuration space; 0: has none. */
unsigned root_capability(const struct root *r, unsigned function, uint8_t id);
/* The BARs' registers as the host wrote them. @pre present */
void root_read_bars(const struct root *r, unsigned function, uint8_t bytes[4 * CONFIG_BARS]);
unsigned root_interrupt_pin(const struct root *r, unsigned function);

/* The host takes a function, or leaves it (ops null): memory is what its DMA reaches. */
void root_attach(struct root *r, unsigned function, const struct root_host_ops *ops, void *self,
                 struct guest_memory *memory);
/* The host can raise the function's line, or no longer. Ends a line that was up. */
void root_set_line(struct root *r, unsigned function, bool usable);
/* The host took the function's line down and listens again. Acted on in the next root_work. */
void root_line_acknowledged(struct root *r, unsigned function);

/*
 * Starts an access. A write to a BAR is posted and done at once. Accesses outside the region read as ones.
 * @pre access->count <= ROOT_MAX_ACCESS; no other access of this function is under way
 */
void root_submit(struct root *r, struct root_access *access);

/* The answer to root_host_ops.read; bytes null: refused. */
void root_read_done(struct root *r, unsigned cookie, const uint8_t *bytes, size_t n);

/* Hot reset of a function. */
void root_reset(struct root *r, unsigned function);

/* The card loses power and gets it again. @pre no access is under way */
void root_power_cycle(struct root *r);

/* Does what is due, after the board has run; true when it did something. */
bool root_work(struct root *r);
/* Earliest time, as board_now, at which root_work would; UINT64_MAX: never. */
uint64_t root_deadline(const struct root *r);
/* The same in the host's time, as board_host_now. */
uint64_t root_host_deadline(const struct root *r);
/* Accesses or reads are under way. */
bool root_busy(const struct root *r);

/* The host was asked for memory and hasn't answered yet. */
bool root_waits_for_host(const struct root *r);

const struct root_counters *root_counters(const struct root *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card: the Verilated relay, the functions on its ports, and what a card has around the circuit (the
 * configuration space of function 0, the clock).
 *
 * TLPs of the root go in by board_send and come out by its receive callback; board_run moves everything.
 */
#ifndef BOARD_H
#define BOARD_H

#include "function.h"
#include "model.h"
#include "relay_config.h"
#include "tlp.h"

enum { BOARD_PORTS = 7, BOARD_CLOCK_NS = 8 /* of the virtual clock: 125 MHz */ };

enum board_clock {
    BOARD_MONOTONIC, /* ns since the board was opened, as the host's clock says */
    BOARD_VIRTUAL    /* BOARD_CLOCK_NS a cycle, and a jump to the next deadline when nothing moves */
};

struct board_options {
    struct model_shape shape;
    const char *waveform; /* or null */
    uint8_t bus;
    uint8_t device;
    enum board_clock clock;
    /* Every TLP into (entering) and out of the circuit at a side (0: root). May be null. */
    void (*observe)(void *self, unsigned side, bool entering, const uint32_t *dw, size_t n);
    void *observer;
};

/* Whatever is above the card. */
struct board_root {
    /* A TLP that left the circuit towards the root. */
    void (*receive)(void *self, const uint32_t *dw, size_t n);
    /* As in struct function_link; null: all DMA passes the circuit. */
    bool (*bypass)(void *self, uint16_t requester, bool write, uint64_t address, void *bytes, size_t n);
    void *self;
};

struct board_counters {
    uint64_t up[TLP_CLASSES];   /* that left towards the root */
    uint64_t down[TLP_CLASSES]; /* that the root sent */
    uint64_t port_up[BOARD_PORTS + 1];
    uint64_t port_down[BOARD_PORTS + 1];
    /*
     * Interrupts that a function sent, counted as its TLPs enter, so independently of the circuit: INTx wires
     * that rose, and whole-DW memory writes to 0xfee00000-0xfeefffff, be their requester whose it may; not
     * what is malformed or poisoned.
     */
    uint64_t interrupts[BOARD_PORTS + 1];
    uint64_t malformed_down; /* TLPs for a function that are not well formed: dropped here */
};

struct board;

/* Null when the shape is not built. */
struct board *board_open(const struct board_options *options);
/* Closes the functions, too. */
void board_close(struct board *b);

/* @pre before anything is attached or run */
void board_connect(struct board *b, const struct board_root *root);

/* Puts a function on port 1 to 7 and its link up; the board owns it now. @pre the port exists and is free */
void board_attach(struct board *b, unsigned port, struct function *f);
struct function *board_function(const struct board *b, unsigned port);
unsigned board_ports(const struct board *b);

/* A TLP from the root. Those to the configuration space of function 0 are answered here. */
void board_send(struct board *b, const uint32_t *dw, size_t n);

/* Runs until nothing moves, at most so many rounds of a few thousand cycles. True: nothing moves. */
bool board_run(struct board *b, unsigned rounds);

/* Whether the last round found nothing that moves. */
bool board_idle(const struct board *b);

uint64_t board_now(struct board *b);
/* The host's clock, ns, whatever the board's is: for what waits for the host. */
uint64_t board_host_now(void);
/* Earliest time at which something will happen by itself, ns; UINT64_MAX: never. */
uint64_t board_deadline(const struct board *b);
/* Lets virtual time pass, while nothing moves; without effect on the other clock. */
void board_skip(struct board *b, uint64_t to_ns);

/*
 * Resets a function (0: the relay's configuration): its port goes down and up again, which releases its
 * wires.
 */
void board_reset(struct board *b, unsigned function);
/* Function-level reset was asked of the function itself: only the port's wires are released. */
void board_release_wires(struct board *b, unsigned port);

/* INTx wires that a function asserts by its messages: bit 0 is INTA. */
unsigned board_wires(const struct board *b, unsigned port);

/* Where the memory windows of a port lie, as configuration says. @pre window < MODEL_BARS */
void board_set_window(struct board *b, unsigned port, unsigned window, bool enabled, uint64_t base,
                      uint64_t size);

/*
 * Power off and on: the circuit, the relay's configuration and all functions start anew. A waveform goes on
 * in another file, FILE.1 and so on.
 */
void board_power_cycle(struct board *b);

uint64_t board_cycles(const struct board *b);
struct model *board_model(struct board *b);
const struct board_counters *board_counters(const struct board *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine in the process: guest memory, the root, the circuit, and functions behind it; for tests that need
 * no QEMU.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "board.h"
#include "guest_memory.h"
#include "root.h"

enum { RAM_BASE = 0x100000, RAM_BYTES = 1 << 20, BAR_BASE = 0xe0000000u, MESSAGES = 256 };

struct machine {
    struct board *board;
    struct root *root;
    struct guest_memory memory;
    uint8_t *ram; /* guest-physical RAM_BASE */
    /* Writes that went to no memory: message interrupts; and, of no bytes, the card's reads of its own. */
    struct {
        unsigned function;
        uint64_t address;
        uint32_t data;
        size_t n;
    } messages[MESSAGES];
    unsigned message_count;
    unsigned lines[ROOT_FUNCTIONS]; /* times that the line was raised */
    /* Reads that wait for the host. */
    struct {
        uint64_t address;
        size_t n;
        unsigned cookie;
    } reads[ROOT_READS];
    unsigned read_count;
    bool refuse_reads;
    bool hold_reads; /* they aren't answered; else byte i of the answer is the low byte of address + i */
    struct {
        struct machine *machine;
        unsigned function;
    } hosts[ROOT_FUNCTIONS];
};

struct machine_options {
    unsigned ports;
    unsigned width_dw;
    unsigned timeout_ms;
    bool bypass_dma;
};

/* Functions on ports 1 and up; BARs placed, memory and bus mastering on. Ends the test when it can't. */
struct machine *machine_open(const struct machine_options *options, struct function *const *functions,
                             unsigned count);
/* With the usual options. */
struct machine *machine_with(struct function *f);
void machine_close(struct machine *m);

/* Until nothing moves and nobody waits, but for reads that are held. */
void machine_run(struct machine *m);
/* The same, and for so long that timers fire. */
void machine_run_ms(struct machine *m, unsigned ms);

/* An access of the host, to its end. */
void machine_access(struct machine *m, unsigned function, unsigned region, uint64_t offset, void *bytes,
                    unsigned n, bool write);
uint32_t machine_read(struct machine *m, unsigned function, unsigned region, uint64_t offset, unsigned n);
void machine_write(struct machine *m, unsigned function, unsigned region, uint64_t offset, unsigned n,
                   uint32_t value);
/* A posted write that nothing is waited for. */
void machine_post(struct machine *m, unsigned function, unsigned bar, uint64_t offset, unsigned n,
                  uint32_t value);
/* Base of a BAR as machine_open placed it. */
uint64_t machine_bar(const struct machine *m, unsigned function, unsigned bar);

#endif

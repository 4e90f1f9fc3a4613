/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction emulator: runs the one instruction at a guest's RIP on behalf of an exit.
 *
 * It knows registers (struct context) and segments; memory, ports, control registers are the owner's, by
 * callbacks. A guest cannot make it loop or run away: a repeated string instruction stops after a bounded
 * number of elements.
 *
 * The CPU has checked what it checks before it exits (privilege, I/O permissions, CR0.TS); checks of
 * segments, canonical addresses, alignment and paging are made again, since the address is computed again.
 */
#ifndef EMULATE_H
#define EMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "machine.h"

enum emulate_result {
    EMULATE_DONE,      /* RIP is behind the instruction */
    EMULATE_AGAIN,     /* some elements of a string are done, or a locked update met another CPU's; RIP is
                          unchanged */
    EMULATE_FAULT,     /* emulator.fault tells; registers are as the CPU would leave them */
    EMULATE_UNHANDLED, /* an instruction or access that nobody here does; nothing was changed */
    EMULATE_STOPPED,   /* a callback ended the LPAR; nothing more is to be run */
};

struct emulate_fault {
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t address; /* #PF: CR2 */
};

enum emulate_access {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_MODIFY, /* a read that the same instruction's write follows: write permission is asked for now */
    ACCESS_EXECUTE,
};

/*
 * Each returns EMULATE_DONE, or what the instruction is to end with; with EMULATE_FAULT, *fault is filled in.
 * Addresses are linear, accesses may cross pages, and size is 1 … 16.
 */
struct emulate_ops {
    enum emulate_result (*read)(void *owner, uint64_t linear, void *data, unsigned size,
                                enum emulate_access access, struct emulate_fault *fault);
    enum emulate_result (*write)(void *owner, uint64_t linear, const void *data, unsigned size,
                                 struct emulate_fault *fault);
    /* Atomically: if memory equals *expected, desired is written and *equal set. size 1, 2, 4, 8, 16 */
    enum emulate_result (*exchange)(void *owner, uint64_t linear, const void *expected, const void *desired,
                                    unsigned size, bool *equal, struct emulate_fault *fault);

    /* Any of these may be null: then the instructions that need it are unhandled. */
    enum emulate_result (*io_read)(void *owner, uint16_t port, unsigned size, uint32_t *value);
    enum emulate_result (*io_write)(void *owner, uint16_t port, unsigned size, uint32_t value);
    enum emulate_result (*cr_read)(void *owner, unsigned number, uint64_t *value,
                                   struct emulate_fault *fault);
    enum emulate_result (*cr_write)(void *owner, unsigned number, uint64_t value,
                                    struct emulate_fault *fault);
    enum emulate_result (*dr_read)(void *owner, unsigned number, uint64_t *value,
                                   struct emulate_fault *fault);
    enum emulate_result (*dr_write)(void *owner, unsigned number, uint64_t value,
                                    struct emulate_fault *fault);
    enum emulate_result (*invlpg)(void *owner, uint64_t linear);
    /* XMM (16 bytes) or MMX (8 bytes) register, as enum operand_kind says */
    enum emulate_result (*vector_read)(void *owner, enum operand_kind kind, unsigned number, void *data);
    enum emulate_result (*vector_write)(void *owner, enum operand_kind kind, unsigned number,
                                        const void *data);
};

/*
 * Instructions decoded before, by address. Decoding depends on the bytes and the mode alone, and both are
 * compared, so nothing ever has to be invalidated. One for each vCPU, zeroed at first.
 */
#define EMULATE_CACHE_ENTRIES 16u

struct emulate_cache {
    uint64_t hits, misses;
    struct emulate_cache_entry {
        uint8_t bytes[16];
        uint8_t mode;     /* enum decode_mode */
        struct insn insn; /* length 0: empty */
    } entry[EMULATE_CACHE_ENTRIES];
};

struct emulator {
    struct context *context;
    const struct emulate_ops *ops;
    void *owner;
    struct emulate_cache *cache; /* or null */
    const uint8_t *bytes; /* what the CPU fetched at RIP, where it tells (SVM decode assists), or null */
    unsigned byte_count;

    bool long_mode;             /* out: 64-bit code */
    struct insn insn;           /* out: after emulate_decode() or emulate() */
    struct emulate_fault fault; /* out: with EMULATE_FAULT */
};

/* Elements of a repeated string instruction that one call of emulate() does. */
#define EMULATE_REPEATS 64

/*
 * Fetches and decodes the instruction at CS:RIP into `insn`. DONE, FAULT (#PF of the fetch, #GP of a limit or
 * of more than 15 bytes, #UD), or what the fetch ended with.
 */
enum emulate_result emulate_decode(struct emulator *emulator);

/*
 * Decodes and runs one instruction.
 * After DONE and AGAIN the caller ends an STI or MOV-SS shadow, and raises the single-step trap if RFLAGS.TF
 * is set.
 */
enum emulate_result emulate(struct emulator *emulator);

/* Runs the instruction that emulate_decode() left in `insn`. */
enum emulate_result emulate_decoded(struct emulator *emulator);

#endif

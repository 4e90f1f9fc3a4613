/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the root share: root.c, root_memory.c, root_lines.c. */
#ifndef ROOT_INTERNAL_H
#define ROOT_INTERNAL_H

#include "root.h"

enum { PINS = 4, MAX_PAYLOAD = 4096, TAGS_AN_ACCESS = ROOT_TAGS / ROOT_FUNCTIONS };

struct root_function {
    bool present;
    /* The function's configuration as the host wrote it: command, BARs, payload sizes. */
    struct config_space shadow;
    const struct root_host_ops *ops; /* null: no host */
    void *host;
    struct guest_memory *memory;
    bool line_usable;
    bool line_up;        /* raised, and not acknowledged since */
    bool line_own;       /* the function itself asserted when its line was raised */
    bool poking;         /* a read of the card's own is on its way */
    bool pulse;          /* its line is to be raised, and taken down, at the next of them */
    unsigned pokes;      /* in a row */
    uint64_t poke_at_ns; /* 0: no need */
};

struct root {
    struct board *board;
    uint16_t card; /* bus and device */
    uint64_t timeout_ns;
    struct root_function functions[ROOT_FUNCTIONS];
    struct root_access *first;
    struct root_access **last;
    struct {
        struct root_access *access; /* null: free */
        struct tlp request;
        uint32_t value;      /* of a configuration write */
        unsigned at;         /* in access->bytes */
        unsigned bytes;      /* asked for */
        uint64_t expires_ns; /* 0: not looked at yet */
    } tags[ROOT_TAGS];
    unsigned tags_used;
    unsigned next_tag;
    struct {
        bool used;
        unsigned function;
        struct tlp request;
    } reads[ROOT_READS];
    unsigned reads_used;
    struct {
        bool level;     /* as the messages say */
        bool rising;    /* the host is not told yet that it is up */
        uint64_t risen; /* cycle of the circuit */
        int carrier;    /* function whose line is up for this pin; -1: none */
    } pins[PINS];
    bool lines_due; /* lines_update is to be called after the circuit has run */
    struct root_counters counters;
};

/* root.c */
void root_send(struct root *r, const struct tlp *t);

/* root_memory.c: requests of the functions to host memory */
void memory_write(struct root *r, const struct tlp *t);
void memory_read(struct root *r, const struct tlp *t);
void root_refuse(struct root *r, const struct tlp *request);
/* As board_root.bypass. */
bool memory_bypass(void *self, uint16_t requester, bool write, uint64_t address, void *bytes, size_t n);
/* Nobody will answer the reads of this function any more. */
void reads_forget(struct root *r, unsigned function);

/* root_lines.c: INTx messages become lines of the host */
void take_message(struct root *r, const struct tlp *t);
/* Something that decides over lines changed. */
void lines_update(struct root *r);
/* True when the access is the card's own read, which ends here. */
bool lines_swallow(struct root *r, const struct root_access *access);
bool lines_work(struct root *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace file: a header and the relay's TRACE records as they are, little-endian
 * (docs/manual/trace-file.md). Everything else (text, JSON, CTF, pictures) is made from it.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "slot.h"

enum {
    TRACE_MAJOR = 1,
    TRACE_MINOR = 0,
    TRACE_HEADER_BYTES = 128,
    TRACE_RECORD_BYTES = 32,
    TRACE_DW = 5, /* of a TLP, at most */
    TRACE_NO_SOURCE = 0xff,
};

struct trace_header {
    uint16_t major, minor;
    uint32_t map;         /* VERSION of the relay's register map */
    uint32_t build;       /* BUILD */
    uint32_t clock_khz;   /* 0: simulated */
    uint64_t time_ns;     /* the relay's time when recording began */
    uint64_t realtime_ns; /* the system's at that moment, since 1970; 0: not known */
    uint32_t domain;      /* where the card was */
    uint16_t card;        /* its requester ID */
    bool tlps;            /* all TLPs were recorded, not only interrupts */
    uint32_t ports;
    uint16_t port[8]; /* requester ID behind each port, 0: none */
};

enum trace_kind { TRACE_MSI, TRACE_INTX, TRACE_TLP };

struct trace_entry {
    uint64_t number;  /* in the recording, from 0; records that are missing are counted */
    uint64_t missing; /* so many records are missing just before this one; modulo 2^16 where `lost` */
    uint64_t time_ns; /* the relay's time */
    enum trace_kind kind;
    uint8_t source; /* TRACE_NO_SOURCE: none */
    uint8_t port;   /* 0: the relay itself */
    bool level;     /* INTx: the wire rose */
    bool odd;
    bool kept;   /* not relayed at once */
    bool down;   /* went downstream */
    bool lost;   /* the relay dropped records just before this one; missing is not 0 then */
    bool replay; /* sent by the relay itself */
    unsigned n_dw;
    uint32_t dw[TRACE_DW];
};

struct trace_reader {
    FILE *file;
    struct trace_header header;
    uint64_t offset; /* in bytes, of the next record */
    uint64_t number; /* of the next record */
    uint64_t last_ns;
    bool any;
};

/* Reads and checks the header. False, with an error that says where, when it is none. */
bool trace_open(struct trace_reader *reader, FILE *file, struct sb_error *error);

/* 1: an entry; 0: the end; -1: what follows is no record, see error. */
int trace_next(struct trace_reader *reader, struct trace_entry *entry, struct sb_error *error);

/*
 * Whose entry it is. INTx: the function behind the port; a TLP from below: its requester or completer; one
 * from above: the function behind the port.
 */
struct slot trace_slot(const struct trace_header *header, const struct trace_entry *entry);

/* Requester ID a request or completion carries; false where the DW recorded don't tell. */
bool trace_requester(const struct trace_entry *entry, uint16_t *requester);

/* Address and data (as a CPU would write it) of a message-signalled interrupt; false where it is none. */
bool trace_message(const struct trace_entry *entry, uint64_t *address, uint32_t *data);

/* Writes the header. False: see errno. */
bool trace_write_header(FILE *file, const struct trace_header *header);
/* Writes one record, given as the relay's eight words. False: see errno. */
bool trace_write_record(FILE *file, const uint32_t words[8]);

#endif

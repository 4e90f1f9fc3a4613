/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The indicator reader: which function asked for an interrupt.
 *
 * One drain, under the owner's lock, moves what the relay recorded into per-source words; handlers look only
 * at those, without a lock and without the bus:
 *
 *     interrupt arrives  ->  lock; indicator_drain(); unlock
 *     handler of source  ->  n = indicator_take(source)     n interrupts since it last took
 *     after handling     ->  lock; indicator_ack(source); unlock
 *
 * With the event ring on, a drain reads host memory only: no bus read per source, nor per event. Without a
 * ring it reads PENDING, and two registers a pending source.
 *
 * Portable C, no allocation, no libc: the hypervisor and the `signalbox` command run this same file.
 */
#ifndef INDICATOR_H
#define INDICATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "card.h"

enum {
    INDICATOR_SOURCES = 128,   /* most a relay can have (SRC_KEY's count) */
    INDICATOR_UNLISTED = 0xff, /* an event's source when the relay's table had no entry for it */
};

/* An interrupt, or a change of an INTx wire, as the relay recorded it. */
struct indicator_event {
    /* As a record's word WHO (RELAY_EVENT_WHO_…): bit-fields from bit 0 on, as compilers for x86 have them.
     */
    union {
        uint32_t who;
        struct {
            uint32_t source : 8; /* index in the source table, or INDICATOR_UNLISTED */
            uint32_t kind : 2;   /* RELAY_SRC_KEY_KIND_MSI or _INTX */
            uint32_t port : 3;
            uint32_t level : 1;      /* INTx: the wire is high */
            uint32_t odd : 1;        /* unusual but legal form */
            uint32_t kept : 1;       /* the relay did not send it on at once: masked, coalesced or held */
            uint32_t requester : 16; /* bus 15:8, device 7:3, function 2:0 */
        };
    };
    uint32_t data;    /* as a CPU would write it */
    uint64_t address; /* of the message; for INTx the pin, 0 = INTA */
    uint64_t time_ns; /* 0: not known (found by registers) */
    uint32_t fresh;   /* interrupts this report adds; 0 for a wire that fell */
};

/* What a reader has done and met since it was opened. */
struct indicator_stats {
    uint64_t bus_reads;
    uint64_t bus_writes;
    uint64_t drains;
    uint64_t events;    /* records taken from the ring */
    uint64_t stale;     /* of them: already known by registers, reported once only */
    uint64_t unlisted;  /* interrupts without an entry in the source table */
    uint64_t missed;    /* events the ring had no room for, by the status record */
    uint64_t gaps;      /* records whose sequence number was neither the one expected nor an old one */
    uint64_t bad;       /* records that name what this relay does not have: reported to nobody */
    uint64_t discarded; /* interrupts not taken when their source's entry was given to another */
    uint64_t resyncs;   /* times the registers had to be asked */
    uint64_t resets;    /* times the card was found reset and was set up again */
    uint64_t spurious;  /* confirmed drains that found nothing */
};

struct indicator_source {
    /* Changed under the lock only. */
    bool known;
    bool level;       /* INTx: the wire is high */
    uint32_t key;     /* VALID, KIND, PORT, REQUESTER of SRC_KEY */
    uint32_t who;     /* the same and its index, as a record names them */
    uint32_t data;    /* SRC_DATA */
    uint64_t address; /* SRC_ADDR */
    uint32_t count;   /* SRC_COUNT as far as it is known */
    uint32_t acked;   /* last written back */
    /* Shared with handlers, atomic: interrupts moved here and not yet taken. */
    uint32_t untaken;
};

struct indicator;
typedef void (*indicator_listener)(void *context, const struct indicator_event *event);

struct indicator {
    struct card *card;
    struct card_ring ring;
    bool ring_on;
    unsigned ring_log2;
    uint32_t ring_size; /* records */
    uint32_t expected;  /* SEQ of the next record */
    uint32_t tail_told; /* RING_TAIL as last written */
    uint32_t missed;    /* STATUS.MISSED as last seen */
    uint32_t unlisted;  /* COUNTER[UNLISTED] as last seen */
    unsigned sources;
    unsigned ports;
    uint32_t caps;
    uint32_t pending[INDICATOR_SOURCES / 32]; /* atomic; bit i: source i has untaken interrupts */
    uint32_t high[INDICATOR_SOURCES / 32];    /* atomic; bit i: source i is a wire, and high */
    struct indicator_source source[INDICATOR_SOURCES];
    indicator_listener listener;
    void *listener_context;
    struct indicator_stats stats;
};

/*
 * Takes a card into use, as the only one who acknowledges, forgets and programs sources: checks what it is,
 * sets the ring up where ring_log2 is not 0 and the card and the transport have one (else registers serve),
 * and finds what is pending already. The listener, which may be null, gets every event during drains.
 * @pre ring_log2 is 0 or 4 to 15; `indicator` outlives the use
 */
int indicator_open(struct indicator *indicator, struct card *card, unsigned ring_log2,
                   indicator_listener listener, void *context);

/* Stops the ring. The card stays open: it is its owner's. */
void indicator_close(struct indicator *indicator);

enum indicator_hint {
    INDICATOR_POLL,    /* nobody says there is anything */
    INDICATOR_CONFIRM, /* an interrupt came that may have overtaken its record (INTx): where the ring is
                          empty, one register read makes sure, and finds a card that was reset */
};

/*
 * Moves all there is. The number of interrupts moved, or a card_error; after CARD_GONE the reader keeps what
 * it had and may be drained again. @pre the owner's lock is held
 */
int indicator_drain(struct indicator *indicator, enum indicator_hint hint);

/*
 * Takes from the ring what stands first in it and tells nobody of an interrupt: wires that fell. After a
 * handler, so that the next interrupt's drain finds its own record only. No bus access.
 * @pre the owner's lock is held
 */
void indicator_settle(struct indicator *indicator);

/*
 * Asks the registers about every source listed, pending or not: 2 reads a source and more where it is new.
 * Result as indicator_drain. @pre the owner's lock is held
 */
int indicator_scan(struct indicator *indicator);

/*
 * Interrupts of a source since it was last taken; 0: it did not ask. No lock needed.
 * @pre source < INDICATOR_SOURCES
 */
uint32_t indicator_take(struct indicator *indicator, unsigned source);

/* Whether a source asked and was not taken. No lock needed. */
static inline bool indicator_pending(const struct indicator *indicator, unsigned source)
{
    return __atomic_load_n(&indicator->pending[source / 32], __ATOMIC_ACQUIRE) >> (source % 32) & 1;
}

/*
 * Tells the relay that the interrupts taken so far are in software's hands, by writing back their count: one
 * posted write, none when there is nothing new. Ends HELD and SHOT of an INTx source.
 * @pre the owner's lock is held
 */
int indicator_ack(struct indicator *indicator, unsigned source);

/*
 * Drops learned entries that are not pending from the relay's table and from the reader. Result as
 * indicator_drain. @pre the owner's lock is held
 */
int indicator_forget(struct indicator *indicator);

#endif

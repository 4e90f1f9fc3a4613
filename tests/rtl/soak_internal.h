/* SPDX-License-Identifier: BSD-2-Clause */
/* The soak's parts: soak.c runs it, soak_send.c makes what goes in, soak_check.c judges what comes out. */
#ifndef SOAK_INTERNAL_H
#define SOAK_INTERNAL_H

#include "flow.h"
#include "indicator_model.h"
#include "soak.h"

enum {
    RING_LOG2 = 6,
    WINDOW = 24, /* TLPs a side has under way at most */
    SIDES = 8,
    PIN_LOG = 4096,
    READS = 8,         /* register reads under way in the middle of traffic */
    FIRST_READ = 0x40, /* their first tag */
    SYNC_TAG = 0x20,   /* of a read that is waited for */
    MAX_SOURCES = 512, /* of messages that may be sent */
    EDGE_NS = 2000,
    ON_NS = 3000,
    OFF_NS = 5000,
};
#define RING_BASE   0x7000000000ull
#define RING_STATUS 0x7000100000ull

/* What SRC_ACT does to the messages of a source. */
enum policy {
    RELAYS,
    KEEPS,  /* masked */
    EITHER, /* limited, or being changed */
};

/* One who sends messages. */
struct sender {
    unsigned port;
    uint16_t requester;
    uint64_t address;
    uint32_t data;
};

/* What was done to an entry of the table. */
struct entry {
    int sender;    /* of messages; -1: a wire, or nobody */
    unsigned port; /* wire */
    unsigned pin;
    bool listed;
    uint32_t act;
    enum policy policy;  /* of what is sent from now on */
    uint64_t changed_at; /* number of the change */
    uint32_t kept;       /* messages since all was settled */
    uint32_t surely;     /* … of which the mask kept so many */
    uint32_t resent;
};

struct register_read {
    bool busy;
    uint32_t offset;
    uint32_t least; /* of SCRATCH or a count */
    uint64_t at;    /* number of the last change before it */
};

struct pin_message {
    bool level;
    bool down; /* no message: the link went down */
    unsigned pin;
};

struct soak {
    const struct soak_options *o;
    struct model *m;
    struct soak_result r;
    uint64_t random;
    uint64_t now;
    unsigned ports;
    struct flow up[SIDES];     /* by port */
    struct flow down[SIDES];   /* by port */
    unsigned under_way[SIDES]; /* by side that sent */
    uint32_t serial;

    struct sender sender[MAX_SOURCES];
    int senders;
    struct indicator_model im;
    struct entry entry[128];
    uint64_t changes;
    uint32_t ctrl;
    bool tap;         /* perhaps: what comes out may not be counted yet */
    uint64_t ctrl_at; /* number of the change */
    bool forgot;      /* since all was settled */
    uint32_t learn_act;

    bool line[4]; /* as the root was told */
    struct pin_message pins[SIDES][PIN_LOG];
    unsigned pins_n[SIDES];
    bool was_down[SIDES]; /* since all was settled */

    bool ring_on;
    bool ring_new;   /* it was started: numbers may begin anew */
    bool ring_clean; /* it is stopped, and nothing of it is under way */
    uint32_t next_event;
    uint64_t events_before; /* in rings before this one */
    uint32_t last_missed;   /* of the status record */
    bool expect_message;    /* the event just seen announced this message */
    struct tlp message;

    struct register_read read[READS];
    uint32_t scratch;
    bool answered; /* the read that is waited for */
    uint32_t value;

    uint32_t refusals_seen;
    uint32_t refusals;      /* expected */
    uint32_t refusals_more; /* … or up to so many more */
    uint32_t malformed;
    uint32_t spoofed;
    uint32_t dropped;
    uint32_t resent;
    uint32_t up_count[3]; /* posted, non-posted, completions of ports that came out */
};

uint32_t soak_dice(struct soak *s, uint32_t n);
void soak_wrong(struct soak *s, uint64_t *counter, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct im_source *soak_source(struct soak *s, int sender);
uint32_t soak_read(struct soak *s, uint32_t offset);
void soak_write(struct soak *s, uint32_t offset, uint32_t value);

/* soak_send.c */
void soak_make_senders(struct soak *s);
void soak_send_up(struct soak *s, unsigned port);
void soak_send_down(struct soak *s);
struct entry *soak_entry(struct soak *s, int sender);
/* One change of what the relay does, in the middle of traffic. */
void soak_change(struct soak *s);

/* soak_check.c */
bool soak_is_interrupt(const struct tlp *t);
void soak_collect(struct soak *s);
/* Everything that went in is out, and the indicator says what the model says. */
void soak_settle(struct soak *s);

#endif

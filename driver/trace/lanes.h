/* SPDX-License-Identifier: BSD-2-Clause */
/* Lanes of a picture: one for each INTx wire, one for the messages of each function, one for each line of the
 * root. */
#ifndef LANES_H
#define LANES_H

#include "trace.h"

enum { LANES_MAX = 64 };

struct lane {
    struct slot slot;
    bool wire;
    char pin;      /* of a wire: 'A' to 'D', '?' */
    unsigned port; /* 0: a line, as the root was told of it */
    bool high;     /* of a wire, so far */
};

struct lanes {
    struct lane lane[LANES_MAX];
    unsigned n;
    uint64_t left_out; /* entries of lanes beyond LANES_MAX */
};

/* The lane of an interrupt, made if need be; null: an entry that is no interrupt, or no room for its lane. */
struct lane *lanes_find(struct lanes *lanes, const struct trace_header *header,
                        const struct trace_entry *entry);

/* "0000:01:00.1 INTA", "0000:01:00.3 messages", "root: INTA". */
enum { LANE_NAME = SLOT_NAME + 12 };
char *lane_name(const struct lane *lane, char name[LANE_NAME]);

#endif

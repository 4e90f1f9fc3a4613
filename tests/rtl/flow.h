/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went in on one side and must come out on another: two queues, for non-posted requests and for the
 * rest. Each keeps its order, and no non-posted request passes a posted one (PCIe Base 5.0, 2.4.1).
 */
#ifndef FLOW_H
#define FLOW_H

#include "bench.h"

/* What may become of a TLP other than coming out as it went in. */
enum fate {
    PASSES,
    IS_KEPT, /* an interrupt that does not come out */
    MAY_BE_KEPT,
    MAY_BE_LOST, /* its link went down */
};

struct sent {
    struct tlp tlp;
    enum fate fate;
    int source;     /* message source of the soak; -1: none */
    uint64_t after; /* non-posted: number of the others that went in before */
};

struct queue {
    struct sent *sent;
    size_t n;
    size_t room;
    size_t head;
    uint64_t gone;
};

struct flow {
    struct queue posted; /* completions, too */
    struct queue non_posted;
};

bool tlp_is_non_posted(const struct tlp *t);

/* @return what was queued, until the next call */
struct sent *flow_push(struct flow *f, const struct tlp *t);
size_t queue_waiting(const struct queue *q);
/* The i-th that waits. @pre i < queue_waiting */
struct sent *queue_at(struct queue *q, size_t i);
void queue_pop(struct queue *q);
/* Everything that waits may be lost from now on. */
void flow_may_be_lost(struct flow *f);
void flow_free(struct flow *f);

#endif

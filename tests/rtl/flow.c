/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

bool tlp_is_non_posted(const struct tlp *t)
{
    switch (t->dw[0] >> 24 & 0x5f) { /* three or four DW of header */
    case 0x00:                       /* memory read */
    case 0x02:                       /* I/O */
    case 0x42:
    case 0x04: /* configuration */
    case 0x44:
    case 0x4c: /* AtomicOps */
    case 0x4d:
    case 0x4e:
        return true;
    default:
        return false;
    }
}

size_t queue_waiting(const struct queue *q)
{
    return q->n - q->head;
}

struct sent *queue_at(struct queue *q, size_t i)
{
    return &q->sent[q->head + i];
}

void queue_pop(struct queue *q)
{
    q->gone++;
    if (++q->head == q->n) {
        q->head = 0;
        q->n = 0;
    }
}

static void make_room(struct queue *q)
{
    if (q->head > 0) {
        memmove(q->sent, q->sent + q->head, queue_waiting(q) * sizeof *q->sent);
        q->n -= q->head;
        q->head = 0;
        return;
    }
    q->room = q->room == 0 ? 64 : 2 * q->room;
    q->sent = realloc(q->sent, q->room * sizeof *q->sent);
    if (q->sent == NULL) {
        abort();
    }
}

struct sent *flow_push(struct flow *f, const struct tlp *t)
{
    const bool non_posted = tlp_is_non_posted(t);
    struct queue *q = non_posted ? &f->non_posted : &f->posted;
    if (q->n == q->room) {
        make_room(q);
    }
    struct sent *s = &q->sent[q->n++];
    memcpy(&s->tlp, t, offsetof(struct tlp, dw) + t->n * sizeof t->dw[0]);
    s->fate = PASSES;
    s->source = -1;
    s->after = non_posted ? f->posted.gone + queue_waiting(&f->posted) : 0;
    return s;
}

static void may_be_lost(struct queue *q)
{
    for (size_t i = q->head; i < q->n; i++) {
        q->sent[i].fate = MAY_BE_LOST;
    }
}

void flow_may_be_lost(struct flow *f)
{
    may_be_lost(&f->posted);
    may_be_lost(&f->non_posted);
}

void flow_free(struct flow *f)
{
    free(f->posted.sent);
    free(f->non_posted.sent);
}

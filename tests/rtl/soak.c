/* SPDX-License-Identifier: BSD-2-Clause */
#include "soak.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay_regs.h"
#include "soak_internal.h"

void soak_wrong(struct soak *s, uint64_t *counter, const char *format, ...)
{
    (*counter)++;
    if (s->r.first[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(s->r.first, sizeof s->r.first, format, arguments);
        va_end(arguments);
    }
}

uint32_t soak_dice(struct soak *s, uint32_t n)
{
    return bench_random(&s->random) % n;
}

struct im_source *soak_source(struct soak *s, int sender)
{
    const struct sender *from = &s->sender[sender];
    return im_find(&s->im, false, from->port, from->requester, from->address, from->data);
}

uint32_t soak_read(struct soak *s, uint32_t offset)
{
    const struct tlp t = tlp_read(0, SYNC_TAG, BENCH_BAR + offset, 1);
    s->answered = false;
    bench_send(s->m, MODEL_ROOT, &t);
    model_run(s->m, 1000000);
    soak_collect(s);
    if (!s->answered) {
        soak_wrong(s, &s->r.lost, "register 0x%x is not answered", offset);
    }
    return s->value;
}

void soak_write(struct soak *s, uint32_t offset, uint32_t value)
{
    const struct tlp t = tlp_write(0, BENCH_BAR + offset, 1, bench_swap(value));
    bench_send(s->m, MODEL_ROOT, &t);
}

static void begin(struct soak *s)
{
    s->m = bench_open_shape(&s->o->shape);
    soak_write(s, RELAY_WINDOW_BASE_LO(1), 0x00001000 | RELAY_WINDOW_BASE_LO_ENABLE);
    soak_write(s, RELAY_WINDOW_BASE_HI(1), 0x45);
    soak_write(s, RELAY_WINDOW_MASK_LO(1), 0xfffff000);
    soak_write(s, RELAY_WINDOW_MASK_HI(1), 0xffffffff);
    /* Traced or not, it makes no difference to anybody. */
    const uint32_t trace = (s->o->seed & 1) != 0 ? RELAY_CTRL_TRACE_INTERRUPTS | RELAY_CTRL_TRACE_TLPS : 0;
    s->tap = s->o->tap;
    s->ctrl = trace | RELAY_CTRL_LEARN | (s->o->tap ? 0 : RELAY_CTRL_INDICATOR_FIRST);
    soak_write(s, RELAY_CTRL, s->ctrl);
    soak_write(s, RELAY_LIMIT_EDGE_NS, EDGE_NS);
    soak_write(s, RELAY_LIMIT_ON_NS, ON_NS);
    soak_write(s, RELAY_LIMIT_OFF_NS, OFF_NS);
    if (s->o->acts && soak_dice(s, 2) == 0) {
        s->learn_act = RELAY_SRC_ACT_LIMIT;
        soak_write(s, RELAY_LEARN_ACT, s->learn_act);
    }
    if (s->o->ring) {
        soak_write(s, RELAY_RING_BASE_LO, (uint32_t)RING_BASE);
        soak_write(s, RELAY_RING_BASE_HI, (uint32_t)(RING_BASE >> 32));
        soak_write(s, RELAY_RING_STATUS_LO, (uint32_t)RING_STATUS);
        soak_write(s, RELAY_RING_STATUS_HI, (uint32_t)(RING_STATUS >> 32));
        soak_write(s, RELAY_RING_CTRL, RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, RING_LOG2));
        s->ring_on = true;
        s->ring_new = true;
    }
    model_run(s->m, 100000);
}

/* A link goes down in the middle of traffic, and comes up again. */
static void bounce(struct soak *s)
{
    const unsigned port = 1 + soak_dice(s, s->ports);
    if (s->was_down[port]) {
        return; /* until all has settled nobody knows what became of the first time */
    }
    s->was_down[port] = true;
    model_set_link(s->m, port, false);
    flow_may_be_lost(&s->up[port]);
    s->refusals_more += (uint32_t)queue_waiting(&s->down[port].non_posted);
    flow_may_be_lost(&s->down[port]);
    s->pins[port][s->pins_n[port]++] = (struct pin_message){.down = true};
    for (uint32_t n = soak_dice(s, 4); n > 0; n--) {
        soak_send_down(s);
        soak_send_up(s, 1 + soak_dice(s, s->ports));
        model_run(s->m, 1 + soak_dice(s, 40));
        soak_collect(s);
    }
    model_set_link(s->m, port, true);
}

static void step(struct soak *s)
{
    const struct soak_options *o = s->o;
    for (unsigned side = 0; side <= s->ports; side++) {
        if (!o->calm && soak_dice(s, 8) == 0) {
            model_set_ready(s->m, side, soak_dice(s, 4) != 0, soak_dice(s, 3) != 0);
        }
        for (uint32_t n = soak_dice(s, o->calm ? 6 : 3); n > 0; n--) {
            if (side == MODEL_ROOT) {
                soak_send_down(s);
            } else {
                soak_send_up(s, side);
            }
        }
    }
    soak_change(s);
    if (soak_dice(s, 4) == 0) {
        s->now += soak_dice(s, 100);
        model_set_time(s->m, s->now);
    }
    model_run(s->m, 1 + soak_dice(s, o->calm ? 100 : 40));
    soak_collect(s);
}

struct soak_result soak(const struct soak_options *options)
{
    struct soak *s = calloc(1, sizeof *s);
    if (s == NULL) {
        abort();
    }
    s->o = options;
    s->random = options->seed;
    s->ports = options->shape.ports;
    s->im.entries = options->shape.sources;
    soak_make_senders(s);
    begin(s);
    const uint64_t before = model_cycles(s->m);
    for (unsigned n = 1; s->r.tlps < options->tlps && s->r.lost + s->r.misattributed == 0; n++) {
        step(s);
        if (options->links && n % 128 == 63) {
            bounce(s);
        }
        if (n % (options->links || options->forgets ? 128 : 512) == 0) {
            soak_settle(s);
        }
    }
    soak_settle(s);
    s->r.cycles = model_cycles(s->m) - before;
    model_close(s->m);
    for (unsigned k = 0; k < SIDES; k++) {
        flow_free(&s->up[k]);
        flow_free(&s->down[k]);
    }
    const struct soak_result result = s->r;
    free(s);
    return result;
}

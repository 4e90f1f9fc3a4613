/* SPDX-License-Identifier: BSD-2-Clause */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CYCLES_A_ROUND = 4096,
    MAX_PAYLOAD = 4096,
    MESSAGE_RANGE = 0xfee00000u /* 1 MiB: writes there are interrupts to the CPUs of an x86 machine */
};

struct board {
    struct board_options options;
    struct board_root root;
    struct model *model;
    struct relay_config relay;
    struct function *functions[BOARD_PORTS + 1]; /* 0: not used */
    struct board_counters counters;
    uint64_t opened_ns;
    uint64_t virtual_ns;
    uint64_t cycles_before; /* the last power-on */
    unsigned power_cycles;
    bool idle;
    /* What each function's link.self points to. */
    struct board_port {
        struct board *board;
        unsigned number;
        unsigned wires;
    } ports[BOARD_PORTS + 1];
};

uint64_t board_host_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t board_now(struct board *b)
{
    return b->options.clock == BOARD_VIRTUAL ? b->virtual_ns : board_host_now() - b->opened_ns;
}

static void observe(struct board *b, unsigned side, bool entering, const uint32_t *dw, size_t n)
{
    if (b->options.observe) {
        b->options.observe(b->options.observer, side, entering, dw, n);
    }
}

/* The relay's own inputs that its configuration space decides. */
static void apply_relay_config(struct board *b)
{
    const struct config_space *c = &b->relay.space;
    uint64_t base = 0;
    bool enabled = config_bar_base(c, 0, &base);
    model_set_bar(b->model, MODEL_ROOT, 0, enabled, base, c->bar_size[0]);
    model_set_bus_master(b->model, config_bus_master(c));
}

static struct model *power_on(struct board *b)
{
    const struct board_options *o = &b->options;
    char *waveform = NULL;
    if (o->waveform && b->power_cycles && asprintf(&waveform, "%s.%u", o->waveform, b->power_cycles) < 0) {
        return NULL;
    }
    struct model *model = model_open(&o->shape, waveform ? waveform : o->waveform);
    free(waveform);
    if (model) {
        b->model = model;
        model_set_time(model, board_now(b));
        model_set_bdf(model, o->bus, o->device);
        relay_config_init(&b->relay);
        apply_relay_config(b);
        for (unsigned p = 1; p <= o->shape.ports; p++) {
            model_set_link(model, p, b->functions[p]);
        }
    }
    return model;
}

struct board *board_open(const struct board_options *options)
{
    struct board *b = calloc(1, sizeof *b);
    if (!b) {
        return NULL;
    }
    b->options = *options;
    b->opened_ns = board_host_now();
    if (!power_on(b)) {
        free(b);
        return NULL;
    }
    return b;
}

void board_close(struct board *b)
{
    for (unsigned p = 1; p <= BOARD_PORTS; p++) {
        if (b->functions[p]) {
            b->functions[p]->ops->close(b->functions[p]);
        }
    }
    model_close(b->model);
    free(b);
}

/* True when a wire rose. */
static bool follow_wires(struct board_port *port, const struct tlp *t)
{
    if (t->code < TLP_ASSERT_INTA || t->code >= TLP_DEASSERT_INTA + 4) {
        return false;
    }
    unsigned wire = 1u << (t->code & 3), before = port->wires;
    port->wires = t->code < TLP_DEASSERT_INTA ? before | wire : before & ~wire;
    return port->wires & ~before;
}

static bool is_message_interrupt(const struct tlp *t)
{
    return t->length == 1 && t->first_be == 15 && !t->ep && t->address >> 20 == MESSAGE_RANGE >> 20;
}

/* Bulk data is told from interrupts by its first DW, so that it costs nothing here. */
static void follow_interrupts(struct board_port *port, const uint32_t *dw, size_t n)
{
    bool message = dw[0] >> 27 == 0x6, write_of_one = (dw[0] >> 30 & 1) && (dw[0] & 0x3ff) == 1;
    struct tlp t;
    if ((!message && !write_of_one) || tlp_check(dw, n, MAX_PAYLOAD) || tlp_unpack(&t, dw, n)) {
        return;
    }
    if ((t.kind == TLP_MSG && follow_wires(port, &t)) || (t.kind == TLP_MWR && is_message_interrupt(&t))) {
        port->board->counters.interrupts[port->number]++;
    }
}

static void send_from_port(void *self, const uint32_t *dw, size_t n)
{
    struct board_port *port = self;
    struct board *b = port->board;
    follow_interrupts(port, dw, n);
    observe(b, port->number, true, dw, n);
    b->counters.port_up[port->number]++;
    b->idle = false;
    model_send(b->model, port->number, dw, n);
}

static bool bypass(void *self, uint16_t requester, bool write, uint64_t address, void *bytes, size_t n)
{
    const struct board_root *root = &((struct board_port *)self)->board->root;
    return root->bypass(root->self, requester, write, address, bytes, n);
}

void board_connect(struct board *b, const struct board_root *root)
{
    b->root = *root;
}

void board_attach(struct board *b, unsigned port, struct function *f)
{
    b->functions[port] = f;
    b->ports[port] = (struct board_port){.board = b, .number = port};
    f->link.send = send_from_port;
    f->link.bypass = b->root.bypass ? bypass : NULL;
    f->link.self = &b->ports[port];
    model_set_link(b->model, port, true);
}

struct function *board_function(const struct board *b, unsigned port)
{
    return b->functions[port];
}

unsigned board_ports(const struct board *b)
{
    return b->options.shape.ports;
}

static void count(uint64_t *counters, const uint32_t *dw, size_t n)
{
    struct tlp t;
    if (tlp_unpack(&t, dw, n) == TLP_OK) {
        counters[tlp_class(t.kind)]++;
    }
}

static bool to_relay_config(const uint32_t *dw, size_t n, struct tlp *t)
{
    return tlp_unpack(t, dw, n) == TLP_OK && (t->kind == TLP_CFGRD0 || t->kind == TLP_CFGWR0) &&
           (t->target & 7) == 0;
}

static void answer_relay_config(struct board *b, const struct tlp *request)
{
    struct tlp completion;
    uint32_t payload, dw[TLP_MAX_DW];
    bool flr = relay_config_answer(&b->relay, request, &completion, &payload);
    size_t n = tlp_pack(&completion, dw);
    if (flr) {
        relay_config_reset(&b->relay);
    }
    apply_relay_config(b);
    b->root.receive(b->root.self, dw, n);
}

void board_send(struct board *b, const uint32_t *dw, size_t n)
{
    struct tlp t;
    count(b->counters.down, dw, n);
    b->idle = false;
    if (to_relay_config(dw, n, &t)) {
        answer_relay_config(b, &t);
        return;
    }
    observe(b, MODEL_ROOT, true, dw, n);
    model_send(b->model, MODEL_ROOT, dw, n);
}

/* Takes what left the circuit at a port; a malformed TLP would be the circuit's fault, not the function's. */
static bool deliver_to_port(struct board *b, unsigned port)
{
    uint32_t dw[MODEL_MAX_DW];
    size_t n;
    bool moved = false;
    while ((n = model_receive(b->model, port, dw)) != 0) {
        moved = true;
        observe(b, port, false, dw, n);
        b->counters.port_down[port]++;
        if (tlp_check(dw, n, MAX_PAYLOAD) != TLP_OK) {
            b->counters.malformed_down++;
        } else if (b->functions[port]) {
            b->functions[port]->ops->receive(b->functions[port], dw, n);
        }
    }
    return moved;
}

static bool deliver_to_root(struct board *b)
{
    uint32_t dw[MODEL_MAX_DW];
    size_t n;
    bool moved = false;
    while ((n = model_receive(b->model, MODEL_ROOT, dw)) != 0) {
        moved = true;
        observe(b, MODEL_ROOT, false, dw, n);
        count(b->counters.up, dw, n);
        b->root.receive(b->root.self, dw, n);
    }
    return moved;
}

static bool round_of(struct board *b)
{
    uint64_t now = board_now(b);
    model_set_time(b->model, now);
    uint64_t cycles = model_run(b->model, CYCLES_A_ROUND);
    b->virtual_ns += cycles * BOARD_CLOCK_NS;
    bool moved = deliver_to_root(b);
    bool quiet = model_idle(b->model);
    for (unsigned p = 1; p <= b->options.shape.ports; p++) {
        moved |= deliver_to_port(b, p);
    }
    for (unsigned p = 1; p <= b->options.shape.ports; p++) {
        struct function *f = b->functions[p];
        moved |= f && f->ops->work(f, now, quiet && !moved);
    }
    return moved || !model_idle(b->model);
}

bool board_run(struct board *b, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        if (!round_of(b)) {
            b->idle = true;
            return true;
        }
    }
    b->idle = false;
    return false;
}

bool board_idle(const struct board *b)
{
    return b->idle;
}

uint64_t board_deadline(const struct board *b)
{
    uint64_t earliest = model_deadline(b->model);
    for (unsigned p = 1; p <= b->options.shape.ports; p++) {
        const struct function *f = b->functions[p];
        uint64_t due = f ? f->ops->deadline(f) : UINT64_MAX;
        earliest = due < earliest ? due : earliest;
    }
    return earliest;
}

void board_skip(struct board *b, uint64_t to_ns)
{
    if (b->options.clock == BOARD_VIRTUAL && to_ns > b->virtual_ns) {
        b->virtual_ns = to_ns;
    }
}

void board_release_wires(struct board *b, unsigned port)
{
    model_set_link(b->model, port, false);
    model_run(b->model, CYCLES_A_ROUND);
    model_set_link(b->model, port, true);
    b->ports[port].wires = 0;
    b->idle = false;
}

void board_reset(struct board *b, unsigned function)
{
    if (function == 0) {
        relay_config_reset(&b->relay);
        apply_relay_config(b);
        return;
    }
    struct function *f = b->functions[function];
    if (!f) {
        return;
    }
    model_set_link(b->model, function, false);
    model_run(b->model, CYCLES_A_ROUND);
    /* What was on its way to the port is lost with the link. */
    uint32_t dw[MODEL_MAX_DW];
    while (model_receive(b->model, function, dw)) {
    }
    f->ops->reset(f);
    b->ports[function].wires = 0;
    model_set_link(b->model, function, true);
    b->idle = false;
}

unsigned board_wires(const struct board *b, unsigned port)
{
    return b->ports[port].wires;
}

void board_set_window(struct board *b, unsigned port, unsigned window, bool enabled, uint64_t base,
                      uint64_t size)
{
    model_set_bar(b->model, port, window, enabled, base, size);
}

void board_power_cycle(struct board *b)
{
    struct model *before = b->model;
    b->power_cycles++;
    if (!power_on(b)) {
        fprintf(stderr, "signalbox: the circuit can't be made anew: its registers keep what they have\n");
        return;
    }
    b->cycles_before += model_cycles(before);
    model_close(before);
    for (unsigned p = 1; p <= BOARD_PORTS; p++) {
        if (b->functions[p]) {
            b->functions[p]->ops->reset(b->functions[p]);
            b->ports[p].wires = 0;
        }
    }
    b->idle = false;
}

uint64_t board_cycles(const struct board *b)
{
    return b->cycles_before + model_cycles(b->model);
}

struct model *board_model(struct board *b)
{
    return b->model;
}

const struct board_counters *board_counters(const struct board *b)
{
    return &b->counters;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_figures [TLPS]: what the circuit costs in clock cycles, counted in the Verilated model, and what it
 * loses in TLPs random TLPs (default 10 million). One JSON object a line, as tests/bench/run wants them.
 *
 * A latency is the number of clock edges from the one that takes a beat in to the one that takes it out. A
 * rate is taken between the first and the last interrupt out of many, so that filling and draining do not
 * count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "relay_regs.h"
#include "soak_cases.h"

enum {
    INTERRUPTS = 4096,
    SATURATED = 20000, /* TLPs a side */
};

static void print(const char *name, double value, const char *unit, const char *baseline,
                  const char *baseline_name)
{
    printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"baseline\":%s,\"baseline_name\":\"%s\"}\n",
           name, value, unit, baseline, baseline_name);
    fflush(stdout);
}

static void fail(const char *what)
{
    fprintf(stderr, "relay_figures: %s\n", what);
    exit(1);
}

/* The relay with nothing else on its way; beats counts the TLP's. */
static unsigned latency(struct model *m, unsigned width_dw, const struct tlp *t)
{
    const unsigned beats = (unsigned)(t->n + width_dw - 1) / width_dw;
    bench_send(m, 2, t);
    unsigned edges = 0;
    struct tlp out;
    do {
        if (model_run(m, 1) == 0 || edges > 1000) {
            fail("a TLP did not come out");
        }
        edges++;
        out = bench_receive(m, MODEL_ROOT);
    } while (out.n == 0);
    if (!tlp_equal(&out, t)) {
        fail("a TLP came out changed");
    }
    model_run(m, 1000);
    return edges - beats;
}

/* The largest latency of messages and other TLPs of all kinds and lengths, in both widths. Constant: all are
 * alike. */
static unsigned worst_latency(bool indicator_first)
{
    unsigned worst = 0;
    for (unsigned width_dw = 2; width_dw <= 4; width_dw += 2) {
        struct model *m = bench_open(4, width_dw);
        bench_write(m, RELAY_CTRL, RELAY_CTRL_LEARN | (indicator_first ? RELAY_CTRL_INDICATOR_FIRST : 0));
        unsigned of_width = 0;
        for (uint32_t i = 0; i < 200; i++) {
            const struct tlp t[] = {
                tlp_msi(bench_id(2), 0xfee00000, i),       tlp_msi(bench_id(2), 0xfee00000, i / 8),
                tlp_write(bench_id(2), 0x10000, 1 + i, i), tlp_write(bench_id(2), 0x1000000000, 1 + i, i),
                tlp_read(bench_id(2), 1, 0x10000, 1 + i),  tlp_completion(bench_id(2), 0, 1, i, i),
            };
            for (unsigned j = 0; j < sizeof t / sizeof t[0]; j++) {
                const unsigned l = latency(m, width_dw, &t[j]);
                if (of_width != 0 && l != of_width) {
                    fail("the latency is not constant");
                }
                of_width = l;
            }
        }
        worst = of_width > worst ? of_width : worst;
        model_close(m);
    }
    return worst;
}

static bool is_message(const struct tlp *t)
{
    return (t->dw[0] >> 24 == 0x40 || t->dw[0] >> 24 == 0x60) && (t->dw[0] & 0x3ff) == 1;
}

static struct tlp message(uint32_t i)
{
    return tlp_msi(bench_id(1 + i % 4), 0xfee00000, i / 4 % 3);
}

/* Clock cycles per interrupt when all ports send nothing else, three header DW each, from 12 sources that are
 * listed. */
static double cycles_per_interrupt(unsigned width_dw, bool ring)
{
    struct model *m = bench_open(4, width_dw);
    if (ring) {
        bench_write(m, RELAY_RING_BASE_LO, 0x10000000);
        bench_write(m, RELAY_RING_BASE_HI, 0x70);
        bench_write(m, RELAY_RING_CTRL, RELAY_RING_CTRL_ENABLE | RELAY_PUT(RELAY_RING_CTRL_LOG2, 15));
    }
    for (uint32_t i = 0; i < 12; i++) {
        const struct tlp t = message(i);
        bench_send(m, 1 + i % 4, &t);
    }
    model_run(m, 100000);
    while (bench_receive(m, MODEL_ROOT).n != 0) {
    }
    for (uint32_t i = 0; i < INTERRUPTS; i++) {
        const struct tlp t = message(i);
        bench_send(m, 1 + i % 4, &t);
    }
    uint64_t first = 0;
    uint64_t last = 0;
    unsigned seen = 0;
    unsigned events = 0;
    for (uint64_t edge = 1; seen < INTERRUPTS; edge++) {
        if (model_run(m, 1) == 0) {
            fail("interrupts were lost");
        }
        for (struct tlp t; (t = bench_receive(m, MODEL_ROOT)).n != 0;) {
            if (is_message(&t)) {
                first = seen == 0 ? edge : first;
                last = edge;
                seen++;
            } else {
                events++;
            }
        }
    }
    if (events != (ring ? INTERRUPTS : 0)) {
        fail("events were missed");
    }
    model_close(m);
    return (double)(last - first) / (INTERRUPTS - 1);
}

/* Both directions full of writes, and interrupts among them. */
static double mcycles_per_s(void)
{
    struct model *m = bench_open(4, 2);
    for (uint32_t i = 0; i < SATURATED; i++) {
        for (unsigned port = 1; port <= 4; port++) {
            const struct tlp t = i % 4 == 0 ? tlp_msi(bench_id(port), 0xfee00000, port)
                                            : tlp_write(bench_id(port), 0x10000, 8, i);
            bench_send(m, port, &t);
            const struct tlp down = tlp_write(0, BENCH_PORT_BAR + (port << 20), 8, i);
            bench_send(m, MODEL_ROOT, &down);
        }
    }
    const clock_t before = clock();
    const uint64_t cycles = model_run(m, UINT64_MAX);
    const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    model_close(m);
    return (double)cycles / seconds / 1e6;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    const uint64_t tlps = argc == 2 ? strtoull(argv[1], &end, 0) : 10000000;
    if (argc > 2 || (end != NULL && *end != '\0')) {
        fprintf(stderr, "usage: relay_figures [TLPS]\n");
        return 64;
    }
    const char *path = "verilog-pcie mux and demux, no inspection";
    print("latency_tap_cycles", worst_latency(false), "cycles", "3", path);
    print("latency_indicator_first_cycles", worst_latency(true), "cycles", "3", path);
    print("interrupts_per_beat_64", 1 / cycles_per_interrupt(2, false), "1/beat", "0.25",
          "verilog-pcie pcie_msix");
    print("interrupts_per_beat_128", 1 / cycles_per_interrupt(4, false), "1/beat", "0.25",
          "verilog-pcie pcie_msix");
    print("beats_per_interrupt_ring", cycles_per_interrupt(2, true), "beats", "2",
          "verilog-pcie irq_rate_limit, nothing recorded");
    print("mcycles_per_s", mcycles_per_s(), "Mcycle/s", "8.8", "verilog-pcie 2-port mux, Verilated");
    struct soak_result sum;
    if (soak_all(tlps, 1, NULL, &sum) != 0) {
        fprintf(stderr, "relay_figures: %s\n", sum.first);
    }
    print("lost", (double)sum.lost, "TLPs", "0", "none may be");
    print("misattributed", (double)sum.misattributed, "interrupts", "0", "none may be");
    return sum.lost + sum.misattributed != 0;
}

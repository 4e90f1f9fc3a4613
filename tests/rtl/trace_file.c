/* SPDX-License-Identifier: BSD-2-Clause */
/* What `signalbox trace record` and `trace print` do, on the Verilated relay: libsignalbox's own recorder. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card_sim.h"
#include "export.h"
#include "record.h"
#include "relay_regs.h"
#include "tlp.h"
#include "trace.h"

static uint16_t id(unsigned port)
{
    return (uint16_t)(CARD_SIM_BUS << 8 | port);
}

static void send(struct model *m, unsigned side, const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    cr_assert(model_send(m, side, dw, tlp_pack(t, dw)));
}

static void send_write(struct model *m, unsigned side, uint64_t address, const uint32_t *data, size_t dws)
{
    struct tlp t = {.kind = TLP_MWR, .requester = id(side), .payload = data};
    tlp_set_range(&t, address, 4 * dws);
    send(m, side, &t);
}

static void send_wire(struct model *m, unsigned side, bool rise)
{
    send(m, side,
         &(struct tlp){.kind = TLP_MSG,
                       .requester = id(0),
                       .routing = TLP_LOCAL,
                       .code = rise ? TLP_ASSERT_INTA : TLP_DEASSERT_INTA});
}

Test(trace_file, traffic_is_recorded_and_printed)
{
    struct model *m = model_open(&(struct model_shape){.ports = 4, .width_dw = 2, .sources = 32}, NULL);
    struct card_sim *sim = card_sim_open(m, NULL, NULL);
    struct recording recording;
    FILE *file = tmpfile();
    cr_assert(m && sim && file);
    card_sim_time(sim, 5000);
    const struct slot slot = {.bus = CARD_SIM_BUS};
    cr_assert_eq(recording_begin(&recording, card_sim_card(sim), slot, true, file), 0);

    /* A device writes its data, then says so; another pulls its wire; the root reads the first one. */
    const uint32_t rounds = 100;
    for (uint32_t i = 0; i < rounds; i++) {
        card_sim_time(sim, 10000 + 1000ull * i);
        const uint32_t data[16] = {i};
        uint32_t message;
        tlp_put_bytes(&message, 0, &(uint32_t){0x4030}, 4);
        send_write(m, 2, 0x40000 + 64 * i, data, 16);
        send_write(m, 2, 0xfee02000, &message, 1);
        send_wire(m, 3, i % 2 == 0);
        struct tlp request = {.kind = TLP_MRD, .requester = id(2), .tag = 7};
        tlp_set_range(&request, 0x40000, 32);
        struct tlp completion = tlp_completion(&request, 0, TLP_SC);
        completion.kind = TLP_CPLD;
        completion.length = 8;
        completion.payload = data;
        send(m, MODEL_ROOT, &completion);
        card_sim_pump(sim);
        if (i % 20 == 19) {
            cr_assert_gt(recording_poll(&recording), 0);
        }
    }
    uint32_t dropped = 1;
    cr_assert_eq(recording_end(&recording, &dropped), 0);
    cr_expect_eq(dropped, 0);
    cr_expect_eq(recording.records, 5 * rounds);
    uint32_t control;
    cr_assert_eq(card_read(card_sim_card(sim), RELAY_CTRL, &control), 0);
    cr_expect_eq(control, RELAY_CTRL_RESET);

    struct trace_reader reader;
    struct trace_entry entry;
    struct sb_error error;
    rewind(file);
    cr_assert(trace_open(&reader, file, &error), "%s", error.what);
    cr_expect_eq(reader.header.time_ns, 5000);
    cr_expect_eq(reader.header.ports, 4);
    unsigned messages = 0, wires = 0, told = 0, writes = 0, completions = 0;
    uint64_t time = 0;
    while (trace_next(&reader, &entry, &error) > 0) {
        uint64_t address;
        uint32_t data;
        cr_assert_eq(entry.missing, 0);
        cr_assert_geq(entry.time_ns, time);
        time = entry.time_ns;
        const struct slot whose = trace_slot(&reader.header, &entry);
        cr_assert_eq(whose.bus, CARD_SIM_BUS);
        if (entry.kind == TRACE_MSI) {
            messages++;
            cr_assert(trace_message(&entry, &address, &data));
            cr_expect_eq(address, 0xfee02000);
            cr_expect_eq(data, 0x4030);
            cr_expect_eq(whose.function, 2);
        } else if (entry.kind == TRACE_INTX && entry.port == 0) {
            cr_expect_eq(entry.level, told++ % 2 == 0);
        } else if (entry.kind == TRACE_INTX) {
            cr_expect_eq(entry.level, wires++ % 2 == 0);
            cr_expect_eq(whose.function, 3);
        } else {
            completions += entry.down;
            writes += !entry.down;
            cr_expect_eq(whose.function, 2);
            cr_expect_eq(entry.n_dw, 5);
        }
    }
    cr_expect_eq(messages, rounds);
    cr_expect_eq(wires, rounds);
    cr_expect_eq(told, rounds);
    cr_expect_eq(writes, rounds);
    cr_expect_eq(completions, rounds);
    cr_expect_eq(time, 10000 + 1000 * (rounds - 1));

    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    rewind(file);
    cr_assert(trace_open(&reader, file, &error));
    cr_assert_eq(export_text(&reader, out, &error), 0);
    fclose(out);
    cr_expect_not_null(strstr(text, "0000:01:00.2  up   MSI 0xfee02000 = 0x4030\n"));
    cr_expect_not_null(strstr(text, "0000:01:00.3  up   INTA rises\n"));
    cr_expect_not_null(strstr(text, "0000:01:00.0  up   INTA falls  [sent by the relay]\n"));
    cr_expect_null(strstr(text, "missing"));
    free(text);
    fclose(file);
    card_sim_close(sim);
    model_close(m);
}

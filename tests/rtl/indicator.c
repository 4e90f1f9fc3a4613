/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of interrupts: who asked, how often, and that it is there before the interrupt is. */
#include <criterion/criterion.h>

#include "bench.h"
#include "relay_regs.h"

static struct model *open_relay(void)
{
    return bench_open(4, 2);
}

static void send_and_run(struct model *m, unsigned port, const struct tlp *t)
{
    bench_send(m, port, t);
    model_run(m, 100000);
}

static void expect(struct model *m, const struct tlp *want)
{
    const struct tlp got = bench_receive(m, MODEL_ROOT);
    cr_assert(tlp_equal(&got, want), "%zu DW, first %08x; wanted %zu DW, first %08x", got.n,
              got.n != 0 ? got.dw[0] : 0, want->n, want->dw[0]);
}

static void expect_nothing(struct model *m)
{
    const struct tlp got = bench_receive(m, MODEL_ROOT);
    cr_assert_eq(got.n, 0, "DW0 %08x", got.dw[0]);
}

Test(indicator, msi_is_recorded)
{
    struct model *m = open_relay();
    model_set_time(m, 0x123456789abcull);
    const struct tlp msi = tlp_msi(bench_id(3), 0xfee01000, 0x4041);
    send_and_run(m, 3, &msi);
    expect(m, &msi);
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(0)),
                 RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(3)) | 3u << 8 | 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_LO(0)), 0xfee01000u);
    cr_expect_eq(bench_read(m, RELAY_SRC_ADDR_HI(0)), 0u);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(0)), 0x4041u);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 1u);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACKED(0)), 0u);
    cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(0)), 1u);
    cr_expect_eq(bench_read(m, RELAY_SRC_COALESCED(0)), 0u);
    cr_expect_eq(bench_read(m, RELAY_SRC_FIRST_LO(0)), 0x56789abcu);
    cr_expect_eq(bench_read(m, RELAY_SRC_FIRST_HI(0)), 0x1234u);
    cr_expect_eq(bench_read(m, RELAY_SRC_LAST_HI(0)), 0x1234u);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_MSI)), 1u);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_UP_POSTED)), 1u);
    bench_write(m, RELAY_SRC_ACKED(0), 1);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 0);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACKED(0)), 1);
    bench_write(m, RELAY_SRC_ACKED(0), 2);
    cr_expect_eq(bench_read(m, RELAY_SRC_ACKED(0)), 1);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_REG_REFUSED)), 1u);
    model_close(m);
}

Test(indicator, intx_lines_are_ored)
{
    struct model *m = open_relay();
    const struct tlp rise = tlp_intx(true, 0);
    const struct tlp fall = tlp_intx(false, 0);
    send_and_run(m, 2, &rise);
    expect(m, &rise);
    send_and_run(m, 4, &rise);
    expect_nothing(m);
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), 1u << 4 | 1u << 12);
    cr_expect_eq(bench_read(m, RELAY_WIRES_UP), 1u);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 3);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(1)),
                 RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(4)) | 4u << 8 | 1u << 4 | 1);
    send_and_run(m, 2, &fall);
    expect_nothing(m);
    model_set_link(m, 4, false);
    model_run(m, 10000);
    expect(m, &fall);
    cr_expect_eq(bench_read(m, RELAY_WIRES_IN), 0u);
    cr_expect_eq(bench_read(m, RELAY_PORT_STATE(4)), 0u);
    model_set_link(m, 4, true);
    model_run(m, 10000);
    cr_expect_eq(bench_read(m, RELAY_PORT_STATE(4)), 1u);
    send_and_run(m, 4, &rise);
    expect(m, &rise);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(1)), 2);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_INTX_ASSERT)), 3);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_INTX_DEASSERT)), 2);
    model_close(m);
}

Test(indicator, table_programmed_forgotten_full)
{
    struct model *m = open_relay();
    bench_write(m, RELAY_SRC_ADDR_LO(5), 0xfee00000);
    bench_write(m, RELAY_SRC_ADDR_HI(5), 0);
    bench_write(m, RELAY_SRC_DATA(5), 0x31);
    bench_write(m, RELAY_SRC_KEY(5), RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(1)) | 1u << 8 | 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(5)),
                 RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(1)) | 1u << 8 | 3);
    const struct tlp known = tlp_msi(bench_id(1), 0xfee00000, 0x31);
    send_and_run(m, 1, &known);
    expect(m, &known);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 1u << 5);
    /* The same key twice is refused. */
    bench_write(m, RELAY_SRC_KEY(6), RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(1)) | 1u << 8 | 1);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(6)), 0);
    for (unsigned i = 0; i < 40; i++) {
        const struct tlp t = tlp_msi(bench_id(2), 0xfee00000, i);
        bench_send(m, 2, &t);
    }
    model_run(m, 100000);
    for (unsigned i = 0; i < 40; i++) {
        const struct tlp t = tlp_msi(bench_id(2), 0xfee00000, i);
        expect(m, &t);
    }
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), ~0u);
    cr_expect_eq(bench_read(m, RELAY_STATUS) & RELAY_STATUS_TABLE_FULL, RELAY_STATUS_TABLE_FULL);
    cr_expect_eq(bench_read(m, RELAY_COUNTER(RELAY_COUNTER_UNLISTED)), 9u);
    cr_expect_eq(bench_read(m, RELAY_UNLISTED_DATA), 39u);
    cr_expect_eq(bench_read(m, RELAY_SRC_DATA(6)), 5u);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), ~0u);
    for (unsigned i = 0; i < 32; i++) {
        bench_write(m, RELAY_SRC_ACKED(i), 1);
    }
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 0u);
    bench_write(m, RELAY_COMMAND, RELAY_COMMAND_FORGET);
    cr_expect_eq(bench_read(m, RELAY_SRC_KEY(5)) & 3, 3);
    for (unsigned i = 0; i < 32; i++) {
        if (i != 5) {
            cr_expect_eq(bench_read(m, RELAY_SRC_KEY(i)), 0, "%u", i);
        }
    }
    const struct tlp t = tlp_msi(bench_id(2), 0xfee00000, 39);
    send_and_run(m, 2, &t);
    expect(m, &t);
    cr_expect_eq(bench_read(m, RELAY_PENDING(0)), 1u);
    cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(0)), 1u);
    model_close(m);
}

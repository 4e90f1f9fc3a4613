/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA windows and MSI rewrite: what leaves, as what, what is stopped, and how that is told. */
#include <criterion/criterion.h>

#include "bench.h"
#include "relay_regs.h"

static const unsigned shapes[][2] = {{4, 2}, {4, 4}, {7, 2}};
#define SHAPES (sizeof shapes / sizeof shapes[0])
#define GIB    (1ull << 30)

static void send(struct model *m, unsigned port, struct tlp t)
{
    bench_send(m, port, &t);
    model_run(m, 100000);
}

static void expect(struct model *m, unsigned side, struct tlp want)
{
    const struct tlp got = bench_receive(m, side);
    cr_assert(
        tlp_equal(&got, &want), "side %u: %zu DW, %08x %08x %08x %08x; wanted %zu DW, %08x %08x %08x %08x",
        side, got.n, got.n != 0 ? got.dw[0] : 0, got.n != 0 ? got.dw[1] : 0, got.n != 0 ? got.dw[2] : 0,
        got.n > 3 ? got.dw[3] : 0, want.n, want.dw[0], want.dw[1], want.dw[2], want.n > 3 ? want.dw[3] : 0);
}

static void expect_nothing(struct model *m)
{
    for (unsigned side = 0; side <= model_ports(m); side++) {
        const struct tlp got = bench_receive(m, side);
        cr_assert_eq(got.n, 0, "side %u: DW0 %08x DW1 %08x", side, got.dw[0], got.dw[1]);
    }
}

static uint32_t counter(struct model *m, unsigned index)
{
    return bench_read(m, RELAY_COUNTER(index));
}

static void window(struct model *m, unsigned port, unsigned w, uint64_t base, uint64_t size, uint64_t to)
{
    const unsigned i = 2 * port + w;
    const uint64_t offset = to - base;
    bench_write(m, RELAY_DMA_BASE_LO(i), 0);
    bench_write(m, RELAY_DMA_BASE_HI(i), (uint32_t)(base >> 32));
    bench_write(m, RELAY_DMA_BOUND_LO(i), (uint32_t)(base + size));
    bench_write(m, RELAY_DMA_BOUND_HI(i), (uint32_t)((base + size) >> 32));
    bench_write(m, RELAY_DMA_OFFSET_LO(i), (uint32_t)offset);
    bench_write(m, RELAY_DMA_OFFSET_HI(i), (uint32_t)(offset >> 32) & 0xfffff);
    bench_write(m, RELAY_DMA_BASE_LO(i), (uint32_t)base | RELAY_DMA_BASE_LO_OPEN);
}

static void check_port(struct model *m, unsigned port)
{
    bench_write(m, RELAY_DMA_CTRL(port), RELAY_DMA_CTRL_ENABLE);
    cr_assert_eq(bench_read(m, RELAY_DMA_CTRL(port)), RELAY_DMA_CTRL_ENABLE);
}

/* The relay's answer to a read of n DW that it stopped. */
static struct tlp refusal(const struct tlp *request, uint32_t bytes)
{
    const uint32_t low = (request->dw[0] >> 29 & 1) != 0 ? request->dw[3] : request->dw[2];
    struct tlp t = {.n = 3};
    t.dw[0] = 0x0a000000u | (request->dw[0] & 0x00fc3000u);
    t.dw[1] = (uint32_t)bench_id(0) << 16 | 0x2000 | bytes;
    t.dw[2] = (request->dw[1] & 0xffffff00u) | (low & 0x7c);
    return t;
}

static void expect_fault(struct model *m, unsigned port, uint32_t reason, const struct tlp *t)
{
    const bool four = (t->dw[0] >> 29 & 1) != 0;
    const uint32_t fault = bench_read(m, RELAY_DMA_FAULT(port));
    cr_expect(fault & RELAY_DMA_FAULT_VALID);
    cr_expect_eq(RELAY_GET(fault, RELAY_DMA_FAULT_REASON), reason, "%08x", fault);
    cr_expect_eq(RELAY_GET(fault, RELAY_DMA_FAULT_TYPE), t->dw[0] >> 24);
    cr_expect_eq(RELAY_GET(fault, RELAY_DMA_FAULT_REQUESTER), t->dw[1] >> 16);
    cr_expect_eq(bench_read(m, RELAY_DMA_FAULT_ADDR_LO(port)), t->dw[four ? 3 : 2]);
    cr_expect_eq(bench_read(m, RELAY_DMA_FAULT_ADDR_HI(port)), four ? t->dw[2] : 0);
    bench_write(m, RELAY_DMA_CLEAR(port), RELAY_DMA_CLEAR_FAULT);
    cr_expect_eq(bench_read(m, RELAY_DMA_FAULT(port)), 0);
}

Test(isolation, is_off_at_first)
{
    struct model *m = bench_open(4, 2);
    cr_expect(bench_read(m, RELAY_CAPS) & RELAY_CAPS_DMA_WINDOWS);
    cr_expect(bench_read(m, RELAY_CAPS) & RELAY_CAPS_MSI_REWRITE);
    for (unsigned k = 0; k < 8; k++) {
        cr_expect_eq(bench_read(m, RELAY_DMA_CTRL(k)), 0);
        cr_expect_eq(bench_read(m, RELAY_DMA_FAULT(k)), 0);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(k)), 0);
        cr_expect_eq(bench_read(m, RELAY_MSI_REFUSED(k)), 0);
        cr_expect_eq(bench_read(m, RELAY_DMA_BASE_LO(2 * k)), 0);
    }
    const struct tlp t = tlp_write(0x1234, 0x1000, 4, 1);
    send(m, 1, t);
    expect(m, MODEL_ROOT, t);
    /* Windows of a port that is not checked change nothing. */
    window(m, 1, 0, 0x100000, 0x1000, 0x200000);
    send(m, 1, tlp_write(bench_id(1), 0x100000, 4, 1));
    expect(m, MODEL_ROOT, tlp_write(bench_id(1), 0x100000, 4, 1));
    model_close(m);
}

Test(isolation, closed_by_default)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 2);
        const struct tlp write = tlp_write(bench_id(2), 0x12345678900ull, 5, 1);
        send(m, 2, write);
        expect_nothing(m);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(2)), 1);
        expect_fault(m, 2, RELAY_DMA_FAULT_REASON_OUTSIDE, &write);
        struct tlp read = tlp_read(bench_id(2), 0x42, 0x10000040, 7);
        read.dw[0] |= 3u << 20 | 1u << 13; /* TC 3, RO */
        send(m, 2, read);
        expect(m, 2, refusal(&read, 28));
        expect_nothing(m);
        send(m, 2, tlp_read(bench_id(2), 1, 0x20000000, 1));
        bench_receive(m, 2);
        const uint32_t fault = bench_read(m, RELAY_DMA_FAULT(2));
        cr_expect_eq(fault & 3, RELAY_DMA_FAULT_VALID | RELAY_DMA_FAULT_MORE);
        expect_fault(m, 2, RELAY_DMA_FAULT_REASON_OUTSIDE, &read);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(2)), 3);
        cr_expect_eq(counter(m, RELAY_COUNTER_DMA_BLOCKED), 3);
        cr_expect_eq(counter(m, RELAY_COUNTER_UP_POSTED), 0);
        cr_expect_eq(counter(m, RELAY_COUNTER_UP_NONPOSTED), 0);
        /* Another port goes on as before. */
        send(m, 1, tlp_write(bench_id(1), 0x12345678900ull, 5, 1));
        expect(m, MODEL_ROOT, tlp_write(bench_id(1), 0x12345678900ull, 5, 1));
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), 0);
        model_close(m);
    }
}

/* Every length on either side of 4 GiB, moved to either side of it. */
Test(isolation, moves)
{
    static const uint64_t places[] = {0x40000000, 5 * GIB, 0x100000, 0xfffff0000000ull};
    static const size_t lengths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 1023, 1024};
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        for (size_t from = 0; from < 4; from++) {
            for (size_t to = 0; to < 4; to++) {
                window(m, 1, 1, places[from], 0x10000, places[to]);
                for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
                    const size_t n = lengths[j];
                    const uint64_t at = n > 512 ? 0x3000 : 0x3124;
                    struct tlp in[] = {tlp_write(bench_id(1), places[from] + at, n, 77),
                                       tlp_read(bench_id(1), 7, places[from] + at, n),
                                       tlp_write(bench_id(1), places[from], 1, 3)};
                    const struct tlp out[] = {tlp_write(bench_id(1), places[to] + at, n, 77),
                                              tlp_read(bench_id(1), 7, places[to] + at, n),
                                              tlp_write(bench_id(1), places[to], 1, 3)};
                    for (size_t k = 0; k < 3; k++) {
                        bench_send(m, 1, &in[k]);
                    }
                    model_run(m, 100000);
                    for (size_t k = 0; k < 3; k++) {
                        expect(m, MODEL_ROOT, out[k]);
                    }
                }
            }
        }
        expect_nothing(m);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), 0);
        model_close(m);
    }
}

Test(isolation, ends_of_a_window)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 3);
        window(m, 3, 0, 3 * GIB, 2 * GIB, 7 * GIB);
        window(m, 3, 1, 0x7000, 0x1000, 0x9000);
        const struct {
            uint64_t from;
            uint64_t to; /* 0: nowhere */
        } cases[] = {
            {3 * GIB, 7 * GIB},
            {3 * GIB - 8, 0},
            {4 * GIB - 8, 8 * GIB - 8},
            {4 * GIB, 8 * GIB},
            {5 * GIB - 8, 9 * GIB - 8},
            {5 * GIB, 0},
            {0x6ff8, 0},
            {0x7000, 0x9000},
            {0x7ff8, 0x9ff8},
            {0x8000, 0},
            {0, 0},
            {~7ull, 0},
            {(1ull << 52) + 0x7000, 0},
            {(1ull << 63) + 3 * GIB, 0},
        };
        uint32_t blocked = 0;
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++) {
            send(m, 3, tlp_write(bench_id(3), cases[j].from, 2, 1));
            if (cases[j].to != 0) {
                expect(m, MODEL_ROOT, tlp_write(bench_id(3), cases[j].to, 2, 1));
            } else {
                blocked++;
            }
            expect_nothing(m);
            cr_assert_eq(bench_read(m, RELAY_DMA_BLOCKED(3)), blocked, "case %zu", j);
        }
        /* Across the end, which is a page's end: malformed, dropped, no answer. */
        send(m, 3, tlp_read(bench_id(3), 1, 0x7ff8, 4));
        send(m, 3, tlp_write(bench_id(3), 0x7ff8, 4, 1));
        expect_nothing(m);
        cr_expect_eq(counter(m, RELAY_COUNTER_MALFORMED), 2);
        model_close(m);
    }
}

/* What passes and what does not, whatever its address is. */
Test(isolation, kinds)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        window(m, 1, 0, 0, 4 * GIB, 0);
        struct tlp own = tlp_completion(bench_id(1), 0, 9, 5, 1);
        send(m, 1, own);
        expect(m, MODEL_ROOT, own);
        own = tlp_completion(0, 0, 9, 0, 0); /* before its first configuration write */
        send(m, 1, own);
        expect(m, MODEL_ROOT, own);
        struct tlp message = tlp_intx(true, 0);
        message.dw[0] = 0x30000000u; /* ERR_COR, to the root */
        message.dw[1] = (uint32_t)bench_id(1) << 16 | 0x30;
        send(m, 1, message);
        expect(m, MODEL_ROOT, message);
        send(m, 1, tlp_intx(true, 2)); /* becomes the relay's own */
        expect(m, MODEL_ROOT, tlp_intx(true, 2));

        struct stopped {
            struct tlp t;
            uint32_t reason;
            uint32_t bytes; /* of the answer; 0: none */
        } *stopped = calloc(10, sizeof *stopped);
        size_t n = 0;
        stopped[n++] =
            (struct stopped){tlp_write(bench_id(2), 0x1000, 4, 1), RELAY_DMA_FAULT_REASON_REQUESTER, 0};
        stopped[n++] =
            (struct stopped){tlp_read(bench_id(2), 5, 0x1000, 4), RELAY_DMA_FAULT_REASON_REQUESTER, 16};
        stopped[n++] = (struct stopped){tlp_read(0x0001, 5, 0x1004, 2), RELAY_DMA_FAULT_REASON_REQUESTER, 8};
        stopped[n] = (struct stopped){message, RELAY_DMA_FAULT_REASON_REQUESTER, 0};
        stopped[n++].t.dw[1] = (uint32_t)bench_id(4) << 16 | 0x30;
        stopped[n] = (struct stopped){message, RELAY_DMA_FAULT_REASON_KIND, 0};
        stopped[n++].t.dw[0] = 0x32000000u; /* by ID: to a peer */
        stopped[n] = (struct stopped){tlp_write(bench_id(1), 0x1000, 4, 1), RELAY_DMA_FAULT_REASON_KIND, 0};
        stopped[n++].t.dw[0] |= 2u << 10; /* translated address */
        stopped[n] = (struct stopped){tlp_read(bench_id(1), 6, 0x1000, 2), RELAY_DMA_FAULT_REASON_KIND, 8};
        stopped[n++].t.dw[0] |= 1u << 10; /* translation request */
        stopped[n] =
            (struct stopped){tlp_read(bench_id(1), 7, 5 * GIB + 4, 3), RELAY_DMA_FAULT_REASON_KIND, 12};
        stopped[n].t.dw[0] |= 1u << 15; /* digest */
        stopped[n].t.dw[stopped[n].t.n] = 0x1234;
        stopped[n++].t.n++;
        stopped[n] = (struct stopped){tlp_write(bench_id(1), 0x1000, 2, 1), RELAY_DMA_FAULT_REASON_KIND, 4};
        stopped[n].t.dw[1] |= 0x1300;
        stopped[n++].t.dw[0] = 0x4c000002u; /* FetchAdd of 64 bits */
        stopped[n] = (struct stopped){tlp_config(true, 3, 0x10, 0), RELAY_DMA_FAULT_REASON_KIND, 4};
        stopped[n++].t.dw[1] |= (uint32_t)bench_id(1) << 16;
        for (size_t j = 0; j < n; j++) {
            send(m, 1, stopped[j].t);
            if (stopped[j].bytes != 0) {
                struct tlp want = refusal(&stopped[j].t, stopped[j].bytes);
                if ((stopped[j].t.dw[0] & 0x5f000000u) != 0) {
                    want.dw[2] &= ~0x7fu;
                }
                expect(m, 1, want);
            }
            expect_nothing(m);
            expect_fault(m, 1, stopped[j].reason, &stopped[j].t);
            cr_assert_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), j + 1);
        }
        free(stopped);
        model_close(m);
    }
}

static void program(struct model *m, unsigned index, unsigned port, uint64_t address, uint32_t data)
{
    bench_write(m, RELAY_SRC_ADDR_LO(index), (uint32_t)address);
    bench_write(m, RELAY_SRC_ADDR_HI(index), (uint32_t)(address >> 32));
    bench_write(m, RELAY_SRC_DATA(index), data);
    bench_write(m, RELAY_SRC_KEY(index),
                RELAY_SRC_KEY_VALID | RELAY_PUT(RELAY_SRC_KEY_PORT, port) |
                    RELAY_PUT(RELAY_SRC_KEY_REQUESTER, bench_id(port)));
}

static void rewrite(struct model *m, unsigned index, uint32_t address, uint32_t data)
{
    bench_write(m, RELAY_SRC_MSG_DATA(index), data);
    bench_write(m, RELAY_SRC_MSG_ADDR(index), address | RELAY_SRC_MSG_ADDR_REWRITE);
}

Test(isolation, message_is_rewritten)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        bench_write(m, RELAY_WINDOW_BASE_LO(1), 0x00001000 | RELAY_WINDOW_BASE_LO_ENABLE);
        bench_write(m, RELAY_WINDOW_BASE_HI(1), 0x45);
        bench_write(m, RELAY_WINDOW_MASK_LO(1), 0xfffff000);
        const struct tlp low = tlp_msi(bench_id(1), 0xfee01000, 0x4021);
        const struct tlp high = tlp_msi(bench_id(2), 0x4500001004ull, 7);
        program(m, 5, 1, 0xfee01000, 0x4021);
        program(m, 9, 2, 0x4500001004ull, 7);
        rewrite(m, 5, 0xfee42004, 0x31);
        cr_expect_eq(bench_read(m, RELAY_SRC_MSG_ADDR(5)), 0xfee42004 | RELAY_SRC_MSG_ADDR_REWRITE);
        cr_expect_eq(bench_read(m, RELAY_SRC_MSG_DATA(5)), 0x31);
        cr_expect_eq(bench_read(m, RELAY_SRC_MSG_ADDR(9)), 0);
        send(m, 1, low);
        expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0xfee42004, 0x31));
        send(m, 2, high); /* not rewritten, not checked */
        expect(m, MODEL_ROOT, high);
        rewrite(m, 9, 0xfee00000, 0xa5);
        for (int j = 0; j < 3; j++) {
            bench_send(m, 2, &high);
            bench_send(m, 1, &low);
        }
        model_run(m, 100000);
        for (int j = 0; j < 6; j++) {
            const struct tlp got = bench_receive(m, MODEL_ROOT);
            const bool first = got.dw[1] >> 16 == bench_id(1);
            const struct tlp want =
                first ? tlp_msi(bench_id(1), 0xfee42004, 0x31) : tlp_msi(bench_id(2), 0xfee00000, 0xa5);
            cr_assert(tlp_equal(&got, &want));
        }
        /* The indicator is of the source as it asked. */
        cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(5)), 4);
        cr_expect_eq(bench_read(m, RELAY_SRC_RELAYED(9)), 4);
        /* Not with a digest, which would be wrong. */
        struct tlp digest = low;
        digest.dw[0] |= 1u << 15;
        digest.dw[digest.n++] = 99;
        send(m, 1, digest);
        expect_nothing(m);
        expect_fault(m, 1, RELAY_DMA_FAULT_REASON_MESSAGE, &digest);
        cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(5)), 4);
        /* A new key for the entry ends it. */
        program(m, 5, 1, 0xfee01000, 0x4022);
        cr_expect_eq(bench_read(m, RELAY_SRC_MSG_ADDR(5)), 0);
        send(m, 1, tlp_msi(bench_id(1), 0xfee01000, 0x4022));
        expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0xfee01000, 0x4022));
        model_close(m);
    }
}

Test(isolation, forged_message_is_refused)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        window(m, 1, 0, 0, 4 * GIB, 0x100000000);
        program(m, 0, 1, 0xfee00000, 0x41);
        program(m, 1, 1, 0xfee00000, 0x42);
        rewrite(m, 0, 0xfee03000, 0x66);
        const struct tlp good = tlp_msi(bench_id(1), 0xfee00000, 0x41);
        const struct tlp forged[] = {
            tlp_msi(bench_id(1), 0xfee00000, 0x42), /* listed, not rewritten */
            tlp_msi(bench_id(1), 0xfee00000, 0x43), /* another vector */
            tlp_msi(bench_id(1), 0xfee01000, 0x41), /* another CPU */
            tlp_msi(bench_id(2), 0xfee00000, 0x41), /* another function */
        };
        for (uint32_t j = 0; j < 4; j++) {
            bench_send(m, 1, &forged[j]);
            send(m, 1, good);
            expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0xfee03000, 0x66));
            expect_nothing(m);
            expect_fault(m, 1, RELAY_DMA_FAULT_REASON_MESSAGE, &forged[j]);
            cr_assert_eq(bench_read(m, RELAY_MSI_REFUSED(1)), j + 1);
        }
        cr_expect_eq(counter(m, RELAY_COUNTER_MSI_REFUSED), 4);
        cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(1)), 0);
        cr_expect_eq(bench_read(m, RELAY_SRC_KEY(2)), 0); /* nothing was learned */
        cr_expect_eq(counter(m, RELAY_COUNTER_UNLISTED), 0);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), 0);
        /* More than a DW, or none of its bytes, is no interrupt: a write to memory like others. */
        send(m, 1, tlp_write(bench_id(1), 0xfee00000, 2, 0x41));
        expect(m, MODEL_ROOT, tlp_write(bench_id(1), 0x1fee00000ull, 2, 0x41));
        send(m, 2, tlp_msi(bench_id(2), 0xfee00000, 0x43)); /* a port that is not checked */
        expect(m, MODEL_ROOT, tlp_msi(bench_id(2), 0xfee00000, 0x43));
        model_close(m);
    }
}

/* What is sent from the table is rewritten, too. */
Test(isolation, sent_later)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        bench_write(m, RELAY_WINDOW_BASE_LO(1), 0x00001000 | RELAY_WINDOW_BASE_LO_ENABLE);
        bench_write(m, RELAY_WINDOW_BASE_HI(1), 0x45);
        bench_write(m, RELAY_WINDOW_MASK_LO(1), 0xfffff000);
        check_port(m, 1);
        program(m, 3, 1, 0x4500001000ull, 0x41);
        rewrite(m, 3, 0xfee05000, 0x99);
        bench_write(m, RELAY_SRC_ACT(3), RELAY_SRC_ACT_MASK);
        send(m, 1, tlp_msi(bench_id(1), 0x4500001000ull, 0x41));
        expect_nothing(m);
        bench_write(m, RELAY_SRC_ACT(3), 0);
        expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0xfee05000, 0x99));
        bench_write(m, RELAY_INJECT, 3);
        expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0xfee05000, 0x99));
        cr_expect_eq(bench_read(m, RELAY_SRC_COUNT(3)), 2);
        /* Without a rewrite none leaves from a port that is checked, not even by injection. */
        bench_write(m, RELAY_SRC_MSG_ADDR(3), 0);
        bench_write(m, RELAY_INJECT, 3);
        expect_nothing(m);
        bench_write(m, RELAY_DMA_CTRL(1), 0);
        bench_write(m, RELAY_INJECT, 3);
        expect(m, MODEL_ROOT, tlp_msi(bench_id(1), 0x4500001000ull, 0x41));
        model_close(m);
    }
}

static void read_blocked(struct model *m, unsigned n)
{
    for (unsigned j = 0; j < n; j++) {
        const struct tlp read = tlp_read(bench_id(1), (uint8_t)j, 0x5000, 1 + j);
        bench_send(m, 1, &read);
    }
}

/* A port that takes no completions for a while gets all its answers later; meanwhile nobody else waits for
 * it. */
Test(isolation, answers_wait)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        model_set_ready(m, 1, false, true);
        read_blocked(m, 40);
        model_run(m, 100);
        const struct tlp write = tlp_write(bench_id(2), 0x1000, 9, 1);
        const struct tlp down = tlp_write(0, BENCH_PORT_BAR + (3u << 20), 2, 7);
        bench_send(m, 2, &write);
        bench_send(m, MODEL_ROOT, &down);
        model_run(m, 100);
        expect(m, MODEL_ROOT, write);
        expect(m, 3, down);
        model_set_ready(m, 1, true, true);
        model_run(m, 100000);
        for (unsigned j = 0; j < 40; j++) {
            const struct tlp read = tlp_read(bench_id(1), (uint8_t)j, 0x5000, 1 + j);
            expect(m, 1, refusal(&read, 4 * (1 + j)));
        }
        expect_nothing(m);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), 40);
        model_close(m);
    }
}

/* One that takes none for long loses answers; others' requests go on. */
Test(isolation, answers_are_given_up)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        model_set_ready(m, 1, false, true);
        read_blocked(m, 40);
        for (unsigned j = 0; j < 100; j++) {
            const struct tlp read = tlp_read(bench_id(2), (uint8_t)j, 0x5000, 1);
            send(m, 2, read);
            model_run(m, 2000);
        }
        for (unsigned j = 0; j < 100; j++) {
            expect(m, MODEL_ROOT, tlp_read(bench_id(2), (uint8_t)j, 0x5000, 1));
        }
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), 40);
        model_close(m);
    }
}

/* A window is closed, a register is read: what was let through has left before the answer, and nothing leaves
 * after. */
Test(isolation, closing_pushes)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct model *m = bench_open(shapes[i][0], shapes[i][1]);
        check_port(m, 1);
        window(m, 1, 0, 0x100000, 0x100000, 0x200000000ull);
        unsigned sent = 0;
        unsigned left = 0;
        for (; sent < 200; sent++) {
            const struct tlp t = tlp_write(bench_id(1), 0x100000 + 0x40 * sent, 1 + sent % 9, sent);
            bench_send(m, 1, &t);
        }
        model_run(m, 100);
        const struct tlp close = tlp_write(0, BENCH_BAR + RELAY_DMA_BASE_LO(2), 1, 0);
        const struct tlp read = tlp_read(0, 0x77, BENCH_BAR + RELAY_SCRATCH, 1);
        bench_send(m, MODEL_ROOT, &close);
        bench_send(m, MODEL_ROOT, &read);
        model_run(m, 100000);
        bool answered = false;
        for (struct tlp t = bench_receive(m, MODEL_ROOT); t.n != 0; t = bench_receive(m, MODEL_ROOT)) {
            if (t.dw[0] == 0x4a000001u) {
                answered = true;
            } else {
                const struct tlp want =
                    tlp_write(bench_id(1), 0x200000000ull + 0x40 * left, 1 + left % 9, left);
                cr_assert(!answered && tlp_equal(&t, &want));
                left++;
            }
        }
        cr_expect(answered);
        cr_expect_gt(left, 5);
        cr_expect_lt(left, 200);
        cr_expect_eq(bench_read(m, RELAY_DMA_BLOCKED(1)), sent - left);
        model_close(m);
    }
}

/* In tap mode, too, a port that is checked is. */
Test(isolation, ends_tap)
{
    struct model *m = bench_open(4, 2);
    bench_write(m, RELAY_CTRL, RELAY_CTRL_LEARN);
    send(m, 1, tlp_write(bench_id(1), 0x1000, 1, 1));
    expect(m, MODEL_ROOT, tlp_write(bench_id(1), 0x1000, 1, 1));
    check_port(m, 1);
    send(m, 1, tlp_write(bench_id(1), 0x1000, 1, 1));
    expect_nothing(m);
    bench_write(m, RELAY_DMA_CTRL(1), 0);
    send(m, 1, tlp_write(bench_id(1), 0x1000, 1, 1));
    expect(m, MODEL_ROOT, tlp_write(bench_id(1), 0x1000, 1, 1));
    model_close(m);
}

Test(isolation, is_traced)
{
    struct model *m = bench_open(4, 2);
    bench_write(m, RELAY_CTRL, RELAY_CTRL_TRACE_INTERRUPTS | RELAY_CTRL_LEARN);
    check_port(m, 1);
    const struct tlp t = tlp_write(bench_id(1), 0x5000, 3, 9);
    send(m, 1, t);
    send(m, 2, tlp_write(bench_id(2), 0x5000, 3, 9));
    bench_receive(m, MODEL_ROOT);
    cr_assert_eq(bench_read(m, RELAY_TRACE_HEAD), 1);
    const uint32_t who = bench_read(m, RELAY_TRACE_DATA(0));
    cr_expect(who & RELAY_TRACE_WHO_KEPT);
    cr_expect_eq(RELAY_GET(who, RELAY_TRACE_WHO_KIND), 2);
    cr_expect_eq(RELAY_GET(who, RELAY_TRACE_WHO_PORT), 1);
    for (unsigned i = 0; i < 5; i++) {
        cr_expect_eq(bench_read(m, RELAY_TRACE_DATA(3 + i)), t.dw[i]);
    }
    model_close(m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The DMA engine against a host that answers as it likes: in any order, wrongly, or not at all. */
#include "completer.h"
#include "dma.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 4096, MEMORY = 1 << 18, ID = 0x0103, TIMEOUT_NS = 1000 };

static struct {
    uint32_t dw[TLP_MAX_DW];
    size_t n;
} queue[QUEUE];
static unsigned queued;
static uint8_t memory[MEMORY];
static struct config_space config;
static struct function function;
static const uint16_t id = ID;
static struct dma dma;
static unsigned seed = 1;

static void send(void *self, const uint32_t *dw, size_t n)
{
    (void)self;
    cr_assert_lt(queued, QUEUE);
    memcpy(queue[queued].dw, dw, n * sizeof *dw);
    queue[queued++].n = n;
}

static void build(void)
{
    static const struct config_identity identity = {.vendor = 0x1209};
    config_init(&config, &identity);
    config_add_pcie(&config, 512);
    config_put16(&config, PCI_COMMAND, PCI_COMMAND_MASTER);
    function.link = (struct function_link){.send = send};
    dma_init(&dma, &function, &config, &id, TIMEOUT_NS);
    for (unsigned i = 0; i < MEMORY; i++) {
        memory[i] = (uint8_t)rand_r(&seed);
    }
}

TestSuite(dma, .init = build);

static unsigned done_count;
static enum dma_result last_result;

static void done(struct dma_transfer *t, enum dma_result result)
{
    (void)t;
    done_count++;
    last_result = result;
}

static struct dma_transfer make(bool write, uint64_t address, uint8_t *bytes, size_t n)
{
    return (struct dma_transfer){
        .write = write, .address = address, .bytes = bytes, .count = n, .done = done};
}

/* Takes a request off the queue at random and does it: a write lands, a read is completed. */
static void serve_one(unsigned max_payload)
{
    unsigned pick = (unsigned)rand_r(&seed) % queued;
    struct tlp t;
    cr_assert_eq(tlp_check(queue[pick].dw, queue[pick].n, 512), TLP_OK);
    cr_assert_eq(tlp_unpack(&t, queue[pick].dw, queue[pick].n), TLP_OK);
    cr_assert_eq(t.requester, ID);
    uint64_t at = t.address + tlp_be_offset(&t);
    unsigned n = tlp_be_bytes(&t);
    cr_assert_leq(at + n, MEMORY);
    if (t.kind == TLP_MWR) {
        cr_assert_leq(n, config_max_payload(&config));
        tlp_get_bytes(t.payload, tlp_be_offset(&t), memory + at, n);
    } else {
        uint32_t payload[TLP_MAX_PAYLOAD_DW] = {0}, dw[TLP_MAX_DW];
        cr_assert_eq(t.kind, TLP_MRD);
        cr_assert_leq(n, config_max_read_request(&config));
        tlp_put_bytes(payload, tlp_be_offset(&t), memory + at, n);
        struct completer c;
        completer_begin(&c, &t, 0, payload, max_payload, 64);
        while (completer_next(&c)) {
            struct tlp back;
            size_t count = tlp_pack(&c.tlp, dw);
            cr_assert_eq(tlp_unpack(&back, dw, count), TLP_OK);
            dma_complete(&dma, &back);
        }
    }
    queue[pick] = queue[--queued];
}

static void run_all(void)
{
    do {
        while (dma_work(&dma, 0, false)) {
        }
        if (queued) {
            serve_one(128u << rand_r(&seed) % 3);
        }
    } while (queued || dma_busy(&dma));
}

Test(dma, any_place_and_size_both_ways)
{
    for (unsigned round = 0; round < 300; round++) {
        config_put16(&config, config.pcie + PCI_EXP_DEVCTL,
                     (uint16_t)((unsigned)rand_r(&seed) % 3 << 5 | (unsigned)rand_r(&seed) % 6 << 12));
        size_t n = 1 + (size_t)rand_r(&seed) % (round % 10 ? 700 : 60000);
        uint64_t at = (uint64_t)rand_r(&seed) % (MEMORY - n);
        uint8_t *bytes = malloc(n), *expected = malloc(MEMORY);
        memcpy(expected, memory, MEMORY);
        struct dma_transfer read = make(false, at, bytes, n);
        dma_submit(&dma, &read);
        run_all();
        cr_assert_eq(last_result, DMA_DONE);
        cr_assert_arr_eq(bytes, memory + at, n);
        for (size_t i = 0; i < n; i++) {
            expected[at + i] = bytes[i] = (uint8_t)rand_r(&seed);
        }
        struct dma_transfer write = make(true, at, bytes, n);
        dma_submit(&dma, &write);
        run_all();
        cr_assert_arr_eq(memory, expected, MEMORY);
        cr_assert_eq(done_count, 2 * (round + 1));
        free(bytes);
        free(expected);
    }
    cr_expect_eq(dma.tags_used, 0);
}

Test(dma, requests_cross_no_line_of_their_size)
{
    uint8_t bytes[3000];
    config_put16(&config, config.pcie + PCI_EXP_DEVCTL, 2 << 5 | 2 << 12);
    struct dma_transfer write = make(true, 0xf01, bytes, sizeof bytes);
    memset(bytes, 7, sizeof bytes);
    dma_submit(&dma, &write);
    dma_work(&dma, 0, false);
    for (unsigned i = 0; i < queued; i++) {
        struct tlp t;
        cr_assert_eq(tlp_unpack(&t, queue[i].dw, queue[i].n), TLP_OK);
        uint64_t first = t.address, last = t.address + t.length * 4u - 1;
        cr_expect_eq(first / 512, last / 512);
    }
}

Test(dma, waits_without_bus_mastering)
{
    uint8_t bytes[4] = {0};
    struct dma_transfer write = make(true, 0, bytes, 4);
    config_put16(&config, PCI_COMMAND, 0);
    dma_submit(&dma, &write);
    cr_expect_not(dma_work(&dma, 0, true));
    cr_expect_eq(queued, 0);
    config_put16(&config, PCI_COMMAND, PCI_COMMAND_MASTER);
    dma_work(&dma, 0, true);
    cr_expect_eq(done_count, 1);
}

static struct tlp request_of(unsigned i)
{
    struct tlp t;
    cr_assert_eq(tlp_unpack(&t, queue[i].dw, queue[i].n), TLP_OK);
    return t;
}

Test(dma, refused_read_fails_the_transfer_once)
{
    uint8_t bytes[2048];
    struct dma_transfer read = make(false, 0, bytes, sizeof bytes);
    dma_submit(&dma, &read);
    dma_work(&dma, 0, false);
    cr_assert_eq(queued, 4);
    for (unsigned i = 0; i < 4; i++) {
        struct tlp request = request_of(i), c = tlp_completion(&request, 0, i == 2 ? TLP_CA : TLP_UR);
        cr_expect_eq(done_count, 0);
        dma_complete(&dma, &c);
    }
    cr_expect_eq(done_count, 1);
    cr_expect_eq(last_result, DMA_REFUSED);
    cr_expect_eq(dma.counters.refused, 4);
}

Test(dma, completions_that_do_not_fit_are_noticed)
{
    uint8_t bytes[64];
    uint32_t payload[16] = {0};
    static const struct {
        int byte_count, lower_address, length;
        bool data, poisoned;
        enum dma_result result;
    } cases[] = {{60, 0, 16, true, false, DMA_GARBLED}, {64, 4, 16, true, false, DMA_GARBLED},
                 {64, 0, 17, true, false, DMA_GARBLED}, {64, 0, 0, false, false, DMA_GARBLED},
                 {64, 0, 16, true, true, DMA_REFUSED},  {64, 0, 16, true, false, DMA_DONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dma_transfer read = make(false, 0, bytes, sizeof bytes);
        dma_submit(&dma, &read);
        dma_work(&dma, 0, false);
        struct tlp request = request_of(0), c = tlp_completion(&request, 0, TLP_SC);
        c.byte_count = (uint16_t)cases[i].byte_count;
        c.lower_address = (uint8_t)cases[i].lower_address;
        c.length = (uint16_t)cases[i].length;
        c.payload = cases[i].data ? payload : NULL;
        c.ep = cases[i].poisoned;
        dma_complete(&dma, &c);
        cr_expect_eq(done_count, i + 1);
        cr_expect_eq(last_result, cases[i].result, "case %zu", i);
        queued = 0;
    }
}

Test(dma, unexpected_completions_are_counted_and_change_nothing)
{
    uint8_t bytes[64];
    struct dma_transfer read = make(false, 0, bytes, sizeof bytes);
    dma_submit(&dma, &read);
    dma_work(&dma, 0, false);
    struct tlp request = request_of(0), c = tlp_completion(&request, 0, TLP_UR);
    c.tag = 5;
    dma_complete(&dma, &c);
    c.tag = 900;
    dma_complete(&dma, &c);
    c.tag = request.tag;
    c.requester = ID + 1;
    dma_complete(&dma, &c);
    cr_expect_eq(dma.counters.unexpected, 3);
    cr_expect_eq(done_count, 0);
}

Test(dma, timeouts_expire_only_when_nothing_moves)
{
    uint8_t bytes[64];
    struct dma_transfer read = make(false, 0, bytes, sizeof bytes);
    dma_submit(&dma, &read);
    dma_work(&dma, 10, false);
    dma_work(&dma, 50000, false);
    cr_expect_eq(done_count, 0, "the circuit still moves");
    dma_work(&dma, 60000, true);
    cr_expect_eq(dma_deadline(&dma), 61000);
    dma_work(&dma, 60999, true);
    cr_expect_eq(done_count, 0);
    dma_work(&dma, 61000, true);
    cr_expect_eq(done_count, 1);
    cr_expect_eq(last_result, DMA_TIMEOUT);
    cr_expect_eq(dma_deadline(&dma), UINT64_MAX);
}

Test(dma, cancelled_tags_are_not_used_again_before_their_completions_came)
{
    static uint8_t bytes[DMA_TAGS * 512], other[512];
    struct dma_transfer read = make(false, 0, bytes, sizeof bytes);
    dma_submit(&dma, &read);
    dma_work(&dma, 0, false);
    cr_assert_eq(queued, DMA_TAGS);
    dma_cancel(&dma);
    cr_expect_eq(last_result, DMA_CANCELLED);
    struct dma_transfer again = make(false, 4096, other, sizeof other);
    dma_submit(&dma, &again);
    dma_work(&dma, 0, false);
    cr_expect_eq(queued, DMA_TAGS, "no tag is free");
    memset(bytes, 0xee, sizeof bytes);
    run_all();
    cr_expect_eq(last_result, DMA_DONE);
    cr_expect_arr_eq(other, memory + 4096, sizeof other);
    for (size_t i = 0; i < sizeof bytes; i++) {
        cr_assert_eq(bytes[i], 0xee, "a cancelled read wrote");
    }
    cr_expect_eq(dma.counters.unexpected, 0);
}

Test(dma, writes_go_out_while_reads_wait)
{
    uint8_t in[64], out[64] = {0};
    struct dma_transfer read = make(false, 0, in, sizeof in), write = make(true, 64, out, sizeof out);
    dma_submit(&dma, &read);
    dma_submit(&dma, &write);
    dma_work(&dma, 0, false);
    cr_expect_eq(queued, 2);
    cr_expect_eq(done_count, 1);
}

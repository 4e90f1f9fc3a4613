/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtio-net on one cable, through the circuit, each with a driver of this test: good ones and hostile
 * ones.
 */
#include "machine.h"
#include "virtio.h"
#include "virtio_net.h"

#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

enum {
    A = 1, /* the ends of the cable */
    B = 2,
    RECEIVE = 0,
    TRANSMIT = 1,
    SIZE = 64, /* of the rings */
    CABLE = 32,
    HEADER = 12,
    AT_NOTIFY = 0x3000,
    /* Offsets in the machine's RAM: an end's, in it a queue's, in that its rings. */
    END = 0x60000,
    QUEUE = 0x4000,
    DESCRIPTORS = 0,
    AVAILABLE = 0x1000,
    USED = 0x2000,
    TABLE = 0x3000,
    BUFFERS = 0x10000,
    BUFFER = 0x1000, /* bytes a buffer has at most */
    NOWHERE = 0x7f000000,
};

static struct machine *m;
static struct function *ends[2];

static unsigned other(unsigned f)
{
    return A + B - f;
}

static unsigned place(unsigned f, unsigned queue)
{
    return (f - A) * END + queue * QUEUE;
}

/* Of frames to send, behind them of those to receive. */
static unsigned buffer(unsigned f, unsigned queue, unsigned i)
{
    return (f - A) * END + BUFFERS + (queue * (SIZE / 2) + i % (SIZE / 2)) * BUFFER;
}

static struct vring_desc *descriptors(unsigned f, unsigned queue)
{
    return (struct vring_desc *)(m->ram + place(f, queue) + DESCRIPTORS);
}

static struct vring_avail *available(unsigned f, unsigned queue)
{
    return (struct vring_avail *)(m->ram + place(f, queue) + AVAILABLE);
}

static volatile struct vring_used *used(unsigned f, unsigned queue)
{
    return (struct vring_used *)(m->ram + place(f, queue) + USED);
}

static uint64_t bus(unsigned offset)
{
    return RAM_BASE + offset;
}

static void set(unsigned f, unsigned reg, unsigned size, uint32_t value)
{
    machine_write(m, f, 0, reg, size, value);
}

static uint8_t status(unsigned f)
{
    return (uint8_t)machine_read(m, f, 0, VIRTIO_PCI_COMMON_STATUS, 1);
}

/* As a driver starts a device (virtio 1.2, 3.1), with a part of a queue at an address of its own: 0, none. */
static void start_at(unsigned f, unsigned queue, unsigned part, uint64_t address)
{
    set(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    memset(m->ram + (f - A) * END, 0, END);
    set(f, VIRTIO_PCI_COMMON_STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    set(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    set(f, VIRTIO_PCI_COMMON_GF, 4, 1u << VIRTIO_RING_F_INDIRECT_DESC);
    set(f, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    set(f, VIRTIO_PCI_COMMON_GF, 4, 1);
    set(f, VIRTIO_PCI_COMMON_STATUS, 1, 11);
    for (unsigned q = RECEIVE; q <= TRANSMIT; q++) {
        const unsigned reg[] = {VIRTIO_PCI_COMMON_Q_DESCLO, VIRTIO_PCI_COMMON_Q_AVAILLO,
                                VIRTIO_PCI_COMMON_Q_USEDLO};
        set(f, VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
        set(f, VIRTIO_PCI_COMMON_Q_SIZE, 2, SIZE);
        set(f, VIRTIO_PCI_COMMON_Q_MSIX, 2, q + 1);
        for (unsigned i = 0; i < 3; i++) {
            const bool elsewhere = address && q == queue && i * AVAILABLE == part;
            const uint64_t at = elsewhere ? address : bus(place(f, q) + i * AVAILABLE);
            set(f, reg[i], 4, (uint32_t)at);
            set(f, reg[i] + 4, 4, (uint32_t)(at >> 32));
        }
        set(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    }
    set(f, VIRTIO_PCI_COMMON_STATUS, 1, 15);
    cr_assert_eq(status(f), 15);
}

static void start(unsigned f)
{
    start_at(f, 0, 0, 0);
}

static void build(void)
{
    for (unsigned i = 0; i < 2; i++) {
        ends[i] = virtio_net_open(&(struct virtio_net_options){.link = "cable", .pin = 1 + i, .msix = true});
    }
    m = machine_open(&(struct machine_options){.ports = 4, .width_dw = 2, .timeout_ms = 20}, ends, 2);
    m->refuse_reads = true; /* there is no memory but the machine's */
    start(A);
    start(B);
}

static void end(void)
{
    machine_close(m);
}

TestSuite(virtio_net, .init = build, .fini = end);

/* ---- what a driver does ------------------------------------------------------------------------- */

static void put_available(unsigned f, unsigned queue, uint16_t head)
{
    struct vring_avail *ring = available(f, queue);
    ring->ring[ring->idx % SIZE] = head;
    ring->idx++;
}

static void notify(unsigned f, unsigned queue)
{
    set(f, AT_NOTIFY + 4 * queue, 2, queue);
}

static void offer(unsigned f, unsigned queue, uint16_t head)
{
    put_available(f, queue, head);
    notify(f, queue);
}

/* A buffer of one descriptor, which has the number of its turn. */
static uint16_t describe(unsigned f, unsigned queue, uint32_t bytes)
{
    const uint16_t i = available(f, queue)->idx % (SIZE / 2);
    descriptors(f, queue)[i] = (struct vring_desc){
        .addr = bus(buffer(f, queue, i)), .len = bytes, .flags = queue == RECEIVE ? VRING_DESC_F_WRITE : 0};
    return i;
}

static void give_room(unsigned f, uint32_t bytes)
{
    put_available(f, RECEIVE, describe(f, RECEIVE, bytes));
}

static uint8_t byte_of(unsigned seed, unsigned i)
{
    return (uint8_t)(seed * 37 + i * 7 + i / 251);
}

static void send(unsigned f, unsigned seed, unsigned frame)
{
    const uint16_t i = describe(f, TRANSMIT, HEADER + frame);
    uint8_t *bytes = m->ram + buffer(f, TRANSMIT, i);
    memset(bytes, 0xee, HEADER); /* nothing of it is the receiver's business */
    for (unsigned at = 0; at < frame; at++) {
        bytes[HEADER + at] = byte_of(seed, at);
    }
    put_available(f, TRANSMIT, i);
}

static void expect_frame(const uint8_t *bytes, unsigned seed, unsigned frame)
{
    const struct virtio_net_hdr_v1 header = {.num_buffers = 1};
    cr_expect_arr_eq(bytes, &header, HEADER);
    for (unsigned at = 0; at < frame; at++) {
        cr_assert_eq(bytes[HEADER + at], byte_of(seed, at), "frame %u, byte %u", seed, at);
    }
}

/* Frame number `turn` that has come. */
static void expect_received(unsigned f, unsigned turn, unsigned seed, unsigned frame)
{
    const unsigned id = used(f, RECEIVE)->ring[turn % SIZE].id;
    cr_assert_lt(turn, used(f, RECEIVE)->idx, "frame %u has not come", turn);
    cr_assert_lt(id, SIZE / 2);
    cr_expect_eq(used(f, RECEIVE)->ring[turn % SIZE].len, HEADER + frame);
    expect_frame(m->ram + buffer(f, RECEIVE, id), seed, frame);
}

/* Both ends have just been started: a frame each way. */
static void expect_working(const char *what)
{
    for (unsigned f = A; f <= B; f++) {
        give_room(other(f), BUFFER);
        notify(other(f), RECEIVE);
        send(f, f, 60);
        notify(f, TRANSMIT);
        cr_assert_eq(used(f, TRANSMIT)->idx, 1, "%s: end %u does not send", what, f);
        expect_received(other(f), 0, f, 60);
    }
}

/* ---- drivers that keep the rules ---------------------------------------------------------------- */

Test(virtio_net, says_what_it_is)
{
    cr_expect_eq(machine_read(m, A, ROOT_CONFIG, 0, 4), 0x10411af4);
    cr_expect_eq(machine_read(m, A, 0, VIRTIO_PCI_COMMON_NUMQ, 2), 2);
    for (unsigned f = A; f <= B; f++) {
        cr_expect_eq(machine_read(m, f, 0, 0x2000, 4), 0x425302, "02:53:42");
        cr_expect_eq(machine_read(m, f, 0, 0x2004, 4), f << 8 | VIRTIO_NET_S_LINK_UP << 16);
    }
}

Test(virtio_net, a_frame_crosses_whole)
{
    static const unsigned lengths[] = {ETH_HLEN, 15, 60, 61, 500, 1001, ETH_FRAME_LEN, 2048};
    for (unsigned f = A; f <= B; f++) {
        for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            const unsigned frame = lengths[i], at = buffer(other(f), RECEIVE, i);
            memset(m->ram + at, 0x5a, BUFFER);
            give_room(other(f), BUFFER);
            notify(other(f), RECEIVE);
            send(f, i, frame);
            notify(f, TRANSMIT);
            cr_expect_eq(used(f, TRANSMIT)->idx, i + 1);
            cr_expect_eq(used(f, TRANSMIT)->ring[i].len, 0);
            expect_received(other(f), i, i, frame);
            cr_expect_eq(used(other(f), RECEIVE)->idx, i + 1);
            cr_expect_eq(m->ram[at + HEADER + frame], 0x5a, "nothing behind the frame");
        }
    }
}

/* Pieces that share no boundary with the header, the frame, a line of memory or a word. */
Test(virtio_net, a_frame_crosses_in_odd_pieces)
{
    static const uint32_t pieces[2][4] = {{5, 8, 1000, 513}, {11, 3, 700, 900}};
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        const unsigned f = queue == RECEIVE ? B : A;
        struct vring_desc *d = descriptors(f, queue);
        for (unsigned i = 0; i < 4; i++) {
            const unsigned at = buffer(f, queue, i) + 3 * i + 1;
            d[i] = (struct vring_desc){.addr = bus(at), .len = pieces[queue][i], .next = (uint16_t)(i + 1)};
            d[i].flags = (i < 3 ? VRING_DESC_F_NEXT : 0) | (queue == RECEIVE ? VRING_DESC_F_WRITE : 0);
        }
    }
    uint8_t frame[HEADER + ETH_FRAME_LEN], *to = frame;
    for (unsigned i = 0, at = 0; i < 4; i++) {
        for (unsigned k = 0; k < pieces[TRANSMIT][i] && at < sizeof frame; k++, at++) {
            m->ram[buffer(A, TRANSMIT, i) + 3 * i + 1 + k] = at < HEADER ? 0 : byte_of(9, at - HEADER);
        }
    }
    descriptors(A, TRANSMIT)[3].len = sizeof frame - 11 - 3 - 700;
    offer(B, RECEIVE, 0);
    offer(A, TRANSMIT, 0);
    cr_assert_eq(used(B, RECEIVE)->idx, 1);
    cr_assert_eq(used(B, RECEIVE)->ring[0].len, sizeof frame);
    for (unsigned i = 0; i < 4; i++) {
        memcpy(to, m->ram + buffer(B, RECEIVE, i) + 3 * i + 1, pieces[RECEIVE][i]);
        to += pieces[RECEIVE][i];
    }
    expect_frame(frame, 9, ETH_FRAME_LEN);
}

Test(virtio_net, many_both_ways_at_once_in_order)
{
    enum { BURST = 16, BURSTS = 10 };
    for (unsigned burst = 0; burst < BURSTS; burst++) {
        for (unsigned i = 0; i < BURST; i++) {
            for (unsigned f = A; f <= B; f++) {
                give_room(f, BUFFER);
                send(f, f + burst * BURST + i, 60 + i);
            }
        }
        for (unsigned f = A; f <= B; f++) {
            machine_post(m, f, 0, AT_NOTIFY + 4 * TRANSMIT, 2, TRANSMIT);
            machine_post(m, f, 0, AT_NOTIFY + 4 * RECEIVE, 2, RECEIVE);
        }
        machine_run(m);
        for (unsigned f = A; f <= B; f++) {
            cr_assert_eq(used(f, TRANSMIT)->idx, (burst + 1) * BURST);
            for (unsigned i = 0; i < BURST; i++) {
                expect_received(other(f), burst * BURST + i, f + burst * BURST + i, 60 + i);
            }
        }
    }
}

/* More frames than the cable holds; the receiver has no room. */
static void fill_the_cable(void)
{
    for (unsigned i = 0; i < CABLE + 4; i++) {
        if (i == SIZE / 2) {
            notify(A, TRANSMIT); /* its buffers may be used again but for those that wait */
        }
        send(A, i, 60);
    }
    notify(A, TRANSMIT);
    cr_assert_eq(used(A, TRANSMIT)->idx, CABLE, "the next one waits");
}

Test(virtio_net, the_sender_waits_for_room)
{
    fill_the_cable();
    for (unsigned i = 0; i < CABLE + 4; i++) {
        give_room(B, BUFFER);
        notify(B, RECEIVE);
        expect_received(B, i, i, 60);
    }
    cr_expect_eq(used(A, TRANSMIT)->idx, CABLE + 4);
    cr_expect_eq(used(B, RECEIVE)->idx, CABLE + 4);
}

Test(virtio_net, what_nobody_receives_is_lost)
{
    fill_the_cable();
    start(B);
    cr_expect_eq(used(A, TRANSMIT)->idx, CABLE + 4, "a reset of the receiver lets the sender go on");
    set(B, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    send(A, 0, 60);
    notify(A, TRANSMIT);
    cr_expect_eq(used(A, TRANSMIT)->idx, CABLE + 5);
    start(A);
    start(B);
    expect_working("what was on the cable is gone");
}

Test(virtio_net, interrupts_by_msix_after_the_data)
{
    const unsigned cap = root_capability(m->root, B, PCI_CAP_ID_MSIX);
    for (unsigned vector = 0; vector < 3; vector++) {
        set(B, 0x4000 + 16 * vector, 4, 0xfee00000);
        set(B, 0x4008 + 16 * vector, 4, 0x30 + vector);
        set(B, 0x400c + 16 * vector, 4, 0);
    }
    machine_write(m, B, ROOT_CONFIG, cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
    expect_working("with interrupts");
    cr_assert_eq(m->message_count, 2);
    cr_expect_eq(m->messages[0].data, 0x30 + 1 + RECEIVE);
    cr_expect_eq(m->messages[1].data, 0x30 + 1 + TRANSMIT);
}

/* ---- drivers that don't ------------------------------------------------------------------------- */

static void expect_broken(unsigned f, const char *what)
{
    uint16_t before[2];
    cr_expect(status(f) & VIRTIO_CONFIG_S_NEEDS_RESET, "%s: not noticed, status %02x", what, status(f));
    cr_expect_eq(status(other(f)), 15, "%s: the other end has nothing to do with it", what);
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        before[queue] = used(f, queue)->idx;
        give_room(f, BUFFER);
        send(f, 0, 60);
        notify(f, queue);
    }
    send(other(f), 0, 60);
    notify(other(f), TRANSMIT);
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        cr_expect_eq(used(f, queue)->idx, before[queue], "%s: nothing is done before a reset", what);
    }
    start(A);
    start(B);
    expect_working(what);
    start(A);
    start(B);
}

/* The queue is notified; one that receives needs a frame, too. */
static void try(unsigned f, unsigned queue, const char *what)
{
    notify(f, queue);
    if (queue == RECEIVE) {
        send(other(f), 1, ETH_FRAME_LEN);
        notify(other(f), TRANSMIT);
    }
    expect_broken(f, what);
}

static void try_chain(unsigned f, unsigned queue, const struct vring_desc *chain, unsigned n,
                      const char *what)
{
    memcpy(descriptors(f, queue), chain, n * sizeof *chain);
    put_available(f, queue, 0);
    try(f, queue, what);
}

static void try_table(unsigned f, unsigned queue, const struct vring_desc *table, unsigned n, uint32_t bytes,
                      const char *what)
{
    const unsigned at = place(f, queue) + TABLE;
    const struct vring_desc d = {.addr = bus(at), .len = bytes, .flags = VRING_DESC_F_INDIRECT};
    memcpy(m->ram + at, table, n * sizeof *table);
    try_chain(f, queue, &d, 1, what);
}

Test(virtio_net, rings_that_make_no_sense)
{
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        const uint16_t write = queue == RECEIVE ? VRING_DESC_F_WRITE : 0, next = write | VRING_DESC_F_NEXT;
        const uint64_t data = bus(buffer(A, queue, 0));

        put_available(A, queue, SIZE);
        try(A, queue, "a head out of the ring");
        available(A, queue)->idx = SIZE + 1;
        try(A, queue, "more buffers than the ring holds");
        try_chain(A, queue, (struct vring_desc[]){{data, 16, next, 0}}, 1, "a chain that bites its tail");
        try_chain(A, queue, (struct vring_desc[]){{data, 16, next, 500}}, 1, "a next out of the ring");
        try_chain(A, queue, (struct vring_desc[]){{data, 100, write ^ VRING_DESC_F_WRITE, 0}}, 1,
                  "a buffer of the wrong direction");
        try_chain(
            A, queue,
            (struct vring_desc[]){{data, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1}, {data, 2000, 0, 0}},
            2, "readable behind writable");
        try_chain(A, queue, (struct vring_desc[]){{UINT64_C(0xfffffffffffffff8), 100, write, 0}}, 1,
                  "a buffer that wraps");
        try_chain(A, queue, (struct vring_desc[]){{data, 0, write, 0}}, 1, "an empty buffer");
    }
}

Test(virtio_net, indirect_tables_that_make_no_sense)
{
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        const uint16_t write = queue == RECEIVE ? VRING_DESC_F_WRITE : 0, next = write | VRING_DESC_F_NEXT;
        const uint64_t data = bus(buffer(A, queue, 0));
        const struct vring_desc loop[] = {{data, 16, next, 1}, {data, 16, next, 0}};
        const struct vring_desc nested[] = {{data, 16, VRING_DESC_F_INDIRECT, 0}};
        const struct vring_desc out[] = {{data, 16, next, 9}};

        try_table(A, queue, loop, 2, sizeof loop, "a loop");
        try_table(A, queue, nested, 1, sizeof nested, "a table in a table");
        try_table(A, queue, out, 1, sizeof out, "a next out of the table");
        try_table(A, queue, out, 1, 17, "half a descriptor");
        try_table(A, queue, out, 1, 0, "an empty table");
        try_table(A, queue, out, 1, 0xfffffff0, "a huge table");
    }
}

Test(virtio_net, frames_that_are_none)
{
    static const struct {
        unsigned bytes;
        const char *what;
    } bad[] = {{HEADER - 1, "half a header"},
               {HEADER, "no frame"},
               {HEADER + ETH_HLEN - 1, "half a header of Ethernet"},
               {HEADER + 2049, "a frame that is too long"},
               {0xffffffff, "a frame of 4 GiB"}};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        describe(A, TRANSMIT, bad[i].bytes);
        put_available(A, TRANSMIT, 0);
        try(A, TRANSMIT, bad[i].what);
    }
    give_room(A, HEADER + ETH_FRAME_LEN - 1);
    try(A, RECEIVE, "a buffer that has no room for a frame");
}

Test(virtio_net, a_long_frame_does_not_break_who_receives_it)
{
    give_room(B, HEADER + ETH_FRAME_LEN);
    notify(B, RECEIVE);
    send(A, 1, ETH_FRAME_LEN + 1);
    send(A, 2, 2048);
    send(A, 3, ETH_FRAME_LEN);
    notify(A, TRANSMIT);
    cr_expect_eq(used(A, TRANSMIT)->idx, 3);
    cr_expect_eq(used(B, RECEIVE)->idx, 1);
    expect_received(B, 0, 3, ETH_FRAME_LEN);
}

Test(virtio_net, memory_that_is_not_there)
{
    static const unsigned read[] = {DESCRIPTORS, AVAILABLE};
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        for (unsigned i = 0; i < 2; i++) {
            start_at(A, queue, read[i], NOWHERE);
            put_available(A, queue, 0);
            try(A, queue, "rings that are nowhere");
            start_at(A, queue, read[i], UINT64_C(0xfffffffffffff000));
            put_available(A, queue, 0);
            try(A, queue, "rings at the end of all addresses");
        }
    }
    try_chain(A, TRANSMIT, (struct vring_desc[]){{NOWHERE, HEADER + 60, 0, 0}}, 1, "a frame that is nowhere");
    try_chain(
        A, TRANSMIT,
        (struct vring_desc[]){{bus(buffer(A, TRANSMIT, 0)), 40, VRING_DESC_F_NEXT, 1}, {NOWHERE, 40, 0, 0}},
        2, "half a frame that is nowhere");
}

/* Writes are posted: that they go nowhere is not the device's to know. The other end has its frame. */
Test(virtio_net, writes_to_memory_that_is_not_there)
{
    for (unsigned queue = RECEIVE; queue <= TRANSMIT; queue++) {
        start_at(A, queue, USED, NOWHERE);
        start(B);
        for (unsigned f = A; f <= B; f++) {
            give_room(f, BUFFER);
            notify(f, RECEIVE);
            send(f, f, 60);
            notify(f, TRANSMIT);
        }
        cr_expect_eq(status(A), 15);
        cr_expect_eq(used(A, queue)->idx, 0);
        cr_expect_eq(used(B, TRANSMIT)->idx, 1);
        expect_received(B, 0, A, 60);
    }
    start(A);
    start(B);
    expect_working("then");
}

/* Its frame waits for room at the peer's, and its other queue breaks it. */
Test(virtio_net, a_broken_end_gives_nothing_back)
{
    fill_the_cable();
    put_available(A, RECEIVE, SIZE);
    notify(A, RECEIVE);
    send(B, 0, 60);
    notify(B, TRANSMIT);
    cr_assert(status(A) & VIRTIO_CONFIG_S_NEEDS_RESET);
    for (unsigned i = 0; i < CABLE; i++) {
        give_room(B, BUFFER);
    }
    notify(B, RECEIVE);
    cr_expect_eq(used(B, RECEIVE)->idx, CABLE, "what was on the cable comes");
    cr_expect_eq(used(A, TRANSMIT)->idx, CABLE);
    expect_broken(A, "a queue that broke while the other waited");
}

/* The receiver breaks, and its peer does not wait for it. */
Test(virtio_net, nobody_waits_for_a_broken_end)
{
    fill_the_cable();
    put_available(B, RECEIVE, SIZE);
    notify(B, RECEIVE);
    cr_expect(status(B) & VIRTIO_CONFIG_S_NEEDS_RESET);
    cr_expect_eq(used(A, TRANSMIT)->idx, CABLE + 4);
    expect_broken(B, "a receiver that others wait for");
}

/* One queue breaks it while the other is at work: from then on neither is. */
Test(virtio_net, a_queue_that_breaks_stops_the_other)
{
    const struct virtio *v = (const struct virtio *)ends[0];
    for (unsigned rounds = 0; rounds < 40; rounds++) {
        for (unsigned i = 0; i < 8; i++) {
            send(A, i, ETH_FRAME_LEN);
        }
        send(B, 0, 60);
        notify(B, TRANSMIT);
        put_available(A, RECEIVE, SIZE);
        for (unsigned i = 0; virtio_running(v); i++) {
            if (i == 0) {
                machine_post(m, A, 0, AT_NOTIFY + 4 * TRANSMIT, 2, TRANSMIT);
            }
            if (i == rounds) {
                machine_post(m, A, 0, AT_NOTIFY + 4 * RECEIVE, 2, RECEIVE); /* a little later each time */
            }
            board_run(m->board, 1);
            root_work(m->root);
        }
        cr_assert(!dma_busy(&v->endpoint.dma), "round %u", rounds);
        machine_run(m);
        expect_broken(A, "in the middle of a frame");
    }
}

Test(virtio_net, reset_in_the_middle_of_a_frame)
{
    for (unsigned rounds = 0; rounds < 80; rounds++) {
        const unsigned reset = rounds % 2 ? A : B;
        for (unsigned f = A; f <= B; f++) {
            give_room(f, BUFFER);
            send(f, f, ETH_FRAME_LEN);
            machine_post(m, f, 0, AT_NOTIFY + 4 * RECEIVE, 2, RECEIVE);
            machine_post(m, f, 0, AT_NOTIFY + 4 * TRANSMIT, 2, TRANSMIT);
        }
        for (unsigned i = 0; i < rounds / 2; i++) {
            board_run(m->board, 1);
            root_work(m->root);
        }
        start(reset);
        machine_run(m);
        cr_expect_eq(status(other(reset)), 15);
        cr_expect_eq(used(other(reset), TRANSMIT)->idx, 1, "the other end's frame was sent, or lost");
        start(other(reset));
        expect_working("after a reset");
        start(A);
        start(B);
    }
}

/* ---- cables ------------------------------------------------------------------------------------- */

Test(virtio_net_cables, have_two_ends)
{
    struct function *three[3];
    for (unsigned i = 0; i < 3; i++) {
        three[i] = virtio_net_open(&(struct virtio_net_options){.link = "x"});
    }
    cr_expect(three[0] && three[1]);
    cr_expect_null(three[2]);
    three[0]->ops->close(three[0]);
    three[2] = virtio_net_open(&(struct virtio_net_options){.link = "x"});
    cr_expect_not_null(three[2], "an end is free again");
    three[1]->ops->close(three[1]);
    three[2]->ops->close(three[2]);
    cr_expect_null(
        virtio_net_open(&(struct virtio_net_options){.link = "a name that is much longer than 32 bytes"}));
}

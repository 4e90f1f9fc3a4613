/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-blk, two joined virtio-net and the exerciser under a hostile driver: the input is guest memory and a
 * list of accesses. No crash, no TLP that a circuit would refuse, no work without end, and after a reset the
 * function works.
 */
#include "completer.h"
#include "endpoint.h"
#include "exerciser.h"
#include "virtio_blk.h"
#include "virtio_net.h"

#include <byteswap.h>
#include <linux/virtio_pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

enum {
    MEMORY = 0x4000,
    QUEUE = 4096,
    BAR = 0x10000000,
    ID = 0x0108,
    ENOUGH = 2000, /* rounds in which a disk has to come to rest */
    SOME = 20,     /* rounds of the exerciser, which may go on for ever */
    DISK_SECTORS = 8,
};

static uint8_t memory[MEMORY];
enum { DISK, EXERCISER, NET, NET_PEER, FUNCTIONS };
static struct function *functions[FUNCTIONS];
static struct function *f;

/* TLPs that the function sent, to be answered. */
static struct {
    uint32_t dw[TLP_MAX_DW];
    size_t n;
    struct function *sender;
} queue[QUEUE];
static unsigned first, count;

static void from_function(void *self, const uint32_t *dw, size_t n)
{
    CHECK(n >= 3 && n <= TLP_MAX_DW);
    if (count < QUEUE) {
        unsigned at = (first + count++) % QUEUE;
        memcpy(queue[at].dw, dw, n * sizeof *dw);
        queue[at].n = n;
        queue[at].sender = self;
    }
}

static void to_function(const struct tlp *t)
{
    uint32_t dw[TLP_MAX_DW];
    size_t n = tlp_pack(t, dw);
    if (tlp_check(dw, n, 4096) == TLP_OK) {
        f->ops->receive(f, dw, n);
    }
}

static void answer_read(const struct tlp *t)
{
    uint32_t payload[TLP_MAX_PAYLOAD_DW] = {0};
    uint64_t at = t->address + tlp_be_offset(t);
    unsigned n = tlp_be_bytes(t);
    if (at >= MEMORY || n > MEMORY - at) {
        struct tlp c = tlp_completion(t, 0, TLP_UR);
        to_function(&c);
        return;
    }
    tlp_put_bytes(payload, tlp_be_offset(t), memory + at, n);
    struct completer completer;
    completer_begin(&completer, t, 0, payload, 256, 64);
    while (completer_next(&completer)) {
        to_function(&completer.tlp);
    }
}

/* What the exerciser sends raw may be anything; what functions make themselves is well formed. */
static void answer(bool raw)
{
    struct tlp t;
    unsigned at = first;
    struct function *driven = f;
    first = (first + 1) % QUEUE;
    count--;
    CHECK(raw || tlp_check(queue[at].dw, queue[at].n, 512) == TLP_OK);
    if (tlp_check(queue[at].dw, queue[at].n, 512) != TLP_OK || tlp_unpack(&t, queue[at].dw, queue[at].n)) {
        return;
    }
    if (t.kind == TLP_MRD) {
        f = queue[at].sender;
        answer_read(&t);
        f = driven;
    } else if (t.kind == TLP_MWR && t.address < MEMORY && t.length * 4u <= MEMORY - t.address) {
        tlp_get_bytes(t.payload, tlp_be_offset(&t), memory + t.address + tlp_be_offset(&t), tlp_be_bytes(&t));
    }
}

static uint64_t now;

static void run(bool raw)
{
    for (unsigned rounds = 0; rounds < (raw ? SOME : ENOUGH); rounds++) {
        bool moved = f->ops->work(f, ++now, false);
        if (f == functions[NET] || f == functions[NET_PEER]) {
            struct function *other = functions[f == functions[NET] ? NET_PEER : NET];
            moved |= other->ops->work(other, now, false);
        }
        if (!moved && !count) {
            return;
        }
        while (count) {
            answer(raw);
        }
    }
    CHECK(raw);
}

static void access_bar(uint64_t offset, unsigned size, uint32_t value, bool write)
{
    uint32_t payload[2] = {0};
    struct tlp t = {.kind = write ? TLP_MWR : TLP_MRD, .payload = payload};
    tlp_set_range(&t, BAR + offset, size);
    tlp_put_bytes(payload, tlp_be_offset(&t), &value, size);
    to_function(&t);
}

static void configure(unsigned reg, uint32_t value)
{
    uint32_t payload = bswap_32(value);
    struct tlp t = {.kind = TLP_CFGWR0,
                    .length = 1,
                    .first_be = 15,
                    .target = ID,
                    .reg = (uint16_t)(reg & 0xffc),
                    .payload = &payload};
    to_function(&t);
}

static void make_functions(void)
{
    char path[32];
    int file = memfd_create("disk", 0);
    CHECK(file >= 0 && ftruncate(file, DISK_SECTORS * 512) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    functions[DISK] = virtio_blk_open(&(struct virtio_blk_options){.file = path, .pin = 1, .msix = true});
    functions[EXERCISER] = exerciser_open(&(struct exerciser_options){.pin = 2, .msi = true, .msix = true});
    functions[NET] = virtio_net_open(&(struct virtio_net_options){.link = "cable", .pin = 1, .msix = true});
    functions[NET_PEER] = virtio_net_open(&(struct virtio_net_options){.link = "cable", .pin = 2});
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        CHECK(functions[i]);
        functions[i]->link = (struct function_link){.send = from_function, .self = functions[i]};
    }
}

/* Both ends of a cable use the same memory, so that each spoils the other's rings. */
static void set_up_queue(unsigned queue)
{
    access_bar(VIRTIO_PCI_COMMON_Q_SELECT, 2, queue, true);
    access_bar(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8, true);
    access_bar(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x1000 * queue, true);
    access_bar(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, 0x1000 * queue + 0x100, true);
    access_bar(VIRTIO_PCI_COMMON_Q_USEDLO, 4, 0x1000 * queue + 0x200, true);
    access_bar(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1, true);
}

static void set_up(unsigned kind)
{
    f->ops->reset(f);
    first = count = 0;
    memset(memory, 0, sizeof memory);
    configure(PCI_BASE_ADDRESS_0, BAR);
    configure(PCI_BASE_ADDRESS_2, BAR + 0x100000);
    configure(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    if (kind != EXERCISER) {
        access_bar(VIRTIO_PCI_COMMON_GFSELECT, 4, 1, true);
        access_bar(VIRTIO_PCI_COMMON_GF, 4, 1, true);
        access_bar(VIRTIO_PCI_COMMON_STATUS, 1, 11, true);
        for (unsigned queue = kind == DISK ? 1 : 2; queue-- > 0;) {
            set_up_queue(queue);
        }
        access_bar(VIRTIO_PCI_COMMON_STATUS, 1, 15, true);
    }
}

/* The other end of the cable, if there is one, with a driver of its own. */
static void set_up_all(unsigned kind)
{
    if (kind == NET) {
        f = functions[NET_PEER];
        set_up(NET_PEER);
        f = functions[NET];
    }
    set_up(kind);
}

struct input {
    const uint8_t *data;
    size_t left;
};

static uint32_t take(struct input *in, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n && in->left; i++, in->left--) {
        value |= (uint32_t)*in->data++ << 8 * i;
    }
    return value;
}

static void fill_memory(struct input *in)
{
    unsigned at = take(in, 2) % MEMORY, n = take(in, 1);
    for (unsigned i = 0; i < n && at + i < MEMORY && in->left; i++) {
        memory[at + i] = (uint8_t)take(in, 1);
    }
}

static void stray_completion(struct input *in)
{
    static const uint32_t payload[64];
    struct tlp t = {.kind = TLP_CPLD, .requester = ID, .payload = payload};
    t.tag = (uint16_t)(take(in, 1) & 0x3f);
    t.byte_count = (uint16_t)(take(in, 2) & 0xfff);
    t.lower_address = (uint8_t)take(in, 1);
    t.length = (uint16_t)(1 + take(in, 1) % 64);
    t.status = (uint8_t)(take(in, 1) & 7);
    to_function(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    if (!functions[0]) {
        make_functions();
    }
    static const uint8_t kinds[] = {EXERCISER, DISK, DISK, DISK, EXERCISER, NET, NET, NET};
    const unsigned kind = kinds[take(&in, 1) % sizeof kinds];
    const bool raw = kind == EXERCISER;
    f = functions[kind];
    set_up_all(kind);
    while (in.left) {
        switch (take(&in, 1) % 8) {
        case 0:
        case 1:
            fill_memory(&in);
            break;
        case 2: {
            uint32_t offset = take(&in, 2), bytes = take(&in, 1) % 8 + 1;
            access_bar(offset, bytes > 4 ? 4 : bytes, take(&in, 4), true);
            break;
        }
        case 3:
            access_bar(take(&in, 2), 4, 0, false);
            break;
        case 4: {
            uint32_t reg = take(&in, 1);
            configure(reg, take(&in, 4));
            break;
        }
        case 5:
            stray_completion(&in);
            break;
        default:
            access_bar(0x3000, 2, 0, true); /* notify, for virtio */
            if (kind == NET) {
                access_bar(0x3000, 2, 1, true);
                f = functions[f == functions[NET] ? NET_PEER : NET];
            }
            run(raw);
            break;
        }
    }
    run(raw);
    f = functions[kind];
    set_up_all(kind);
    run(false);
    return 0;
}

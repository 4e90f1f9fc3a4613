/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-blk through the circuit, driven by a driver of this test: a good one and a hostile one. */
#include "machine.h"
#include "virtio.h"
#include "virtio_blk.h"

#include <criterion/criterion.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    F = 1,
    SECTORS = 64,
    SECTOR = 512,
    SIZE = 8, /* of the ring */
    AT_ISR = 0x1000,
    AT_CONFIG = 0x2000,
    AT_NOTIFY = 0x3000,
    AT_MSIX = 0x4000,
    /* offsets in the machine's RAM */
    DESCRIPTORS = 0,
    AVAILABLE = 0x1000,
    USED = 0x2000,
    HEADER = 0x3000,
    STATUS = 0x3800,
    TABLE = 0x4000,
    DATA = 0x8000,
};

static struct machine *m;
static int disk;
static uint8_t content[SECTORS * SECTOR];

static struct vring_desc *descriptors(void)
{
    return (struct vring_desc *)(m->ram + DESCRIPTORS);
}

static struct vring_avail *available(void)
{
    return (struct vring_avail *)(m->ram + AVAILABLE);
}

static volatile struct vring_used *used(void)
{
    return (struct vring_used *)(m->ram + USED);
}

static uint64_t bus(unsigned offset)
{
    return RAM_BASE + offset;
}

static void set(unsigned reg, unsigned size, uint32_t value)
{
    machine_write(m, F, 0, reg, size, value);
}

static uint32_t get(unsigned reg, unsigned size)
{
    return machine_read(m, F, 0, reg, size);
}

static uint8_t status(void)
{
    return (uint8_t)get(VIRTIO_PCI_COMMON_STATUS, 1);
}

/* As a driver starts a device (virtio 1.2, 3.1). */
static void start(uint32_t low_features)
{
    set(VIRTIO_PCI_COMMON_STATUS, 1, 0);
    memset(m->ram, 0, DATA);
    set(VIRTIO_PCI_COMMON_STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    set(VIRTIO_PCI_COMMON_GF, 4, low_features);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    set(VIRTIO_PCI_COMMON_GF, 4, 1);
    set(VIRTIO_PCI_COMMON_STATUS, 1, 11);
    cr_assert_eq(status(), 11, "features accepted");
    set(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
    set(VIRTIO_PCI_COMMON_Q_SIZE, 2, SIZE);
    set(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
    set(VIRTIO_PCI_COMMON_Q_DESCLO, 4, (uint32_t)bus(DESCRIPTORS));
    set(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, (uint32_t)bus(AVAILABLE));
    set(VIRTIO_PCI_COMMON_Q_USEDLO, 4, (uint32_t)bus(USED));
    set(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    set(VIRTIO_PCI_COMMON_STATUS, 1, 15);
}

static void open_disk(bool read_only, bool msix)
{
    char path[] = "/tmp/signalbox-disk-XXXXXX";
    disk = mkstemp(path);
    cr_assert_geq(disk, 0);
    for (unsigned i = 0; i < sizeof content; i++) {
        content[i] = (uint8_t)(i * 7 + i / SECTOR);
    }
    cr_assert_eq(write(disk, content, sizeof content), sizeof content);
    struct virtio_blk_options options = {
        .file = path, .serial = "serial-1", .read_only = read_only, .pin = 1, .msix = msix};
    struct function *f = virtio_blk_open(&options);
    unlink(path);
    m = machine_with(f);
    start(1u << VIRTIO_BLK_F_FLUSH | 1u << VIRTIO_BLK_F_SEG_MAX | 1u << VIRTIO_RING_F_INDIRECT_DESC);
}

static void build(void)
{
    open_disk(false, true);
}

static void end(void)
{
    machine_close(m);
    close(disk);
}

TestSuite(virtio_blk, .init = build, .fini = end);

static unsigned chained;

static void add(unsigned offset, uint32_t bytes, bool writable)
{
    struct vring_desc *d = descriptors() + chained;
    *d = (struct vring_desc){.addr = bus(offset), .len = bytes, .flags = writable ? VRING_DESC_F_WRITE : 0};
    if (chained) {
        d[-1].flags |= VRING_DESC_F_NEXT;
        d[-1].next = (uint16_t)chained;
    }
    chained++;
}

static void begin(uint32_t type, uint64_t sector)
{
    *(struct virtio_blk_outhdr *)(m->ram + HEADER) =
        (struct virtio_blk_outhdr){.type = type, .sector = sector};
    m->ram[STATUS] = 0xff;
    chained = 0;
}

static void offer(uint16_t head)
{
    available()->ring[available()->idx % SIZE] = head;
    available()->idx++;
    set(AT_NOTIFY, 2, 0);
}

/* Offers the chain that begins at descriptor 0, and expects it back; the status byte. */
static uint8_t submit(void)
{
    uint16_t before = used()->idx;
    offer(0);
    machine_run(m);
    cr_assert_eq(used()->idx, (uint16_t)(before + 1), "not given back; device status %02x", status());
    cr_assert_eq(used()->ring[before % SIZE].id, 0);
    return m->ram[STATUS];
}

static uint8_t simple(uint32_t type, uint64_t sector, uint32_t bytes)
{
    begin(type, sector);
    add(HEADER, 16, false);
    if (bytes) {
        add(DATA, bytes, type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID);
    }
    add(STATUS, 1, true);
    return submit();
}

static void expect_on_disk(const uint8_t *bytes, size_t n, off_t at)
{
    uint8_t found[sizeof content];
    cr_assert_eq(pread(disk, found, n, at), n);
    cr_expect_arr_eq(found, bytes, n);
}

/* ---- a driver that keeps the rules -------------------------------------------------------------- */

Test(virtio_blk, says_what_it_is)
{
    cr_expect_eq(machine_read(m, F, ROOT_CONFIG, 0, 4), 0x10421af4);
    cr_expect_eq(get(AT_CONFIG, 4), SECTORS);
    cr_expect_eq(get(AT_CONFIG + 4, 4), 0);
    set(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
    cr_expect_eq(get(VIRTIO_PCI_COMMON_DF, 4), 1, "VERSION_1");
    set(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
    cr_expect_eq(get(VIRTIO_PCI_COMMON_DF, 4), 0);
    cr_expect_eq(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
    set(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
    cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0, "no such queue");
}

Test(virtio_blk, reads_and_writes)
{
    cr_expect_eq(simple(VIRTIO_BLK_T_IN, 3, 5 * SECTOR), VIRTIO_BLK_S_OK);
    cr_expect_arr_eq(m->ram + DATA, content + 3 * SECTOR, 5 * SECTOR);
    cr_expect_eq(used()->ring[0].len, 5 * SECTOR + 1);
    for (unsigned i = 0; i < 2 * SECTOR; i++) {
        m->ram[DATA + i] = (uint8_t)(i ^ 0x5a);
    }
    cr_expect_eq(simple(VIRTIO_BLK_T_OUT, 62, 2 * SECTOR), VIRTIO_BLK_S_OK);
    expect_on_disk(m->ram + DATA, 2 * SECTOR, 62 * SECTOR);
    expect_on_disk(content, 62 * SECTOR, 0);
    cr_expect_eq(simple(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
}

Test(virtio_blk, buffers_in_odd_pieces)
{
    begin(VIRTIO_BLK_T_IN, 1);
    add(HEADER, 3, false);
    add(HEADER + 3, 13, false);
    add(DATA + 1, 511, true);
    add(DATA + 0x1001, 2, true);
    add(DATA + 0x2003, 511, true);
    add(STATUS, 1, true);
    cr_expect_eq(submit(), VIRTIO_BLK_S_OK);
    cr_expect_arr_eq(m->ram + DATA + 1, content + SECTOR, 511);
    cr_expect_arr_eq(m->ram + DATA + 0x1001, content + SECTOR + 511, 2);
    cr_expect_arr_eq(m->ram + DATA + 0x2003, content + SECTOR + 513, 511);
}

Test(virtio_blk, status_may_share_a_buffer_with_data)
{
    begin(VIRTIO_BLK_T_IN, 2);
    add(HEADER, 16, false);
    add(DATA, SECTOR + 1, true);
    uint16_t before = used()->idx;
    m->ram[DATA + SECTOR] = 0xff;
    offer(0);
    cr_expect_eq(used()->idx, before + 1);
    cr_expect_eq(m->ram[DATA + SECTOR], VIRTIO_BLK_S_OK);
    cr_expect_arr_eq(m->ram + DATA, content + 2 * SECTOR, SECTOR);
}

static void indirect(const struct vring_desc *table, unsigned n)
{
    memcpy(m->ram + TABLE, table, n * sizeof *table);
    descriptors()[0] = (struct vring_desc){
        .addr = bus(TABLE), .len = n * (uint32_t)sizeof *table, .flags = VRING_DESC_F_INDIRECT};
}

Test(virtio_blk, indirect_descriptors_in_any_order)
{
    begin(VIRTIO_BLK_T_OUT, 9);
    const struct vring_desc table[] = {
        {bus(HEADER), 16, VRING_DESC_F_NEXT, 2},
        {bus(STATUS), 1, VRING_DESC_F_WRITE, 0},
        {bus(DATA), SECTOR, VRING_DESC_F_NEXT, 1},
    };
    memset(m->ram + DATA, 0x77, SECTOR);
    indirect(table, 3);
    cr_expect_eq(submit(), VIRTIO_BLK_S_OK);
    expect_on_disk(m->ram + DATA, SECTOR, 9 * SECTOR);
}

Test(virtio_blk, tells_its_serial_number)
{
    cr_expect_eq(simple(VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
    cr_expect_arr_eq(m->ram + DATA, "serial-1\0\0\0\0\0\0\0\0\0\0\0\0", 20);
}

Test(virtio_blk, requests_off_the_disk_are_errors)
{
    static const struct {
        uint64_t sector;
        uint32_t bytes;
    } bad[] = {
        {SECTORS, SECTOR}, {SECTORS - 1, 2 * SECTOR},  {UINT64_MAX, SECTOR}, {UINT64_MAX / SECTOR, SECTOR},
        {0, 100},          {UINT64_C(1) << 55, SECTOR}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(simple(VIRTIO_BLK_T_IN, bad[i].sector, bad[i].bytes), VIRTIO_BLK_S_IOERR, "read %zu", i);
        cr_expect_eq(simple(VIRTIO_BLK_T_OUT, bad[i].sector, bad[i].bytes), VIRTIO_BLK_S_IOERR, "write %zu",
                     i);
    }
    cr_expect_eq(simple(VIRTIO_BLK_T_IN, SECTORS - 1, SECTOR), VIRTIO_BLK_S_OK);
    expect_on_disk(content, sizeof content, 0);
}

Test(virtio_blk, unknown_requests_are_unsupported)
{
    cr_expect_eq(simple(VIRTIO_BLK_T_DISCARD, 0, SECTOR), VIRTIO_BLK_S_UNSUPP);
    cr_expect_eq(simple(12345, 0, 0), VIRTIO_BLK_S_UNSUPP);
}

Test(virtio_blk, ring_goes_round)
{
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(simple(VIRTIO_BLK_T_IN, i % SECTORS, SECTOR), VIRTIO_BLK_S_OK);
        cr_assert_arr_eq(m->ram + DATA, content + i % SECTORS * SECTOR, SECTOR);
    }
    cr_expect_eq(used()->idx, 100);
}

Test(virtio_blk, several_requests_with_one_notification)
{
    begin(VIRTIO_BLK_T_IN, 1);
    add(HEADER, 16, false);
    add(DATA, SECTOR, true);
    add(STATUS, 1, true);
    for (unsigned i = 0; i < 5; i++) {
        available()->ring[i] = 0;
    }
    available()->idx = 4;
    offer(0);
    cr_expect_eq(used()->idx, 5);
}

/* ---- interrupts --------------------------------------------------------------------------------- */

static void program_vector(unsigned vector, uint32_t data)
{
    set(AT_MSIX + 16 * vector, 4, 0xfee00000);
    set(AT_MSIX + 16 * vector + 8, 4, data);
    set(AT_MSIX + 16 * vector + 12, 4, 0);
}

static void enable_msix(void)
{
    unsigned cap = root_capability(m->root, F, PCI_CAP_ID_MSIX);
    program_vector(0, 0x30);
    program_vector(1, 0x31);
    machine_write(m, F, ROOT_CONFIG, cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

Test(virtio_blk, interrupts_by_msix_after_the_data)
{
    enable_msix();
    simple(VIRTIO_BLK_T_IN, 0, SECTOR);
    cr_assert_eq(m->message_count, 1);
    cr_expect_eq(m->messages[0].data, 0x31);
    available()->flags = VRING_AVAIL_F_NO_INTERRUPT;
    simple(VIRTIO_BLK_T_IN, 0, SECTOR);
    cr_expect_eq(m->message_count, 1, "the driver wants none");
    available()->flags = 0;
    set(VIRTIO_PCI_COMMON_Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR);
    simple(VIRTIO_BLK_T_IN, 0, SECTOR);
    cr_expect_eq(m->message_count, 1, "no vector");
    set(VIRTIO_PCI_COMMON_Q_MSIX, 2, 77);
    cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR, "no such vector");
}

Test(virtio_blk, interrupts_by_intx_until_isr_is_read)
{
    simple(VIRTIO_BLK_T_IN, 0, SECTOR);
    cr_expect_eq(m->lines[F], 1);
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 0);
    cr_expect_eq(get(AT_ISR, 1), 1);
    machine_run(m);
    cr_expect_eq(root_counters(m->root)->intx_deasserts, 1);
    cr_expect_eq(get(AT_ISR, 1), 0);
}

/* ---- a driver that doesn't ---------------------------------------------------------------------- */

Test(virtio_blk, features_it_does_not_have_are_refused)
{
    set(VIRTIO_PCI_COMMON_STATUS, 1, 0);
    set(VIRTIO_PCI_COMMON_STATUS, 1, 3);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    set(VIRTIO_PCI_COMMON_GF, 4, 1u << 31);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    set(VIRTIO_PCI_COMMON_GF, 4, 1);
    set(VIRTIO_PCI_COMMON_STATUS, 1, 11);
    cr_expect_eq(status(), 3);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
    set(VIRTIO_PCI_COMMON_GF, 4, 0);
    set(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    set(VIRTIO_PCI_COMMON_GF, 4, 0);
    set(VIRTIO_PCI_COMMON_STATUS, 1, 11);
    cr_expect_eq(status(), 3, "without VERSION_1 neither");
}

static void expect_broken(const char *what)
{
    cr_expect(status() & VIRTIO_CONFIG_S_NEEDS_RESET, "%s: not noticed, status %02x", what, status());
    uint16_t before = used()->idx;
    offer(0);
    cr_expect_eq(used()->idx, before, "%s: nothing is done before a reset", what);
    start(0);
    cr_expect_eq(simple(VIRTIO_BLK_T_IN, 1, SECTOR), VIRTIO_BLK_S_OK, "%s: and works after it", what);
    start(0);
}

Test(virtio_blk, rings_that_make_no_sense)
{
    available()->ring[0] = SIZE;
    available()->idx = 1;
    set(AT_NOTIFY, 2, 0);
    expect_broken("a head out of the ring");

    available()->idx = SIZE + 1;
    set(AT_NOTIFY, 2, 0);
    expect_broken("more buffers than the ring holds");

    descriptors()[0] = (struct vring_desc){bus(HEADER), 16, VRING_DESC_F_NEXT, 0};
    offer(0);
    expect_broken("a chain that bites its tail");

    descriptors()[0] = (struct vring_desc){bus(HEADER), 16, VRING_DESC_F_NEXT, 500};
    offer(0);
    expect_broken("a next out of the ring");

    begin(VIRTIO_BLK_T_IN, 0);
    add(HEADER, 16, false);
    offer(0);
    expect_broken("no room for the status");

    begin(VIRTIO_BLK_T_IN, 0);
    add(HEADER, 15, false);
    add(STATUS, 1, true);
    offer(0);
    expect_broken("half a header");

    begin(VIRTIO_BLK_T_IN, 0);
    add(STATUS, 1, true);
    add(HEADER, 16, false);
    offer(0);
    expect_broken("readable behind writable");

    begin(VIRTIO_BLK_T_IN, 0);
    add(HEADER, 16, false);
    add(STATUS, 1, true);
    descriptors()[0].addr = UINT64_C(0xfffffffffffffff8);
    offer(0);
    expect_broken("a buffer that wraps");
}

Test(virtio_blk, indirect_tables_that_make_no_sense)
{
    const struct vring_desc loop[] = {{bus(HEADER), 16, VRING_DESC_F_NEXT, 1},
                                      {bus(DATA), 16, VRING_DESC_F_NEXT, 0}};
    const struct vring_desc nested[] = {{bus(TABLE), 16, VRING_DESC_F_INDIRECT, 0}};
    const struct vring_desc out[] = {{bus(HEADER), 16, VRING_DESC_F_NEXT, 9}};
    indirect(loop, 2);
    offer(0);
    expect_broken("a loop");
    indirect(nested, 1);
    offer(0);
    expect_broken("a table in a table");
    indirect(out, 1);
    offer(0);
    expect_broken("a next out of the table");
    indirect(out, 1);
    descriptors()[0].len = 17;
    offer(0);
    expect_broken("half a descriptor");
    descriptors()[0] = (struct vring_desc){bus(TABLE), 0, VRING_DESC_F_INDIRECT, 0};
    offer(0);
    expect_broken("an empty table");
    descriptors()[0] = (struct vring_desc){bus(TABLE), 0xfffffff0, VRING_DESC_F_INDIRECT, 0};
    offer(0);
    expect_broken("a huge table");
}

Test(virtio_blk, memory_that_is_not_there)
{
    m->refuse_reads = true;
    begin(VIRTIO_BLK_T_OUT, 0);
    add(HEADER, 16, false);
    add(DATA, SECTOR, false);
    add(STATUS, 1, true);
    descriptors()[1].addr = 0x10;
    offer(0);
    expect_broken("data that can't be read");
    expect_on_disk(content, sizeof content, 0);
}

Test(virtio_blk, reset_in_the_middle)
{
    for (unsigned rounds = 0; rounds < 40; rounds++) {
        begin(rounds % 2 ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT, 0);
        memcpy(m->ram + DATA, content, sizeof content);
        add(HEADER, 16, false);
        add(DATA, sizeof content, rounds % 2);
        add(STATUS, 1, true);
        available()->ring[available()->idx % SIZE] = 0;
        available()->idx++;
        machine_post(m, F, 0, AT_NOTIFY, 2, 0);
        for (unsigned i = 0; i < rounds; i++) {
            board_run(m->board, 1); /* a little further each time */
        }
        start(0);
        cr_assert_eq(simple(VIRTIO_BLK_T_IN, 1, SECTOR), VIRTIO_BLK_S_OK);
    }
}

/* ---- variants ----------------------------------------------------------------------------------- */

Test(virtio_blk_variants, read_only)
{
    open_disk(true, true);
    set(VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
    cr_expect(get(VIRTIO_PCI_COMMON_DF, 4) & 1u << VIRTIO_BLK_F_RO);
    cr_expect_eq(simple(VIRTIO_BLK_T_OUT, 0, SECTOR), VIRTIO_BLK_S_IOERR);
    cr_expect_eq(simple(VIRTIO_BLK_T_IN, 0, SECTOR), VIRTIO_BLK_S_OK);
    end();
}

Test(virtio_blk_variants, without_msix)
{
    open_disk(false, false);
    cr_expect_eq(root_capability(m->root, F, PCI_CAP_ID_MSIX), 0);
    simple(VIRTIO_BLK_T_IN, 0, SECTOR);
    cr_expect_eq(m->lines[F], 1);
    end();
}

Test(virtio_blk_variants, files_that_are_no_disk)
{
    cr_expect_null(virtio_blk_open(&(struct virtio_blk_options){.file = "/nonexistent"}));
    cr_expect_null(virtio_blk_open(&(struct virtio_blk_options){.file = "/dev/null"}));
    cr_expect_null(virtio_blk_open(&(struct virtio_blk_options){.file = "/tmp"}));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BAR_SLOT = 1 << 20 };

static void host_write(void *self, uint64_t address, const void *bytes, size_t n)
{
    const typeof(((struct machine *)0)->hosts[0]) *host = self;
    struct machine *m = host->machine;
    if (m->message_count < MESSAGES) {
        uint32_t data = 0;
        memcpy(&data, bytes, n < sizeof data ? n : sizeof data);
        m->messages[m->message_count].function = host->function;
        m->messages[m->message_count].address = address;
        m->messages[m->message_count].data = data;
        m->messages[m->message_count++].n = n;
    }
}

static bool host_read(void *self, uint64_t address, size_t n, unsigned cookie)
{
    const typeof(((struct machine *)0)->hosts[0]) *host = self;
    struct machine *m = host->machine;
    if (m->refuse_reads || m->read_count == ROOT_READS) {
        return false;
    }
    m->reads[m->read_count].address = address;
    m->reads[m->read_count].n = n;
    m->reads[m->read_count++].cookie = cookie;
    return true;
}

static void host_touch(void *self, uint64_t address, size_t n)
{
    const uint32_t nothing = 0;
    cr_expect_eq(n, sizeof nothing);
    host_write(self, address, &nothing, 0);
}

static void host_raise_line(void *self)
{
    const typeof(((struct machine *)0)->hosts[0]) *host = self;
    host->machine->lines[host->function]++;
}

static const struct root_host_ops host_ops = {
    .write = host_write,
    .read = host_read,
    .touch = host_touch,
    .raise_line = host_raise_line,
};

static void map_ram(struct machine *m)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, RAM_BYTES), 0);
    m->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(m->ram, MAP_FAILED);
    cr_assert_eq(guest_memory_map(&m->memory, RAM_BASE, RAM_BYTES, GUEST_READ | GUEST_WRITE, fd, 0), 0);
    close(fd);
}

static void place_bars(struct machine *m, unsigned f)
{
    for (unsigned bar = 0; bar < CONFIG_BARS; bar++) {
        if (root_region_size(m->root, f, bar)) {
            machine_write(m, f, ROOT_CONFIG, PCI_BASE_ADDRESS_0 + 4 * bar, 4,
                          (uint32_t)machine_bar(m, f, bar));
        }
    }
    machine_write(m, f, ROOT_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

struct machine *machine_open(const struct machine_options *options, struct function *const *functions,
                             unsigned count)
{
    struct machine *m = calloc(1, sizeof *m);
    cr_assert_not_null(m);
    struct board_options board = {
        .shape = {.ports = options->ports, .width_dw = options->width_dw, .sources = 32},
        .bus = 1,
    };
    m->board = board_open(&board);
    cr_assert_not_null(m->board);
    m->root = root_open(m->board, &(struct root_options){.bus = 1,
                                                         .timeout_ms = options->timeout_ms,
                                                         .bypass_dma = options->bypass_dma});
    cr_assert_not_null(m->root);
    for (unsigned i = 0; i < count; i++) {
        cr_assert_not_null(functions[i]);
        board_attach(m->board, i + 1, functions[i]);
    }
    root_enumerate(m->root);
    map_ram(m);
    for (unsigned f = 0; f < ROOT_FUNCTIONS; f++) {
        m->hosts[f].machine = m;
        m->hosts[f].function = f;
        if (root_present(m->root, f)) {
            root_attach(m->root, f, &host_ops, &m->hosts[f], &m->memory);
            place_bars(m, f);
            root_set_line(m->root, f, true);
        }
    }
    return m;
}

struct machine *machine_with(struct function *f)
{
    return machine_open(&(struct machine_options){.ports = 4, .width_dw = 2, .timeout_ms = 20}, &f, 1);
}

void machine_close(struct machine *m)
{
    board_close(m->board);
    root_close(m->root);
    guest_memory_clear(&m->memory);
    munmap(m->ram, RAM_BYTES);
    free(m);
}

static void answer_reads(struct machine *m)
{
    while (m->read_count && !m->hold_reads) {
        uint8_t bytes[4096];
        const typeof(m->reads[0]) read = m->reads[--m->read_count];
        for (size_t i = 0; i < read.n; i++) {
            bytes[i] = (uint8_t)(read.address + i);
        }
        root_read_done(m->root, read.cookie, bytes, read.n);
    }
}

void machine_run(struct machine *m)
{
    unsigned quiet = 0;
    for (unsigned rounds = 0; rounds < 1000000 && quiet < 2; rounds++) {
        bool idle = board_run(m->board, 1), worked = root_work(m->root);
        bool waiting = root_busy(m->root) && !m->hold_reads;
        answer_reads(m);
        quiet = idle && !worked && !waiting ? quiet + 1 : 0;
    }
    cr_assert_eq(quiet, 2, "it never comes to rest");
}

void machine_run_ms(struct machine *m, unsigned ms)
{
    uint64_t end = board_now(m->board) + ms * UINT64_C(1000000);
    while (board_now(m->board) < end) {
        bool idle = board_run(m->board, 1);
        if (!root_work(m->root) && idle) {
            usleep(100);
        }
    }
    machine_run(m); /* what is due by now, however little of the time this process was given */
}

struct waiting {
    struct root_access access;
    bool done;
};

static void access_done(struct root_access *access)
{
    ((struct waiting *)access)->done = true;
}

void machine_access(struct machine *m, unsigned function, unsigned region, uint64_t offset, void *bytes,
                    unsigned n, bool write)
{
    struct waiting w = {.access = {.function = function,
                                   .region = region,
                                   .offset = offset,
                                   .bytes = bytes,
                                   .count = n,
                                   .write = write,
                                   .done = access_done}};
    root_submit(m->root, &w.access);
    for (unsigned rounds = 0; rounds < 10000000 && !w.done; rounds++) {
        board_run(m->board, 1);
        root_work(m->root);
    }
    cr_assert(w.done, "an access was never answered");
    if (write) {
        machine_run(m);
    }
}

void machine_post(struct machine *m, unsigned function, unsigned bar, uint64_t offset, unsigned n,
                  uint32_t value)
{
    struct waiting w = {.access = {.function = function,
                                   .region = bar,
                                   .offset = offset,
                                   .bytes = (uint8_t *)&value,
                                   .count = n,
                                   .write = true,
                                   .done = access_done}};
    root_submit(m->root, &w.access);
    cr_assert(w.done, "a posted write waits for nothing");
}

uint32_t machine_read(struct machine *m, unsigned function, unsigned region, uint64_t offset, unsigned n)
{
    uint32_t value = 0;
    machine_access(m, function, region, offset, &value, n, false);
    return value;
}

void machine_write(struct machine *m, unsigned function, unsigned region, uint64_t offset, unsigned n,
                   uint32_t value)
{
    machine_access(m, function, region, offset, &value, n, true);
}

uint64_t machine_bar(const struct machine *m, unsigned function, unsigned bar)
{
    (void)m;
    return BAR_BASE + (function * CONFIG_BARS + bar) * (uint64_t)BAR_SLOT;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* signalbox-sim against clients that keep the rules, and others. */
#include "client.h"
#include "exerciser_regs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { F = 1, CONFIG = 7, BAR = 0xe0000000u, PAGE = 4096, RAM = 0x100000, RAM_BYTES = 64 * PAGE };

static struct sim sim;

static void build(void)
{
    sim_start(&sim, (const char *const[]){"--function", "exerciser", "--function", "exerciser,pin=B",
                                          "--completion-timeout", "50", NULL});
}

static void end(void)
{
    cr_expect_eq(sim_stop(&sim), 0, "it ended badly");
}

TestSuite(server, .init = build, .fini = end);

/* Another client still gets its answers. */
static void expect_service(unsigned function)
{
    uint64_t id;
    cr_assert(sim_alive(&sim));
    int fd = client_greet(&sim, function);
    cr_expect_eq(client_read(fd, CONFIG, PCI_VENDOR_ID, 4, &id), 0);
    cr_expect_eq(id, 0x51611209);
    close(fd);
}

/* The server closes the connection: without an answer, or after it. */
static void expect_closed(int fd)
{
    struct vu_header header;
    uint8_t body[VU_MAX_MESSAGE];
    while (client_receive(fd, &header, body) >= 0) {
    }
    close(fd);
}

/* ---- what QEMU does ----------------------------------------------------------------------------- */

Test(server, answers_what_qemu_asks_at_start)
{
    int fd = client_greet(&sim, F);
    struct vu_device_info info = {.argsz = sizeof info};
    cr_assert_eq(client_call(fd, VU_DEVICE_GET_INFO, &info, sizeof info, -1, &info), 0);
    cr_expect_eq(info.flags, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
    cr_expect_eq(info.num_regions, 9);
    cr_expect_eq(info.num_irqs, 5);
    static const uint64_t sizes[] = {EX_BAR0_BYTES, 0, EXERCISER_BUFFER_BYTES, 0, 0, 0, 0, 4096, 0};
    for (unsigned i = 0; i < 9; i++) {
        struct vu_region_info region = {.argsz = sizeof region, .index = i};
        cr_assert_eq(client_call(fd, VU_GET_REGION_INFO, &region, sizeof region, -1, &region), 0);
        cr_expect_eq(region.size, sizes[i], "region %u", i);
    }
    struct vu_irq_info irq = {.argsz = sizeof irq, .index = 0};
    cr_assert_eq(client_call(fd, VU_GET_IRQ_INFO, &irq, sizeof irq, -1, &irq), 0);
    cr_expect_eq(irq.count, 1);
    irq.index = VFIO_PCI_MSIX_IRQ_INDEX;
    cr_assert_eq(client_call(fd, VU_GET_IRQ_INFO, &irq, sizeof irq, -1, &irq), 0);
    cr_expect_eq(irq.count, 0, "MSI-X is left to the function");
    cr_expect_eq(client_call(fd, VU_DEVICE_RESET, NULL, 0, -1, NULL), 0);
    close(fd);
}

Test(server, message_capabilities_are_veiled_in_bulk_reads_only)
{
    int fd = client_greet(&sim, F);
    struct vu_region_access access = {0, CONFIG, 4096};
    static uint8_t reply[VU_MAX_MESSAGE];
    cr_assert_eq(client_call(fd, VU_REGION_READ, &access, sizeof access, -1, reply), 0);
    const uint8_t *bulk = reply + sizeof access;
    unsigned at = bulk[PCI_CAPABILITY_LIST], msi = 0, vendor = 0;
    for (; at; at = bulk[at + 1]) {
        uint64_t id;
        vendor += bulk[at] == PCI_CAP_ID_VNDR;
        cr_assert_eq(client_read(fd, CONFIG, at, 1, &id), 0);
        msi += id == PCI_CAP_ID_MSI || id == PCI_CAP_ID_MSIX;
    }
    cr_expect_eq(vendor, 2);
    cr_expect_eq(msi, 2);
    close(fd);
}

static int place_and_map(int ram)
{
    int fd = client_greet(&sim, F);
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER), 0);
    struct vu_dma_map map = {.argsz = sizeof map, .flags = 3, .address = RAM, .size = RAM_BYTES};
    cr_assert_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, ram, NULL), 0);
    return fd;
}

static void start_dma(int fd, uint32_t command, uint32_t address, uint32_t bytes)
{
    cr_assert_eq(client_write(fd, 0, EX_DMA_ADDR_LO, 4, address), 0);
    cr_assert_eq(client_write(fd, 0, EX_DMA_BYTES, 4, bytes), 0);
    cr_assert_eq(client_write(fd, 0, EX_DMA_COMMAND, 4, command), 0);
}

static uint64_t dma_status(int fd)
{
    uint64_t status = EX_DMA_BUSY;
    for (unsigned i = 0; i < 2000 && status & EX_DMA_BUSY; i++) {
        cr_assert_eq(client_read(fd, 0, EX_DMA_STATUS, 4, &status), 0);
        usleep(100);
    }
    return status;
}

Test(server, dma_lands_in_the_memory_that_was_shared)
{
    int ram = memfd_create("ram", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(ram, RAM_BYTES), 0);
    int fd = place_and_map(ram);
    start_dma(fd, EX_DMA_FILL, RAM + 100, 5000);
    cr_expect_eq(dma_status(fd), EX_DMA_DONE);
    uint8_t bytes[5000];
    cr_assert_eq(pread(ram, bytes, sizeof bytes, 100), sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        cr_assert_eq(bytes[i], exerciser_pattern(0, i));
    }
    struct vu_dma_unmap unmap = {.argsz = sizeof unmap, .address = RAM, .size = RAM_BYTES};
    cr_expect_eq(client_call(fd, VU_DMA_UNMAP, &unmap, sizeof unmap, -1, NULL), 0);
    start_dma(fd, EX_DMA_READ, RAM, 64);
    cr_expect_eq(dma_status(fd) & 0xff, EX_DMA_DONE | EX_DMA_FAILED);
    close(fd);
    close(ram);
}

Test(server, reads_without_a_descriptor_are_asked_of_the_client)
{
    int fd = client_greet(&sim, F);
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER), 0);
    struct vu_dma_map map = {.argsz = sizeof map, .flags = 1, .address = 0xc0000, .size = PAGE};
    cr_assert_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, -1, NULL), 0);
    cr_assert_eq(client_write(fd, 0, EX_DMA_ADDR_LO, 4, 0xc0010), 0);
    cr_assert_eq(client_write(fd, 0, EX_DMA_BYTES, 4, 4), 0);
    struct {
        struct vu_region_access access;
        uint32_t value;
    } go = {{EX_DMA_COMMAND, 0, 4}, EX_DMA_READ};
    cr_assert(client_request(fd, VU_REGION_WRITE, VU_NO_REPLY, &go, 20, -1));
    struct vu_header header;
    uint8_t body[VU_MAX_MESSAGE];
    cr_assert_eq(client_receive(fd, &header, body), sizeof(struct vu_dma_access));
    cr_expect_eq(header.command, VU_DMA_READ);
    struct {
        struct vu_header header;
        struct vu_dma_access dma;
        uint8_t data[4];
    } answer = {{header.id, VU_DMA_READ, 36, VU_REPLY, 0}, {0xc0010, 4}, {1, 2, 3, 4}};
    cr_assert(client_send(fd, &answer, 36, NULL, 0));
    cr_expect_eq(dma_status(fd), EX_DMA_DONE);
    close(fd);
}

Test(server, message_interrupts_come_as_writes)
{
    int ram = memfd_create("ram", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(ram, RAM_BYTES), 0);
    int fd = place_and_map(ram);
    uint64_t cap;
    cr_assert_eq(client_read(fd, CONFIG, PCI_CAPABILITY_LIST, 1, &cap), 0);
    cr_assert_eq(client_write(fd, CONFIG, cap + PCI_MSI_ADDRESS_LO, 4, 0xfee00000), 0);
    cr_assert_eq(client_write(fd, CONFIG, cap + PCI_MSI_DATA_64, 2, 0x4055), 0);
    cr_assert_eq(client_write(fd, CONFIG, cap + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE), 0);
    cr_assert_eq(client_write(fd, 0, EX_IRQ_COUNT, 4, 1), 0);
    cr_assert_eq(client_write(fd, 0, EX_IRQ_GO, 4, 1), 0);
    struct vu_header header;
    uint8_t body[VU_MAX_MESSAGE];
    cr_assert_eq(client_receive(fd, &header, body), 20);
    cr_expect_eq(header.command, VU_DMA_WRITE);
    cr_expect_eq(header.flags, VU_REQUEST | VU_NO_REPLY);
    struct vu_dma_access dma;
    uint32_t data;
    memcpy(&dma, body, sizeof dma);
    memcpy(&data, body + sizeof dma, sizeof data);
    cr_expect_eq(dma.address, 0xfee00000);
    cr_expect_eq(dma.count, 4);
    cr_expect_eq(data, 0x4055);
    close(fd);
    close(ram);
}

static int set_line(int fd, int line)
{
    struct vu_irq_set set = {.argsz = 20, .flags = 0x24, .count = 1};
    return client_call(fd, VU_SET_IRQS, &set, 20, line, NULL);
}

/* Waits until the eventfd was written to; its count. */
static uint64_t line_count(int line)
{
    struct pollfd fd = {.fd = line, .events = POLLIN};
    uint64_t count = 0;
    cr_assert_eq(poll(&fd, 1, 20000), 1, "the line was not raised");
    cr_assert_eq(read(line, &count, sizeof count), sizeof count);
    return count;
}

Test(server, intx_comes_by_the_eventfd)
{
    int ram = memfd_create("ram", MFD_CLOEXEC), line = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(ftruncate(ram, RAM_BYTES), 0);
    int fd = place_and_map(ram);
    cr_assert_eq(set_line(fd, line), 0);
    cr_assert_eq(client_write(fd, 0, EX_IRQ_PIN, 4, 1), 0);
    cr_expect_eq(line_count(line), 1);
    struct vu_irq_set unmask = {.argsz = 20, .flags = 0x11, .count = 1};
    cr_assert_eq(client_call(fd, VU_SET_IRQS, &unmask, 20, -1, NULL), 0);
    cr_expect_eq(line_count(line), 1, "still high: again");
    close(fd);
    close(line);
    close(ram);
}

/* QEMU keeps the guest's view of the BARs across a function-level reset, and so no guest restores them. */
Test(server, bars_outlive_a_function_level_reset)
{
    int fd = client_greet(&sim, F);
    uint64_t cap, id = 0, value;
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
    cr_assert_eq(client_write(fd, 0, EX_SCRATCH, 4, 7), 0);
    cr_assert_eq(client_read(fd, CONFIG, PCI_CAPABILITY_LIST, 1, &cap), 0);
    while (client_read(fd, CONFIG, cap, 1, &id) == 0 && id != PCI_CAP_ID_EXP) {
        cr_assert_eq(client_read(fd, CONFIG, cap + 1, 1, &cap), 0);
    }
    cr_assert_eq(client_write(fd, CONFIG, cap + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR), 0);
    cr_assert_eq(client_read(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, &value), 0);
    cr_expect_eq(value, BAR);
    cr_assert_eq(client_read(fd, CONFIG, PCI_COMMAND, 2, &value), 0);
    cr_expect_eq(value, 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
    cr_assert_eq(client_read(fd, 0, EX_SCRATCH, 4, &value), 0);
    cr_expect_eq(value, 0, "the rest is reset");
    close(fd);
}

Test(server, a_new_client_finds_a_function_after_reset)
{
    int fd = client_greet(&sim, F);
    uint64_t value;
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, 7), 0);
    close(fd);
    fd = client_greet(&sim, F);
    cr_assert_eq(client_read(fd, CONFIG, PCI_COMMAND, 2, &value), 0);
    cr_expect_eq(value, 0);
    cr_assert_eq(client_read(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, &value), 0);
    cr_expect_eq(value, 0);
    close(fd);
}

/* ---- clients that don't keep the rules ---------------------------------------------------------- */

Test(server, begins_with_a_version_or_not_at_all)
{
    int fd = client_connect(&sim, F);
    client_request(fd, VU_DEVICE_RESET, 0, NULL, 0, -1);
    expect_closed(fd);
    fd = client_connect(&sim, F);
    cr_expect_eq(client_call(fd, VU_VERSION, "\1\0\0\0", 4, -1, NULL), EINVAL, "another major version");
    cr_expect_eq(client_call(fd, VU_VERSION, "\0\0\0\0{}", 6, -1, NULL), EINVAL, "text without end");
    cr_expect_eq(client_call(fd, VU_VERSION, "\0\0\0\0", 4, -1, NULL), 0);
    cr_expect_eq(client_call(fd, VU_VERSION, "\0\0\0\0", 4, -1, NULL), EINVAL, "once is enough");
    close(fd);
    expect_service(F);
}

Test(server, what_is_no_message_ends_the_connection)
{
    static const struct vu_header bad[] = {
        {.command = VU_VERSION, .size = 3},
        {.command = VU_VERSION, .size = UINT32_MAX},
        {.command = VU_VERSION, .size = VU_MAX_MESSAGE + 1},
        {.command = VU_VERSION, .size = 20, .flags = 7},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = client_connect(&sim, F);
        client_send(fd, &bad[i], sizeof bad[i], NULL, 0);
        expect_closed(fd);
        fd = client_greet(&sim, F);
        client_send(fd, &bad[i], sizeof bad[i], NULL, 0);
        expect_closed(fd);
    }
    expect_service(F);
}

Test(server, wrong_requests_get_an_error_and_the_next_is_served)
{
    int fd = client_greet(&sim, F);
    uint64_t value;
    struct vu_region_info region = {.index = 9};
    struct vu_irq_info irq = {.index = 5};
    struct vu_dma_map map = {.flags = 3, .address = 0, .size = 0};
    struct vu_irq_set set = {.flags = 0x24, .index = 0, .start = 0xffffffff, .count = 2};
    cr_expect_eq(client_call(fd, 0, NULL, 0, -1, NULL), ENOTSUP);
    cr_expect_eq(client_call(fd, 15, NULL, 0, -1, NULL), ENOTSUP, "WRITE_MULTI isn't offered");
    cr_expect_eq(client_call(fd, 65535, NULL, 0, -1, NULL), ENOTSUP);
    cr_expect_eq(client_call(fd, VU_DMA_READ, "0123456789abcdef", 16, -1, NULL), ENOTSUP);
    cr_expect_eq(client_call(fd, VU_DEVICE_GET_INFO, "123", 3, -1, NULL), EINVAL);
    cr_expect_eq(client_call(fd, VU_GET_REGION_INFO, &region, sizeof region, -1, NULL), EINVAL);
    cr_expect_eq(client_call(fd, VU_GET_IRQ_INFO, &irq, sizeof irq, -1, NULL), EINVAL);
    cr_expect_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, -1, NULL), EINVAL);
    cr_expect_eq(client_call(fd, VU_SET_IRQS, &set, 20, -1, NULL), EINVAL);
    cr_expect_eq(client_read(fd, 8, 0, 4, &value), EINVAL, "no such region");
    cr_expect_eq(client_read(fd, 1, 0, 4, &value), EINVAL, "an empty one");
    cr_expect_eq(client_read(fd, 0xffffffff, 0, 4, &value), EINVAL);
    cr_expect_eq(client_read(fd, CONFIG, 4094, 4, &value), EINVAL, "beyond its end");
    cr_expect_eq(client_read(fd, CONFIG, UINT64_MAX, 4, &value), EINVAL);
    cr_expect_eq(client_write(fd, 0, UINT64_MAX - 2, 4, 0), EINVAL);
    cr_expect_eq(client_read(fd, CONFIG, 0, 4, &value), 0);
    cr_expect_eq(client_read(fd, 0, 0, 0, &value), 0, "nothing at all is fine");
    cr_expect_eq(client_read(fd, 0, EX_ID, 4, &value), 0);
    cr_expect_eq(value, ~0u, "a BAR that isn't mapped");
    close(fd);
}

Test(server, memory_that_is_none)
{
    int fd = client_greet(&sim, F), pipes[2];
    cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
    struct vu_dma_map map = {.argsz = sizeof map, .flags = 3, .address = RAM, .size = RAM_BYTES};
    cr_expect_neq(client_call(fd, VU_DMA_MAP, &map, sizeof map, pipes[0], NULL), 0, "a pipe");
    int small = memfd_create("small", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(small, PAGE), 0);
    cr_expect_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, small, NULL), EINVAL, "too small");
    map.size = UINT64_MAX - RAM;
    cr_expect_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, small, NULL), EINVAL);
    map.size = PAGE;
    map.flags = 0x83;
    cr_expect_eq(client_call(fd, VU_DMA_MAP, &map, sizeof map, small, NULL), EINVAL, "unknown flags");
    for (unsigned i = 0; i < 300; i++) {
        map = (struct vu_dma_map){.flags = 3, .address = i * (uint64_t)PAGE, .size = PAGE};
        int error = client_call(fd, VU_DMA_MAP, &map, sizeof map, small, NULL);
        cr_expect_eq(error, i < 256 ? 0 : ENOSPC);
    }
    close(fd);
    close(small);
    close(pipes[0]);
    close(pipes[1]);
    expect_service(F);
}

Test(server, memory_cut_short_under_dma)
{
    int ram = memfd_create("ram", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(ram, RAM_BYTES), 0);
    int fd = place_and_map(ram);
    cr_assert_eq(ftruncate(ram, 0), 0);
    start_dma(fd, EX_DMA_FILL, RAM, 0x8000);
    cr_expect_eq(dma_status(fd), EX_DMA_DONE);
    start_dma(fd, EX_DMA_READ, RAM + 0x4000, 0x8000);
    cr_expect_eq(dma_status(fd), EX_DMA_DONE);
    close(fd);
    close(ram);
    expect_service(F);
}

Test(server, descriptors_do_not_leak)
{
    int fd = client_greet(&sim, F), many[16];
    unsigned before = sim_descriptors(&sim);
    for (unsigned i = 0; i < 200; i++) {
        int event = eventfd(0, EFD_CLOEXEC);
        struct vu_dma_map map = {.flags = 3, .address = 0, .size = 0};
        client_call(fd, VU_DEVICE_RESET, NULL, 0, event, NULL);
        client_call(fd, VU_DMA_MAP, &map, sizeof map, event, NULL);
        cr_assert_eq(set_line(fd, event), 0);
        close(event);
    }
    cr_expect_leq(sim_descriptors(&sim), before + 1, "one line is kept");
    for (unsigned i = 0; i < 16; i++) {
        many[i] = fd;
    }
    struct vu_header header = {.command = VU_DEVICE_RESET, .size = VU_HEADER_BYTES};
    client_send(fd, &header, sizeof header, many, 16);
    expect_closed(fd);
    expect_service(F);
    cr_expect_leq(sim_descriptors(&sim), before);
}

Test(server, an_interrupt_descriptor_that_takes_nothing)
{
    int fd = client_greet(&sim, F), pipes[2];
    cr_assert_eq(pipe2(pipes, O_CLOEXEC), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
    cr_assert_eq(set_line(fd, pipes[1]), 0);
    close(pipes[1]);
    close(pipes[0]); /* a pipe without reader */
    cr_assert_eq(client_write(fd, 0, EX_IRQ_PIN, 4, 1), 0);
    uint64_t id;
    cr_expect_eq(client_read(fd, 0, EX_ID, 4, &id), 0);
    cr_expect_eq(id, EX_ID_VALUE);
    close(fd);
    expect_service(F);
}

Test(server, a_second_client_is_turned_away)
{
    int first = client_greet(&sim, F), second = client_connect(&sim, F);
    expect_closed(second);
    uint64_t id;
    cr_expect_eq(client_read(first, CONFIG, 0, 4, &id), 0);
    close(first);
    expect_service(F);
}

Test(server, a_client_that_reads_nothing_harms_only_itself)
{
    int fd = client_greet(&sim, F);
    struct vu_region_access access = {0, CONFIG, 4096};
    struct timeval brief = {.tv_usec = 200000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
    for (unsigned i = 0; i < 5000 && client_request(fd, VU_REGION_READ, 0, &access, sizeof access, -1); i++) {
    }
    expect_service(F + 1);
    close(fd);
    expect_service(F);
}

Test(server, a_client_that_goes_in_the_middle)
{
    struct vu_region_access access = {0, CONFIG, 4096};
    struct vu_header half = {.command = VU_REGION_WRITE, .size = 4000};
    for (unsigned i = 0; i < 20; i++) {
        int fd = client_greet(&sim, F);
        client_request(fd, VU_REGION_READ, 0, &access, sizeof access, -1);
        client_request(fd, VU_REGION_READ, 0, &access, sizeof access, -1);
        close(fd);
        fd = client_greet(&sim, F);
        client_send(fd, &half, i < 16 ? i + 1 : sizeof half, NULL, 0);
        close(fd);
    }
    expect_service(F);
}

Test(server, random_messages)
{
    unsigned seed = 7;
    for (unsigned round = 0; round < 300; round++) {
        int fd = client_greet(&sim, F);
        for (unsigned k = 0; k < 20; k++) {
            uint8_t body[80];
            for (size_t i = 0; i < sizeof body; i++) {
                body[i] = (uint8_t)(rand_r(&seed) % 4 ? 0 : rand_r(&seed));
            }
            size_t n = (size_t)rand_r(&seed) % sizeof body;
            unsigned flags = (unsigned)rand_r(&seed) % 8 ? 0 : (unsigned)rand_r(&seed) % 64;
            if (!client_request(fd, (unsigned)rand_r(&seed) % 16, flags, body, n, k % 5 ? -1 : fd)) {
                break;
            }
        }
        close(fd);
    }
    expect_service(F);
    expect_service(F + 1);
}

/* ---- the program -------------------------------------------------------------------------------- */

Test(server, ends_on_a_signal_with_clients_and_traffic)
{
    int fd = client_greet(&sim, F);
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, 6), 0);
    cr_assert_eq(client_write(fd, 0, EX_IRQ_GO, 4, 1), 0);
    int other = client_greet(&sim, F + 1);
    cr_expect(sim_alive(&sim));
    close(fd);
    close(other);
}

/* The statistics' file, once it has what's wanted. */
static bool told(const char *path, const char *wanted)
{
    char text[16384];
    for (unsigned i = 0; i < 2000; i++) {
        FILE *file = fopen(path, "r");
        cr_assert_not_null(file, "it's there at any time");
        size_t n = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[n] = 0;
        cr_assert_gt(n, 2);
        cr_assert_eq(memcmp(text + n - 2, "\n}", 2), 0, "and whole: %s", text);
        if (strstr(text, wanted)) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

Test(program, statistics_at_once_on_a_signal)
{
    char folder[] = "/tmp/signalbox-stats-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/stats", folder);
    sim_start(&sim, (const char *const[]){"--function", "exerciser", "--json-stats", path, NULL});
    cr_expect(told(path, "\"bdf\": \"0000:01:00.1\""));
    int fd = client_greet(&sim, F);
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER), 0);
    for (unsigned level = 6; level--;) {
        cr_assert_eq(client_write(fd, 0, EX_IRQ_PIN, 4, level & 1), 0);
    }
    uint64_t value;
    cr_assert_eq(client_read(fd, 0, EX_IRQ_PIN, 4, &value), 0, "and so they have been done");
    kill(sim.pid, SIGUSR1);
    cr_expect(told(path, "\"interrupts\": 3"));
    kill(sim.pid, SIGUSR1);
    cr_expect_eq(client_read(fd, 0, EX_ID, 4, &value), 0, "it goes on");
    cr_expect_eq(value, EX_ID_VALUE);
    close(fd);
    cr_expect_eq(sim_stop(&sim), 0);
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "nothing else is left there");
}

Test(program, virtual_time_passes_while_nothing_moves)
{
    sim_start(&sim, (const char *const[]){"--function", "exerciser", "--virtual-time", "--completion-timeout",
                                          "3600000", NULL});
    int fd = client_greet(&sim, F);
    uint64_t id;
    cr_assert_eq(client_write(fd, CONFIG, PCI_BASE_ADDRESS_0, 4, BAR), 0);
    cr_assert_eq(client_write(fd, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
    cr_assert_eq(client_write(fd, 0, EX_MISBEHAVE, 4, EX_MUTE), 0);
    cr_assert_eq(client_read(fd, 0, EX_ID, 4, &id), 0, "an hour went by");
    cr_expect_eq(id, ~0u);
    close(fd);
    cr_expect_eq(sim_stop(&sim), 0);
}

/* What's wrong on the command line is said, with status 64 or 1, and nothing is started. */
Test(program, wrong_arguments)
{
    static const struct {
        const char *arguments;
        int status;
        const char *said;
    } cases[] = {
        {"", 64, "--dir is needed"},
        {"--dir /tmp/signalbox-none --ports x", 64, "is no number"},
        {"--dir /tmp/signalbox-none --ports 8", 64, "from 1 to 7"},
        {"--dir /tmp/signalbox-none --ports 3", 1, "is built"},
        {"--dir /tmp/signalbox-none --width 96", 1, "is built"},
        {"--dir /tmp/signalbox-none --bus 256", 64, "from 0 to 255"},
        {"--dir /tmp/signalbox-none --bus -1", 64, "is no number"},
        {"--dir /tmp/signalbox-none stray", 64, "stray"},
        {"--dir /tmp/signalbox-none --unknown", 64, "unknown"},
        {"--dir /tmp/signalbox-none --function disk", 1, "no function of this name"},
        {"--dir /tmp/signalbox-none --function exerciser,colour=red", 1, "colour is no key"},
        {"--dir /tmp/signalbox-none --function exerciser,pin=E", 1, "pin is A, B, C, D or none"},
        {"--dir /tmp/signalbox-none --function exerciser,msi=perhaps", 1, "msi is on or off"},
        {"--dir /tmp/signalbox-none --function virtio-blk", 1, "file=PATH is needed"},
        {"--dir /tmp/signalbox-none --function virtio-blk,file=/dev/null", 1, "smaller than a sector"},
        {"--dir /tmp/signalbox-none --function virtio-blk,file=/nonexistent", 1, "No such file"},
        {"--dir /nonexistent/folder", 1, "No such file"},
        {"--dir /tmp/signalbox-none --fst /nonexistent/wave", 1, "No such file"},
        {"--dir /tmp/signalbox-none --log /nonexistent/log", 1, "No such file"},
        {"--dir /tmp/signalbox-none --json-stats /nonexistent/stats", 1, "No such file"},
        {"--dir /tmp/signalbox-none --ports 1 --function exerciser --function exerciser", 1, "as many ports"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512], said[4096];
        snprintf(command, sizeof command, "timeout 20 %s %s 2>&1", SIGNALBOX_SIM, cases[i].arguments);
        FILE *output = popen(command, "r");
        cr_assert_not_null(output);
        size_t n = fread(said, 1, sizeof said - 1, output);
        said[n] = 0;
        int status = pclose(output);
        cr_expect_eq(WEXITSTATUS(status), cases[i].status, "%s: %d", cases[i].arguments, WEXITSTATUS(status));
        cr_expect_not_null(strstr(said, cases[i].said), "%s: %s", cases[i].arguments, said);
    }
    cr_expect_eq(system("rm -r /tmp/signalbox-none"), 0);
}

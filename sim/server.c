/* SPDX-License-Identifier: BSD-2-Clause */
#include "server.h"

#include "vfio_user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    MESSAGES_AT_A_TIME = 64,
    OUT_BYTES = 1 << 20, /* a client that reads nothing for so long is closed */
    BAR_BYTES = 4 * CONFIG_BARS,
    BULK_READ = 4, /* larger configuration reads are QEMU's own, at start */
    IRQ_KINDS = 5,
    REGIONS = 9,
    TOUCH_ID = 0xffff, /* of reads whose answers nobody wants */
};

struct server {
    struct root *root;
    unsigned function;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    int listener;
    int client; /* -1: none */
    bool greeted;
    bool broken; /* to be closed */
    int line;    /* eventfd of INTx, or -1 */
    struct guest_memory memory;

    uint8_t in[VU_MAX_MESSAGE];
    size_t in_bytes;
    int fds[VU_MAX_FDS];
    unsigned fd_count;

    uint8_t *out;
    size_t out_bytes;
    uint16_t next_id;

    /* The access that the client waits for; no further message is read meanwhile. */
    bool busy;
    struct root_access access;
    bool level_reset; /* the access is the write that asks for a function-level reset */
    struct root_access restore;
    uint8_t bars[BAR_BYTES];
    struct vu_header access_header;
    uint8_t access_bytes[VU_HEADER_BYTES + sizeof(struct vu_region_access) + VU_MAX_TRANSFER];

    /* Cookies of reads that were asked of the client, by message id. */
    struct {
        bool used;
        uint16_t id;
    } reads[ROOT_READS];
    struct server_counters counters;
};

static void report(const struct server *s, const char *what)
{
    fprintf(stderr, "signalbox-sim: function %u: %s\n", s->function, what);
}

/* ---- sending ------------------------------------------------------------------------------------ */

static void flush(struct server *s)
{
    size_t sent = 0;
    while (sent < s->out_bytes) {
        ssize_t n = send(s->client, s->out + sent, s->out_bytes - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            s->broken |= errno != EAGAIN;
            break;
        }
        sent += (size_t)n;
    }
    memmove(s->out, s->out + sent, s->out_bytes - sent);
    s->out_bytes -= sent;
}

/*
 * Sends one message. The kernel takes a message of these sizes whole or not at all, which QEMU relies on: it
 * wants a header in one piece.
 */
static void send_bytes(struct server *s, const void *bytes, size_t n)
{
    if (s->client < 0 || s->broken) {
        return;
    }
    if (s->out_bytes == 0) {
        ssize_t sent = send(s->client, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == (ssize_t)n) {
            return;
        }
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            s->broken = true;
            return;
        }
        size_t done = sent < 0 ? 0 : (size_t)sent;
        bytes = (const uint8_t *)bytes + done;
        n -= done;
    }
    if (s->out_bytes + n > OUT_BYTES) {
        report(s, "the client reads nothing: closed");
        s->counters.closed++;
        s->broken = true;
        return;
    }
    memcpy(s->out + s->out_bytes, bytes, n);
    s->out_bytes += n;
}

static void reply(struct server *s, const struct vu_header *request, const void *body, size_t n)
{
    uint8_t message[VU_HEADER_BYTES + 512];
    struct vu_header header = {.id = request->id,
                               .command = request->command,
                               .size = (uint32_t)(VU_HEADER_BYTES + n),
                               .flags = VU_REPLY};
    if (request->flags & VU_NO_REPLY) {
        return;
    }
    memcpy(message, &header, sizeof header);
    if (n) {
        memcpy(message + VU_HEADER_BYTES, body, n);
    }
    send_bytes(s, message, VU_HEADER_BYTES + n);
}

static void reply_error(struct server *s, const struct vu_header *request, int error)
{
    s->counters.refused++;
    if (request->flags & VU_NO_REPLY) {
        return;
    }
    struct vu_header header = {.id = request->id,
                               .command = request->command,
                               .size = VU_HEADER_BYTES,
                               .flags = VU_REPLY | VU_ERROR,
                               .error = (uint32_t)error};
    send_bytes(s, &header, sizeof header);
}

/* ---- what the root asks of the host ------------------------------------------------------------- */

static void host_write(void *self, uint64_t address, const void *bytes, size_t n)
{
    struct server *s = self;
    uint8_t message[VU_HEADER_BYTES + sizeof(struct vu_dma_access) + 4096];
    struct vu_dma_access dma = {address, n};
    /*
     * Without reply: QEMU handles the message only when the guest's CPU gives up QEMU's lock, and that CPU
     * may be waiting for a register of ours.
     */
    struct vu_header header = {.id = s->next_id++,
                               .command = VU_DMA_WRITE,
                               .size = (uint32_t)(VU_HEADER_BYTES + sizeof dma + n),
                               .flags = VU_REQUEST | VU_NO_REPLY};
    memcpy(message, &header, sizeof header);
    memcpy(message + VU_HEADER_BYTES, &dma, sizeof dma);
    memcpy(message + VU_HEADER_BYTES + sizeof dma, bytes, n);
    send_bytes(s, message, header.size);
}

static uint16_t next_id(struct server *s)
{
    if (s->next_id == TOUCH_ID) {
        s->next_id++;
    }
    return s->next_id++;
}

static bool host_read(void *self, uint64_t address, size_t n, unsigned cookie)
{
    struct server *s = self;
    if (s->client < 0 || s->broken || !guest_memory_known(&s->memory, address, n)) {
        return false;
    }
    struct {
        struct vu_header header;
        struct vu_dma_access dma;
    } message = {{.id = next_id(s), .command = VU_DMA_READ, .size = sizeof message, .flags = VU_REQUEST},
                 {address, n}};
    s->reads[cookie].used = true;
    s->reads[cookie].id = message.header.id;
    send_bytes(s, &message, sizeof message);
    return true;
}

static void host_touch(void *self, uint64_t address, size_t n)
{
    struct server *s = self;
    struct {
        struct vu_header header;
        struct vu_dma_access dma;
    } message = {{.id = TOUCH_ID, .command = VU_DMA_READ, .size = sizeof message, .flags = VU_REQUEST},
                 {address, n}};
    send_bytes(s, &message, sizeof message);
}

static void host_raise_line(void *self)
{
    struct server *s = self;
    uint64_t one = 1;
    if (s->line >= 0 && write(s->line, &one, sizeof one) != sizeof one) {
        report(s, "the interrupt's eventfd takes nothing");
    }
}

static const struct root_host_ops host_ops = {
    .write = host_write,
    .read = host_read,
    .touch = host_touch,
    .raise_line = host_raise_line,
};

/* ---- requests of the client --------------------------------------------------------------------- */

static void version(struct server *s, const struct vu_message *m)
{
    static const char capabilities[] = "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536}}";
    uint8_t body[sizeof(struct vu_version) + sizeof capabilities];
    const struct vu_version ours = {0, 0};
    if (m->version.major != ours.major || s->greeted) {
        reply_error(s, &m->header, EINVAL);
        return;
    }
    s->greeted = true;
    memcpy(body, &ours, sizeof ours);
    memcpy(body + sizeof ours, capabilities, sizeof capabilities);
    reply(s, &m->header, body, sizeof body);
}

static void answer(struct server *s, const struct vu_message *m, int error)
{
    if (error) {
        reply_error(s, &m->header, error);
    } else {
        reply(s, &m->header, &m->version, m->header.size - VU_HEADER_BYTES);
    }
}

static void dma_map(struct server *s, const struct vu_message *m)
{
    int fd = s->fd_count ? s->fds[0] : -1;
    answer(s, m, guest_memory_map(&s->memory, m->map.address, m->map.size, m->map.flags, fd, m->map.offset));
}

static void dma_unmap(struct server *s, const struct vu_message *m)
{
    int error = 0;
    if (m->unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
        guest_memory_clear(&s->memory);
    } else {
        error = guest_memory_unmap(&s->memory, m->unmap.address, m->unmap.size);
    }
    answer(s, m, error);
}

static void device_info(struct server *s, const struct vu_message *m)
{
    struct vu_device_info info = {.argsz = sizeof info,
                                  .flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
                                  .num_regions = REGIONS,
                                  .num_irqs = IRQ_KINDS};
    reply(s, &m->header, &info, sizeof info);
}

static void region_info(struct server *s, const struct vu_message *m)
{
    if (m->region.index >= REGIONS) {
        reply_error(s, &m->header, EINVAL);
        return;
    }
    struct vu_region_info info = {.argsz = sizeof info,
                                  .index = m->region.index,
                                  .size = root_region_size(s->root, s->function, m->region.index)};
    info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
    reply(s, &m->header, &info, sizeof info);
}

/*
 * INTx is offered, and the error interrupt, without which QEMU warns. Not MSI and MSI-X: they leave the card
 * as the memory writes they are.
 */
static unsigned irqs_of(const struct server *s, unsigned index)
{
    return index == VFIO_PCI_INTX_IRQ_INDEX ? root_interrupt_pin(s->root, s->function) != 0
                                            : index == VFIO_PCI_ERR_IRQ_INDEX;
}

static void irq_info(struct server *s, const struct vu_message *m)
{
    if (m->irq.index >= IRQ_KINDS) {
        reply_error(s, &m->header, EINVAL);
        return;
    }
    struct vu_irq_info info = {
        .argsz = sizeof info, .index = m->irq.index, .count = irqs_of(s, m->irq.index)};
    info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD : 0;
    if (m->irq.index == VFIO_PCI_INTX_IRQ_INDEX && info.count) {
        info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    }
    reply(s, &m->header, &info, sizeof info);
}

static void drop_line(struct server *s)
{
    if (s->line >= 0) {
        root_set_line(s->root, s->function, false);
        close(s->line);
        s->line = -1;
    }
}

static int set_line(struct server *s, const struct vu_irq_set *set)
{
    unsigned irqs = set->index < IRQ_KINDS ? irqs_of(s, set->index) : 0;
    if (set->index >= IRQ_KINDS || set->start > irqs || set->count > irqs - set->start) {
        return EINVAL;
    }
    if (set->index != VFIO_PCI_INTX_IRQ_INDEX) {
        return 0; /* no error is ever raised: there's nothing to keep */
    }
    switch (set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
    case VFIO_IRQ_SET_ACTION_UNMASK:
        if (set->count) {
            root_line_acknowledged(s->root, s->function);
        }
        return 0;
    case VFIO_IRQ_SET_ACTION_MASK:
        return 0; /* the line is masked by being up: it's raised again only after an unmask */
    default:
        break;
    }
    bool events = set->flags & VFIO_IRQ_SET_DATA_EVENTFD;
    if (!events && set->count) {
        return ENOTSUP; /* to trigger by message */
    }
    drop_line(s);
    if (s->fd_count) {
        s->line = s->fds[0];
        s->fds[0] = -1;
        int flags = fcntl(s->line, F_GETFL);
        fcntl(s->line, F_SETFL, flags | O_NONBLOCK);
        root_set_line(s->root, s->function, true);
    }
    return 0;
}

static void set_irqs(struct server *s, const struct vu_message *m)
{
    int error = set_line(s, &m->irqs);
    if (error) {
        reply_error(s, &m->header, error);
    } else {
        reply(s, &m->header, NULL, 0);
    }
}

/*
 * QEMU looks at capability identifiers once, in the one large read at start, and would then emulate MSI and
 * MSI-X itself. Shown there as vendor-specific they are left to the function; the guest, which reads by DW,
 * sees what is there (docs/develop/simulation.md).
 */
static void veil(struct server *s, struct root_access *a)
{
    static const uint8_t veiled[] = {PCI_CAP_ID_MSI, PCI_CAP_ID_MSIX};
    for (size_t i = 0; i < sizeof veiled; i++) {
        unsigned at = root_capability(s->root, s->function, veiled[i]);
        if (at && at >= a->offset && at < a->offset + a->count) {
            a->bytes[at - a->offset] = PCI_CAP_ID_VNDR;
        }
    }
}

static void reply_access(struct server *s, struct root_access *a)
{
    struct vu_region_access body = {a->offset, a->region, a->count};
    s->busy = false;
    if (s->access_header.flags & VU_NO_REPLY) {
        return;
    }
    if (a->write) {
        reply(s, &s->access_header, &body, sizeof body);
        return;
    }
    if (a->region == ROOT_CONFIG && a->count > BULK_READ) {
        veil(s, a);
    }
    struct vu_header header = {.id = s->access_header.id,
                               .command = VU_REGION_READ,
                               .size = (uint32_t)(VU_HEADER_BYTES + sizeof body + a->count),
                               .flags = VU_REPLY};
    memcpy(s->access_bytes, &header, sizeof header);
    memcpy(s->access_bytes + VU_HEADER_BYTES, &body, sizeof body);
    send_bytes(s, s->access_bytes, header.size);
}

static void bars_restored(struct root_access *a)
{
    struct server *s = a->owner;
    s->level_reset = false;
    reply_access(s, &s->access);
}

/*
 * QEMU keeps the BARs of a function by itself: the guest sees no change of them by a function-level reset,
 * and restores nothing. So they are put back before it goes on, as Linux' vfio does it for real functions.
 */
static void restore_bars(struct server *s)
{
    s->restore = (struct root_access){.function = s->function,
                                      .region = ROOT_CONFIG,
                                      .offset = PCI_BASE_ADDRESS_0,
                                      .bytes = s->bars,
                                      .count = sizeof s->bars,
                                      .write = true,
                                      .done = bars_restored,
                                      .owner = s};
    root_submit(s->root, &s->restore);
}

static void access_done(struct root_access *a)
{
    struct server *s = a->owner;
    if (s->level_reset) {
        restore_bars(s);
    } else {
        reply_access(s, a);
    }
}

static bool asks_level_reset(const struct server *s, const struct root_access *a)
{
    unsigned cap = root_capability(s->root, s->function, PCI_CAP_ID_EXP);
    uint64_t at = cap + PCI_EXP_DEVCTL + 1;
    return cap && a->write && a->region == ROOT_CONFIG && at >= a->offset && at < a->offset + a->count &&
           a->bytes[at - a->offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8;
}
static void region_access(struct server *s, const struct vu_message *m)
{
    bool write = m->header.command == VU_REGION_WRITE;
    uint64_t size = root_region_size(s->root, s->function, m->access.region);
    if (m->access.region > ROOT_CONFIG || m->access.offset > size ||
        m->access.count > size - m->access.offset) {
        reply_error(s, &m->header, EINVAL);
        return;
    }
    s->busy = true;
    s->access_header = m->header;
    s->access = (struct root_access){.function = s->function,
                                     .region = m->access.region,
                                     .offset = m->access.offset,
                                     .bytes = s->access_bytes + VU_HEADER_BYTES + sizeof m->access,
                                     .count = m->access.count,
                                     .write = write,
                                     .done = access_done,
                                     .owner = s};
    if (write) {
        memcpy(s->access.bytes, m->data, m->access.count);
    }
    s->level_reset = asks_level_reset(s, &s->access);
    if (s->level_reset) {
        root_read_bars(s->root, s->function, s->bars);
    }
    root_submit(s->root, &s->access);
}

static void reset(struct server *s, const struct vu_message *m)
{
    root_reset(s->root, s->function);
    reply(s, &m->header, NULL, 0);
}

static void take_reply(struct server *s, const struct vu_message *m)
{
    for (unsigned i = 0; m->header.command == VU_DMA_READ && i < ROOT_READS; i++) {
        if (s->reads[i].used && s->reads[i].id == m->header.id) {
            bool ok = !(m->header.flags & VU_ERROR) && m->dma.count == m->data_bytes;
            s->reads[i].used = false;
            root_read_done(s->root, i, ok ? m->data : NULL, ok ? m->data_bytes : 0);
            return;
        }
    }
    if (m->header.command != VU_DMA_READ || m->header.id != TOUCH_ID) {
        s->counters.refused++;
    }
}

static void take_request(struct server *s, const struct vu_message *m)
{
    switch (m->header.command) {
    case VU_VERSION:
        version(s, m);
        break;
    case VU_DMA_MAP:
        dma_map(s, m);
        break;
    case VU_DMA_UNMAP:
        dma_unmap(s, m);
        break;
    case VU_DEVICE_GET_INFO:
        device_info(s, m);
        break;
    case VU_GET_REGION_INFO:
        region_info(s, m);
        break;
    case VU_GET_IRQ_INFO:
        irq_info(s, m);
        break;
    case VU_SET_IRQS:
        set_irqs(s, m);
        break;
    case VU_REGION_READ:
    case VU_REGION_WRITE:
        region_access(s, m);
        break;
    case VU_DEVICE_RESET:
        reset(s, m);
        break;
    default:
        reply_error(s, &m->header, ENOTSUP);
        break;
    }
}

static void close_fds(struct server *s)
{
    for (unsigned i = 0; i < s->fd_count; i++) {
        if (s->fds[i] >= 0) {
            close(s->fds[i]);
        }
    }
    s->fd_count = 0;
}

static void take_message(struct server *s)
{
    struct vu_message m;
    int error;
    s->counters.messages++;
    enum vu_verdict verdict = vu_parse(s->in, s->in_bytes, s->fd_count, &m, &error);
    bool reply = (m.header.flags & VU_TYPE_MASK) == VU_REPLY;
    if (!s->greeted && (reply || m.header.command != VU_VERSION)) {
        report(s, "the client began without a version: closed");
        s->counters.closed++;
        s->broken = true;
    } else if (verdict == VU_OK && reply) {
        take_reply(s, &m);
    } else if (verdict == VU_OK) {
        take_request(s, &m);
    } else if (reply) {
        s->counters.refused++;
    } else {
        reply_error(s, &m.header, error);
    }
    close_fds(s);
    s->in_bytes = 0;
}

/* ---- the connection ----------------------------------------------------------------------------- */

static void take_descriptors(struct server *s, struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (s->fd_count < VU_MAX_FDS) {
                s->fds[s->fd_count++] = fd;
            } else {
                close(fd);
                s->broken = true;
            }
        }
    }
    s->broken |= (message->msg_flags & MSG_CTRUNC) != 0;
}

/* Reads up to the end of the message under way. False: nothing more for now. */
static bool read_some(struct server *s)
{
    struct vu_header header = {.size = VU_HEADER_BYTES};
    if (s->in_bytes >= VU_HEADER_BYTES) {
        memcpy(&header, s->in, sizeof header);
    }
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
    } control;
    struct iovec part = {s->in + s->in_bytes, header.size - s->in_bytes};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(s->client, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (n <= 0) {
        s->broken = true;
        return false;
    }
    take_descriptors(s, &message);
    s->in_bytes += (size_t)n;
    if (s->in_bytes == VU_HEADER_BYTES) {
        memcpy(&header, s->in, sizeof header);
        if (vu_check_header(&header) != VU_OK) {
            report(s, "the client sent what is no message: closed");
            s->counters.closed++;
            s->broken = true;
            return false;
        }
    }
    if (s->in_bytes >= VU_HEADER_BYTES && s->in_bytes == header.size) {
        take_message(s);
    }
    return !s->broken;
}

static void drop_client(struct server *s)
{
    report(s, "the client is gone: reset, and listening");
    close(s->client);
    s->client = -1;
    close_fds(s);
    drop_line(s);
    root_attach(s->root, s->function, NULL, NULL, NULL);
    memset(s->reads, 0, sizeof s->reads);
    root_reset(s->root, s->function);
    guest_memory_clear(&s->memory);
    s->in_bytes = 0;
    s->out_bytes = 0;
    s->greeted = false;
    s->broken = false;
}

/* The client's end is closed, though what it sent before may not have been read yet. */
static bool hung_up(const struct server *s)
{
    struct pollfd fd = {.fd = s->client, .events = POLLRDHUP};
    return poll(&fd, 1, 0) == 1;
}

static void accept_client(struct server *s)
{
    if (s->client >= 0 && hung_up(s)) {
        return; /* its successor waits until it's dropped */
    }
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    if (s->client >= 0) {
        report(s, "another client is turned away");
        s->counters.turned_away++;
        close(fd);
        return;
    }
    s->client = fd;
    s->counters.clients++;
    root_attach(s->root, s->function, &host_ops, s, &s->memory);
}

struct server *server_open(struct root *root, unsigned function, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    strcpy(address.sun_path, path);
    struct server *s = calloc(1, sizeof *s);
    uint8_t *out = malloc(OUT_BYTES);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    if (!s || !out || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 4) != 0) {
        int error = errno;
        free(s);
        free(out);
        if (fd >= 0) {
            close(fd);
        }
        errno = error;
        return NULL;
    }
    s->root = root;
    s->function = function;
    s->listener = fd;
    s->client = -1;
    s->line = -1;
    s->out = out;
    strcpy(s->path, path);
    return s;
}

void server_close(struct server *s)
{
    if (s->client >= 0) {
        root_attach(s->root, s->function, NULL, NULL, NULL);
        close(s->client);
    }
    drop_line(s);
    close_fds(s);
    close(s->listener);
    unlink(s->path);
    guest_memory_clear(&s->memory);
    free(s->out);
    free(s);
}

void server_poll(const struct server *s, struct pollfd fds[SERVER_FDS])
{
    /* While an access is under way a client that hung up would wake the caller again and again. */
    bool wanted = !s->busy || s->out_bytes;
    fds[0] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = wanted ? s->client : -1,
                             .events = (short)((s->busy ? 0 : POLLIN) | (s->out_bytes ? POLLOUT : 0))};
}

bool server_due(const struct server *s)
{
    return s->client >= 0 && s->broken && !s->busy;
}

bool server_work(struct server *s, const struct pollfd fds[SERVER_FDS])
{
    bool more = false;
    if (s->client >= 0 && fds[1].fd == s->client) {
        if (fds[1].revents & POLLOUT) {
            flush(s);
        }
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) {
            unsigned budget = MESSAGES_AT_A_TIME;
            while (!s->busy && !s->broken && budget-- && (more = read_some(s))) {
            }
        }
    }
    if (server_due(s)) {
        drop_client(s);
    }
    if (fds[0].revents) {
        accept_client(s);
    }
    return more && !s->busy;
}

bool server_connected(const struct server *s)
{
    return s->client >= 0;
}

const struct server_counters *server_counters(const struct server *s)
{
    return &s->counters;
}

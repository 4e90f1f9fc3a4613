/* SPDX-License-Identifier: BSD-2-Clause */
#include "card_pci.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "relay.h"
#include "relay_regs.h"

static bool valid(uint32_t offset)
{
    return offset % 4 == 0 && offset < RELAY_BAR_BYTES;
}

static int pci_read(struct card *card, uint32_t offset, uint32_t *value)
{
    const struct card_pci *pci = card->self;
    if (!valid(offset))
        return CARD_REFUSED;
    *value = pci->bar[offset / 4];
    return 0;
}

static int pci_write(struct card *card, uint32_t offset, uint32_t value)
{
    const struct card_pci *pci = card->self;
    if (!valid(offset) || !pci->writable)
        return CARD_REFUSED;
    pci->bar[offset / 4] = value;
    return 0;
}

static uint64_t pci_now(struct card *card)
{
    uint64_t ns;
    return relay_time(card, &ns) == 0 ? ns : 0;
}

static void pci_close(struct card *card)
{
    struct card_pci *pci = card->self;
    munmap((void *)(uintptr_t)pci->bar, RELAY_BAR_BYTES);
    close(pci->fd); /* gives the lock up */
    pci->bar = NULL;
    pci->fd = -1;
}

static const struct card_ops pci_ops = {
    .read = pci_read,
    .write = pci_write,
    .now = pci_now,
    .close = pci_close,
};

/* Why opening or mapping failed, as far as Linux lets a program find out. */
static void explain(struct sb_error *error, struct slot slot, const char *doing, int code)
{
    char name[SLOT_NAME], advice[sizeof error->advice] = "", driver[KERNEL_NAME], level[KERNEL_NAME];
    slot_name(slot, name);
    if (kernel_lockdown(level) && (code == EPERM || code == EACCES) && geteuid() == 0)
        snprintf(advice, sizeof advice,
                 "The kernel is locked down (%s), as Secure Boot makes it, and gives no program a device's "
                 "memory. Boot with Secure Boot off, or reach the card another way than PCI.",
                 level);
    else if (code == EPERM || code == EACCES)
        snprintf(advice, sizeof advice,
                 "Run as root, or install the udev rule of this package and join the group signalbox.");
    else if (code == EINVAL && kernel_driver(slot, driver))
        snprintf(advice, sizeof advice,
                 "Driver %s holds the card, and this kernel gives claimed device memory to nobody else "
                 "(IO_STRICT_DEVMEM). Unbind it: echo %s > /sys/bus/pci/drivers/%s/unbind",
                 driver, name, driver);
    else if (code == EINVAL)
        snprintf(advice, sizeof advice,
                 "The kernel gives this memory away to nobody (IO_STRICT_DEVMEM): boot with iomem=relaxed.");
    else if (code == ENOENT)
        snprintf(advice, sizeof advice,
                 "BAR 0 has no address, or sysfs offers no mapping: see `lspci -vs %s` and the kernel log; "
                 "`echo 1 > /sys/bus/pci/rescan` after the card was programmed.",
                 name);
    sb_error_set(error, advice, "%s: %s: %s", name, doing, strerror(code));
}

static int check_identity(struct card_pci *pci, struct sb_error *error)
{
    char name[SLOT_NAME], advice[sizeof error->advice];
    struct relay_identity identity;
    slot_name(pci->slot, name);
    /* What such a read returns is anybody's: ones on most machines, 0 in QEMU. */
    const int command = kernel_command(pci->slot);
    const bool off = command >= 0 && !(command & KERNEL_COMMAND_MEMORY);
    int result = off ? CARD_GONE : relay_identify(&pci->card, &identity);
    if (off) {
        snprintf(advice, sizeof advice,
                 "Switch it on: echo 1 > /sys/bus/pci/devices/%s/enable, or setpci -s %s COMMAND=2:2", name,
                 name);
        sb_error_set(error, advice, "%s: memory decoding is off", name);
    } else if (result == CARD_GONE) {
        snprintf(
            advice, sizeof advice,
            "Look at `lspci -vvs %s` (LnkSta) and the kernel log. A card that was programmed anew needs its "
            "function removed and the bus rescanned.",
            name);
        sb_error_set(error, advice, "%s: the card does not answer: all reads return ones", name);
    } else if (result) {
        sb_error_set(error, "The circuit and this program are of different versions: update the older one.",
                     "%s: ID 0x%08x, register map %u.%u; this program knows \"SGBX\" with map %u", name,
                     identity.id, identity.map_major, identity.map_minor, RELAY_MAP_MAJOR);
    }
    return result;
}

/*
 * Locks byte 0 of resource0 for steering and byte 1 for the trace, so that a storm can be limited while it is
 * recorded. 0: locked; else the process that has the lock, -1: not known.
 */
static pid_t lock_parts(int fd, enum card_pci_mode mode, bool *trace)
{
    for (int part = 0; part < 2; part++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = part, .l_len = 1};
        if (!(mode >> part & 1) || fcntl(fd, F_SETLK, &lock) == 0)
            continue;
        *trace = part == 1;
        return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0 ? lock.l_pid : -1;
    }
    return 0;
}

static void say_who_locks(struct sb_error *error, struct slot slot, pid_t holder, bool trace)
{
    char name[SLOT_NAME], process[32] = "";
    if (holder > 0)
        snprintf(process, sizeof process, " (process %d)", (int)holder);
    sb_error_set(error, "Wait for it to end, or end it.", "%s: another program%s %s this card",
                 slot_name(slot, name), process, trace ? "records a trace of" : "steers");
}

int card_pci_open(struct card_pci *pci, struct slot slot, enum card_pci_mode mode, struct sb_error *error)
{
    char name[SLOT_NAME], path[128];
    struct stat st;
    *pci = (struct card_pci){.card = {&pci_ops, pci}, .slot = slot, .writable = mode != CARD_PCI_READ};
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource0", slot_name(slot, name));

    pci->fd = open(path, (pci->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (pci->fd < 0) {
        explain(error, slot, "BAR 0 can't be opened", errno);
        return CARD_REFUSED;
    }
    bool trace;
    const pid_t holder = lock_parts(pci->fd, mode, &trace);
    if (holder) {
        say_who_locks(error, slot, holder, trace);
        close(pci->fd);
        return CARD_REFUSED;
    }
    if (fstat(pci->fd, &st) == 0 && st.st_size < (off_t)RELAY_BAR_BYTES) {
        sb_error_set(error, NULL, "%s: BAR 0 has %lld bytes, a relay's has %u", name, (long long)st.st_size,
                     RELAY_BAR_BYTES);
        close(pci->fd);
        return CARD_FOREIGN;
    }
    void *bar =
        mmap(NULL, RELAY_BAR_BYTES, PROT_READ | (pci->writable ? PROT_WRITE : 0), MAP_SHARED, pci->fd, 0);
    if (bar == MAP_FAILED) {
        explain(error, slot, "BAR 0 can't be mapped", errno);
        close(pci->fd);
        return CARD_REFUSED;
    }
    pci->bar = bar;
    int result = check_identity(pci, error);
    if (result)
        pci_close(&pci->card);
    return result;
}

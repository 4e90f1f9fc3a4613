/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a small file without its last newline; the number of bytes, -1 when it can't be read. */
static ssize_t slurp(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t have = 0;
    ssize_t n;
    while (have < size - 1 && (n = read(fd, text + have, size - 1 - have)) > 0)
        have += (size_t)n;
    close(fd);
    if (have > 0 && text[have - 1] == '\n')
        have--;
    text[have] = 0;
    return (ssize_t)have;
}

static void device_path(struct slot slot, const char *leaf, char *path, size_t size)
{
    char name[SLOT_NAME];
    snprintf(path, size, "/sys/bus/pci/devices/%s%s%s", slot_name(slot, name), *leaf ? "/" : "", leaf);
}

bool kernel_driver(struct slot slot, char name[KERNEL_NAME])
{
    char path[128], target[256];
    device_path(slot, "driver", path, sizeof path);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return false;
    target[n] = 0;
    const char *slash = strrchr(target, '/');
    snprintf(name, KERNEL_NAME, "%.*s", KERNEL_NAME - 1, slash ? slash + 1 : target);
    return true;
}

bool kernel_lockdown(char level[KERNEL_NAME])
{
    char text[256]; /* "none [integrity] confidentiality" */
    if (slurp("/sys/kernel/security/lockdown", text, sizeof text) < 0)
        return false;
    const char *open = strchr(text, '['), *close = strchr(text, ']');
    if (!open || !close || close < open)
        return false;
    snprintf(level, KERNEL_NAME, "%.*s", (int)(close - open - 1), open + 1);
    return strcmp(level, "none") != 0;
}

bool kernel_present(struct slot slot)
{
    char path[128], name[SLOT_NAME];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s", slot_name(slot, name));
    return access(path, F_OK) == 0;
}

int kernel_command(struct slot slot)
{
    char path[128];
    uint8_t command[2];
    device_path(slot, "config", path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = pread(fd, command, sizeof command, 4);
    close(fd);
    return n == (ssize_t)sizeof command ? command[0] | command[1] << 8 : -1;
}

bool kernel_attribute(struct slot slot, const char *leaf, char *text, size_t size)
{
    char path[192];
    device_path(slot, leaf, path, sizeof path);
    return slurp(path, text, size) >= 0;
}

bool kernel_has_irq_folder(void)
{
    return access("/sys/kernel/irq", R_OK | X_OK) == 0;
}

/* ---- lines ----------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
    return (left > right) - (left < right);
}

static void read_msi(struct slot slot, struct kernel_lines *lines)
{
    char path[128], file[400], mode[16];
    device_path(slot, "msi_irqs", path, sizeof path);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) && lines->n_msi < KERNEL_MSI_MAX;) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        unsigned *grown = realloc(lines->msi, (lines->n_msi + 1) * sizeof *grown);
        if (!grown)
            break;
        lines->msi = grown;
        lines->msi[lines->n_msi++] = (unsigned)strtoul(entry->d_name, NULL, 10);
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        lines->msix |= slurp(file, mode, sizeof mode) >= 0 && strcmp(mode, "msix") == 0;
    }
    closedir(folder);
    if (lines->n_msi)
        qsort(lines->msi, lines->n_msi, sizeof *lines->msi, by_number);
}

bool kernel_lines(struct slot slot, struct kernel_lines *lines)
{
    char path[128], text[32];
    *lines = (struct kernel_lines){0};
    device_path(slot, "irq", path, sizeof path);
    if (slurp(path, text, sizeof text) < 0)
        return false;
    lines->intx = (unsigned)strtoul(text, NULL, 10);
    read_msi(slot, lines);
    /* With MSI on, the file names the first vector's interrupt instead of the line's. */
    if (lines->n_msi)
        lines->intx = 0;
    return true;
}

void kernel_lines_free(struct kernel_lines *lines)
{
    free(lines->msi);
    *lines = (struct kernel_lines){0};
}

/* ---- interrupts ------------------------------------------------------------------------------------ */

/* "100,0,7" */
static uint64_t sum(const char *text)
{
    uint64_t total = 0;
    char *end;
    for (; isdigit((unsigned char)*text); text = *end == ',' ? end + 1 : end)
        total += strtoull(text, &end, 10);
    return total;
}

static void attribute(unsigned number, const char *leaf, char *text, size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "/sys/kernel/irq/%u/%s", number, leaf);
    if (slurp(path, text, size) < 0)
        *text = 0;
}

/*
 * "  21:  100  0  IO-APIC  21-fasteoi   virtio0, edu": a count for each CPU, as many as the first line names;
 * the chip; the hardware's number and flow; then, behind three spaces, the handlers.
 */
bool kernel_parse_interrupts(FILE *text, unsigned number, struct kernel_irq *irq)
{
    char *line = NULL;
    size_t size = 0;
    unsigned cpus = 0;
    bool found = false;
    *irq = (struct kernel_irq){0};
    if (getline(&line, &size, text) > 0)
        for (const char *at = line; (at = strstr(at, "CPU")); at++)
            cpus++;
    while (!found && getline(&line, &size, text) > 0) {
        char *end;
        const unsigned long label = strtoul(line, &end, 10);
        if (end == line || *end != ':' || label != number)
            continue;
        found = true;
        const char *at = end + 1;
        for (unsigned i = 0; i < cpus; i++, at = end)
            irq->count += strtoull(at, &end, 10);
        at += strspn(at, " ");
        const size_t chip = strcspn(at, " \n");
        snprintf(irq->chip, sizeof irq->chip, "%.*s", (int)chip, at);
        at += chip + strspn(at + chip, " ");
        at += strcspn(at, " \n"); /* number and flow */
        at += strspn(at, " ");
        snprintf(irq->actions, sizeof irq->actions, "%.*s", (int)strcspn(at, "\n"), at);
    }
    free(line);
    return found;
}

static bool from_proc(unsigned number, struct kernel_irq *irq)
{
    FILE *file = fopen("/proc/interrupts", "re");
    if (!file)
        return false;
    const bool found = kernel_parse_interrupts(file, number, irq);
    fclose(file);
    return found;
}

bool kernel_irq(unsigned number, struct kernel_irq *irq)
{
    char path[96], text[16384]; /* a count for each of up to 1,500 CPUs */
    *irq = (struct kernel_irq){0};
    snprintf(path, sizeof path, "/sys/kernel/irq/%u/per_cpu_count", number);
    if (!kernel_has_irq_folder())
        return from_proc(number, irq);
    if (slurp(path, text, sizeof text) < 0)
        return false;
    irq->count = sum(text);
    attribute(number, "chip_name", irq->chip, sizeof irq->chip);
    attribute(number, "actions", irq->actions, sizeof irq->actions);
    return irq->actions[0] != 0;
}

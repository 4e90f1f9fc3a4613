/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_memory.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The peer owns the files behind the mappings and can cut them short at any time; the next access then gets
 * SIGBUS. The handler puts a zero page there, so that the access goes on, and counts. Any other SIGBUS keeps
 * its default end.
 */
static struct {
    struct {
        uint8_t *start;
        size_t size;
    } ranges[8 * GUEST_MEMORY_MAPS];
    volatile sig_atomic_t lost;
    bool installed;
} mapped;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    uint8_t *at = info->si_addr;
    long page = sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof mapped.ranges / sizeof *mapped.ranges; i++) {
        uint8_t *start = mapped.ranges[i].start;
        if (start && at >= start && at < start + mapped.ranges[i].size) {
            uint8_t *line = at - (size_t)(at - start) % (size_t)page;
            void *fresh = mmap(line, (size_t)page, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            if (fresh != MAP_FAILED) {
                mapped.lost++;
                return;
            }
        }
    }
    signal(number, SIG_DFL);
}

static bool remember(uint8_t *start, size_t size)
{
    if (!mapped.installed) {
        struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
        sigaction(SIGBUS, &action, NULL);
        mapped.installed = true;
    }
    for (size_t i = 0; i < sizeof mapped.ranges / sizeof *mapped.ranges; i++) {
        if (!mapped.ranges[i].start) {
            mapped.ranges[i].size = size;
            mapped.ranges[i].start = start;
            return true;
        }
    }
    return false;
}

static void release(struct guest_map *map)
{
    if (!map->host) {
        return;
    }
    for (size_t i = 0; i < sizeof mapped.ranges / sizeof *mapped.ranges; i++) {
        if (mapped.ranges[i].start == map->host) {
            mapped.ranges[i].start = NULL;
        }
    }
    munmap(map->host, map->size);
}

/* Index of the first map that ends above address. */
static unsigned find(const struct guest_memory *m, uint64_t address)
{
    unsigned i = 0;
    while (i < m->count && m->maps[i].address + (m->maps[i].size - 1) < address) {
        i++;
    }
    return i;
}

static uint8_t *map_file(uint64_t size, unsigned access, int fd, uint64_t offset, int *error)
{
    struct stat file;
    if (fstat(fd, &file) != 0) {
        *error = errno;
        return NULL;
    }
    uint64_t end;
    if (file.st_size < 0 || __builtin_add_overflow(offset, size, &end) || end > (uint64_t)file.st_size) {
        *error = EINVAL;
        return NULL;
    }
    int protection =
        (access & GUEST_READ ? PROT_READ : PROT_NONE) | (access & GUEST_WRITE ? PROT_WRITE : PROT_NONE);
    void *host = mmap(NULL, size, protection, MAP_SHARED, fd, (off_t)offset);
    if (host == MAP_FAILED) {
        *error = errno;
        return NULL;
    }
    if (!remember(host, size)) {
        munmap(host, size);
        *error = ENOSPC;
        return NULL;
    }
    return host;
}

int guest_memory_map(struct guest_memory *m, uint64_t address, uint64_t size, unsigned access, int fd,
                     uint64_t offset)
{
    if (size == 0 || address + (size - 1) < address || (access & ~3u) || access == 0) {
        return EINVAL;
    }
    unsigned at = find(m, address);
    if (at < m->count && m->maps[at].address <= address + (size - 1)) {
        return EEXIST;
    }
    if (m->count == GUEST_MEMORY_MAPS) {
        return ENOSPC;
    }
    struct guest_map map = {.address = address, .size = size, .access = access};
    if (fd >= 0) {
        int error = 0;
        map.host = map_file(size, access, fd, offset, &error);
        if (!map.host) {
            return error;
        }
    }
    memmove(&m->maps[at + 1], &m->maps[at], (m->count - at) * sizeof *m->maps);
    m->maps[at] = map;
    m->count++;
    return 0;
}

int guest_memory_unmap(struct guest_memory *m, uint64_t address, uint64_t size)
{
    if (size == 0 || address + (size - 1) < address) {
        return EINVAL;
    }
    uint64_t last = address + (size - 1);
    unsigned first = find(m, address), end = first;
    for (; end < m->count && m->maps[end].address <= last; end++) {
        uint64_t map_last = m->maps[end].address + (m->maps[end].size - 1);
        if (m->maps[end].address < address || map_last > last) {
            return EINVAL;
        }
    }
    for (unsigned i = first; i < end; i++) {
        release(&m->maps[i]);
    }
    memmove(&m->maps[first], &m->maps[end], (m->count - end) * sizeof *m->maps);
    m->count -= end - first;
    m->recent = 0;
    return 0;
}

void guest_memory_clear(struct guest_memory *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        release(&m->maps[i]);
    }
    m->count = 0;
    m->recent = 0;
}

/* The map that holds address; null: none. The last one found is tried first. */
static const struct guest_map *look_up(struct guest_memory *m, uint64_t address)
{
    if (m->recent < m->count) {
        const struct guest_map *map = &m->maps[m->recent];
        if (address >= map->address && address - map->address < map->size) {
            return map;
        }
    }
    unsigned i = find(m, address);
    if (i == m->count || m->maps[i].address > address) {
        return NULL;
    }
    m->recent = i;
    return &m->maps[i];
}

/* Bytes from address that one map holds with the rights (0: any) and, if wanted, a mapping; at most n. */
static size_t run_of(struct guest_memory *m, uint64_t address, size_t n, unsigned access, uint8_t **host)
{
    const struct guest_map *map = look_up(m, address);
    if (!map || (map->access & access) != access || (host && !map->host)) {
        return 0;
    }
    uint64_t into = address - map->address, room = map->size - into;
    if (host) {
        *host = map->host + into;
    }
    return room < n ? (size_t)room : n;
}

static bool covered(struct guest_memory *m, uint64_t address, size_t n, unsigned access, bool mapping)
{
    uint8_t *host;
    while (n) {
        size_t run = run_of(m, address, n, access, mapping ? &host : NULL);
        if (!run) {
            return false;
        }
        address += run;
        n -= run;
    }
    return true;
}

bool guest_memory_read(struct guest_memory *m, uint64_t address, void *bytes, size_t n)
{
    if (!covered(m, address, n, GUEST_READ, true)) {
        return false;
    }
    for (uint8_t *to = bytes, *host; n;) {
        size_t run = run_of(m, address, n, GUEST_READ, &host);
        memcpy(to, host, run);
        to += run;
        address += run;
        n -= run;
    }
    return true;
}

bool guest_memory_write(struct guest_memory *m, uint64_t address, const void *bytes, size_t n)
{
    if (!covered(m, address, n, GUEST_WRITE, true)) {
        return false;
    }
    uint8_t *host;
    for (const uint8_t *from = bytes; n;) {
        size_t run = run_of(m, address, n, GUEST_WRITE, &host);
        memcpy(host, from, run);
        from += run;
        address += run;
        n -= run;
    }
    return true;
}

bool guest_memory_known(struct guest_memory *m, uint64_t address, size_t n)
{
    return covered(m, address, n, 0, false);
}

uint64_t guest_memory_lost(void)
{
    return (uint64_t)mapped.lost;
}

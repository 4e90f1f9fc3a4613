/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv_page.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES_MOST (1u << 20)

/* ---- where they are --------------------------------------------------------------------------------- */

bool hv_page_is_lpar(void)
{
    unsigned a, b, c, d;
    char signature[13] = "";

    __cpuid(1, a, b, c, d);
    if (c >> 31) {
        __cpuid(0x40000000, a, b, c, d);
        memcpy(signature, &b, 4);
        memcpy(signature + 4, &c, 4);
        memcpy(signature + 8, &d, 4);
    }
    return strcmp(signature, STATISTICS_SIGNATURE) == 0 && a >= STATISTICS_LEAF;
}

/* False, said: this is no LPAR, or its statistics are none that we know. */
static bool find(struct invocation *invocation, uint64_t *address, size_t *size)
{
    unsigned a, b, c, d;

    if (!hv_page_is_lpar()) {
        fprintf(invocation->err, "signalbox: this is no LPAR of Signalbox's hypervisor\n");
        return false;
    }
    __cpuid(STATISTICS_LEAF, a, b, c, d);
    if (a != STATISTICS_VERSION) {
        fprintf(invocation->err,
                "signalbox: the hypervisor keeps statistics of version %u, this command reads %u\n", a,
                STATISTICS_VERSION);
        return false;
    }
    *address = (uint64_t)c << 32 | b;
    *size = d;
    return true;
}

static bool map(struct invocation *invocation, struct hv_page *page)
{
    uint64_t address;
    void *memory = MAP_FAILED;
    int error;

    if (!find(invocation, &address, &page->size) || page->size > BYTES_MOST)
        return false;
    int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        memory = mmap(NULL, page->size, PROT_READ, MAP_SHARED, fd, (off_t)address);
    error = errno;
    if (fd >= 0)
        close(fd);
    if (memory == MAP_FAILED) {
        fprintf(invocation->err, "signalbox: /dev/mem: %s%s\n", strerror(error),
                error == EACCES || error == EPERM ? " (only root reads it)" : "");
        return false;
    }
    page->bytes = malloc(page->size);
    if (page->bytes)
        memcpy(page->bytes, memory, page->size);
    munmap(memory, page->size);
    return page->bytes || command_no_memory(invocation) == EXIT_OK;
}

static bool load(struct invocation *invocation, const char *name, struct hv_page *page)
{
    FILE *file = fopen(name, "re");
    page->bytes = file ? malloc(BYTES_MOST) : NULL;
    if (page->bytes)
        page->size = fread(page->bytes, 1, BYTES_MOST, file);
    if (!page->bytes || ferror(file))
        fprintf(invocation->err, "signalbox: %s: %s\n", name, strerror(errno));
    bool good = page->bytes && !ferror(file);
    if (file)
        fclose(file);
    return good;
}

/* ---- whether they are whole -------------------------------------------------------------------------- */

static bool functions_are_whole(struct hv_page *page)
{
    struct statistics_functions *head = &page->functions;
    const size_t at = page->head.functions, size = page->size - at;

    if (at > page->size || size < offsetof(struct statistics_functions, function))
        return false;
    memcpy(head, page->bytes + at, offsetof(struct statistics_functions, function));
    return head->stride >= sizeof(struct statistics_function) && head->stride <= size &&
           head->first <= size && (size - head->first) / head->stride >= head->count;
}

/* Whether everything that the header names lies inside. */
static bool whole(struct hv_page *page)
{
    struct statistics *head = &page->head;
    const size_t size = page->size;

    if (size < offsetof(struct statistics, kind))
        return false;
    memcpy(head, page->bytes, offsetof(struct statistics, kind));
    head->lpar[sizeof head->lpar - 1] = 0;
    if (head->magic != STATISTICS_MAGIC || head->version != STATISTICS_VERSION || head->kinds > 256 ||
        head->names > size || (size - head->names) / STATISTICS_NAME < head->kinds ||
        head->exits < offsetof(struct statistics_cpu, exits) || head->exits > size || head->stride > size ||
        head->stride < head->exits + head->kinds * sizeof(uint64_t) || head->cpu > size ||
        (size - head->cpu) / head->stride < head->cpus)
        return false;
    if (head->names < offsetof(struct statistics, kind))
        head->functions = 0; /* a header without that member */
    return head->functions == 0 || functions_are_whole(page);
}

bool hv_page_load(struct invocation *invocation, const char *file, struct hv_page *page)
{
    *page = (struct hv_page){0};
    if (!(file ? load(invocation, file, page) : map(invocation, page)))
        return false;
    if (whole(page))
        return true;
    fprintf(invocation->err, "signalbox: %s: these are no statistics of the hypervisor's\n",
            file ? file : "/dev/mem");
    return false;
}

struct statistics_function hv_page_function(const struct hv_page *page, unsigned index)
{
    struct statistics_function f;

    memcpy(&f,
           page->bytes + page->head.functions + page->functions.first +
               (size_t)index * page->functions.stride,
           sizeof f);
    f.lpar[sizeof f.lpar - 1] = 0;
    return f;
}

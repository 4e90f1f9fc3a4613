/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include "boot.h"
#include "exception.h"
#include "lock.h"
#include "log.h"
#include "machine.h"

#include <string.h>

/* Enough for 32 LPARs on 64 CPUs with 4 GiB each; more CPUs are paid for by the CPU. */
#define POOL_BYTES (4u << 20)

static struct lock lock;
static uint64_t start, next, end;

void frames_init(const struct boot *boot)
{
    start = next = boot_find_memory(boot, POOL_BYTES, 4ull << 30);
    if (!start)
        panic("no %u MiB of free memory for the hypervisor below 4 GiB", POOL_BYTES >> 20);
    end = start + POOL_BYTES;
}

void *frames_try(size_t bytes)
{
    void *frames = 0;

    bytes = (bytes + FRAME_SIZE - 1) & ~(size_t)(FRAME_SIZE - 1);
    lock_take(&lock);
    if (bytes <= end - next) {
        frames = (void *)next;
        next += bytes;
    }
    lock_release(&lock);
    if (frames)
        memset(frames, 0, bytes);
    return frames;
}

void *frames_take(size_t bytes)
{
    void *frames = frames_try(bytes);

    if (!frames)
        panic("the hypervisor's %u MiB of memory are used up", POOL_BYTES >> 20);
    return frames;
}

void frames_range(uint64_t *from, uint64_t *to, uint64_t *used)
{
    *from = start;
    *to = end;
    *used = next - start;
}

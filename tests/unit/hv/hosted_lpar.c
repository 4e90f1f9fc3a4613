/* SPDX-License-Identifier: BSD-2-Clause */
#include "hosted_lpar.h"

#include "hosted.h"
#include "log.h"
#include "mux.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static char output[1 << 18];
static size_t length;

static void sink(const char *text, size_t size)
{
    if (size > sizeof output - 1 - length)
        size = sizeof output - 1 - length;
    memcpy(output + length, text, size);
    length += size;
}

const char *hosted_output(void)
{
    return output;
}

struct lpar *hosted_lpar(const void *kernel, size_t size, unsigned cpus, size_t bytes,
                         const char *command_line)
{
    struct lpar_plan plan = {.name = "guest", .cpus = cpus, .bytes = bytes, .console = true, .x2apic = true};
    static struct carve carve;
    /* Large pages, as an LPAR's memory is made of. */
    uint8_t *memory = aligned_alloc(2 << 20, bytes);

    mux_sink(sink);
    log_sink(mux_write);
    if (!memory)
        return 0;
    memset(memory, 0, bytes);
    carve_add(&carve, (uintptr_t)memory, (uintptr_t)memory + bytes);
    for (unsigned i = 0; i < cpus; i++)
        plan.cpu[i] = i;
    plan.boot.kernel = (struct boot_image){.data = kernel, .size = size};
    plan.boot.command_line = command_line;
    return lpar_create(&plan, &hosted_ops, &carve);
}

static void *run_cpu(void *vcpu)
{
    lpar_cpu(vcpu);
}

void hosted_lpar_run(struct lpar *lpar, uint64_t limit, const char *last)
{
    pthread_t thread[LPAR_CPUS];

    for (unsigned i = 0; i < lpar->cpus; i++)
        lpar->vcpu[i]->ready = true;
    if (!lpar_start(lpar))
        return;
    for (unsigned i = 0; i < lpar->cpus; i++)
        pthread_create(&thread[i], 0, run_cpu, lpar->vcpu[i]);
    do {
        sched_yield();
        if (hosted_ops.ticks() > limit || (last && strstr(output, last)))
            lpar_stop(lpar, WANT_OFF);
    } while (__atomic_load_n(&lpar->state, __ATOMIC_ACQUIRE) == LPAR_STARTING ||
             __atomic_load_n(&lpar->state, __ATOMIC_ACQUIRE) == LPAR_RUNNING);
    hosted_end();
    for (unsigned i = 0; i < lpar->cpus; i++)
        pthread_join(thread[i], 0);
}

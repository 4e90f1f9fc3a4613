/* SPDX-License-Identifier: BSD-2-Clause */
/* A ticket lock: CPUs get it in the order in which they asked. Zeroed, it is free. Does not nest. */
#ifndef LOCK_H
#define LOCK_H

#include "relax.h"

#include <stdint.h>

struct lock {
    uint32_t next, serving;
};

static inline void lock_take(struct lock *lock)
{
    uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
        relax();
}

static inline void lock_release(struct lock *lock)
{
    __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What test suites for hypervisors expect of their emulator (QEMU's isa-debug-exit and pc-testdev): an exit
 * port, a latch, inputs of the I/O APIC as ports, and memory that is reached by exits only. An LPAR has it
 * only if its partition says so.
 */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

#include "device.h"

#define TEST_EXIT_PORT    0xf4u
#define TEST_LATCH_PORT   0xe0u
#define TEST_FLUSH_PORT   0xe4u
#define TEST_LINE_PORT    0x2000u
#define TEST_LINES        24u
#define TEST_MEMORY       0xff000000ull
#define TEST_MEMORY_BYTES 0x10000u

struct test_device {
    const struct device_env *env;
    uint8_t latch[4];
    uint8_t *memory; /* TEST_MEMORY_BYTES, or null */
    bool exited;
    uint32_t code; /* what was written to the exit port */
    uint64_t flushes;
};

int test_device_add(struct test_device *test, const struct device_env *env, uint8_t *memory,
                    struct bus *ports, struct bus *space);

#endif

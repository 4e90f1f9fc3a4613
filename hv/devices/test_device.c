/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "test_device.h"

static uint64_t exit_read(void *device, uint64_t offset, unsigned size)
{
    (void)offset;
    (void)size;
    return ((struct test_device *)device)->code;
}

static void exit_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct test_device *test = device;
    (void)offset;
    (void)size;
    test->exited = true;
    test->code = (uint32_t)value;
    test->env->power(test->env->owner, POWER_OFF);
}

static uint64_t latch_read(void *device, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, ((struct test_device *)device)->latch + offset, size);
    return value;
}

static void latch_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    memcpy(((struct test_device *)device)->latch + offset, &value, size);
}

/* Nothing is cached here that a guest could want flushed: being asked is all there is to count. */
static uint64_t flush_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return ~0ull;
}

static void flush_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    (void)offset;
    (void)size;
    (void)value;
    ((struct test_device *)device)->flushes++;
}

static uint64_t line_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    (void)offset;
    (void)size;
    return 0;
}

static void line_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct test_device *test = device;
    (void)size;
    test->env->line(test->env->owner, (unsigned)offset, value != 0);
    /* The same wires enter a PIC, whose second half a PC's firmware maps to vectors from 70h. */
    if (value && offset >= 8 && offset < 16 && test->env->legacy)
        test->env->legacy(test->env->owner, (uint8_t)(0x70 + offset - 8));
}

static uint64_t memory_read(void *device, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, ((struct test_device *)device)->memory + offset, size);
    return value;
}

static void memory_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    memcpy(((struct test_device *)device)->memory + offset, &value, size);
}

static const struct device_ops exit_ops = {.name = "test-exit", .read = exit_read, .write = exit_write};
static const struct device_ops latch_ops = {.name = "test-latch", .read = latch_read, .write = latch_write};
static const struct device_ops flush_ops = {.name = "test-flush", .read = flush_read, .write = flush_write};
static const struct device_ops line_ops = {.name = "test-lines", .read = line_read, .write = line_write};
static const struct device_ops memory_ops = {
    .name = "test-memory", .read = memory_read, .write = memory_write};

int test_device_add(struct test_device *test, const struct device_env *env, uint8_t *memory,
                    struct bus *ports, struct bus *space)
{
    *test = (struct test_device){.env = env, .memory = memory};
    int result = bus_add(ports, TEST_EXIT_PORT, 4, &exit_ops, test);
    if (!result)
        result = bus_add(ports, TEST_LATCH_PORT, sizeof test->latch, &latch_ops, test);
    if (!result)
        result = bus_add(ports, TEST_FLUSH_PORT, 4, &flush_ops, test);
    if (!result)
        result = bus_add(ports, TEST_LINE_PORT, TEST_LINES, &line_ops, test);
    if (!result && memory)
        result = bus_add(space, TEST_MEMORY, TEST_MEMORY_BYTES, &memory_ops, test);
    return result;
}

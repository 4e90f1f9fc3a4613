/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions of a machine an LPAR can have, and what becomes of the others. */
#include <criterion/criterion.h>
#include <string.h>

#include "functions.h"
#include "pci_config.h"

enum { BRIDGE = PCI_ID(0, 1, 0), DISK = PCI_ID(0, 2, 0), RELAY = PCI_ID(2, 0, 0) };

static uint8_t config[0x10000][256];

static uint32_t host_read(void *self, uint16_t id, uint32_t offset, unsigned size)
{
    uint32_t value = 0;
    (void)self;
    memcpy(&value, config[id] + offset, size);
    return value;
}

static void host_write(void *self, uint16_t id, uint32_t offset, unsigned size, uint32_t value)
{
    (void)self;
    if (offset >= CONFIG_BAR && offset < CONFIG_BAR + 4 * PCI_BARS)
        value = offset == CONFIG_BAR ? value & ~0xfffu : 0; /* one BAR of 4 KiB */
    memcpy(config[id] + offset, &value, size);
}

static const struct pci_host host = {.read = host_read, .write = host_write, .last_bus = 255};

static void add(uint16_t id, uint32_t ids, uint8_t header, uint32_t bar)
{
    memset(config[id], 0, sizeof config[id]);
    memcpy(config[id], &ids, sizeof ids);
    config[id][CONFIG_COMMAND] = COMMAND_MEMORY | COMMAND_MASTER;
    config[id][CONFIG_HEADER] = header;
    memcpy(config[id] + CONFIG_BAR, &bar, sizeof bar);
}

static bool is_memory(void *owner, uint64_t start, uint64_t end)
{
    (void)owner;
    return start < 0x40000000 && end > 0;
}

static void set_up(void)
{
    memset(config, 0xff, sizeof config);
    add(BRIDGE, 0x000c1b36, HEADER_BRIDGE, 0);
    config[BRIDGE][CONFIG_BUSES + 1] = 2;
    add(DISK, 0x29228086, 0, 0xfeb00000);
    add(RELAY, 0x51601209, HEADER_MANY, 0xfe000000);
    add(RELAY | 1, 0x51611209, HEADER_MANY, 0xfe010000);
    add(RELAY | 2, 0x51611209, HEADER_MANY, 0x10000000);
    add(RELAY | 3, 0x51611209, HEADER_MANY, 0);
    functions.is_memory = is_memory;
    functions_read(&host);
}

static const char *refusal(uint16_t segment, uint16_t id)
{
    return functions_refusal(&(struct partition_function){
        .segment = segment, .bus = (uint8_t)(id >> 8), .slot = id >> 3 & 31, .function = id & 7});
}

static bool says(const char *why, const char *word)
{
    return why && strstr(why, word);
}

Test(functions, what_is_behind_the_relay_can_be_had)
{
    set_up();
    cr_assert_null(refusal(0, RELAY | 1));
    cr_assert_eq(functions_take(&(struct partition_function){.bus = 2, .function = 1})->bar[0].size, 4096);
}

Test(functions, all_others_cannot_and_it_is_said_why)
{
    set_up();
    cr_assert(says(refusal(1, RELAY | 1), "segment"));
    cr_assert(says(refusal(0, RELAY | 5), "not there"));
    cr_assert(says(refusal(0, BRIDGE), "bridge"));
    cr_assert(says(refusal(0, RELAY), "hypervisor's"));
    cr_assert(says(refusal(0, DISK), "not behind the relay"));
    cr_assert(says(refusal(0, RELAY | 2), "memory"));
    cr_assert(says(refusal(0, RELAY | 3), "no address"));
}

Test(functions, all_are_silenced)
{
    const uint16_t endpoints[] = {DISK, RELAY, RELAY | 1, RELAY | 2};

    set_up();
    for (unsigned i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        const uint32_t command = host_read(0, endpoints[i], CONFIG_COMMAND, 2);

        cr_assert_not(command & COMMAND_MASTER, "%x", endpoints[i]);
        cr_assert(command & COMMAND_NO_INTX, "%x", endpoints[i]);
    }
    cr_assert(host_read(0, BRIDGE, CONFIG_COMMAND, 2) & COMMAND_MASTER, "functions behind it need that");
}

Test(functions, none_where_there_is_no_way_to_them)
{
    functions_read(0);
    cr_assert(says(refusal(0, RELAY | 1), "ECAM"));
}

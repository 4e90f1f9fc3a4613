/* SPDX-License-Identifier: BSD-2-Clause */
#include "functions.h"

#include "exerciser.h"
#include "function_keys.h"
#include "serial.h"
#include "virtio_blk.h"
#include "virtio_net.h"

#include <errno.h>
#include <string.h>

static struct function *open_exerciser(struct function_keys *keys, char *error, size_t error_size)
{
    struct exerciser_options options = {
        .pin = keys_pin(keys, 1),
        .msi = keys_bool(keys, "msi", true),
        .msix = keys_bool(keys, "msix", true),
    };
    if (!keys_finish(keys)) {
        return NULL;
    }
    struct function *f = exerciser_open(&options);
    if (!f) {
        snprintf(error, error_size, "no memory");
    }
    return f;
}

static struct function *open_serial(struct function_keys *keys, char *error, size_t error_size)
{
    struct serial_options options = {.pin = keys_pin(keys, 1), .msi = keys_bool(keys, "msi", true)};
    if (!keys_finish(keys)) {
        return NULL;
    }
    struct function *f = serial_open(&options);
    if (!f) {
        snprintf(error, error_size, "no memory");
    }
    return f;
}

static struct function *open_virtio_blk(struct function_keys *keys, char *error, size_t error_size)
{
    struct virtio_blk_options options = {
        .file = keys_text(keys, "file"),
        .serial = keys_text(keys, "serial"),
        .read_only = keys_bool(keys, "readonly", false),
        .pin = keys_pin(keys, 1),
        .msix = keys_bool(keys, "msix", true),
    };
    if (!keys_finish(keys)) {
        return NULL;
    }
    if (!options.file) {
        snprintf(error, error_size, "file=PATH is needed");
        return NULL;
    }
    struct function *f = virtio_blk_open(&options);
    if (!f) {
        snprintf(error, error_size, "%s: %s", options.file,
                 errno == EINVAL ? "smaller than a sector" : strerror(errno));
    }
    return f;
}

static bool parse_mac(const char *text, uint8_t mac[VIRTIO_NET_MAC])
{
    int end = 0;
    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                  &mac[5], &end) == VIRTIO_NET_MAC &&
           text[end] == 0 && (mac[0] & 1) == 0;
}

static struct function *open_virtio_net(struct function_keys *keys, char *error, size_t error_size)
{
    uint8_t mac[VIRTIO_NET_MAC];
    const char *mac_text = keys_text(keys, "mac");
    struct virtio_net_options options = {
        .link = keys_text(keys, "link"),
        .mac = mac_text != NULL ? mac : NULL,
        .pin = keys_pin(keys, 1),
        .msix = keys_bool(keys, "msix", true),
    };
    if (!keys_finish(keys)) {
        return NULL;
    }
    if (options.link == NULL || *options.link == 0) {
        snprintf(error, error_size, "link=NAME is needed");
        return NULL;
    }
    if (mac_text != NULL && !parse_mac(mac_text, mac)) {
        snprintf(error, error_size, "mac is six bytes, as in 02:53:42:00:00:01, of one station");
        return NULL;
    }
    struct function *f = virtio_net_open(&options);
    if (!f) {
        snprintf(error, error_size, "link %s: %s", options.link,
                 errno == EBUSY ? "has two ends already" : strerror(errno));
    }
    return f;
}

static const struct {
    const char *name;
    const char *keys;
    const char *text;
    struct function *(*open)(struct function_keys *keys, char *error, size_t error_size);
} table[] = {
    {"exerciser", "pin=A|B|C|D|none msi=on|off msix=on|off",
     "raises interrupts, does DMA and misbehaves on request", open_exerciser},
    {"serial", "pin=A|B|C|D|none msi=on|off", "a serial port whose output comes back as its input",
     open_serial},
    {"virtio-blk", "file=PATH readonly=on|off serial=TEXT pin=A|B|C|D|none msix=on|off",
     "a disk whose sectors are in a file", open_virtio_blk},
    {"virtio-net", "link=NAME mac=XX:XX:XX:XX:XX:XX pin=A|B|C|D|none msix=on|off",
     "a network function; two of them with the same link are joined", open_virtio_net},
};

struct function *functions_open(const char *specification, char *error, size_t error_size)
{
    struct function_keys keys;
    struct function *f = NULL;
    size_t name = strcspn(specification, ",");
    *error = 0;
    if (!keys_init(&keys, specification + name)) {
        snprintf(error, error_size, "too many keys");
        keys_free(&keys);
        return NULL;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strlen(table[i].name) == name && strncmp(table[i].name, specification, name) == 0) {
            f = table[i].open(&keys, error, error_size);
            if (!f && keys.problem) {
                snprintf(error, error_size, "%s %s", keys.problem_key, keys.problem);
            }
            keys_free(&keys);
            return f;
        }
    }
    snprintf(error, error_size, "no function of this name; --help lists them");
    keys_free(&keys);
    return NULL;
}

void functions_print(FILE *to)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fprintf(to, "  %s: %s\n      keys: %s\n", table[i].name, table[i].text, table[i].keys);
    }
}

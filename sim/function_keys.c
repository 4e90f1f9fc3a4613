/* SPDX-License-Identifier: BSD-2-Clause */
#include "function_keys.h"

#include <stdlib.h>
#include <string.h>

bool keys_init(struct function_keys *k, const char *text)
{
    *k = (struct function_keys){.text = strdup(text)};
    if (!k->text) {
        return false;
    }
    char *rest = k->text, *part;
    while ((part = strsep(&rest, ",")) != NULL) {
        if (!*part) {
            continue;
        }
        if (k->count == KEYS_MAX) {
            return false;
        }
        char *value = strchr(part, '=');
        if (value) {
            *value++ = 0;
        }
        k->keys[k->count] = part;
        k->values[k->count++] = value ? value : "";
    }
    return true;
}

void keys_free(struct function_keys *k)
{
    free(k->text);
    k->text = NULL;
}

static void complain(struct function_keys *k, const char *key, const char *problem)
{
    if (!k->problem) {
        k->problem = problem;
        k->problem_key = key;
    }
}

const char *keys_text(struct function_keys *k, const char *key)
{
    for (unsigned i = 0; i < k->count; i++) {
        if (strcmp(k->keys[i], key) == 0) {
            k->used[i] = true;
            return k->values[i];
        }
    }
    return NULL;
}

bool keys_bool(struct function_keys *k, const char *key, bool otherwise)
{
    const char *value = keys_text(k, key);
    if (!value) {
        return otherwise;
    }
    if (strcmp(value, "on") == 0 || *value == 0) {
        return true;
    }
    if (strcmp(value, "off") != 0) {
        complain(k, key, "is on or off");
    }
    return false;
}

unsigned keys_pin(struct function_keys *k, unsigned otherwise)
{
    const char *value = keys_text(k, "pin");
    if (!value) {
        return otherwise;
    }
    if (strcmp(value, "none") == 0) {
        return 0;
    }
    if (strlen(value) != 1 || *value < 'A' || *value > 'D') {
        complain(k, "pin", "is A, B, C, D or none");
        return 0;
    }
    return (unsigned)(*value - 'A') + 1;
}

bool keys_finish(struct function_keys *k)
{
    for (unsigned i = 0; i < k->count; i++) {
        if (!k->used[i]) {
            complain(k, k->keys[i], "is no key of this function");
        }
    }
    return !k->problem;
}

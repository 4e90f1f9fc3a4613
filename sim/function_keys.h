/* SPDX-License-Identifier: BSD-2-Clause */
/* The KEY=VALUE pairs that a function is made with. */
#ifndef FUNCTION_KEYS_H
#define FUNCTION_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum { KEYS_MAX = 16 };

struct function_keys {
    char *text; /* a copy, cut at its commas */
    const char *keys[KEYS_MAX];
    const char *values[KEYS_MAX]; /* "" for a key without value */
    bool used[KEYS_MAX];
    unsigned count;
    const char *problem; /* the first, or null */
    const char *problem_key;
};

/* Takes apart "KEY=VALUE,KEY=VALUE"; false: no memory or too many. keys_free in any case. */
bool keys_init(struct function_keys *k, const char *text);
void keys_free(struct function_keys *k);

/* The value of a key, marked as used; null when it isn't there. */
const char *keys_text(struct function_keys *k, const char *key);
/* "on" (or no value) and "off". */
bool keys_bool(struct function_keys *k, const char *key, bool otherwise);
/* INTx pin: A to D, or none. 0 is none, 1 is A. */
unsigned keys_pin(struct function_keys *k, unsigned otherwise);

/* A key that nobody asked for is a problem, too. True: no problem. */
bool keys_finish(struct function_keys *k);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Cards, functions and sources in words and as JSON: what several subcommands say alike. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <jansson.h>
#include <stddef.h>

#include "roster.h"

enum { DESCRIBE_TEXT = 96 };

/* "MSI-X 30-33", "INTx 21", "-". */
char *describe_lines(const struct roster_function *function, char text[DESCRIBE_TEXT]);
/* "asking", "asking, wire high", "idle", "link down". */
char *describe_function_state(const struct roster_function *function, char text[DESCRIBE_TEXT]);
/* "pending high masked …". */
char *describe_source_state(const struct relay_source *source, char text[DESCRIBE_TEXT]);
/* "INTA", "0xfee00000 = 0x4021". */
char *describe_message(const struct relay_source *source, char text[DESCRIBE_TEXT]);
/* "tap ring trace …": the capabilities of a build. */
/* "masked limited one-shot": bits of SRC_ACT; empty where there is none. */
char *describe_acts(uint32_t acts, char text[DESCRIBE_TEXT]);
json_t *describe_acts_json(uint32_t acts);

char *describe_caps(uint32_t caps, char *text, size_t size);

json_t *describe_card_json(const struct roster_card *card);
json_t *describe_function_json(const struct roster_function *function);
json_t *describe_source_json(const struct relay_source *source);

#endif

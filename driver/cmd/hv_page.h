/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics that the hypervisor keeps for an LPAR (hv/core/statistics.h), read inside of it. */
#ifndef CMD_HV_PAGE_H
#define CMD_HV_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "statistics.h"

/* A copy; what the header names lies inside. */
struct hv_page {
    uint8_t *bytes; /* the owner's to free */
    size_t size;
    struct statistics head;
    struct statistics_functions functions; /* its head; count 0: this is no service LPAR */
};

/* This LPAR's own, or those in a file. False, said: none. */
bool hv_page_load(struct invocation *invocation, const char *file, struct hv_page *page);

/* Whether this is an LPAR of the hypervisor's. Says nothing. */
bool hv_page_is_lpar(void);

/* @pre index < page->functions.count */
struct statistics_function hv_page_function(const struct hv_page *page, unsigned index);

#endif

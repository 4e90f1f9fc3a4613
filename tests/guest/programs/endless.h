/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions whose delivery raises the same exception again, for ever: no interrupt gets a word in, so a
 * hypervisor that does not intercept them loses its CPU. Each says that it begins. */
#ifndef ENDLESS_H
#define ENDLESS_H

/* #DB, CVE-2015-8104. */
void endless_debug(void);

/* #AC, CVE-2015-5307. */
void endless_alignment(void);

#endif

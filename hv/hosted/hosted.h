/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosted back end of the machine: a guest's CPU in a process, so that tests and fuzzers run hv/core as it
 * is.
 *
 * It runs 64-bit code, and 32-bit code without paging (what a multiboot guest starts in), by hv/core's own
 * decoder and emulator; the emulator is held against real CPUs elsewhere. Not there: single steps,
 * breakpoints, tasks, V86, floating point; such code makes EXIT_OTHER. A test with several vCPUs gives each a
 * thread.
 *
 * Its TLB is as unkind as hardware may be: what was cached is used until it is flushed. Each use is compared
 * with the tables, and one that they no longer allow is refused: run() ends with EXIT_INVALID, describe()
 * names it, and hosted_stale() counts it. That finds the flush that was forgotten, which emulators hide.
 */
#ifndef HOSTED_H
#define HOSTED_H

#include "machine.h"

extern const struct machine_ops hosted_ops;

/* How many uses of stale translations were refused, and the last one in words. */
uint64_t hosted_stale(const char **what);

/* All run() and wait() end their thread from now on. */
void hosted_end(void);
bool hosted_ended(void);

/* Translations that a CPU holds under a tag. */
unsigned hosted_cached(unsigned cpu, tag_t tag);

#endif

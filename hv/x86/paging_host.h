/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space: memory mapped onto itself. Executable is the image's text alone,
 * writable is nothing of its text and constants, and page 0 is not there.
 */
#ifndef PAGING_HOST_H
#define PAGING_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct boot;

/* Maps the memory above 4 GiB that the boot loader named. @pre frames_init() */
void paging_host_extend(const struct boot *boot);

/* Takes away the rights above; needs an address below 1 MiB (BIOS tables) no more from here on. */
void paging_host_protect(void);

/*
 * Maps a framebuffer so that writes to it are gathered, where nothing else can lie in the same pages.
 * @pre cpu_setup(); frames_init(), if it ends above 4 GiB
 */
void paging_host_framebuffer(uint64_t start, uint64_t bytes);

/* Maps device registers, uncached; below 4 GiB all is mapped. False: it lies beyond 128 TiB. */
bool paging_host_map(uint64_t start, uint64_t bytes);

bool paging_host_maps(uint64_t start, uint64_t bytes);

/* For CR3 of the other CPUs. */
uint64_t paging_host_root(void);

#endif

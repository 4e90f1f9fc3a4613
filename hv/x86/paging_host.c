/* SPDX-License-Identifier: BSD-2-Clause */
#include "paging_host.h"

#include "boot.h"
#include "frame.h"
#include "insn.h"
#include "x86_bits.h"

enum { ENTRIES = 512 };
enum { PTE_PRESENT = 1, PTE_WRITE = 2, PTE_UNCACHED = 0x18, PTE_LARGE = 0x80, PTE_LARGE_PAT = 0x1000 };
#define PTE_NX      (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define MIB_2       (2ull << 20)
#define GIB         (1ull << 30)

/* Made by start.S: 4 GiB in pages of 2 MiB. */
extern uint64_t boot_pml4[ENTRIES], boot_pd[4 * ENTRIES];
extern uint32_t start_efer;
extern const uint8_t image_start[], text_end[], rodata_end[], image_end[];

static uint64_t nx; /* PTE_NX, where the CPU has it */

static uint64_t *table_below(uint64_t *entry)
{
    if (!(*entry & PTE_PRESENT))
        *entry = (uintptr_t)frames_take(ENTRIES * sizeof *entry) | PTE_PRESENT | PTE_WRITE;
    return (uint64_t *)(*entry & PTE_ADDRESS);
}

static void map_2m(uint64_t address, uint64_t flags)
{
    uint64_t *pdpt = table_below(&boot_pml4[address >> 39 & 511]);
    uint64_t *pd = table_below(&pdpt[address >> 30 & 511]);

    pd[address >> 21 & 511] = address | PTE_PRESENT | PTE_WRITE | PTE_LARGE | nx | flags;
}

static void map_1g(uint64_t address)
{
    uint64_t *pdpt = table_below(&boot_pml4[address >> 39 & 511]);

    if (!(pdpt[address >> 30 & 511] & PTE_PRESENT))
        pdpt[address >> 30 & 511] = address | PTE_PRESENT | PTE_WRITE | PTE_LARGE | nx;
}

void paging_host_extend(const struct boot *boot)
{
    bool gigabyte_pages = false;

    if (cpuid(0x80000000, 0).eax >= 0x80000001) {
        uint32_t edx = cpuid(0x80000001, 0).edx;

        gigabyte_pages = edx >> 26 & 1;
        nx = edx >> 20 & 1 ? PTE_NX : 0;
    }
    if (nx) {
        start_efer |= EFER_NXE;
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    }
    for (unsigned i = 0; i < boot->regions; i++) {
        const struct boot_region *region = &boot->region[i];
        uint64_t step = gigabyte_pages ? GIB : MIB_2, at = region->start & ~(step - 1);

        if (region->type == REGION_RESERVED || region->type == REGION_BAD || region->end <= 4 * GIB)
            continue;
        for (at = at < 4 * GIB ? 4 * GIB : at; at < region->end; at += step) {
            if (gigabyte_pages)
                map_1g(at);
            else
                map_2m(at, 0);
        }
    }
}

static bool maps_address(uint64_t address)
{
    const uint64_t *table = boot_pml4;

    if (address >> 47)
        return false;
    for (unsigned shift = 39; shift >= 21; shift -= 9) {
        uint64_t entry = table[address >> shift & 511];

        if (!(entry & PTE_PRESENT))
            return false;
        if (shift < 39 && entry & PTE_LARGE)
            return true;
        table = (const uint64_t *)(entry & PTE_ADDRESS);
    }
    return table[address >> 12 & 511] & PTE_PRESENT;
}

void paging_host_framebuffer(uint64_t start, uint64_t bytes)
{
    /* A BAR is as large as it is aligned: this one has its last page of 2 MiB for itself if it has most of
     * it. */
    const bool alone = start % MIB_2 == 0 && bytes > MIB_2 / 2;

    for (uint64_t at = start & ~(MIB_2 - 1); at < start + bytes; at += MIB_2)
        if ((alone && at < 4 * GIB) || !maps_address(at))
            map_2m(at, alone ? PTE_LARGE_PAT : 0); /* entry 4 of the PAT, see cpu_setup() */
    write_cr3(read_cr3());
}

bool paging_host_map(uint64_t start, uint64_t bytes)
{
    if (bytes == 0 || start + bytes < start || (start + bytes - 1) >> 47)
        return false;
    for (uint64_t at = start & ~(MIB_2 - 1); at < start + bytes; at += MIB_2)
        if (at >= 4 * GIB && !maps_address(at))
            map_2m(at, PTE_UNCACHED);
    return true;
}

static void split(uint64_t address)
{
    uint64_t *pt = frames_take(ENTRIES * sizeof *pt);

    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t page = address + (uint64_t)i * 4096;

        pt[i] = page | PTE_PRESENT | PTE_WRITE | nx;
        if (page >= (uintptr_t)image_start && page < (uintptr_t)text_end)
            pt[i] = page | PTE_PRESENT;
        else if (page >= (uintptr_t)text_end && page < (uintptr_t)rodata_end)
            pt[i] = page | PTE_PRESENT | nx;
        else if (page == 0)
            pt[i] = 0;
    }
    boot_pd[address >> 21] = (uintptr_t)pt | PTE_PRESENT | PTE_WRITE;
}

void paging_host_protect(void)
{
    for (uint64_t address = 0; address < 4 * GIB; address += MIB_2) {
        if (address == 0 || (address < (uintptr_t)image_end && address + MIB_2 > (uintptr_t)image_start))
            split(address);
        else
            boot_pd[address >> 21] |= nx;
    }
    write_cr3(read_cr3());
}

bool paging_host_maps(uint64_t start, uint64_t bytes)
{
    if (bytes == 0 || start + bytes < start)
        return false;
    for (uint64_t at = start & ~4095ull; at < start + bytes; at += 4096)
        if (!maps_address(at))
            return false;
    return true;
}

uint64_t paging_host_root(void)
{
    return (uintptr_t)boot_pml4;
}

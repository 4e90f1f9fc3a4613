/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of VMX. One that fails is our own bug, and ends in vmx_failed(). */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include "machine.h"
#include "vmx_fields.h"

#include <stdbool.h>
#include <stdint.h>

void vmx_failed(const char *what, uint64_t which) __attribute__((noreturn));

static inline bool vmxon(uint64_t region)
{
    bool good;
    __asm__ volatile("vmxon %1" : "=@cca"(good) : "m"(region) : "memory");
    return good;
}

static inline void vmxoff(void)
{
    __asm__ volatile("vmxoff" : : : "cc", "memory");
}

static inline void vmclear(uint64_t region)
{
    bool good;
    __asm__ volatile("vmclear %1" : "=@cca"(good) : "m"(region) : "memory");
    if (__builtin_expect(!good, 0))
        vmx_failed("VMCLEAR", region);
}

static inline void vmptrld(uint64_t region)
{
    bool good;
    __asm__ volatile("vmptrld %1" : "=@cca"(good) : "m"(region) : "memory");
    if (__builtin_expect(!good, 0))
        vmx_failed("VMPTRLD", region);
}

static inline uint64_t vmread(enum vmcs_field field)
{
    uint64_t value;
    bool good;
    __asm__ volatile("vmread %2, %1" : "=@cca"(good), "=r"(value) : "r"((uint64_t)field));
    if (__builtin_expect(!good, 0))
        vmx_failed("VMREAD", field);
    return value;
}

/* A read of the guest's state, counted. */
static inline uint64_t vmx_get(struct context *context, enum vmcs_field field)
{
    context->state_reads++;
    return vmread(field);
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
    bool good;
    __asm__ volatile("vmwrite %2, %1" : "=@cca"(good) : "r"((uint64_t)field), "r"(value) : "memory");
    if (__builtin_expect(!good, 0))
        vmx_failed("VMWRITE", field);
}

struct vmx_invalidation {
    uint64_t tag_or_root, address;
};
enum { INVALIDATE_ONE = 1, INVALIDATE_ALL = 2 };

static inline void invept(unsigned kind, uint64_t root)
{
    struct vmx_invalidation what = {.tag_or_root = root};
    bool good;
    __asm__ volatile("invept %1, %2" : "=@cca"(good) : "m"(what), "r"((uint64_t)kind) : "memory");
    if (__builtin_expect(!good, 0))
        vmx_failed("INVEPT", root);
}

static inline void invvpid(unsigned kind, uint16_t tag)
{
    struct vmx_invalidation what = {.tag_or_root = tag};
    bool good;
    __asm__ volatile("invvpid %1, %2" : "=@cca"(good) : "m"(what), "r"((uint64_t)kind) : "memory");
    if (__builtin_expect(!good, 0))
        vmx_failed("INVVPID", tag);
}

#endif

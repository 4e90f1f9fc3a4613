/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction is entered by a signal handler's return, which loads every register; the INT3 behind it, or
 * its fault, leads back into the handler, which finds the registers in its frame.
 */
#include "native_cpu.h"

#ifdef __x86_64__
#include <asm/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define SELECTOR_CODE_32 0x23
#define SELECTOR_DATA    0x2b

static const int gpr_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct native_cpu *running; /* null: the next signal is the way in */
static gregset_t host_registers;
static struct _libc_fpstate host_vectors;
static struct native_cpu *wanted;

static void enter(ucontext_t *frame)
{
    greg_t *g = frame->uc_mcontext.gregs;
    struct _libc_fpstate *v = frame->uc_mcontext.fpregs;

    memcpy(host_registers, g, sizeof host_registers);
    memcpy(&host_vectors, v, sizeof host_vectors);
    for (unsigned i = 0; i < 16; i++)
        g[gpr_of[i]] = (greg_t)wanted->gpr[i];
    g[REG_RIP] = (greg_t)wanted->rip;
    g[REG_EFL] = (greg_t)wanted->rflags;
    if (wanted->compatibility)
        g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffll) | SELECTOR_CODE_32;
    memcpy(v->_xmm, wanted->xmm, sizeof wanted->xmm);
    for (unsigned i = 0; i < 8; i++)
        memcpy(v->_st[i].significand, wanted->mmx[i], 8);
    running = wanted;
}

static void leave(ucontext_t *frame)
{
    greg_t *g = frame->uc_mcontext.gregs;
    struct _libc_fpstate *v = frame->uc_mcontext.fpregs;

    for (unsigned i = 0; i < 16; i++)
        running->gpr[i] = (uint64_t)g[gpr_of[i]];
    running->trap = (unsigned)g[REG_TRAPNO];
    running->error = (unsigned)g[REG_ERR];
    running->address = (uint64_t)g[REG_CR2];
    running->rip = (uint64_t)g[REG_RIP] - (running->trap == 3);
    running->rflags = (uint64_t)g[REG_EFL];
    memcpy(running->xmm, v->_xmm, sizeof running->xmm);
    for (unsigned i = 0; i < 8; i++)
        memcpy(running->mmx[i], v->_st[i].significand, 8);
    memcpy(g, host_registers, sizeof host_registers);
    memcpy(v, &host_vectors, sizeof host_vectors);
    running = NULL;
}

static void handle(int signal, siginfo_t *info, void *frame)
{
    (void)signal;
    (void)info;
    if (running)
        leave(frame);
    else
        enter(frame);
}

void native_run(struct native_cpu *cpu)
{
    wanted = cpu;
    __asm__ volatile("int3" ::: "memory");
}

bool native_has_bit_counts(void)
{
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("lzcnt") &&
           __builtin_cpu_supports("movbe");
}

uint64_t native_fs_base(void)
{
    uint64_t base = 0;
    syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
    return base;
}

bool native_init(void)
{
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGFPE, SIGBUS, SIGILL};
    stack_t stack = {.ss_size = 1 << 18};
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    stack.ss_sp = malloc(stack.ss_size);
    if (!stack.ss_sp || sigaltstack(&stack, NULL))
        return false;
    sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], &action, NULL))
            return false;
    /* 32-bit code reads data through DS and ES, which are null in a 64-bit process. */
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" ::"r"(SELECTOR_DATA));
    return syscall(SYS_arch_prctl, ARCH_SET_GS, NATIVE_GS_BASE) == 0;
}

#else

bool native_init(void)
{
    return false;
}

bool native_has_bit_counts(void)
{
    return false;
}

uint64_t native_fs_base(void)
{
    return 0;
}

void native_run(struct native_cpu *cpu)
{
    (void)cpu;
}
#endif

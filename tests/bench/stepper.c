/* SPDX-License-Identifier: BSD-2-Clause */
#include "stepper.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "stepper: %s\n", what);
    exit(1);
}

static unsigned long long rip_of(pid_t child)
{
    struct user_regs_struct registers;

    if (ptrace(PTRACE_GETREGS, child, 0, &registers))
        fail("no registers");
    return registers.rip;
}

/* False: the process has ended, well. */
static bool stopped(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child || WIFSIGNALED(status) ||
        (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        fail("the process that is counted fails");
    return !WIFEXITED(status);
}

/* An INT3 for the first byte, so that only what is counted is stepped. */
static void set_breakpoint(pid_t child, void (*at)(void), long before)
{
    if (ptrace(PTRACE_POKETEXT, child, at, (before & ~0xffl) | 0xcc))
        fail("no breakpoint");
}

/* Carries out the instruction that stood there. */
static void leave_breakpoint(pid_t child, void (*at)(void), long before)
{
    struct user_regs_struct registers;

    if (ptrace(PTRACE_GETREGS, child, 0, &registers))
        fail("no registers");
    registers.rip--;
    if (ptrace(PTRACE_SETREGS, child, 0, &registers) || ptrace(PTRACE_POKETEXT, child, at, before) ||
        ptrace(PTRACE_SINGLESTEP, child, 0, 0) || !stopped(child))
        fail("cannot go on");
    set_breakpoint(child, at, before);
}

/* To the first instruction of end(). */
static unsigned steps(pid_t child, void (*end)(void))
{
    unsigned count = 0;

    while (rip_of(child) != (unsigned long long)(uintptr_t)end) {
        if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) || !stopped(child))
            fail("cannot step");
        count++;
    }
    return count;
}

unsigned stepper_count(void (*program)(void), void (*begin)(void), void (*end)(void), unsigned *counts,
                       unsigned most)
{
    const pid_t child = fork();
    unsigned taken = 0;
    long before;

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) || raise(SIGSTOP))
            _exit(1);
        program();
        _exit(1);
    }
    if (child < 0 || !stopped(child))
        fail("no process to count in");
    before = ptrace(PTRACE_PEEKTEXT, child, begin, 0);
    set_breakpoint(child, begin, before);
    while (!ptrace(PTRACE_CONT, child, 0, 0) && stopped(child)) {
        leave_breakpoint(child, begin, before);
        if (taken == most)
            fail("more to count than expected");
        counts[taken++] = steps(child, end);
    }
    return taken;
}

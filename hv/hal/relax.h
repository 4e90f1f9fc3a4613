/* SPDX-License-Identifier: BSD-2-Clause */
/* What to do once per turn of a loop that waits for another CPU. */
#ifndef RELAX_H
#define RELAX_H

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif

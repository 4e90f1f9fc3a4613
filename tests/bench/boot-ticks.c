/* SPDX-License-Identifier: BSD-2-Clause */
/* /init of a Linux whose start is measured: says at which tick of the TSC it began, and powers off. */
#include <stdint.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>
#include <x86intrin.h>

int main(void)
{
    uint64_t ticks = __rdtsc();

    printf("init at tick %llu\n", (unsigned long long)ticks);
    fflush(stdout);
    tcdrain(STDOUT_FILENO); /* the line is slower than the power button */
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's clock of date and time (MC146818), read once at boot for the clocks of LPARs. */
#ifndef RTC_HOST_H
#define RTC_HOST_H

#include <stdint.h>

/* Seconds since 1970; 0 when the clock makes no sense. */
int64_t rtc_host_seconds(void);

#endif

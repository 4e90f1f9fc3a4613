/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CMOS clock and memory of a PC (Motorola MC146818A): date and time, 24 hours, BCD or binary as the guest
 * likes. It has no interrupts: alarms and periods stand in its registers but nothing comes of them (FADT and
 * DSDT name none).
 */
#ifndef RTC_H
#define RTC_H

#include "device.h"

#define RTC_PORT       0x70u
#define RTC_PORTS      2u
#define RTC_CMOS_BYTES 128u

struct rtc {
    const struct device_env *env;
    int64_t start; /* seconds since 1970 at env->now() == 0; a guest that sets the clock moves it */
    uint8_t index;
    uint8_t cmos[RTC_CMOS_BYTES];
    bool set; /* register B's SET: time stands still in cmos[] */
};

int rtc_add(struct rtc *rtc, const struct device_env *env, int64_t start, struct bus *ports);

#endif

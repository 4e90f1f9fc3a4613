/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtc.h"
#include "clock_rate.h"

enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    A = 10,
    B = 11,
    C = 12,
    D = 13
};
enum { CENTURY = 0x32 };
enum { A_DEFAULT = 0x26, B_24_HOURS = 2, B_BINARY = 4, B_SET = 0x80, D_VALID = 0x80 };

struct date {
    int64_t year;
    unsigned month, day, weekday; /* month and day from 1; Sunday is 1 */
};

/* Proleptic Gregorian calendar; years begin in March here, so that the leap day is the last. */
static struct date date_of(int64_t days)
{
    const int64_t shifted = days + 719468; /* since 0000-03-01 */
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const unsigned of_era = (unsigned)(shifted - era * 146097);
    const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    struct date d = {
        .day = of_year - (153 * month + 2) / 5 + 1,
        .month = month < 10 ? month + 3 : month - 9,
        .weekday = (unsigned)((days % 7 + 11) % 7) + 1,
    };
    d.year = era * 400 + year_of_era + (d.month <= 2);
    return d;
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const unsigned year_of_era = (unsigned)(year - era * 400);
    const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719468;
}

static int64_t seconds_now(const struct rtc *rtc)
{
    return rtc->start + (int64_t)(rtc->env->now(rtc->env->owner) / NS_PER_SECOND);
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
    return (uint8_t)(rtc->cmos[B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
    return rtc->cmos[B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
    if (rtc->cmos[B] & B_24_HOURS)
        return encode(rtc, hour);
    return (uint8_t)(encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned decode_hour(const struct rtc *rtc)
{
    const uint8_t value = rtc->cmos[HOURS];
    if (rtc->cmos[B] & B_24_HOURS)
        return decode(rtc, value);
    return decode(rtc, value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

static void time_to_registers(struct rtc *rtc)
{
    int64_t now = seconds_now(rtc), days = now / 86400;
    if (now % 86400 < 0)
        days--;
    const unsigned second = (unsigned)(now - days * 86400);
    const struct date d = date_of(days);

    rtc->cmos[SECONDS] = encode(rtc, second % 60);
    rtc->cmos[MINUTES] = encode(rtc, second / 60 % 60);
    rtc->cmos[HOURS] = encode_hour(rtc, second / 3600);
    rtc->cmos[WEEKDAY] = encode(rtc, d.weekday);
    rtc->cmos[DAY] = encode(rtc, d.day);
    rtc->cmos[MONTH] = encode(rtc, d.month);
    rtc->cmos[YEAR] = encode(rtc, (unsigned)(d.year % 100));
    rtc->cmos[CENTURY] = encode(rtc, (unsigned)(d.year / 100 % 100));
}

/* Nonsense that a guest writes makes some other time of no consequence. */
static void registers_to_time(struct rtc *rtc)
{
    const int64_t year = decode(rtc, rtc->cmos[CENTURY]) * 100 + decode(rtc, rtc->cmos[YEAR]);
    const unsigned month = (decode(rtc, rtc->cmos[MONTH]) + 11) % 12 + 1;
    const int64_t days = days_of(year, month, decode(rtc, rtc->cmos[DAY]));
    const int64_t then = days * 86400 + decode_hour(rtc) * 3600 + decode(rtc, rtc->cmos[MINUTES]) * 60 +
                         decode(rtc, rtc->cmos[SECONDS]);
    rtc->start += then - seconds_now(rtc);
}

static bool is_time(unsigned at)
{
    return at <= YEAR ? (at & 1) == 0 || at >= WEEKDAY : at == CENTURY;
}

static uint64_t rtc_read(void *device, uint64_t offset, unsigned size)
{
    struct rtc *rtc = device;
    const unsigned at = rtc->index;
    (void)size;
    if (offset == 0)
        return 0xff; /* the index cannot be read back */
    if (is_time(at) && !rtc->set)
        time_to_registers(rtc);
    /* A reader never meets an update: the time of one access is one moment. Register C: no interrupt. */
    return at == C ? 0 : at == D ? D_VALID : rtc->cmos[at];
}

static void write_b(struct rtc *rtc, uint8_t value)
{
    /* The time is taken from, and given to, the registers in the format in force before the change. */
    if (value & B_SET && !rtc->set)
        time_to_registers(rtc);
    else if (!(value & B_SET) && rtc->set)
        registers_to_time(rtc);
    rtc->set = value & B_SET;
    rtc->cmos[B] = value;
}

static void rtc_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *rtc = device;
    const unsigned at = rtc->index;
    (void)size;
    if (offset == 0) {
        rtc->index = value & (RTC_CMOS_BYTES - 1); /* bit 7 masks NMIs, of which there are none */
        return;
    }
    if (at == B) {
        write_b(rtc, (uint8_t)value);
        return;
    }
    if (at == C || at == D)
        return;
    if (is_time(at) && !rtc->set)
        time_to_registers(rtc);
    rtc->cmos[at] = (uint8_t)(at == A ? value & 0x7f : value);
    if (is_time(at) && !rtc->set)
        registers_to_time(rtc);
}

/* Time and memory have a battery; the index and the interrupt enables have not. */
static void reset(void *device)
{
    struct rtc *rtc = device;
    if (rtc->set)
        registers_to_time(rtc);
    rtc->set = false;
    rtc->index = 0;
    rtc->cmos[A] = A_DEFAULT;
    rtc->cmos[B] = B_24_HOURS;
}

static const struct device_ops ops = {
    .name = "rtc",
    .read = rtc_read,
    .write = rtc_write,
    .reset = reset,
};

int rtc_add(struct rtc *rtc, const struct device_env *env, int64_t start, struct bus *ports)
{
    *rtc = (struct rtc){.env = env, .start = start};
    reset(rtc);
    return bus_add(ports, RTC_PORT, RTC_PORTS, &ops, rtc);
}

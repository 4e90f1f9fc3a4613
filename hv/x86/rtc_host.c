/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtc_host.h"

#include "insn.h"

#include <stdbool.h>

enum { INDEX = 0x70, DATA = 0x71 };
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B = 11 };
enum { A_UPDATING = 0x80, B_24_HOURS = 2, B_BINARY = 4, HOURS_PM = 0x80 };

/* In the order of enum field. */
enum field { F_SECONDS, F_MINUTES, F_HOURS, F_DAY, F_MONTH, F_YEAR, FIELDS };

static uint8_t read(uint8_t index)
{
    out8(INDEX, index);
    return in8(DATA);
}

static void read_all(uint8_t raw[FIELDS])
{
    static const uint8_t from[FIELDS] = {SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR};

    /* An update takes at most 2 ms; a chip that says so for ever is none. */
    for (unsigned spins = 0; read(STATUS_A) & A_UPDATING && spins < 100000; spins++)
        ;
    for (unsigned i = 0; i < FIELDS; i++)
        raw[i] = read(from[i]);
}

static unsigned number(uint8_t raw, bool binary)
{
    return binary ? raw : (raw >> 4) * 10u + (raw & 15);
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar, counted from March so that leap days come last.
 */
static int64_t days(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1, m = (month + 9) % 12;

    return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t rtc_host_seconds(void)
{
    uint8_t raw[FIELDS], again[FIELDS], status = read(STATUS_B);
    unsigned value[FIELDS], hours;
    bool binary = status & B_BINARY, same, pm;
    unsigned turns = 0;

    /* Two readings that agree were not cut in two by an update. */
    do {
        same = true;
        read_all(raw);
        read_all(again);
        for (unsigned i = 0; i < FIELDS; i++)
            same &= raw[i] == again[i];
    } while (!same && ++turns < 10);
    pm = !(status & B_24_HOURS) && raw[F_HOURS] & HOURS_PM;
    if (pm)
        raw[F_HOURS] &= (uint8_t)~HOURS_PM;
    for (unsigned i = 0; i < FIELDS; i++)
        value[i] = number(raw[i], binary);
    hours = value[F_HOURS];
    if (!(status & B_24_HOURS))
        hours = hours % 12 + (pm ? 12 : 0);
    if (!same || value[F_MONTH] < 1 || value[F_MONTH] > 12 || value[F_DAY] < 1 || value[F_DAY] > 31 ||
        hours > 23)
        return 0;
    return days(2000 + value[F_YEAR], value[F_MONTH], value[F_DAY]) * 86400 + hours * 3600 +
           value[F_MINUTES] * 60 + value[F_SECONDS];
}

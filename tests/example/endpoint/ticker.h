/* SPDX-License-Identifier: BSD-2-Clause */
/* The Verilated ticker (ticker.v) as a function behind the relay. */
#ifndef TICKER_H
#define TICKER_H

#include "function.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TICKER_VENDOR = 0x1209, TICKER_DEVICE = 0x5162, TICKER_BAR_BYTES = 4096 };
/* Registers in BAR 0. */
enum { TICKER_ID = 0, TICKER_PERIOD_US = 4, TICKER_TICKS = 8, TICKER_ACK = 12, TICKER_ID_VALUE = 0x4b434954 };

/* Null: no memory. */
struct function *ticker_open(void);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of traffic that the soak is run with: every shape, every mode. */
#ifndef SOAK_CASES_H
#define SOAK_CASES_H

#include "soak.h"

extern const struct soak_options soak_cases[]; /* without a seed and a number of TLPs */
extern const unsigned soak_cases_n;

/*
 * All cases in turn, from this seed on, until so many TLPs went in; sum has what they came to. each, unless
 * null, is called after each part. @return what was lost or misattributed
 */
uint64_t soak_all(uint64_t tlps, uint64_t seed,
                  void (*each)(unsigned index, uint64_t seed, const struct soak_result *r),
                  struct soak_result *sum);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that hv/core raises in guests (SDM 3A table 6-1). */
#ifndef EXCEPTIONS_H
#define EXCEPTIONS_H

enum exception {
    EXCEPTION_DE = 0,
    EXCEPTION_DB = 1,
    EXCEPTION_BP = 3,
    EXCEPTION_UD = 6,
    EXCEPTION_NM = 7,
    EXCEPTION_DF = 8,
    EXCEPTION_TS = 10,
    EXCEPTION_NP = 11,
    EXCEPTION_SS = 12,
    EXCEPTION_GP = 13,
    EXCEPTION_PF = 14,
    EXCEPTION_AC = 17,
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A serial port (16550A) with a plug that brings its output back as its input; the identity is one that
 * Linux' 8250_pci drives by MSI, and by INTx where there is none.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include "function.h"

struct serial_options {
    unsigned pin; /* 1: INTA … 4: INTD; 0: none */
    bool msi;
};

/* Null: no memory. */
struct function *serial_open(const struct serial_options *options);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways to reset a PC that guests know: the reset control register (0xcf9, the one the FADT names), port
 * 0x92, and the keyboard controller's pulse of its reset pin. There is no keyboard; its status says "ready,
 * nothing there".
 */
#ifndef PC_RESET_H
#define PC_RESET_H

#include "device.h"

#define RESET_PORT  0xcf9u
#define RESET_VALUE 6u

struct pc_reset {
    const struct device_env *env;
    uint8_t control;
};

/* Ports 0x92 and 0x64. The control register lies within the PCI address port: pci_add() takes it there. */
int pc_reset_add(struct pc_reset *reset, const struct device_env *env, struct bus *ports);

uint8_t pc_reset_control(const struct pc_reset *reset);
void pc_reset_set_control(struct pc_reset *reset, uint8_t value);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of every LPAR, and how they reach its vCPUs. */
#ifndef LPAR_DEVICES_H
#define LPAR_DEVICES_H

#include "acpi_pm.h"
#include "debug_port.h"
#include "ioapic.h"
#include "lapic.h"
#include "pc_reset.h"
#include "pci.h"
#include "pit.h"
#include "rtc.h"
#include "test_device.h"
#include "uart.h"

struct lpar;
struct vcpu;

enum { LPAR_UART_PORT = 0x3f8, LPAR_UART_GSI = 4 };

struct device_set {
    struct device_env env;
    struct lapic_set lapics;
    struct ioapic ioapic;
    struct acpi_pm acpi_pm;
    struct debug_port debug_port;
    struct pc_reset pc_reset;
    struct pci pci;
    struct pit pit;
    struct rtc rtc;
    struct test_device test;
    struct uart uart;
};

/* Puts them on the LPAR's buses. 0, or negative with the reason on the log. start: seconds since 1970, for
 * its clock */
int lpar_devices_add(struct lpar *lpar, int64_t start);

/* Its local APIC. False: too many. */
bool lpar_devices_add_vcpu(struct vcpu *vcpu);

/* Its local APIC is the physical one from now on, or no longer (direct.h). On its CPU. */
void lpar_devices_set_direct(struct vcpu *vcpu, bool on);

/* To their state at power-on. @pre no vCPU runs */
void lpar_devices_reset(struct lpar *lpar);

#endif

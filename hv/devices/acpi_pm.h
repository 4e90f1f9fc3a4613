/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed hardware of ACPI (ACPI 6.5 chapter 4.8): PM1 event and control block, PM timer. S5 powers
 * the LPAR off. The only event is the power button, by which an LPAR is asked to shut down.
 */
#ifndef ACPI_PM_H
#define ACPI_PM_H

#include "device.h"

#define ACPI_PM_EVENT      0x600u /* status, enable: 2 bytes each */
#define ACPI_PM_CONTROL    0x604u
#define ACPI_PM_TIMER      0x608u
#define ACPI_PM_TIMER_HZ   3579545u
#define ACPI_SCI_GSI       9u
#define ACPI_SLEEP_TYPE_S5 5u

struct acpi_pm {
    const struct device_env *env;
    uint16_t status, enable, control;
    bool line;
};

int acpi_pm_add(struct acpi_pm *pm, const struct device_env *env, struct bus *ports);

void acpi_pm_power_button(struct acpi_pm *pm);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of a CPU between the hypervisor and a guest that has it to itself (hv/core/direct.h). */
#ifndef DIRECT_HOST_H
#define DIRECT_HOST_H

#include "machine.h"

extern const struct machine_apic direct_host_apic;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets and bits of PCI configuration space (PCI 3.0 chapter 6, PCIe 5.0 chapter 7). */
#ifndef PCI_CONFIG_H
#define PCI_CONFIG_H

enum config_register {
    CONFIG_VENDOR = 0x00,
    CONFIG_DEVICE = 0x02,
    CONFIG_COMMAND = 0x04,
    CONFIG_STATUS = 0x06,
    CONFIG_REVISION = 0x08, /* and class code above it */
    CONFIG_CACHE_LINE = 0x0c,
    CONFIG_HEADER = 0x0e,
    CONFIG_BAR = 0x10,
    CONFIG_BUSES = 0x18, /* of a bridge: primary, secondary, subordinate */
    CONFIG_SUBSYSTEM = 0x2c,
    CONFIG_CAPABILITIES = 0x34,
    CONFIG_LINE = 0x3c,
    CONFIG_PIN = 0x3d,
    CONFIG_HEADER_END = 0x40,
    CONFIG_BYTES = 0x100, /* behind these are the extended ones */
};

enum {
    COMMAND_PORTS = 1 << 0,
    COMMAND_MEMORY = 1 << 1,
    COMMAND_MASTER = 1 << 2,
    COMMAND_NO_INTX = 1 << 10,
    STATUS_INTERRUPT = 1 << 3,
    STATUS_CAPABILITIES = 1 << 4,
    HEADER_BRIDGE = 1,
    HEADER_TYPE = 0x7f,
    HEADER_MANY = 0x80, /* more functions than this one */
    BAR_PORTS = 1,
    BAR_WIDE = 2 << 1,
    BAR_KIND = 3 << 1,
    BAR_PREFETCH = 1 << 3,
    BAR_FLAGS = 0xf,
};

enum config_capability {
    CAPABILITY_POWER = 0x01,
    CAPABILITY_MSI = 0x05,
    CAPABILITY_VENDOR = 0x09,
    CAPABILITY_PCIE = 0x10,
    CAPABILITY_MSIX = 0x11,
};

/* From the capability's start. */
enum {
    POWER_CONTROL = 4,
    POWER_BYTES = 8,
    POWER_STATE = 3,
    PCIE_DEVICE = 4,
    PCIE_DEVICE_CONTROL = 8,
    PCIE_BYTES = 0x3c,
    PCIE_LEAST_BYTES = 0x14, /* of an endpoint, version 1 */
    PCIE_FLR_ABLE = 1 << 28,
    PCIE_FLR = 1 << 15,
    MSI_CONTROL = 2,
    MSI_ENABLE = 1 << 0,
    MSI_COUNTS = 0x7e, /* how many messages: asked 3:1, given 6:4 */
    MSI_WIDE = 1 << 7,
    MSI_MASKS = 1 << 8,
    MSI_ADDRESS = 4,
    MSI_BYTES = 10, /* 4 more with MSI_WIDE */
    MSI_MASKED_BYTES = 20,
    MSIX_CONTROL = 2,
    MSIX_SIZE = 0x7ff,
    MSIX_MASK_ALL = 1 << 14,
    MSIX_ENABLE = 1 << 15,
    MSIX_TABLE = 4,
    MSIX_PENDING = 8,
    MSIX_BYTES = 12,
    MSIX_BAR = 7,    /* of MSIX_TABLE and MSIX_PENDING; the offset is the rest */
    MSIX_ENTRY = 16, /* bytes: address 8, data 4, control 4 */
    MSIX_ENTRY_DATA = 8,
    MSIX_ENTRY_CONTROL = 12,
    MSIX_MASKED = 1,
};

#endif

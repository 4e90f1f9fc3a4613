#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""First inputs of fuzz-guest: an instruction of each kind that exits, with registers that make sense for it.

usage: guest_seeds.py FOLDER"""
import os
import sys

LAPIC, IOAPIC, STATISTICS, END, HOLE = 6, 7, 8, 9, 10  # guest.c, value_of()
EFER, LEAF, CF8, UART, PAT, KVM = 12, 13, 14, 15, 18, 19
RAX, RCX, RDX, RBX, RSI, RDI = 0, 1, 2, 3, 6, 7

SEEDS = {
    "cpuid": ({RAX: LEAF}, "0fa2 b801000000 0fa2 b800000040 0fa2"),
    "msr": ({RCX: EFER}, "0f32 0f30 b9 77020000 0f32 0f30 b9 1b000000 0f32 0f30 b9 10000000 0f32 0f30"),
    "x2apic": ({}, "b91b000000 0f32 0d000c0000 0f30 b902080000 0f32 b930080000 b850400400 31d2 0f30 fb 90"),
    "port": ({RDX: UART}, "ec ee 66ed 66ef ed ef e461 e643 e440 6e f36e 6c f36c"),
    "pci": ({RDX: CF8}, "b800000080 ef 66bafc0c ed ef b800080080 66baf80c ef"),
    "lapic": ({RBX: LAPIC}, "8b4330 c783f0000000ff010000 c78320030000 30000200 c7833003000000000100 c78380030000 00100000 fb"),
    "ioapic": ({RBX: IOAPIC}, "c70311000000 c7431000000000 c70310000000 c7431030000000 8b4310"),
    "statistics": ({RBX: STATISTICS}, "8b03 8903 488903 f0ff03"),
    "hole": ({RBX: HOLE}, "8b03 8803 f00fb10b 0f11 03 a4 f3aa"),
    "string": ({RSI: END, RDI: LAPIC, RCX: 4}, "f3a5 f3ab f3a4 a7 af"),
    "control": ({}, "0f20c0 0f22c0 0f20e0 0f22e0 0f20d8 0f22d8 440f20c0 440f22c0 0f06 0f01f0"),
    "debug": ({}, "0f23c0 0f21f8 0f23f8 0f21f0 cc f1 cd80"),
    "xsetbv": ({RAX: 0, RCX: 0}, "0f01d1 0f01d0"),
    "cache": ({RBX: HOLE}, "0f08 0f09 0f013b 0fae3b"),
    "halt": ({}, "fb f4 fa f4"),
    "tables": ({RBX: END}, "0f0113 0f011b 0f0003 0f00d3 0f00db 48cf ca0000 ff2b"),
    "hypercall": ({RAX: KVM}, "0f01c1 0f01d9 0f01d8 0f01da 0f78c1 0faa 0f37"),
    "system": ({}, "0f05 0f07 0f34 0f35 0f33 0f31 0f01f9 0fa0 0f01f8 9c 9d"),
}

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for name, (registers, code) in SEEDS.items():
    choices = bytes(b for number in range(16) for b in (registers.get(number, number), 0))
    with open(f"{folder}/seed-{name}", "wb") as out:
        out.write(choices + bytes.fromhex(code))

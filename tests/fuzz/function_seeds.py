#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inputs for the fuzzer of functions to start from: requests that a good driver would make.

usage: function_seeds.py FOLDER"""
import os
import struct
import sys

MEMORY, NOTIFY, WRITE, READ, CONFIGURE = 0, 6, 2, 3, 4
NEXT, WRITABLE, INDIRECT = 1, 2, 4


def memory(at, data):
    return b"".join(struct.pack("<BHB", MEMORY, at + i, len(data[i:i + 200])) + data[i:i + 200]
                    for i in range(0, len(data), 200))


def write(offset, size, value):
    return struct.pack("<BHBI", WRITE, offset, size - 1, value)


def descriptor(address, count, flags, following=0):
    return struct.pack("<QIHH", address, count, flags, following)


def request(kind, sector, data, direct=True):
    to_device = kind == 1
    chain = descriptor(0x400, 16, NEXT, 1) + descriptor(0x800, data, NEXT | (0 if to_device else WRITABLE), 2) + \
        descriptor(0x410, 1, WRITABLE)
    if direct:
        ring = memory(0, chain)
    else:
        ring = memory(0x600, chain) + memory(0, descriptor(0x600, len(chain), INDIRECT))
    return ring + memory(0x400, struct.pack("<IIQ", kind, 0, sector)) + \
        memory(0x100, struct.pack("<HHH", 0, 1, 0)) + bytes([NOTIFY])


def frame(data):
    """A frame to send, in queue 1; a buffer to receive one, in queue 0; both ends of the cable use them."""
    offered = struct.pack("<HHH", 0, 1, 0)
    return memory(0x1000, descriptor(0x400, data, 0)) + memory(0x1100, offered) + memory(0, descriptor(0x2000, 2060, WRITABLE)) + \
        memory(0x100, offered) + bytes([NOTIFY, NOTIFY, NOTIFY])


DISK, EXERCISER, NET = b"\1", b"\0", b"\5"
seeds = {
    "frame": NET + frame(80),
    "long-frame": NET + frame(2060),
    "no-frame": NET + frame(20),
    "read": DISK + request(0, 1, 512),
    "write": DISK + request(1, 2, 1024),
    "read-indirect": DISK + request(0, 0, 4096, False),
    "write-indirect": DISK + request(1, 0, 512, False),
    "flush": DISK + request(4, 0, 0),
    "serial": DISK + request(8, 0, 20),
    "beyond": DISK + request(0, 9, 512),
    "twice": DISK + request(0, 1, 512) + memory(0x102, struct.pack("<HHH", 3, 0, 0)) + bytes([NOTIFY]),
    "reset": DISK + request(0, 1, 512) + write(0x14, 1, 0) + bytes([NOTIFY]),
    "vectors": EXERCISER + write(0x1000, 4, 0xfee00000) + write(0x100c, 4, 0) + bytes([CONFIGURE, 0x58]) +
    struct.pack("<I", 0x80000000) + write(0x18, 4, 3) + write(0x28, 4, 1) + bytes([NOTIFY]),
    "dma": EXERCISER + write(0x80, 4, 0x123) + write(0x8c, 4, 0x345) + write(0x90, 4, 3) + bytes([NOTIFY]) +
    write(0x90, 4, 4) + bytes([NOTIFY]),
    "raw": EXERCISER + write(0x100, 4, 0x40000001) + write(0x104, 4, 0x0108000f) + write(0xc0, 4, 4) +
    bytes([NOTIFY]),
}
for name, data in seeds.items():
    with open(os.path.join(sys.argv[1], f"seed-{name}"), "wb") as file:
        file.write(data)

# SPDX-License-Identifier: BSD-2-Clause
"""Writes trace files as docs/manual/trace-file.md describes them, independently of the C code."""
import struct


def header(card=0x0100, ports=(0, 0x0101, 0x0102, 0x0103), start=1_000_000, realtime=1_700_000_000_000_000_000, tlps=0, **changes):
    values = dict(major=1, minor=0, header_bytes=128, record_bytes=32, ports=len(ports) - 1)
    values.update(changes)
    head = struct.pack("<8sHHIIIIIQQIHHIxxxx", b"SBXTRACE", values["major"], values["minor"], values["header_bytes"],
                       values["record_bytes"], 0x10000, 0xc0ffee01, 0, start, realtime, 0, card, tlps, values["ports"])
    return (head + struct.pack("<8H", *(list(ports) + [0] * 8)[:8])).ljust(128, b"\0")


def record(number, time, dw=(), source=0xff, kind=2, port=1, level=0, odd=0, kept=0, down=0, lost=0, replay=0):
    who = (source | kind << 8 | port << 10 | level << 13 | odd << 14 | kept << 15 | down << 16 | lost << 17 |
           replay << 18 | len(dw) << 28)
    words = list(dw) + [0] * (5 - len(dw))
    return struct.pack("<8I", who, time & 0xffffffff, (time >> 32 & 0xffff) | (number & 0xffff) << 16, *words)


def swap(value):
    return int.from_bytes(value.to_bytes(4, "little"), "big")


def msi(number, time, requester, address, data, **more):
    if address >> 32:
        dw = (0x60000001, requester << 16 | 0x0f, address >> 32, address & 0xffffffff, swap(data))
    else:
        dw = (0x40000001, requester << 16 | 0x0f, address, swap(data))
    return record(number, time, dw, kind=0, **more)


def wire(number, time, requester, pin, level, **more):
    return record(number, time, (0x34000000, requester << 16 | (0x20 if level else 0x24) + pin, 0, 0), kind=1, level=level, **more)


def usual():
    """A stuck wire, a well-behaved one, messages of which some are kept back, other TLPs, and a gap."""
    out, number, time = [header()], 0, 1_000_000

    def add(make, *words, after=1000, **more):
        nonlocal number, time
        time += after
        out.append(make(number, time, *words, **more))
        number += 1

    for i in range(20):
        add(wire, 0x0200, 0, 1, source=1, port=2, after=4000)
        add(wire, 0x0200, 0, 0, source=1, port=2, after=1500)
        if i == 5:
            add(wire, 0x0100, 0, 1, source=0, port=1)
        for _ in range(3):
            add(msi, 0x0103, 0xfee01000, 0x4021, source=2, port=3, after=300, kept=int(i > 10))
    add(msi, 0x0103, 0x1_fee02000, 0x4022, source=3, port=3, replay=1)
    add(record, (0x00000001, 0x0103050f, 0xfee01000), port=3)
    add(record, (0x4a000001, 0x01000004, 0x01030500, 0x12345678), port=3, down=1)
    add(record, (0x04000001, 0x0000010f, 0x01000010), port=1, down=1)
    number += 7
    add(wire, 0x0100, 0, 0, source=0, port=1, lost=1, after=20000)
    return b"".join(out)

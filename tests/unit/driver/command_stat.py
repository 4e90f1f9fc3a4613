#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox stat on machines made of files. usage: command_stat.py SIGNALBOX REGS_HEADER"""
import json
import mmap
import signal

import machine
from machine import Machine, relay, source


def busy(test):
    """One function with two vectors, two on a line of which one is stuck, one that Linux does not serve."""
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102, 3: 0x0103, 4: 0x0104})
    source(r, 0, 0, 1, 0x0101, 0xfee01000, 0x4021, 500, 0)
    source(r, 1, 0, 1, 0x0101, 0xfee02000, 0x4022, 0xfffffff0, 0)
    source(r, 2, 1, 2, 0x0100, 0, 0, 30, 0)
    source(r, 3, 1, 3, 0x0100, 0, 0, 5, 0, state=1, last=2_000_000_000)
    source(r, 4, 0, 4, 0x0104, 0xfee03000, 0x4023, 9, 0)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x8086, 0x10d3, 0x020000, driver="e1000e", msi=[30, 31])
    m.function("0000:01:00.2", 0x1af4, 0x1042, 0x010000, irq=21, driver="virtio-pci")
    m.function("0000:01:00.3", 0x1209, 0x5161, 0x088000, irq=21, driver="exerciser")
    m.function("0000:01:00.4", 0x1209, 0x5161, 0x088000)
    m.irq(30, [300, 200], "PCI-MSIX-0000:01:00.1", "eth0-rx")
    m.irq(31, [0xfffffff0, 0], "PCI-MSIX-0000:01:00.1", "eth0-tx")
    m.irq(21, [0, 100035], "IO-APIC", "virtio0,exerciser")
    return m, r


def by_slot(result):
    return {f["slot"][-1]: f for f in result["functions"]}


def totals_stand_side_by_side(test):
    busy(test)
    result = test.json("stat")
    assert result["schema"] == "signalbox.stat/1" and "seconds" not in result
    rows = by_slot(result)
    assert (rows["1"]["wire"], rows["1"]["kernel_max"], rows["1"]["verdict"]) == (500 + 0xfffffff0, 500 + 0xfffffff0, "ok")
    assert (rows["2"]["wire"], rows["2"]["kernel_max"], rows["2"]["line_sharers"], rows["2"]["verdict"]) == (30, 100035, 2, "ok_shared")
    assert (rows["3"]["verdict"], rows["3"]["wire_high_ns"]) == ("wire_high", 3_000_000_000)
    assert rows["4"]["verdict"] == "no_kernel_count" and "kernel_max" not in rows["4"]
    status, out, _ = test.run("stat")
    assert status == 0 and "holds its wire high for 3.000 s" in out and "ok, line shared by 2" in out


def fewer_in_the_kernel_is_coalesced_or_lost(test):
    m, _ = busy(test)
    m.irq(30, [297, 200], "PCI-MSIX-0000:01:00.1", "eth0-rx")
    row = by_slot(test.json("stat", "-s", "01:00.1"))["1"]
    assert (row["verdict"], row["difference"]) == ("coalesced_or_lost", 3)
    status, out, _ = test.run("stat", "-s", "01:00.1")
    assert status == 0 and "3 coalesced or lost" in out and "01:00.2" not in out


def intervals_count_what_happens_in_them(test):
    m, r = busy(test)
    process = test.start("stat", "-i", "1", "--json")
    path = f"{test.root}/sys/bus/pci/devices/0000:01:00.0/resource0"
    first = json.loads(process.stdout.readline())
    rows = by_slot(first)
    assert all(row["wire"] == 0 for row in rows.values()), rows
    assert 0.9 < first["seconds"] < 30
    # 23 more messages, over the wrap of the 32-bit count, of which the kernel counts 21. The command sleeps now, and
    # stops: it sees both changes in one interval.
    process.send_signal(signal.SIGSTOP)
    r.set("SRC_COUNT", (0xfffffff0 + 0x17) & 0xffffffff, 1)
    r.set("SRC_RELAYED", (0xfffffff0 + 0x17) & 0xffffffff, 1)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0x10000) as bar:
        bar[:] = bytes(r.bar)
    m.irq(31, [0xfffffff0, 0x15], "PCI-MSIX-0000:01:00.1", "eth0-tx")
    process.send_signal(signal.SIGCONT)
    row = by_slot(json.loads(process.stdout.readline()))["1"]
    while row["wire"] == 0:
        row = by_slot(json.loads(process.stdout.readline()))["1"]
    assert (row["wire"], row["kernel_max"], row["verdict"], row["difference"]) == (0x17, 0x15, "coalesced_or_lost", 2), row
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def a_signal_ends_it_well(test):
    busy(test)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = test.start("stat", "-i", "0.05", "--json")
        json.loads(process.stdout.readline())
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(30) == 0


def a_card_that_dies_is_said(test):
    busy(test)
    process = test.start("stat", "-i", "0.2", "--json")
    json.loads(process.stdout.readline())
    with open(f"{test.root}/sys/bus/pci/devices/0000:01:00.0/resource0", "r+b") as file:
        file.write(b"\xff" * 0x10000)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"does not answer" in err


def wrong_paces_are_refused(test):
    busy(test)
    for words in (["-i", "0"], ["-i", "x"], ["-i", "nan"], ["-i", "-1"], ["-c", "0"], ["-c", "1.5"]):
        status, out, err = test.run("stat", *words)
        assert (status, out) == (64, "") and words[1] in err, words


machine.main_of(globals(), "busy", "by_slot")

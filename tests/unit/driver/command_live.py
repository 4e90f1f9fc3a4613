#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox watch and top while registers change. usage: command_live.py SIGNALBOX REGS_HEADER"""
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess

import machine
from machine import Machine, relay, source

BAR = "sys/bus/pci/devices/0000:01:00.0/resource0"


def card(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102, 3: 0x0103})
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 0)
    source(r, 1, 0, 2, 0x0102, 0xfee01000, 0x4021, 500, 0)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x1af4, 0x1042, 0x010000, irq=21, driver="virtio-pci")
    m.function("0000:01:00.2", 0x8086, 0x10d3, 0x020000, msi=[30], driver="e1000e")
    m.function("0000:01:00.3", 0x1209, 0x5161, 0x088000)
    m.irq(21, [30], "IO-APIC", "virtio0")
    m.irq(30, [500], "PCI-MSI", "eth0")
    return m, r


def poke(test, r, name, value, index=0):
    place = r.value[name]
    offset = place[0] + place[1] * index if isinstance(place, tuple) else place
    with open(f"{test.root}/{BAR}", "r+b") as file:
        file.seek(offset)
        file.write(struct.pack("<I", value))


def line(process):
    return json.loads(process.stdout.readline())


def started(test, *words):
    """A watch that has begun, as its first line says."""
    process = test.start("watch", "-i", "0.01", "--json", *words)
    assert line(process) == {"schema": "signalbox.watch/1", "interval": 0.01, "cards": ["0000:01:00.0"]}
    return process


def watch_tells_what_comes(test):
    _, r = card(test)
    process = started(test)
    poke(test, r, "SRC_LAST_LO", 777, 1)
    poke(test, r, "SRC_LAST_HI", 0, 1)
    poke(test, r, "SRC_COUNT", 503, 1)
    event = line(process)
    assert event == {"card": "0000:01:00.0", "function": "0000:01:00.2", "kind": "msi", "port": 2,
                             "time_ns": 777, "fresh": 3, "source": 1, "address": "0xfee01000", "data": "0x4021"}, event
    poke(test, r, "WIRES_IN", 1)
    event = line(process)
    assert (event["function"], event["kind"], event["pin"], event["level"], event["fresh"]) == ("0000:01:00.1", "intx", "INTA", True, 0)
    poke(test, r, "SRC_COUNT", 31, 0)
    event = line(process)
    assert (event["function"], event["fresh"], event["level"]) == ("0000:01:00.1", 1, True)
    # A source that is learned while we look.
    source(r, 7, 0, 3, 0x0103, 0xfee03000, 0x4030, 2, 0)
    for name in ("SRC_ADDR_LO", "SRC_DATA", "SRC_COUNT", "SRC_KEY"):
        place = r.value[name][0] + r.value[name][1] * 7
        poke(test, r, name, struct.unpack_from("<I", r.bar, place)[0], 7)
    event = line(process)
    assert (event["function"], event["source"], event["fresh"]) == ("0000:01:00.3", 7, 2)
    # One that has no place in the table.
    poke(test, r, "UNLISTED_ADDR_LO", 0xfee04000)
    poke(test, r, "UNLISTED_WHO", 0x05090301)
    poke(test, r, "COUNTER", 1, 14)
    event = line(process)
    assert (event["function"], event["fresh"]) == ("0000:05:01.1", 1) and "source" not in event
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=30)
    assert (process.returncode, rest, err) == (0, b"", b"")


def watch_writes_no_register(test):
    _, r = card(test)
    with open(f"{test.root}/{BAR}", "rb") as file:
        before = file.read()
    assert test.run("watch", "-i", "0.001", "-c", "20") == (0, "", "")
    with open(f"{test.root}/{BAR}", "rb") as file:
        assert file.read() == before


def watch_keeps_to_its_selection(test):
    _, r = card(test)
    process = started(test, "-s", "01:00.1")
    poke(test, r, "SRC_COUNT", 503, 1)
    poke(test, r, "SRC_COUNT", 31, 0)
    assert line(process)["function"] == "0000:01:00.1"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def watch_has_lines_for_people(test):
    _, r = card(test)
    process = test.start("watch", "-i", "0.01")
    count = 30

    def told():
        nonlocal count
        count += 1
        poke(test, r, "SRC_COUNT", count, 0)
        return select.select([process.stdout], [], [], 0.05)[0]

    machine.wait_for(told)
    text = process.stdout.readline().decode()
    assert re.fullmatch(r" *\d+\.\d{9}  0000:01:00\.1  INTA  \+\d+  wire low\n", text), text
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def watch_ends_with_the_card(test):
    card(test)
    process = started(test)
    with open(f"{test.root}/{BAR}", "r+b") as file:
        file.write(b"\xff" * 0x10000)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"does not answer" in err


def top_lists_by_rate(test):
    m, r = card(test)
    process = test.start("top", "-b", "-i", "0.1", "--json")
    first = line(process)
    assert first["schema"] == "signalbox.top/1" and [f["rate"] for f in first["functions"]] == [0, 0, 0]
    assert [f["slot"] for f in first["functions"]] == ["0000:01:00.1", "0000:01:00.2", "0000:01:00.3"]
    poke(test, r, "SRC_RELAYED", 1500, 1)
    m.irq(30, [1500], "PCI-MSI", "eth0")
    poke(test, r, "SRC_COUNT", 1500, 1)
    wire = kernel = 0
    while wire < 999:
        busy = line(process)
        row = next(f for f in busy["functions"] if f["slot"] == "0000:01:00.2")
        wire += row["rate"] * busy["seconds"]
        kernel += row["kernel_rate"] * busy["seconds"]
    assert abs(wire - 1000) < 1 and kernel > 999 and busy["functions"][0] == row and row["total"] == 1500
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0


def top_writes_lists_into_pipes(test):
    _, r = card(test)
    poke(test, r, "SRC_STATE", 1, 0)
    poke(test, r, "SRC_LAST_LO", 1_000_000_000, 0)
    poke(test, r, "SRC_LAST_HI", 0, 0)
    status, out, _ = test.run("top", "-i", "0.01", "-c", "1")
    assert status == 0 and "RATE/s" in out and "WIRE HIGH 4.000 s" in out


def top_has_a_screen(test):
    card(test)
    primary, secondary = pty.openpty()
    environment = dict(test.environment(), TERM="xterm", LINES="24", COLUMNS="120")
    process = subprocess.Popen([test.binary, "top", "-i", "0.1"], env=environment, stdin=secondary, stdout=secondary, stderr=subprocess.PIPE)
    os.close(secondary)
    seen = b""

    def shows(text):
        nonlocal seen
        if select.select([primary], [], [], 0.01)[0]:
            seen += os.read(primary, 65536)
        return text in seen

    machine.wait_for(lambda: shows(b"0000:01:00.2"))
    assert b"KERNEL/s" in seen and b"by rate" in seen and b"STATE" in seen
    os.write(primary, b"s")
    machine.wait_for(lambda: shows(b"total"))
    os.write(primary, b" ")
    machine.wait_for(lambda: shows(b"paused"))
    os.write(primary, b"q")
    machine.wait_for(lambda: shows(b"\x1b[?1049l") or process.poll() is not None)
    assert process.wait(30) == 0, process.stderr.read()
    os.close(primary)


def top_says_when_a_terminal_is_unknown(test):
    card(test)
    primary, secondary = pty.openpty()
    process = subprocess.Popen([test.binary, "top"], env=dict(test.environment(), TERM="no-such-terminal"), stdin=secondary, stdout=secondary,
                               stderr=subprocess.PIPE)
    os.close(secondary)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"-b lists" in err
    os.close(primary)


machine.main_of(globals(), "card", "poke", "line", "started")

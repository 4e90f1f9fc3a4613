#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox doctor and metrics on machines made of files. usage: command_report.py SIGNALBOX REGS_HEADER"""
import os
import re
import struct
import threading
import time

import machine
from machine import Machine, put, relay, source

BAR = "sys/bus/pci/devices/0000:01:00.0/resource0"


class Clock:
    """Lets the relay's time run."""

    def __init__(self, test, regs):
        self.path, self.offset, self.stop = f"{test.root}/{BAR}", regs.value["TIME_LO"], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with open(self.path, "r+b", buffering=0) as file:
            now = 5_000_000_000 & 0xffffffff
            while not self.stop.wait(0.0002):
                now += 1000
                file.seek(self.offset)
                file.write(struct.pack("<I", now))

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def healthy(test, **changes):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102})
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 30)
    source(r, 1, 0, 2, 0x0102, 0xfee01000, 0x4021, 500, 499, relayed=450)
    for name, value in changes.items():
        r.set(name, value)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x1af4, 0x1042, 0x010000, irq=21, driver="virtio-pci")
    m.function("0000:01:00.2", 0x8086, 0x10d3, 0x020000, msi=[30], driver="e1000e")
    m.irq(21, [30], "IO-APIC", "virtio0,ehci")
    m.irq(30, [440], "PCI-MSI", "eth0")
    return m, r


def findings(test, *words):
    status, out, err = test.run("doctor", "--json", *words)
    result = machine.json.loads(out)
    assert result["schema"] == "signalbox.doctor/1"
    return status, result["worst"], {(f["check"], f.get("slot", "")): f for f in result["findings"]}, err


def a_healthy_machine_has_no_complaint(test):
    _, r = healthy(test)
    with Clock(test, r):
        status, worst, found, _ = findings(test)
    assert status == 0 and worst in ("ok", "note"), found
    for check in ("access", "clock", "table", "counters", "functions"):
        assert found[(check, "0000:01:00.0")]["grade"] == "ok", check
    assert found[("kernel-counts", "")]["grade"] == "ok"


def text_says_the_same(test):
    _, r = healthy(test)
    with Clock(test, r):
        status, out, _ = test.run("doctor")
    assert status == 0 and "ok       0000:01:00.0: a relay answers: 4 ports" in out and "failure" not in out


def a_stopped_clock_is_a_failure(test):
    healthy(test)
    status, worst, found, _ = findings(test)
    assert (status, worst) == (1, "failure") and "stands still" in found[("clock", "0000:01:00.0")]["what"]


def a_wire_the_kernel_gave_up_on_is_a_failure(test):
    _, r = healthy(test)
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 0, state=1, last=1_000_000_000)
    put(f"{test.root}/{BAR}", bytes(r.bar))
    status, _, found, _ = findings(test)
    wire = found[("wire", "0000:01:00.1")]
    assert status == 1 and wire["grade"] == "failure"
    assert "no longer serves IRQ 21 (virtio0,ehci)" in wire["what"] and "signalbox limit -s 0000:01:00.1" in wire["advice"]


def a_storm_that_is_still_served_is_a_warning(test):
    _, r = healthy(test)
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 0, state=1, last=1_000_000_000)
    put(f"{test.root}/{BAR}", bytes(r.bar))
    # Each look at the kernel's count finds more.
    path = f"{test.root}/sys/kernel/irq/21/per_cpu_count"
    os.remove(path)
    os.mkfifo(path)

    def storm():
        n = 30
        while os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                n += 1
                file.write(f"{n}\n")
            time.sleep(0.01)  # one number a reader

    threading.Thread(target=storm, daemon=True).start()
    _, _, found, _ = findings(test)
    assert found[("wire", "0000:01:00.1")]["grade"] == "warning" and "storms" in found[("wire", "0000:01:00.1")]["what"]


def a_limited_wire_is_no_trouble(test):
    _, r = healthy(test)
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 0, state=1, act=2, last=1_000_000_000)
    put(f"{test.root}/{BAR}", bytes(r.bar))
    assert ("wire", "0000:01:00.1") not in findings(test)[2]


def counters_and_the_table_are_read(test):
    m, r = healthy(test, STATUS=1)
    for name, index in (("UNLISTED", 14), ("SPOOFED", 12), ("MALFORMED", 13)):
        assert r.value["COUNTER_" + name] == index
        r.set("COUNTER", 7, index)
    put(f"{test.root}/{BAR}", bytes(r.bar))
    status, out, _ = test.run("doctor")
    for text in ("7 interrupts had no entry", "7 TLPs had a requester", "7 malformed", "all 32 entries"):
        assert text in out, text


def functions_left_alone_are_found(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102, 3: 0x0103})
    source(r, 0, 0, 1, 0x0101, 0xfee01000, 0x4021, 5, 0, act=1)
    r.set("CTRL", 2)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x1209, 0x5161, 0x088000)
    m.function("0000:01:00.2", 0x1209, 0x5161, 0x088000, msi=[33], driver="x", command=2)
    _, _, found, _ = findings(test)
    assert "no driver" in found[("function", "0000:01:00.1")]["what"]
    assert "bus mastering is off" in found[("function", "0000:01:00.2")]["what"]
    assert "Linux does not" in found[("function", "0000:01:00.3")]["what"]
    assert found[("mode", "0000:01:00.0")]["advice"] == "signalbox mode indicator-first"


def links_are_compared(test):
    healthy(test)
    folder = f"{test.root}/sys/bus/pci/devices/0000:01:00.0"
    for leaf, value in (("current_link_width", "1"), ("max_link_width", "4"), ("current_link_speed", "5.0 GT/s PCIe"), ("max_link_speed", "5.0 GT/s PCIe")):
        put(f"{folder}/{leaf}", value + "\n")
    _, out, _ = test.run("doctor")
    assert "link width 1, the card can do 4" in out and "ok       0000:01:00.0: link speed 5.0 GT/s PCIe" in out


def what_is_in_the_way_is_said(test):
    m = Machine(test.root)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=b"\xff" * 0x10000, command=0)
    put(f"{test.root}/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    status, worst, found, _ = findings(test)
    assert (status, worst) == (1, "failure") and "memory decoding is off" in found[("access", "0000:01:00.0")]["what"]
    assert found[("lockdown", "")]["grade"] == "warning" and "integrity" in found[("lockdown", "")]["what"]


def no_card_is_status_2(test):
    Machine(test.root).function("0000:00:00.0", 0x8086, 0x29c0, 0x060000)
    status, _, found, _ = findings(test)
    assert status == 2 and "no relay on the PCI bus" in found[("card", "")]["what"]


def parse_metrics(text):
    """The text format, strictly: each family once, its lines together, each series once."""
    kinds, current, series = {}, None, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split()[2]
            assert current not in kinds
            kinds[current] = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name == current and kinds[name] is None and kind in ("counter", "gauge")
            assert kind == "gauge" or name.endswith("_total")
            kinds[name] = kind
        else:
            match = re.fullmatch(r'([a-z_]+)\{([a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*)\} (\d+(?:\.\d+)?)', line)
            assert match and match[1] == current and line.split("}")[0] not in series, line
            series[line.split("}")[0] + "}"] = float(match[3])
    assert all(kinds.values())
    return series


def metrics_have_every_count(test):
    healthy(test)
    status, out, err = test.run("metrics")
    assert (status, err) == (0, "")
    series = parse_metrics(out)
    nic, card = 'card="0000:01:00.0",function="0000:01:00.2"', 'card="0000:01:00.0"'
    assert series[f'signalbox_interrupts_total{{{nic},kind="msi"}}'] == 500
    assert series[f'signalbox_sent_total{{{nic},kind="msi"}}'] == 450
    assert series[f'signalbox_kept_total{{{nic},kind="msi"}}'] == 50
    assert series[f'signalbox_pending{{{nic},kind="msi"}}'] == 1
    assert series[f"signalbox_kernel_interrupts_total{{{nic}}}"] == 440
    assert series[f"signalbox_card_accessible{{{card}}}"] == 1
    assert series[f'signalbox_relay_total{{{card},counter="malformed"}}'] == 0


def metrics_tell_of_a_card_that_is_not_reached(test):
    Machine(test.root).function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=b"\xff" * 0x10000)
    status, out, _ = test.run("metrics")
    assert status == 0 and parse_metrics(out) == {'signalbox_card_accessible{card="0000:01:00.0"}': 0}


def metrics_replace_their_file_whole(test):
    healthy(test)
    path = f"{test.root}/out/signalbox.prom"
    put(path, "old")
    held = open(path, "rb")
    assert test.run("metrics", "-o", path) == (0, "", "")
    assert held.read() == b"old", "who had the old one open keeps it"
    held.close()
    with open(path, encoding="utf-8") as file:
        parse_metrics(file.read())
    assert os.listdir(f"{test.root}/out") == ["signalbox.prom"] and os.stat(path).st_mode & 0o777 == 0o644
    status, _, err = test.run("metrics", "-o", f"{test.root}/nowhere/x.prom")
    assert status == 1 and "No such file" in err
    assert test.run("metrics", "--json")[0] == 64


machine.main_of(globals(), "healthy", "findings", "parse_metrics", "Clock")

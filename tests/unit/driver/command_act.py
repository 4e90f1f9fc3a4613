#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox mask, unmask, limit, one-shot, ack, inject and mode: what reaches the registers.
usage: command_act.py SIGNALBOX REGS_HEADER"""
import fcntl
import os
import struct

import machine
from machine import Machine, relay, source

BAR = "sys/bus/pci/devices/0000:01:00.0/resource0"


def card(test, **changes):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102})
    source(r, 0, 1, 1, 0x0100, 0, 0, 30, 10)
    source(r, 1, 0, 2, 0x0102, 0xfee01000, 0x4021, 500, 0)
    source(r, 2, 0, 2, 0x0102, 0xfee02000, 0x4022, 7, 7)
    for name, value in changes.items():
        r.set(name, value)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x1209, 0x5161, 0x088000, irq=21)
    m.function("0000:01:00.2", 0x1209, 0x5161, 0x088000, msi=[30, 31])
    return r


def changed(test, before):
    """Registers whose value differs from what `before` holds, by name: {(name, index): value}."""
    with open(f"{test.root}/{BAR}", "rb") as file:
        now = file.read()
    places = {}
    for name, place in before.value.items():
        if isinstance(place, tuple):
            places.update({place[0] + place[1] * i: (name, i) for i in range(128) if place[0] + place[1] * i < 0x10000})
        elif name + "_RESET" in before.value:
            places[place] = (name, 0)
    return {places[offset]: struct.unpack_from("<I", now, offset)[0] for offset in range(0, len(now), 4)
            if now[offset:offset + 4] != bytes(before.bar[offset:offset + 4])}


def mask_sets_one_bit_of_the_sources_chosen(test):
    before = card(test)
    result = test.json("mask", "-s", "01:00.2")
    assert result["schema"] == "signalbox.mask/1" and not result["dry_run"]
    assert [(s["index"], s["function"], s["acts"]) for s in result["sources"]] == \
        [(1, "0000:01:00.2", ["masked"]), (2, "0000:01:00.2", ["masked"])]
    assert changed(test, before) == {("SRC_ACT", 1): 1, ("SRC_ACT", 2): 1}
    assert test.run("limit", "-s", "01:00.2", "--source", "2")[0] == 0
    assert changed(test, before) == {("SRC_ACT", 1): 1, ("SRC_ACT", 2): 3}
    assert test.run("unmask", "--all")[0] == 0
    assert changed(test, before) == {("SRC_ACT", 2): 2}
    assert test.run("limit", "--off", "-s", "01:00.0")[0] == 0
    assert changed(test, before) == {}


def limit_writes_its_times(test):
    before = card(test)
    status, out, _ = test.run("limit", "-s", "01:00.1", "--every", "2.5us", "--high", "3 ms", "--low", "1s")
    assert status == 0 and "0000:01:00.1, source 0, INTA" in out and "limited" in out
    assert changed(test, before) == {("LIMIT_EDGE_NS", 0): 2500, ("LIMIT_ON_NS", 0): 3_000_000,
                                     ("LIMIT_OFF_NS", 0): 1_000_000_000, ("SRC_ACT", 0): 2}


def limit_all_is_for_those_to_come_too(test):
    before = card(test)
    status, out, err = test.run("limit", "--all")
    assert status == 0 and "to come" not in out and "before their first interrupt" in err, (out, err)
    assert changed(test, before) == {("SRC_ACT", i): 2 for i in range(3)}
    value = before.value
    before = card(test, CAPS=struct.unpack_from("<I", before.bar, value["CAPS"])[0] | value["CAPS_LEARN_ACT"])
    result = test.json("limit", "--all")
    assert result["new_sources"] == [{"card": "0000:01:00.0", "acts": ["limited"]}]
    assert changed(test, before) == {**{("SRC_ACT", i): 2 for i in range(3)}, ("LEARN_ACT", 0): 2}
    assert "new ones limited" in test.run("show")[1]
    status, out, err = test.run("limit", "--all", "--off")
    assert (status, err) == (0, "") and out.startswith("0000:01:00.0, sources to come: as they are\n"), out
    assert changed(test, before) == {}
    assert test.run("limit", "-s", "01:00.1")[0] == 0
    assert changed(test, before) == {("SRC_ACT", 0): 2}


def limit_all_before_the_first_interrupt(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101})
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    status, out, err = test.run("limit", "--all")
    assert (status, out) == (2, "") and "has raised no interrupt yet" in err, (out, err)
    r.set("CAPS", struct.unpack_from("<I", r.bar, r.value["CAPS"])[0] | r.value["CAPS_LEARN_ACT"])
    machine.put(f"{test.root}/{BAR}", bytes(r.bar))
    status, out, err = test.run("limit", "--all")
    assert (status, out, err) == (0, "0000:01:00.0, sources to come: limited\n", ""), (out, err)
    assert test.run("mask", "--all")[0] == 2


def one_shot_and_ack(test):
    before = card(test)
    assert test.run("one-shot", "-s", "01:00.1")[0] == 0
    assert changed(test, before) == {("SRC_ACT", 0): 4}
    result = test.json("ack", "-s", "01:00.1")
    assert not result["sources"][0]["pending"]
    assert changed(test, before) == {("SRC_ACT", 0): 4, ("SRC_ACKED", 0): 30}
    assert test.run("one-shot", "--off", "-s", "01:00.1")[0] == 0
    assert changed(test, before) == {("SRC_ACKED", 0): 30}


def a_dry_run_changes_nothing(test):
    before = card(test)
    for words in (["mask"], ["unmask"], ["limit", "--high", "5ms"], ["one-shot"], ["ack"], ["inject", "--source", "1"]):
        status, out, _ = test.run(*words, "--dry-run", "-s", "01:00.2")
        assert status == 0 and out.startswith("(dry run) "), words
    assert changed(test, before) == {}


def inject_writes_source_and_level(test):
    before = card(test)
    assert test.run("inject", "-s", "01:00.2", "--source", "2")[0] == 0
    assert changed(test, before) == {("INJECT", 0): 2}
    assert test.run("inject", "-s", "01:00.1", "--raise")[0] == 0
    assert changed(test, before) == {("INJECT", 0): 0x100}
    assert test.run("inject", "-s", "01:00.1", "--release")[0] == 0
    assert changed(test, before) == {}


def inject_wants_exactly_one(test):
    before = card(test)
    for words, text in ((["-s", "01:00.2"], "2 sources"), (["-s", "01:00.1"], "--raise"), (["-s", "01:00.2", "--source", "1", "--raise"], "message"),
                        (["-s", "01:00.1", "--raise", "--release"], "exclude"),
                        (["-s", "01:00.2", "--source", "1", "--count", "0"], "1 to 1000000"), (["-s", "01:00.2", "--source", "1", "--count", "1e3"], "1 to"),
                        (["-s", "01:00.1", "--raise", "--count", "2"], "not for wires"), (["-s", "01:00.1", "--count", "2"], "--raise or --release")):
        status, out, err = test.run("inject", *words)
        assert (status, out) == (64, "") and text in err, (words, err)
    assert changed(test, before) == {}


def nothing_is_changed_by_oversight(test):
    before = card(test)
    for command in ("mask", "unmask", "limit", "one-shot", "ack", "inject"):
        status, out, err = test.run(command)
        assert (status, out) == (64, "") and "--all" in err
        status, _, err = test.run(command, "-s", "05:00.0")
        assert status == 2
        status, _, err = test.run(command, "-s", "01:00.0", "--source", "9")
        assert status == 2 and "no such source" in err
        status, _, err = test.run(command, "--all", "--source", "128")
        assert status == 64
    assert changed(test, before) == {}


def bad_times_are_refused(test):
    before = card(test)
    for time in ("", "5", "ms", "-1ms", "0ns", "5s!", "1e99s", "nanms", "5000ms"):
        status, _, err = test.run("limit", "--all", "--high", time)
        assert status == 64 and "no time" in err, time
    assert changed(test, before) == {}


def what_a_build_lacks_is_said(test):
    before = card(test, CAPS=0)
    for command in (["mask"], ["limit"], ["one-shot"], ["inject", "--source", "1"]):
        status, out, err = test.run(*command, "-s", "01:00.2")
        assert (status, out) == (1, "") and "this build of the circuit can't" in err
    for mode in ("tap", "indicator-first"):
        assert test.run("mode", mode)[0] == 1
    assert changed(test, before) == {}


def tap_mode_is_warned_of(test):
    card(test, CTRL=2)
    status, _, err = test.run("mask", "-s", "01:00.2")
    assert status == 0 and "in tap mode" in err
    status, _, err = test.run("mask", "-s", "01:00.1")
    assert status == 0 and err == ""


def mode_is_said_and_set(test):
    before = card(test)
    assert test.json("mode")["cards"] == [{"slot": "0000:01:00.0", "mode": "indicator-first"}]
    assert test.run("mode", "tap")[1] == "0000:01:00.0: tap\n"
    assert changed(test, before) == {("CTRL", 0): 2}
    assert test.json("mode", "indicator-first")["cards"][0]["mode"] == "indicator-first"
    assert changed(test, before) == {}
    assert test.run("mode", "fast")[0] == 64


def two_do_not_steer_at_once(test):
    before = card(test)
    with open(f"{test.root}/{BAR}", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 0)
        status, _, err = test.run("mask", "--all")
        assert status == 1 and f"another program (process {os.getpid()}) steers this card" in err, err
        assert test.run("mode", "tap")[0] == 1
        assert test.run("list")[0] == 0
    assert changed(test, before) == {}
    assert test.run("mask", "--all")[0] == 0


def steering_goes_on_while_a_trace_is_recorded(test):
    before = card(test)
    with open(f"{test.root}/{BAR}", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 1)
        status, _, err = test.run("mode", "tap")
        assert status == 1 and "records a trace of this card" in err, err
        assert test.run("trace", "record", "-t", "1", "-o", f"{test.root}/t.sbtrace")[0] == 1
        assert test.run("mask", "-s", "01:00.1")[0] == 0
    assert changed(test, before) == {("SRC_ACT", 0): 1}


machine.main_of(globals(), "card", "changed")

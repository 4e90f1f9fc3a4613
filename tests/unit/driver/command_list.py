#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox list and show on machines made of files. usage: command_list.py SIGNALBOX REGS_HEADER"""
import machine
from machine import Machine, relay, source


def usual(test):
    """Two functions on one INTx line, one of them stuck; a third with two MSI-X vectors."""
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102, 3: 0x0103})
    source(r, 0, 1, 1, 0x0100, 0, 0, 100003, 3, state=1)
    source(r, 1, 1, 2, 0x0100, 0, 0, 12, 12)
    source(r, 2, 0, 3, 0x0103, 0xfee01000, 0x4021, 81234, 81234)
    source(r, 5, 0, 3, 0x0103, 0x1_fee02000, 0x4022, 7, 6, relayed=4, act=1)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    m.function("0000:01:00.1", 0x1af4, 0x1042, 0x010000, irq=21, driver="virtio-pci")
    m.function("0000:01:00.2", 0x1209, 0x5161, 0x088000, irq=21, driver="exerciser")
    m.function("0000:01:00.3", 0x8086, 0x10d3, 0x020000, irq=30, driver="e1000e", msi=[30, 31])
    m.function("0000:00:00.0", 0x8086, 0x29c0, 0x060000)
    return m


def list_joins_functions_with_linux(test):
    usual(test)
    result = test.json("list")
    assert result["schema"] == "signalbox.list/1"
    (card,) = result["cards"]
    assert (card["slot"], card["map"], card["ports"], card["sources_used"]) == ("0000:01:00.0", "1.0", 4, 4)
    virtio, exerciser, nic = card["functions"]
    assert (virtio["slot"], virtio["driver"], virtio["mode"], virtio["irqs"]) == ("0000:01:00.1", "virtio-pci", "intx", [21])
    assert virtio["pending"] and virtio["wire_high"] and virtio["interrupts"] == 100003
    assert not exerciser["pending"] and not exerciser["wire_high"] and exerciser["irqs"] == [21]
    assert (nic["mode"], nic["irqs"], nic["sources"], nic["interrupts"]) == ("msix", [30, 31], 2, 81241)


def names_are_looked_up(test):
    usual(test)
    names = {f["slot"]: f["name"] for f in test.json("list")["cards"][0]["functions"]}
    assert "82574L" in names["0000:01:00.3"], names
    names = {f["slot"]: f["name"] for f in test.json("list", "-n")["cards"][0]["functions"]}
    assert names["0000:01:00.3"] == "8086:10d3"


def list_is_a_table_for_people(test):
    usual(test)
    status, out, _ = test.run("list", "-n")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["SLOT", "PORT", "DEVICE", "DRIVER", "IRQ", "SOURCES", "INTERRUPTS", "STATE"]
    assert "0000:01:00.1" in lines[2] and "1af4:1042" in lines[2] and lines[2].endswith("asking, wire high")
    assert lines[3].endswith("idle")


def selectors_are_those_of_lspci(test):
    usual(test)
    for selector, functions in ((["-s", "01:00.2"], ["0000:01:00.2"]), (["-s", "1:"], ["0000:01:00.1", "0000:01:00.2", "0000:01:00.3"]),
                                (["-d", "8086:"], ["0000:01:00.3"]), (["-s", ".1"], ["0000:01:00.1"]),
                                (["-d", "1209:*", "-s", "0:1:0.2"], ["0000:01:00.2"]), (["-d", "::0200"], ["0000:01:00.3"])):
        (card,) = test.json("list", *selector)["cards"]
        assert [f["slot"] for f in card["functions"]] == functions, selector
        (card,) = test.json(*selector, "list")["cards"]
        assert [f["slot"] for f in card["functions"]] == functions, selector


def nothing_selected_is_status_2(test):
    usual(test)
    for selector in (["-s", "02:00.0"], ["-d", "8086:1234"], ["-s", "00:00.0"]):
        status, out, err = test.run("list", *selector)
        assert (status, out) == (2, "") and "no such card" in err


def no_card_is_status_2(test):
    Machine(test.root).function("0000:00:00.0", 0x8086, 0x29c0, 0x060000)
    for command in ("list", "show"):
        status, out, err = test.run(command)
        assert (status, out) == (2, "") and "1209:5160" in err


def wrong_use_is_status_64(test):
    usual(test)
    for words in (["list", "-s", "zz"], ["list", "-s", "1:2:3:4"], ["list", "-d", "xyz"], ["list", "more"], ["nonsense"], [],
                  ["list", "--nonsense"], ["list", "-s", "1" * 100], ["show", "01:00.0", "01:00.1x"]):
        status, out, err = test.run(*words)
        assert (status, out) == (64, ""), (words, status, out)
        assert "signalbox" in err.lower(), words


def show_has_every_source_and_counter(test):
    usual(test)
    (card,) = test.json("show")["cards"]
    assert card["time_ns"] == 5_000_000_000 and card["counters"]["up_posted"] == 0
    nic = card["functions"][2]
    first, second = nic["sources"]
    assert (first["index"], first["kind"], first["requester"], first["address"], first["data"]) == (2, "msi", "0x0103", "0xfee01000", "0x4021")
    assert not first["pending"] and second["pending"] and second["address"] == "0x1fee02000"
    assert (second["count"], second["acknowledged"], second["relayed"], second["coalesced"]) == (7, 6, 4, 3)
    assert second["acts"] == ["masked"] and second["last_ns"] == 4_999_000_000
    assert card["functions"][0]["sources"][0]["pin"] == "INTA" and card["functions"][0]["sources"][0]["state"] == ["high"]


def windows_and_rewrites_are_shown(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 2: 0x0102})
    source(r, 0, 0, 1, 0x0101, 0xfee00000, 0x4021, 3, 0)
    m.function("0000:01:00.1", 0x1af4, 0x1042, 0x010000)
    r.set("CAPS", r.fields("CAPS", TAP=1, DMA_WINDOWS=1, MSI_REWRITE=1))
    r.set("SRC_MSG_ADDR", 0xfee42001)
    r.set("SRC_MSG_DATA", 0x31)
    r.set("DMA_CTRL", 1, 1)
    for name, value in (("BASE", 0x100000), ("BOUND", 0x40000000), ("OFFSET", 0x2_00000000)):
        r.set(f"DMA_{name}_LO", value & 0xffffffff | (name == "BASE"), 2)
        r.set(f"DMA_{name}_HI", value >> 32, 2)
    r.set("DMA_BLOCKED", 7, 1)
    r.set("MSI_REFUSED", 2, 1)
    r.set("DMA_FAULT", r.fields("DMA_FAULT", VALID=1, MORE=1, REASON=1, TYPE=0x60, REQUESTER=0x0203), 1)
    r.set("DMA_FAULT_ADDR_LO", 0x80000000, 1)
    r.set("DMA_FAULT_ADDR_HI", 0x12, 1)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    one, two = test.json("show")["cards"][0]["functions"]
    shown = one["isolation"]
    assert (shown["checked"], shown["blocked"], shown["refused"]) == (True, 7, 2) and not two["isolation"]["checked"]
    assert shown["windows"][0] == {"open": True, "base": "0x00100000", "bound": "0x40000000", "offset": "0x200000000"}
    assert not shown["windows"][1]["open"] and "fault" not in two["isolation"]
    assert shown["fault"] == {"kind": "write", "reason": "in another function's name", "requester": "0x0203",
                              "address": "0x1280000000", "more": True}
    assert one["sources"][0]["rewritten"] == {"address": "0xfee42000", "data": "0x0031"}
    out = test.run("show")[1]
    for line in ("checked; 7 requests stopped, 2 interrupts refused", "window 0: from 0x100000 up to 0x40000000, moved by 0x200000000",
                 "first stopped: write of 02:00.3 at 0x1280000000, in another function's name; others after it",
                 "as 0xfee42000 = 0x0031"):
        assert line in out, out
    assert out.count("checked") == 1 and "window 1" not in out


def show_takes_a_slot(test):
    usual(test)
    (card,) = test.json("show", "01:00.3")["cards"]
    assert [f["slot"] for f in card["functions"]] == ["0000:01:00.3"]
    status, out, _ = test.run("show", "01:00.3")
    assert status == 0 and "INTA" not in out and "0xfee01000 = 0x4021" in out


def a_message_of_an_unknown_function_is_named(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101})
    source(r, 0, 0, 1, 0x0509, 0xfee00000, 0x4030, 3, 0)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    (card,) = test.json("list")["cards"]
    assert [(f["slot"], f["present"], f["interrupts"]) for f in card["functions"]] == [("0000:01:00.1", False, 0), ("0000:05:01.1", False, 3)]


def cards_are_listed_in_the_order_of_their_slots(test):
    m = Machine(test.root)
    for slot in ("0001:01:00.0", "0000:03:00.0", "0000:01:00.0"):
        m.function(slot, 0x1209, 0x5160, 0x088000, bar=relay(test.header, {}).bar)
    assert [c["slot"] for c in test.json("list")["cards"]] == ["0000:01:00.0", "0000:03:00.0", "0001:01:00.0"]


def broken(test, expected, **how):
    """A card that can't be used is listed, with what is wrong and what helps; show fails."""
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101})
    bar = how.pop("bar", r.bar)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=bar, **how)
    (card,) = test.json("list")["cards"]
    assert not card["accessible"] and expected in card["error"]["what"] + card["error"]["advice"], card
    status, out, err = test.run("show")
    assert (status, out) == (1, "") and expected in err, err


def decoding_off(test):
    broken(test, "echo 1 > /sys/bus/pci/devices/0000:01:00.0/enable", bar=b"\xff" * 0x10000, command=0)


def link_down(test):
    broken(test, "LnkSta", bar=b"\xff" * 0x10000)


def no_bar(test):
    broken(test, "BAR 0 has no address", bar=None)


def short_bar(test):
    broken(test, "BAR 0 has 4096 bytes", bar=bytes(4096))


def other_circuit(test):
    broken(test, "ID 0x00000000", bar=bytes(0x10000))


def newer_map(test):
    r = relay(test.header, {})
    r.set("VERSION", 0x20000)
    broken(test, "register map 2.0", bar=r.bar)


def impossible_shape(test):
    r = relay(test.header, {})
    r.set("SHAPE", 0xffffffff)
    broken(test, "register map", bar=r.bar)


def closed_output_is_a_failure(test):
    usual(test)
    with open("/dev/full", "w", encoding="utf-8") as full:
        status, _, err = test.run("list", stdout=full)
    assert status == 1 and "standard output" in err


machine.main_of(globals(), "usual", "broken")

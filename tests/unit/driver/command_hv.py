#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox hv check, hv config create and hv stat on machines made of files. usage: command_hv.py SIGNALBOX REGS_HEADER"""
import json
import os
import struct
import subprocess

import machine
from machine import Machine, put

GOOD = """/dts-v1/;
/ {
    compatible = "signalbox,partitions-1";
    lpars {
        web { cpus = <0 1>; memory-mib = <512>; kernel = "vmlinuz"; functions = "0000:03:00.0"; service; };
        db { cpus = <2>; memory-mib = <256>; kernel = "vmlinuz"; initrd = "initrd.img"; manual-start; };
    };
};
"""


def file(test, text, name="partitions.dts"):
    put(f"{test.root}/{name}", text)
    return f"{test.root}/{name}"


def a_good_file_is_listed(test):
    name = file(test, GOOD)
    status, out, err = test.run("hv", "check", name)
    assert (status, err) == (0, ""), err
    lines = out.splitlines()
    assert lines[0].split() == ["LPAR", "CPUS", "MEMORY", "KERNEL", "FUNCTIONS", "START"]
    assert lines[1].split() == ["web", "0,1", "512", "MiB", "vmlinuz", "1", "at", "boot"]
    assert lines[2].split() == ["db", "2", "256", "MiB", "vmlinuz", "0", "by", "hand"]
    result = test.json("hv", "check", name)
    assert result["schema"] == "signalbox.hv-check/1" and result["good"]
    web, db = result["lpars"]
    assert (web["name"], web["cpus"], web["memory_mib"], web["functions"]) == ("web", [0, 1], 512, ["0000:03:00.0"])
    assert (db["initrd"], db["autostart"], web["initrd"]) == ("initrd.img", False, None)
    assert (web["service"], db["service"]) == (True, False)


def source_and_compiled_are_the_same(test):
    name = file(test, GOOD)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", f"{test.root}/p.dtb", name], check=True)
    assert test.json("hv", "check", name)["lpars"] == test.json("hv", "check", f"{test.root}/p.dtb")["lpars"]


def errors_name_node_and_property(test):
    for old, new, where in (("cpus = <2>", "cpus = <1>", "/lpars/db: cpus: CPU 1 is web's already"),
                            ("memory-mib = <512>", "memory-mib = <511>", "/lpars/web: memory-mib: 511 is not a multiple of 2 MiB above 0"),
                            ("manual-start", "manualstart", "/lpars/db: manualstart: there is no such property of an LPAR"),
                            ("lpars {", "partitions {", "/partitions: there is no such node")):
        name = file(test, GOOD.replace(old, new))
        status, out, err = test.run("hv", "check", name)
        assert (status, out, err) == (1, "", f"signalbox: {name}: {where}\n"), err
    status, out, _ = test.run("hv", "check", "--json", name)
    error = json.loads(out)["error"]
    assert status == 1 and error["node"] == "/partitions" and error["property"] == ""


def the_machine_can_be_told(test):
    name = file(test, GOOD)
    status, _, err = test.run("hv", "check", "--cpus=2", name)
    assert status == 1 and "/lpars/db: cpus: there is no CPU 2, the last is 1" in err, err
    status, _, err = test.run("hv", "check", "--memory=767", name)
    assert status == 1 and "768 MiB of the machine's 767" in err, err
    assert test.run("hv", "check", "-c", "3", "-m", "768", name)[0] == 0
    assert test.run("hv", "check", "-c", "0", name)[0] == 64
    assert test.run("hv", "check")[0] == 64


def what_is_no_partition_file(test):
    status, _, err = test.run("hv", "check", file(test, "hello {\n"))
    assert status == 1 and "syntax error" in err, err
    status, _, err = test.run("hv", "check", f"{test.root}/nowhere.dts")
    assert status == 1 and "No such file" in err
    status, _, err = test.run("hv", "check", file(test, b"\xd0\x0d\xfe\xed" + bytes(100)))
    assert status == 1 and "device tree" in err, err
    status, _, err = test.run("hv", "check", file(test, b"\xd0\x0d\xfe\xed" + os.urandom(5000)))
    assert status == 1 and "device tree" in err, err
    status, _, err = test.run("hv", "check", file(test, " " * (3 << 20)))
    assert status == 1 and "File too large" in err, err


def server(test, threads=2, cores=4):
    m = Machine(test.root)
    put(f"{test.root}/sys/devices/system/cpu/present", f"0-{threads * cores - 1}\n")
    for cpu in range(threads * cores):
        folder = f"{test.root}/sys/devices/system/cpu/cpu{cpu}/topology"
        put(f"{folder}/physical_package_id", "0\n")
        put(f"{folder}/core_id", f"{cpu % cores}\n")
    for i, (start, end, kind) in enumerate(((0, 0x9fbff, "System RAM"), (0xf0000, 0xfffff, "Reserved"),
                                            (0x100000, 0x7fffffff, "System RAM"), (0x100000000, 0x27fffffff, "System RAM"))):
        folder = f"{test.root}/sys/firmware/memmap/{i}"
        put(f"{folder}/start", f"{start:#x}\n")
        put(f"{folder}/end", f"{end:#x}\n")
        put(f"{folder}/type", kind + "\n")
    m.function("0000:00:1f.0", 0x8086, 0x2918, 0x060100)
    m.function("0000:03:00.0", 0x8086, 0x10d3, 0x020000, driver="e1000e")
    m.function("0000:01:00.0", 0x1b36, 0x0010, 0x010802)


def a_first_file_fits_the_machine(test):
    server(test)
    status, out, err = test.run("hv", "config", "create")
    assert (status, err) == (0, ""), err
    assert "This machine: 8 CPUs, 4 cores, 8191 MiB of memory." in out
    first, second = out.index("0000:01:00.0  0108"), out.index("0000:03:00.0  0200")
    assert first < second and "e1000e" in out and "1f.0" not in out, out
    result = test.json("hv", "check", "-c", "8", "-m", "8191", file(test, out))
    lpars = result["lpars"]
    assert [l["cpus"] for l in lpars] == [[0, 4, 1, 5], [2, 6, 3, 7]], "the threads of a core stay together"
    total = 0x9fc00 + 0x7ff00000 + 0x180000000
    assert [l["memory_mib"] for l in lpars] == [total // 100 * 90 // 2 // (2 << 20) * 2] * 2


def as_many_lpars_as_asked_for(test):
    server(test, threads=1, cores=7)
    status, out, _ = test.run("hv", "config", "create", "--lpars=3")
    assert status == 0
    lpars = test.json("hv", "check", file(test, out))["lpars"]
    assert [l["cpus"] for l in lpars] == [[0, 1], [2, 3], [4, 5, 6]]
    status, _, err = test.run("hv", "config", "create", "--lpars=8")
    assert status == 1 and "7 cores" in err, err
    assert test.run("hv", "config", "create", "--lpars=17")[0] == 64


def functions_are_selected_as_by_lspci(test):
    server(test)
    _, out, _ = test.run("hv", "config", "create", "-d", "8086:")
    assert "0000:03:00.0" in out and "0000:01:00.0" not in out


def statistics(test, version=1, stride=48, cpus=2):
    """Two kinds of exit, two CPUs; the counters of CPU c are 100 c and on."""
    head = struct.pack("<IHHIIIIIIQQQ32s", 0x53544253, version, cpus, 2, 96, 128, stride, 32, 1 << 1, 10**9, 3, 2, b"web")
    head = head.ljust(96, b"\0") + b"io".ljust(16, b"\0") + b"cpuid".ljust(16, b"\0")
    body = b"".join(struct.pack("<6Q", *range(100 * c, 100 * c + 6)) for c in range(2))
    with open(f"{test.root}/statistics", "wb") as out:
        out.write(head + body)
    return f"{test.root}/statistics"


def statistics_are_shown(test):
    name = statistics(test)
    status, out, err = test.run("hv", "stat", "--file", name)
    assert (status, err) == (0, ""), err
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["web", "CPU", "0", "CPU", "1", "ALL"], rows[0]
    assert ["io", "4", "104", "108"] in rows and ["cpuid", "5", "105", "110"] in rows
    assert ["VMREADs", "3", "103", "106"] in rows
    result = test.json("hv", "stat", "--file", name)
    assert (result["lpar"], result["starts"], result["resets"]) == ("web", 3, 2)
    assert result["mechanisms"]["direct_irq"] and not result["mechanisms"]["relay"]
    assert result["cpus"][1] == {"exits": {"io": 104, "cpuid": 105}, "injected": 100, "reinjected": 101,
                                 "emulated": 102, "state_reads": 103}


def what_are_no_statistics_is_refused(test):
    for name in (statistics(test, version=2), statistics(test, stride=40), statistics(test, cpus=3),
                 file(test, "short"), file(test, "")):
        status, out, err = test.run("hv", "stat", "--file", name)
        assert (status, out) == (1, "") and "these are no statistics" in err, err
    assert test.run("hv", "stat", "--file", "/nowhere")[0] == 1
    status, _, err = test.run("hv", "stat")
    assert status == 1 and "no LPAR" in err, err


def function_statistics(test, count=8, functions=96, stride=112):
    """Those of a service LPAR: function 1 of the card is red's, by messages, 2 is blue's, by a line."""
    head = struct.pack("<IHHIIIIIIQQQ32sII", 0x53544253, 1, 0, 0, 96, 96, 32, 32, 0, 10**9, 1, 0, b"red", functions, 0)
    entries = [struct.pack("<32sHHIQQQQQQQQ", *e).ljust(112, b"\0") for e in (
        (b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (b"red", 0x101, 1, 3, 40, 0, 38, 80, 0, 38, 76000, 9000),
        (b"blue", 0x102, 2, 1, 10, 12, 0, 30, 3, 10, 500000, 100000))] + 5 * [bytes(112)]
    with open(f"{test.root}/functions", "wb") as out:
        out.write(head + struct.pack("<IIII", count, 16, stride, 1500) + b"".join(entries))
    return f"{test.root}/functions"


def top_shows_the_functions_of_all_lpars(test):
    name = function_statistics(test)
    status, out, err = test.run("top", "--file", name, "-c", "2", "-i", "0.1")
    assert (status, err) == (0, ""), err
    rows = [line.split() for line in out.splitlines()]
    assert rows[1] == ["0000:01:00.1", "red", "1", "message_by_relay", "0.0", "40", "0", "80", "2.00", "2.0", "9.0"], rows[1]
    assert rows[2] == ["0000:01:00.2", "blue", "2", "line_by_relay", "0.0", "10", "3", "30", "2.50", "50.0", "100.0"], rows[2]
    assert len(rows) == 7, "two rounds, and no function of nobody"
    result = test.json("top", "--file", name, "-c", "1", "-i", "0.1")
    assert result["schema"] == "signalbox.top/1" and result["clock_error_ns"] == 1500 and result["seconds"] > 0
    red, blue = result["functions"]
    assert red == {"slot": "0000:01:00.1", "owner": "red", "owner_slot": 1, "route": "message_by_relay", "rate": 0.0,
                   "total": 40, "lines": 0, "messages": 38, "exits": 80, "put_off": 0,
                   "wait": {"interrupts": 38, "mean_ns": 2000.0, "most_ns": 9000}}
    assert (blue["owner"], blue["lines"], blue["put_off"]) == ("blue", 12, 3)


def top_of_an_lpar_that_may_not_see_them(test):
    status, out, err = test.run("top", "--file", function_statistics(test, functions=0))
    assert (status, out) == (1, "") and "red is no service LPAR" in err, err
    for name in (function_statistics(test, count=9), function_statistics(test, stride=8), function_statistics(test, functions=5000)):
        status, out, err = test.run("top", "--file", name)
        assert (status, out) == (1, "") and "these are no statistics" in err, err


machine.main_of(globals(), "file", "server", "statistics", "function_statistics")

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""signalbox trace: recording from a card, and every export as its viewers read it.
usage: command_trace.py SIGNALBOX REGS_HEADER PLUGIN_FOLDER DISSECTOR"""
import csv
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import xml.etree.ElementTree

import machine
import tracefile
from machine import Machine, relay

ENTRIES = 20 * 5 + 1 + 1 + 3 + 1


def file_of(test, content, name="t.sbtrace"):
    path = f"{test.root}/{name}"
    with open(path, "wb") as file:
        file.write(content)
    return path


def export(test, form, content=None, name="out"):
    path, out = file_of(test, tracefile.usual() if content is None else content), f"{test.root}/{name}"
    status, printed, err = test.run("trace", "export", "-f", form, "-o", out, path)
    assert (status, printed, err) == (0, "", ""), (status, printed, err)
    return out


def outside(*words, **environment):
    """Runs another program, without umockdev."""
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ, **environment))


def plugin_environment(test):
    """babeltrace2 with our plugin in it, sanitized or not; leaks would be those of babeltrace2."""
    return {"BABELTRACE_PLUGIN_PATH": sys.argv[3], "LD_PRELOAD": " ".join(test.sanitizer()), "ASAN_OPTIONS": "detect_leaks=0"}


def lines_are_json(test):
    path = file_of(test, tracefile.usual())
    status, out, err = test.run("trace", "print", "--json", path)
    assert (status, err) == (0, "")
    head, *entries = [json.loads(line) for line in out.splitlines()]
    assert (head["schema"], head["card"], head["ports"], head["start_ns"]) == ("signalbox.trace/1", "0000:01:00.0", 3, 1_000_000)
    assert len(entries) == ENTRIES
    first = entries[0]
    assert (first["function"], first["kind"], first["level"], first["source"], first["time_ns"]) == ("0000:01:00.2", "intx", True, 1, 1_004_000)
    message = entries[2]
    assert (message["function"], message["kind"], message["address"], message["data"], message["tlp"]) == \
        ("0000:01:00.3", "msi", "0xfee01000", "0x4021", "MWr")
    assert sum(e["kept"] for e in entries) == 27 and entries[-5]["address"] == "0x1fee02000" and entries[-5]["replay"]
    assert entries[-1]["missing"] == 7 and entries[-1]["number"] == ENTRIES - 1 + 7
    assert entries[-3]["function"] == "0000:01:00.3" and entries[-3]["down"]


def lines_are_for_people(test):
    status, out, _ = test.run("trace", "print", file_of(test, tracefile.usual()))
    lines = out.splitlines()
    assert status == 0 and len(lines) == ENTRIES + 1
    assert lines[0].split() == ["0.000004000", "0000:01:00.2", "up", "INTA", "rises"]
    assert "MSI 0xfee01000 = 0x4021  [kept back]" in out
    assert "MRd 0xfee01000, 4 bytes, from 01:00.3 tag 0x05" in out
    assert "CplD, 4 bytes left, to 01:00.3 tag 0x05, from 01:00.0" in out
    assert "CfgRd0 01:00.0 register 0x010, from 00:00.0 tag 0x01" in out
    assert "-- at least 7 records are missing" in lines[-2]


def csv_has_a_line_of_names(test):
    with open(export(test, "csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == ENTRIES
    assert (rows[2]["kind"], rows[2]["address"], rows[2]["data"], rows[2]["dw3"], rows[2]["dw4"]) == ("msi", "0xfee01000", "0x4021", "0x21400000", "")
    assert None not in rows[0] and all(None not in row.values() for row in rows)


def chrome_is_balanced_and_in_order(test):
    with open(export(test, "chrome"), encoding="utf-8") as file:
        trace = json.load(file)
    depth, last, names = {}, {}, {}
    for event in trace["traceEvents"]:
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                names[event["tid"]] = event["args"]["name"]
            continue
        tid = event["tid"]
        assert tid in names and event["ts"] >= last.get(tid, 0)
        last[tid] = event["ts"]
        depth[tid] = depth.get(tid, 0) + {"B": 1, "E": -1, "i": 0}[event["ph"]]
        assert depth[tid] in (0, 1)
    assert set(depth.values()) == {0}
    assert sorted(names.values()) == ["0000:01:00.1 INTA", "0000:01:00.2 INTA", "0000:01:00.3 messages"]
    first = next(e for e in trace["traceEvents"] if e["ph"] == "B")
    assert first["ts"] == 4.0


def chrome_closes_what_stays_high(test):
    content = tracefile.header() + tracefile.wire(0, 2_000_000, 0x0100, 0, 1, port=1) + tracefile.record(1, 3_000_000)
    with open(export(test, "chrome", content), encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    assert [(e["ph"], e["ts"]) for e in events if e["ph"] != "M"] == [("B", 1000.0), ("E", 2000.0)]


def what_the_relay_made_and_kept_has_no_address(test):
    content = tracefile.header() + tracefile.record(0, 1_000_100, (0x40000001, 0x0103000f), source=4, kind=0, port=3, kept=1, replay=1)
    status, out, err = test.run("trace", "print", file_of(test, content))
    assert (status, err) == (0, "") and out.endswith("MSI of source 4  [kept back]  [the relay's own]\n"), out
    for form in ("jsonl", "csv", "pcapng", "chrome", "svg"):
        export(test, form, content)


def svg_is_well_formed_and_small(test):
    tree = xml.etree.ElementTree.parse(export(test, "svg"))
    classes = [e.get("class") for e in tree.iter() if e.get("class")]
    assert classes.count("name") == 3 and "wire" in classes and "kept" in classes and "gap" in classes
    texts = [e.text for e in tree.iter() if e.tag.endswith("text")]
    assert "0000:01:00.1 INTA" in texts and "20 rises" in texts
    assert "153 us" in texts[1] and "recorded from 2023-11-14 22:13:20 UTC" in texts[1], texts[1]
    # What the root was told is a lane of its own.
    limited = tracefile.header() + b"".join(
        tracefile.wire(2 * i + k, 1_001_000 + 2000 * i + k, 0x0100, 0, i % 2 ^ 1, port=port, replay=int(port == 0))
        for i in range(4) for k, port in enumerate((1, 0)))
    tree = xml.etree.ElementTree.parse(export(test, "svg", limited))
    assert [e.text for e in tree.iter() if e.get("class") == "name"] == ["0000:01:00.1 INTA", "root: INTA"]
    # Half a million interrupts make no larger a picture than its pixels.
    content = [tracefile.header()]
    for i in range(0, 100_000, 2):
        content.append(tracefile.wire(i, 1_000_000 + i * 100, 0x0100, 0, 1, port=1))
        content.append(tracefile.wire(i + 1, 1_000_050 + i * 100, 0x0100, 0, 0, port=1))
    for i in range(100_000, 200_000):
        content.append(tracefile.msi(i, 1_000_000 + i * 100, 0x0103, 0xfee01000, 0x4021, port=3))
    assert os.path.getsize(export(test, "svg", b"".join(content))) < 500_000
    assert "No interrupt was recorded." in open(export(test, "svg", tracefile.header()), encoding="utf-8").read()


def pcapng_is_read_by_tshark(test):
    out = export(test, "pcapng", name="t.pcapng")
    fields = ["frame.time_epoch", "frame.interface_name", "frame.len", "frame.cap_len", "signalbox.kind", "signalbox.port", "signalbox.tlp.type",
              "signalbox.tlp.requester", "signalbox.tlp.address", "signalbox.msi.data", "signalbox.kept", "signalbox.time_ns", "_ws.col.info"]
    # Wireshark runs no scripts for root.
    script = shutil.copy(sys.argv[4], test.root)
    os.chmod(test.root, 0o755)
    user = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    done = subprocess.run(["tshark", "-X", f"lua_script:{script}", "-r", out, "-T", "fields", "-E", "separator=;",
                           *[w for f in fields for w in ("-e", f)]], capture_output=True, text=True, check=False, timeout=120,
                          env=dict(os.environ, HOME=test.root), **user)
    assert done.returncode == 0, done.stderr
    rows = [dict(zip(fields, line.split(";"))) for line in done.stdout.splitlines()]
    assert len(rows) == ENTRIES, (len(rows), done.stderr)
    assert rows[0]["frame.time_epoch"] in ("1700000000.000004000", "2023-11-14T22:13:20.000004000Z"), rows[0]
    assert rows[0]["frame.interface_name"] == "port2 0000:01:00.2" and rows[0]["_ws.col.info"] == "INTx Msg code 0x20 from 02:00.0 rises"
    m = rows[2]
    assert (m["signalbox.kind"], m["signalbox.port"], m["signalbox.tlp.type"], m["signalbox.tlp.requester"]) == ("0", "3", "MWr", "01:00.3")
    assert int(m["signalbox.tlp.address"], 0) == 0xfee01000 and int(m["signalbox.msi.data"], 0) == 0x4021
    assert (m["frame.cap_len"], m["frame.len"], m["signalbox.time_ns"]) == ("32", "32", "1005800"), m
    long = rows[-5]
    assert int(long["signalbox.tlp.address"], 0) == 0x1fee02000 and int(long["signalbox.msi.data"], 0) == 0x4022
    assert sum(row["signalbox.kept"] in ("1", "True") for row in rows) == 27
    assert rows[-2]["_ws.col.info"] == "CfgRd0 01:00.0 register 0x010 from 00:00.0"


def ctf_is_made_and_read_by_babeltrace2(test):
    plugins = plugin_environment(test)
    path = file_of(test, tracefile.usual())
    done = outside("babeltrace2", "--component=source.signalbox.trace", "--params", f'path="{path}"', **plugins)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == ENTRIES, done.stderr
    done = outside(test.binary, "trace", "export", "-f", "ctf", "-o", f"{test.root}/ctf", path, **plugins)
    assert done.returncode == 0, done.stderr
    done = outside("babeltrace2", "--clock-seconds", f"{test.root}/ctf")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == ENTRIES, done.stderr
    assert lines[0].startswith("[1700000000.000004000]") and 'intx: { function = "0000:01:00.2", port = 2' in lines[0], lines[0]
    assert "address = 0xFEE01000, data = 0x4021" in lines[2]
    with open(f"{test.root}/ctf/signalbox/metadata", "rb") as file:
        assert b"CTF 1.8" in file.read(20)
    # babeltrace2's own choice of a version serves as well.
    done = outside("babeltrace2", "--component=source.signalbox.trace", "--params", f'path="{path}"', "-o", "ctf", "-w", f"{test.root}/ctf2", **plugins)
    assert done.returncode == 0, done.stderr
    assert len(outside("babeltrace2", f"{test.root}/ctf2").stdout.splitlines()) == ENTRIES


def babeltrace2_says_where_a_file_is_broken(test):
    path = file_of(test, tracefile.usual()[:-5])
    done = outside("babeltrace2", "--component=source.signalbox.trace", "--params", f'path="{path}"', **plugin_environment(test))
    assert done.returncode != 0 and "a record ends after 27 of its 32 bytes" in done.stderr
    assert len(done.stdout.splitlines()) == ENTRIES - 1
    for params in ('path="/nonexistent"', "path=5"):
        done = outside("babeltrace2", "--component=source.signalbox.trace", "--params", params, **plugin_environment(test))
        assert done.returncode != 0 and ("No such file" in done.stderr or "is missing" in done.stderr)


def broken_files_are_refused_with_the_place(test):
    good, head = tracefile.usual(), tracefile.header()
    bad_kind = head + tracefile.record(0, 5) + tracefile.record(1, 5, kind=3)
    for content, text in ((b"", "offset 0"), (b"SBXTRAC", "offset 0"), (b"\x7fELF" + bytes(200), "offset 0"), (good[:100], "offset 100"),
                          (tracefile.header(major=2), "offset 8: version 2.0"), (tracefile.header(header_bytes=64), "offset 12"),
                          (tracefile.header(header_bytes=0xffffffff), "offset 12"), (tracefile.header(header_bytes=4096), "offset 128"),
                          (tracefile.header(record_bytes=24), "offset 16"), (tracefile.header(ports=[0] * 9), "offset 56"),
                          (good[:-1], f"offset {len(good) - 32}"), (bad_kind, "offset 160: not a record: kind 3"),
                          (head + struct.pack("<I", 6 << 28) + bytes(28), "offset 128: not a record")):
        for form in ("text", "jsonl", "csv", "pcapng", "chrome", "svg"):
            status, _, err = test.run("trace", "export", "-f", form, file_of(test, content))
            assert status == 1 and text in err, (text, form, err)


def a_later_minor_version_is_read(test):
    content = tracefile.header(minor=7, header_bytes=160) + bytes(32) + tracefile.record(0, 1_000_001)
    status, out, _ = test.run("trace", "print", file_of(test, content))
    assert status == 0 and len(out.splitlines()) == 1


def times_go_on_over_48_bits(test):
    near = (1 << 48) - 100
    content = tracefile.header(start=near) + b"".join(tracefile.record(i, near + 50 * i) for i in range(10))
    status, out, _ = test.run("trace", "print", "--json", file_of(test, content))
    assert status == 0 and [json.loads(line)["time_ns"] for line in out.splitlines()[1:]] == [near + 50 * i for i in range(10)]


def wrong_use(test):
    for words, status in ((["trace"], 64), (["trace", "frob"], 64), (["trace", "export", "-f", "gif"], 64), (["trace", "print", "a", "b"], 64),
                          (["trace", "record", "-t", "0"], 64), (["trace", "--help"], 0), (["trace", "print", "/nonexistent"], 1),
                          (["trace", "print", test.root], 1), (["trace", "export", "-f", "ctf"], 64), (["trace", "record"], 2)):
        assert test.run(*words)[0] == status, words


def pipes(test):
    path = file_of(test, tracefile.usual())
    with open(path, "rb") as file:
        done = subprocess.run([test.binary, "trace", "print", "--json", "-"], stdin=file, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == ENTRIES + 1


def recording_takes_what_the_relay_holds(test):
    m = Machine(test.root)
    r = relay(test.header, {1: 0x0101, 3: 0x0103})
    r.set("TRACE_HEAD", 1000)
    r.set("TRACE_TAIL", 990)
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    bar = f"{test.root}/sys/bus/pci/devices/0000:01:00.0/resource0"
    out = f"{test.root}/r.sbtrace"
    process = test.start("trace", "record", "-o", out, "--tlps", "--json")

    def register(name):
        with open(bar, "rb") as file:
            file.seek(r.value[name])
            return struct.unpack("<I", file.read(4))[0]

    machine.wait_for(lambda: register("CTRL") == 0xf)
    assert register("TRACE_TAIL") == 1000, "what was in the buffer before is dropped"
    # 300 records through a buffer of 256, as a circuit that waits for room would write them.
    records = [tracefile.msi(i, 5_000_000_000 + i, 0x0103, 0xfee01000, 0x4021, port=3) for i in range(1000, 1300)]
    with open(bar, "r+b") as file:
        for number in range(1000, 1300):
            machine.wait_for(lambda: number - register("TRACE_TAIL") < 256)
            file.seek(r.value["TRACE_DATA"][0] + 32 * (number % 256))
            file.write(records[number - 1000])
            file.flush()
            file.seek(r.value["TRACE_HEAD"])
            file.write(struct.pack("<I", number + 1))
            file.flush()
    machine.wait_for(lambda: register("TRACE_TAIL") == 1300)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(printed) == {"schema": "signalbox.trace-record/1", "file": out, "records": 300, "dropped": 0}
    assert register("CTRL") == 3, "tracing is off again"
    with open(out, "rb") as file:
        content = file.read()
    assert content[128:] == b"".join(records) and content[:8] == b"SBXTRACE"
    head = json.loads(test.run("trace", "print", "--json", out)[1].splitlines()[0])
    assert (head["card"], head["ports"], head["start_ns"], head["tlps"]) == ("0000:01:00.0", 4, 5_000_000_000, True)


def recording_ends_with_the_card(test):
    m = Machine(test.root)
    r = relay(test.header, {})
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    process = test.start("trace", "record", "-o", "-")
    process.stdout.read(1)
    with open(f"{test.root}/sys/bus/pci/devices/0000:01:00.0/resource0", "r+b") as file:
        file.write(b"\xff" * 0x10000)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"does not answer" in err


def recording_needs_a_trace_and_room(test):
    m = Machine(test.root)
    r = relay(test.header, {})
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    status, _, err = test.run("trace", "record", "-t", "0.05", "-o", "/dev/full")
    assert status == 1 and "No space left" in err
    r.set("CAPS", 0)
    m = Machine(test.root + "/second")
    m.function("0000:01:00.0", 0x1209, 0x5160, 0x088000, bar=r.bar)
    test.root += "/second"
    status, _, err = test.run("trace", "record", "-t", "0.05", "-o", "-")
    assert status == 1 and "no trace" in err


machine.main_of(globals(), "file_of", "export", "outside", "plugin_environment")

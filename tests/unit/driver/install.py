#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `cmake --install` lays down: it is all there, and manual page and completion know every word of the command.
usage: install.py SIGNALBOX BUILD_FOLDER"""
import os
import re
import subprocess
import sys
import tempfile

binary, build = sys.argv[1:]


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, **more)


def words_of_help(*command):
    """Long options and subcommands (or parts) that --help names."""
    text = run(binary, *command, "--help").stdout
    options = set(re.findall(r"^ {2,}(?:-\w, )?(--[a-z-]+)", text, re.M)) - {"--help", "--usage", "--version", "--json", "--numeric"}
    below = re.findall(r"^  ([a-z][a-z-]+) +[A-Z]", text, re.M)
    return options, below


def complete(script, line, path):
    done = run("bash", "-c", 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _signalbox; printf "%s\\n" "${COMPREPLY[@]}"', "-", script, line,
               env=dict(os.environ, PATH=f"{path}:{os.environ['PATH']}"))
    assert done.stderr == "", done.stderr
    return done.stdout.split()


with tempfile.TemporaryDirectory() as root:
    done = run("cmake", "--install", build, "--prefix", root)
    assert done.returncode == 0, done.stderr
    found = {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}
    for pattern in ("sbin/signalbox", "share/man/man8/signalbox.8", "share/bash-completion/completions/signalbox", "lib/udev/rules.d/60-signalbox.rules",
                    "lib/sysusers.d/signalbox.conf", "lib/systemd/system/signalbox-metrics.service", "lib/systemd/system/signalbox-metrics.timer",
                    "share/initramfs-tools/hooks/signalbox", r"lib/.*babeltrace2/plugins/babeltrace-plugin-signalbox.so", r"lib/.*wireshark/plugins/signalbox.lua"):
        assert any(re.fullmatch(pattern, name) for name in found), (pattern, sorted(found))
    version = run(f"{root}/sbin/signalbox", "--version").stdout
    assert version.startswith("signalbox 0.") and "GPL" in version and "BSD-2-Clause" in version
    # Symbols are bound at the start (see signalbox(8), WHEN THE DISK'S LINE IS DEAD).
    assert "NOW" in run("readelf", "-d", f"{root}/sbin/signalbox").stdout

    page = f"{root}/share/man/man8/signalbox.8"
    done = run("man", "--warnings", "-E", "UTF-8", "-l", page, env=dict(os.environ, MANWIDTH="200", MAN_KEEP_FORMATTING=""))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    manual = re.sub(r".\x08", "", done.stdout)
    script = f"{root}/share/bash-completion/completions/signalbox"
    _, subcommands = words_of_help()
    assert len(subcommands) >= 15, subcommands
    assert set(subcommands) <= set(complete(script, "signalbox ", f"{root}/sbin"))
    for name in subcommands:
        options, parts = words_of_help(name)
        for part in parts or [None]:
            more, below = words_of_help(name, part) if part else (set(), [])
            command = " ".join(filter(None, (name, part)))
            for word in below or [None]:
                deepest = words_of_help(name, part, word)[0] if word else set()
                full = " ".join(filter(None, (command, word)))
                assert re.search(rf"\b{full}\b", manual), f"the manual page does not know {full}"
                offered = complete(script, f"signalbox {command} ", f"{root}/sbin") + complete(script, f"signalbox {command} -", f"{root}/sbin")
                for option in options | more | deepest:
                    assert re.search(rf"{option}\b", manual), f"the manual page does not know {option} of {full}"
                    assert option in offered, f"completion does not know {option} of {full}"
    with open(f"{root}/share/doc/signalbox/registers.md", encoding="utf-8") as text:
        assert "| `0x0018` | `CTRL` |" in text.read()
    assert complete(script, "signalbox trace export -f p", f"{root}/sbin") == ["pcapng"]
    assert complete(script, "signalbox mo", f"{root}/sbin") == ["mode"]
    for file in ("share/initramfs-tools/hooks/signalbox", "lib/systemd/system/signalbox-metrics.service"):
        with open(f"{root}/{file}", encoding="utf-8") as text:
            assert "sbin/signalbox" in text.read() and "@" not in text.read(), file
print("ok")

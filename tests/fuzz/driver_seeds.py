#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""First inputs of fuzz-trace and fuzz-command. usage: driver_seeds.py TRACE_FOLDER COMMAND_FOLDER"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../unit/driver"))
import tracefile

trace, command = sys.argv[1:]
for form in range(6):
    with open(f"{trace}/seed-{form}", "wb") as file:
        file.write(bytes([form]) + tracefile.usual())
words = ["list", "show", "stat", "metrics", "mode tap", "mask --all", "unmask -s 01:00.1", "limit --all --every 5us --high 1ms", "one-shot --off --all",
         "ack --all --dry-run", "inject --source 3 --raise --all", "show 01:00.0", "list -d 1209:", "stat -s :.1"]
for number, line in enumerate(words):
    for json in ("", "\n--json"):
        with open(f"{command}/seed-{number}{len(json)}", "wb") as file:
            file.write((line.replace(" ", "\n") + json + "\n\n").encode() + bytes((i * 37 + number) % 251 for i in range(300)))

# SPDX-License-Identifier: BSD-2-Clause
"""The simulated card and QEMU with the card plugged in, for tests. Runs inside scripts/enter."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile


class Card:
    """signalbox-sim, running. functions: its --function arguments; options: further arguments; folder: an own one
    if none is given."""

    def __init__(self, program, functions, options=(), folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="signalbox-card-")
        self.stats = f"{self.folder}/stats.json"
        arguments = [program, "--dir", self.folder, "--json-stats", self.stats, *options]
        for function in functions:
            arguments += ["--function", function]
        self.errors = open(f"{self.folder}/errors", "w+")
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        self.ready = self.process.stdout.readline()
        if "ready" not in self.ready:
            self.process.wait()
            raise RuntimeError(f"signalbox-sim did not start: {self.said()}")

    def qemu_arguments(self):
        with open(f"{self.folder}/qemu.args") as lines:
            return lines.read().splitlines()

    def socket(self, function):
        return f"{self.folder}/function{function}.sock"

    def said(self):
        self.errors.flush()
        with open(self.errors.name) as errors:
            return errors.read()

    def stop(self):
        """Ends it as a user does; the statistics."""
        self.process.send_signal(signal.SIGTERM)
        self.text, _ = self.process.communicate(timeout=30)
        if self.process.returncode != 0:
            raise RuntimeError(f"signalbox-sim ended with {self.process.returncode}: {self.said()}")
        with open(self.stats) as stats:
            return json.load(stats)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def check_qemu():
    """QEMU 10 has vfio-user-pci, but frames its DMA messages differently: the guest's CPU would wait for ever."""
    said = subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    version = re.search(r"version (\d+)", said)
    if not version or int(version.group(1)) < 11:
        sys.exit(f"QEMU 11 or newer is needed for the simulated card; this is {said.splitlines()[0]}")


def qemu(card, *arguments, megabytes=256, reboot=False):
    """QEMU's command line with the card behind a root port. reboot: a reset starts the guest again."""
    check_qemu()
    return ["qemu-system-x86_64", "-machine", "q35,memory-backend=m0", "-accel", "tcg", "-m", str(megabytes),
            "-object", f"memory-backend-memfd,id=m0,size={megabytes}M,share=on", "-display", "none", "-nodefaults",
            *([] if reboot else ["-no-reboot"]), *card.qemu_arguments(), *arguments]


def run_bare(card, image, seconds=90):
    """Runs a bare guest of tests/cosim/guest to its end: its exit code (16: all is well, -1: it
    took too long) and what it printed."""
    log = os.path.join(card.folder, "serial")
    command = qemu(card, "-serial", f"file:{log}", "-device", "isa-debug-exit,iobase=0x501", "-kernel", image)
    with open(f"{card.folder}/qemu.log", "w+") as said:
        try:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=seconds,
                                  check=False).returncode >> 1
        except subprocess.TimeoutExpired:
            code = -1
        said.seek(0)
        with open(log, errors="replace") as serial:
            return code, serial.read() + said.read()

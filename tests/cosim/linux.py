# SPDX-License-Identifier: BSD-2-Clause
"""Debian's own kernel, with an initramfs of ours, on a machine with the card. Runs inside scripts/enter."""

import os
import subprocess
import sys

from card import qemu

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, f"{TOP}/scripts")
from emulator import Emulator  # noqa: E402

# TCG doesn't see what a device stores into a page that held code before: fresh pages have to be written first.
APPEND = "console=ttyS0 quiet panic=-1 init_on_alloc=1"


def kernel():
    return subprocess.run([f"{TOP}/scripts/guest-kernel", "amd64"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def initramfs(out, init, modules, files=()):
    arguments = [f"{TOP}/scripts/guest-initramfs", out, kernel(), init]
    for module in modules:
        arguments += ["-m", module]
    for file in files:
        arguments += ["-f", file]
    subprocess.run(arguments, check=True)


class Linux(Emulator):
    """The guest; its serial line is read and answered as scripts/emulator.py does it."""

    name = "linux"

    def __init__(self, card, image, append="", options=(), megabytes=512, reboot=False, echo=False):
        super().__init__(echo)
        folder = kernel()
        boot = [f"{folder}/boot/{name}" for name in os.listdir(f"{folder}/boot") if name.startswith("vmlinuz")]
        self.arguments = qemu(card, "-serial", self.terminal, "-kernel", boot[0], "-initrd", image, "-append",
                              f"{APPEND} {append}", *options, megabytes=megabytes, reboot=reboot)

    def command(self):
        return self.arguments

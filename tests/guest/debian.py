# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel and an initramfs of ours as boot modules of an LPAR. Runs inside scripts/enter."""

import os
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, f"{TOP}/scripts")
from emulator import Module  # noqa: E402


def kernel(flavour):
    """Path of vmlinuz; flavour: amd64, or cloud-amd64, which starts faster."""
    folder = subprocess.run([f"{TOP}/scripts/guest-kernel", flavour], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    boot = next(name for name in os.listdir(f"{folder}/boot") if name.startswith("vmlinuz"))
    return folder, f"{folder}/boot/{boot}"


def modules(folder, flavour, command_line, init="linux-init"):
    """Makes the initramfs in the folder; the LPAR's kernel and initrd."""
    tree, vmlinuz = kernel(flavour)
    initrd = f"{folder}/initrd"
    subprocess.run([f"{TOP}/scripts/guest-initramfs", initrd, tree, os.path.join(os.path.dirname(__file__), init)],
                   check=True)
    return [Module(vmlinuz, f"vmlinuz {command_line}"), Module(initrd, "initrd")]

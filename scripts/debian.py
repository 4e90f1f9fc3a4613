# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel and an initramfs of ours as boot modules of an LPAR. Runs inside scripts/enter."""

import os
import subprocess

from emulator import Module

SCRIPTS = os.path.dirname(os.path.realpath(__file__))


def kernel(flavour):
    """Path of vmlinuz; flavour: amd64, or cloud-amd64, which starts faster."""
    folder = subprocess.run([f"{SCRIPTS}/guest-kernel", flavour], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    boot = next(name for name in os.listdir(f"{folder}/boot") if name.startswith("vmlinuz"))
    return folder, f"{folder}/boot/{boot}"


def files(folder, flavour, init=f"{SCRIPTS}/guest-workload", extra=()):
    """Puts `vmlinuz` and an `initrd` with the program as /init into the folder."""
    tree, vmlinuz = kernel(flavour)
    os.symlink(vmlinuz, f"{folder}/vmlinuz")
    subprocess.run([f"{SCRIPTS}/guest-initramfs", f"{folder}/initrd", tree, init, *extra], check=True)


def modules(folder, flavour, command_line, init=f"{SCRIPTS}/guest-workload"):
    """The kernel and initrd of the one LPAR that there is without a partition file."""
    files(folder, flavour, init)
    return [Module(f"{folder}/vmlinuz", f"vmlinuz {command_line}"), Module(f"{folder}/initrd", "initrd")]


DEMONSTRATION = ("red", "blue")  # LPARs
DEMONSTRATION_CPUS = 2  # of each


def two_lpars(folder, flavour, more, **extra):
    """The LPARs that ./run hv shows; more: what their command line ends with."""
    line = f"console=ttyS0 quiet panic=-1 mitigations=off cpus={DEMONSTRATION_CPUS} {more}"
    nodes = {}
    for number, name in enumerate(DEMONSTRATION):
        cpus = " ".join(str(number * DEMONSTRATION_CPUS + cpu) for cpu in range(DEMONSTRATION_CPUS))
        nodes[name] = (f'cpus = <{cpus}>; memory-mib = <256>; kernel = "vmlinuz"; initrd = "initrd"; '
                       f'command-line = "{line} name={name}";')
    return partitions(folder, flavour, nodes, **extra)


def partitions(folder, flavour, lpars, **more):
    """As modules(), with a partition file; lpars: the text of each LPAR's node by its name."""
    files(folder, flavour, **more)
    nodes = "".join(f"{name} {{ {text} }};\n" for name, text in lpars.items())
    with open(f"{folder}/partitions.dts", "w") as dts:
        dts.write('/dts-v1/;\n/ { compatible = "signalbox,partitions-1";\nlpars {\n' + nodes + "}; };\n")
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", f"{folder}/partitions.dtb", f"{folder}/partitions.dts"], check=True)
    return [Module(f"{folder}/{name}", name) for name in ("partitions.dtb", "vmlinuz", "initrd")]

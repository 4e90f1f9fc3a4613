# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor in QEMU with the card plugged in: LPARs of Debian's kernel that own functions. Runs inside scripts/enter."""

import tempfile

from card import check_qemu
from debian import partitions
from emulator import Qemu
from terminal import ESCAPE

LINE = "console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=1"


def lpar(cpus, functions, more="", line="", megabytes=256):
    """The text of an LPAR's node; functions: their numbers on the card."""
    names = ", ".join(f'"0000:01:00.{function}"' for function in functions)
    owned = f"functions = {names}; " if names else ""
    return (f'cpus = <{" ".join(map(str, cpus))}>; memory-mib = <{megabytes}>; kernel = "vmlinuz"; initrd = "initrd"; '
            f'command-line = "{LINE} {line}"; {owned}{more}')


class Machine(Qemu):
    """cpus and megabytes are those of the machine; lpars: node text by name; init: the program in each initramfs, where
    FILE:PATH of files are, too."""

    def __init__(self, image, card, lpars, init, modules=(), files=(), cpus=2, megabytes=768, options=(),
                 echo=False):
        check_qemu()
        self.place = tempfile.TemporaryDirectory(prefix="signalbox-hv-")
        extra = [word for module in modules for word in ("-m", module)]
        extra += [word for file in files for word in ("-f", file)]
        parts = partitions(self.place.name, "amd64", lpars, init=init, extra=extra)
        super().__init__(image, modules=parts, cpus=cpus, megabytes=megabytes, machine="q35,memory-backend=m0",
                         options=["-object", f"memory-backend-memfd,id=m0,size={megabytes}M,share=on",
                                  *card.qemu_arguments(), *options], echo=echo)

    def stop(self):
        super().stop()
        self.place.cleanup()

    def ask(self, command):
        """What the hypervisor's prompt answers."""
        self.send(f"{ESCAPE}h")
        self.expect(r"^signalbox> ", 60)
        start = self.seen
        self.send(f"{command}\r")
        self.expect(r"^signalbox> ", 60)
        return self.text[start:self.seen]

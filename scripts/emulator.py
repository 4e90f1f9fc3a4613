# SPDX-License-Identifier: BSD-2-Clause
"""The two emulators that the hypervisor runs on: QEMU (TCG: SVM) and Bochs (VMX). Start one, read and answer its
serial line, end it. Runs inside scripts/enter."""

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import tty

BOCHS = "/usr/share/bochs"


class Missed(Exception):
    """What was waited for did not come."""


class Module:
    """A file the boot loader loads beside the hypervisor; text is its name and arguments."""

    def __init__(self, path, text=""):
        self.path, self.text = path, text or os.path.basename(path)


def make_iso(out, image, command_line="", modules=(), extra_grub="", protocol="multiboot2"):
    """A GRUB ISO that boots the image from BIOS; protocol: multiboot (1) or multiboot2."""
    module_command = {"multiboot": "module", "multiboot2": "module2"}[protocol]
    lines = [extra_grub, f"{protocol} /boot/file0 {command_line}"]
    lines += [f"{module_command} /boot/file{number} {module.text}" for number, module in enumerate(modules, 1)]
    make_grub_iso(out, [image] + [module.path for module in modules], lines)


def make_linux_iso(out, kernel, initrd, command_line):
    """One that boots Linux bare, to compare with."""
    make_grub_iso(out, [kernel, initrd], [f"linux /boot/file0 {command_line}", "initrd /boot/file1"])


def make_grub_iso(out, files, lines):
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(f"{tree}/boot/grub")
        for number, file in enumerate(files):
            shutil.copy(file, f"{tree}/boot/file{number}")
        lines = ["set timeout=0", *lines, "boot"]
        with open(f"{tree}/boot/grub/grub.cfg", "w") as cfg:
            cfg.write("\n".join(lines) + "\n")
        subprocess.run(
            ["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--fonts=", "--locales=", "--themes=",
             "--install-modules=biosdisk iso9660 multiboot multiboot2 linux normal boot", "-o", out, tree],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Emulator:
    """Common to both: a process with its serial line on a pseudo terminal."""

    name = ""

    def __init__(self, echo=False):
        self.folder = tempfile.mkdtemp(prefix="signalbox-")
        self.echo = echo
        self.text = ""  # all that came so far
        self.seen = 0  # up to where expect() has matched
        self.process = None
        master, slave = os.openpty()
        tty.setraw(slave)
        self.line = master
        self.slave = slave  # kept open, so that the line does not hang up before the emulator opens it
        self.terminal = os.ttyname(slave)

    def command(self):
        raise NotImplementedError

    def start(self):
        self.log = open(f"{self.folder}/emulator.log", "w")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        os.close(self.line)
        os.close(self.slave)
        shutil.rmtree(self.folder, ignore_errors=True)

    def pump(self, seconds):
        """Takes in what the line has within that time; False when the emulator has ended and nothing is left."""
        ready, _, _ = select.select([self.line], [], [], seconds)
        if ready:
            piece = os.read(self.line, 65536).decode("latin-1").replace("\r", "")
            self.text += piece
            if self.echo:
                sys.stdout.write(piece)
                sys.stdout.flush()
            return True
        return self.process.poll() is None

    def expect(self, pattern, seconds):
        """Waits until the pattern appears behind the last match, and returns the match."""
        end = time.monotonic() + seconds
        wanted = re.compile(pattern, re.M)
        while True:
            match = wanted.search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            left = end - time.monotonic()
            if left <= 0:
                raise Missed(f"{self.name}: no {pattern!r} within {seconds} s\n{self.tail()}")
            if not self.pump(min(left, 0.5)):
                raise Missed(f"{self.name}: ended before {pattern!r}\n{self.tail()}")

    def send(self, text):
        os.write(self.line, text.encode())

    def tail(self):
        """The end of what came, for a message: the serial line, then what the emulator itself said, and how it ended."""
        self.log.flush()
        parts = [self.text[-6000:]]
        for file in self.logs():
            with open(file, errors="replace") as log:
                said = log.read()[-2000:]
            if said.strip():
                parts.append(f"--- {os.path.basename(file)}:\n{said}")
        status = self.process.poll()
        if status is not None:
            parts.append(f"--- exit status {status}")
        return "\n".join(parts)

    def logs(self):
        """The files an emulator writes messages of its own to."""
        return [self.log.name]


class Qemu(Emulator):
    name = "qemu"

    def __init__(self, image, command_line="", modules=(), cpus=1, megabytes=512, cpu="max", machine="q35", iso=None,
                 options=(), echo=False):
        super().__init__(echo)
        self.arguments = ["qemu-system-x86_64", "-machine", machine, "-accel", "tcg", "-cpu", cpu, "-smp", str(cpus),
                          "-m", str(megabytes), "-nodefaults", "-no-reboot", "-display", "none",
                          "-serial", self.terminal]
        if iso:
            self.arguments += ["-cdrom", iso]
        else:
            self.arguments += ["-kernel", image, "-append", command_line]
            if modules:
                # A comma ends a module here; doubled it stands for itself. The text follows the path.
                self.arguments += ["-initrd", ",".join(self.module(m) for m in modules)]
        self.arguments += list(options)

    @staticmethod
    def module(module):
        rest = module.text.partition(" ")[2]
        return (module.path + (" " + rest if rest else "")).replace(",", ",,")

    def command(self):
        return self.arguments


class Bochs(Emulator):
    name = "bochs"

    def __init__(self, image, command_line="", modules=(), cpus=1, megabytes=512, model="corei7_skylake_x", iso=None,
                 exclude="rdrand,rdseed", ips=100000000, echo=False):
        super().__init__(echo)
        if not iso:
            iso = f"{self.folder}/boot.iso"
            make_iso(iso, image, command_line, modules)
        self.file = f"{self.folder}/bochsrc"
        host = min(megabytes, 2048)
        # No VBE: Bochs's VGA on the ISA bus has no linear framebuffer, and GRUB 2.12 then draws over itself at address 0.
        with open(self.file, "w") as rc:
            rc.write(f"""\
config_interface: textconfig
display_library: rfb, options="timeout=0"
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, exclude_features="{exclude}"
memory: guest={megabytes}, host={host}
romimage: file={BOCHS}/BIOS-bochs-latest, options=fastboot
vgaromimage: file={BOCHS}/VGABIOS-lgpl-latest
vga: extension=none
boot: cdrom
floppy_bootsig_check: disabled=1
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
clock: sync=none, time0=1000000000, rtc_sync=0
port_e9_hack: enabled=1
private_colormap: enabled=0
pci: enabled=1, chipset=i440fx
com1: enabled=1, mode=term, dev={self.terminal}
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
log: {self.folder}/bochs.log
""")

    def command(self):
        return ["bochs", "-f", self.file]

    def logs(self):
        return [*super().logs(), *filter(os.path.exists, [f"{self.folder}/bochs.log"])]

# SPDX-License-Identifier: BSD-2-Clause
"""A machine made of files: a sysfs tree with a relay and the functions behind it, for umockdev to show to a
program as /sys. resource0 holds the register contents, by the names of the generated C header."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import traceback


class Registers:
    """BAR 0 of a relay, as bytes."""

    def __init__(self, header):
        self.value = {}
        self.bar = bytearray(0x10000)
        with open(header, encoding="utf-8") as lines:
            for line in lines:
                plain = re.match(r"#define RELAY_(\w+) (0x[0-9a-f]+|\d+)u\b", line)
                array = re.match(r"#define RELAY_(\w+)\(i\) \((0x[0-9a-f]+)u \+ (0x[0-9a-f]+)u", line)
                if plain:
                    self.value[plain[1]] = int(plain[2], 0)
                elif array:
                    self.value[array[1]] = (int(array[2], 16), int(array[3], 16))

    def set(self, name, value, index=0):
        place = self.value[name]
        offset = place[0] + place[1] * index if isinstance(place, tuple) else place
        struct.pack_into("<I", self.bar, offset, value)

    def field(self, name, value):
        return value << self.value[name + "_SHIFT"] & self.value[name]

    def fields(self, register, **fields):
        return sum(self.field(f"{register}_{name}", value) for name, value in fields.items())


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


class Machine:
    def __init__(self, root):
        self.root = root
        os.makedirs(f"{root}/sys/bus/pci/devices", exist_ok=True)
        os.makedirs(f"{root}/sys/kernel/irq", exist_ok=True)

    def function(self, slot, vendor, device, pci_class, irq=0, driver=None, msi=(), msix=True, bar=None, command=6):
        folder = f"{self.root}/sys/bus/pci/devices/{slot}"
        config = bytearray(256)
        struct.pack_into("<HHH", config, 0, vendor, device, command)
        struct.pack_into("<I", config, 8, pci_class << 8)
        put(f"{folder}/config", bytes(config))
        put(f"{folder}/vendor", f"0x{vendor:04x}\n")
        put(f"{folder}/device", f"0x{device:04x}\n")
        put(f"{folder}/class", f"0x{pci_class:06x}\n")
        put(f"{folder}/irq", f"{irq}\n")
        resources = ["0x00000000fe000000 0x00000000fe00ffff 0x0000000000040200"] if bar is not None else []
        put(f"{folder}/resource", "\n".join(resources + ["0x0000000000000000 0x0000000000000000 0x0000000000000000"] * (13 - len(resources))) + "\n")
        if bar is not None:
            put(f"{folder}/resource0", bytes(bar))
        for number in msi:
            put(f"{folder}/msi_irqs/{number}", "msix\n" if msix else "msi\n")
        if driver:
            os.makedirs(f"{self.root}/sys/bus/pci/drivers/{driver}", exist_ok=True)
            os.symlink(f"../../drivers/{driver}", f"{folder}/driver")

    def irq(self, number, counts, chip, actions):
        folder = f"{self.root}/sys/kernel/irq/{number}"
        put(f"{folder}/per_cpu_count", ",".join(str(n) for n in counts) + "\n")
        put(f"{folder}/chip_name", chip + "\n")
        put(f"{folder}/actions", actions + "\n")


def relay(header, ports, sources=32):
    """A relay with links up on ports {number: requester}; its sources are set by source()."""
    regs = Registers(header)
    regs.set("ID", 0x58424753)
    regs.set("VERSION", 0x10000)
    regs.set("CAPS", regs.fields("CAPS", TAP=1, INDICATOR_FIRST=1, TRACE=1, MASK=1, STORM_LIMIT=1, ONE_SHOT=1, INJECT=1, LEARN=1))
    regs.set("SHAPE", regs.fields("SHAPE", PORTS=4, WIDTH_DW=2, SOURCES=sources, TRACE_LOG2=8))
    regs.set("BUILD", 0xc0ffee01)
    regs.set("CTRL", 3)
    regs.set("TIME_LO", 5_000_000_000 & 0xffffffff)
    regs.set("TIME_HI", 5_000_000_000 >> 32)
    for port, requester in ports.items():
        regs.set("PORT_STATE", 1, port)
        regs.set("PORT_BDF", requester, port)
    return regs


def source(regs, index, kind, port, requester, address, data, count, acked, relayed=None, state=0, act=0, first=1_000_000_000, last=4_999_000_000):
    regs.set("SRC_KEY", regs.fields("SRC_KEY", VALID=1, KIND=kind, PORT=port, REQUESTER=requester), index)
    for name, value in (("ADDR_LO", address & 0xffffffff), ("ADDR_HI", address >> 32), ("DATA", data), ("COUNT", count),
                        ("ACKED", acked), ("RELAYED", count if relayed is None else relayed), ("STATE", state),
                        ("ACT", act), ("COALESCED", 0 if relayed is None else count - relayed),
                        ("FIRST_LO", first & 0xffffffff), ("FIRST_HI", first >> 32), ("LAST_LO", last & 0xffffffff),
                        ("LAST_HI", last >> 32)):
        regs.set("SRC_" + name, value, index)


class Test:
    """One case: a machine of its own, and the command run on it."""

    def __init__(self, binary, header, root):
        self.binary, self.header, self.root = binary, header, root

    def sanitizer(self):
        """What has to be loaded first where the build has AddressSanitizer."""
        with open(self.binary, "rb") as file:
            if b"__asan_init" not in file.read():
                return []
        return [subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()]

    def environment(self):
        return dict(os.environ, UMOCKDEV_DIR=self.root, TERM="dumb",
                    LD_PRELOAD=" ".join(self.sanitizer() + ["libumockdev-preload.so.0"]))

    def start(self, *words):
        """The command, running on."""
        return subprocess.Popen([self.binary, *words], env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *words, stdout=subprocess.PIPE, timeout=60):
        done = subprocess.run([self.binary, *words], env=self.environment(), stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=timeout, check=False)
        out = done.stdout.decode(errors="replace") if done.stdout is not None else ""
        assert "Sanitizer" not in done.stderr.decode(), done.stderr.decode()
        return done.returncode, out, done.stderr.decode()

    def json(self, *words):
        status, out, err = self.run(*words, "--json")
        assert status == 0, (words, status, err)
        return json.loads(out)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def main_of(names, *helpers):
    """Runs every function a test file defines but the helpers named."""
    cases = [value for name, value in list(names.items())
             if callable(value) and getattr(value, "__module__", None) == "__main__" and name not in helpers]
    failed = 0
    for case in cases:
        with tempfile.TemporaryDirectory() as root:
            try:
                case(Test(sys.argv[1], sys.argv[2], root))
                print(f"ok    {case.__name__}")
            except Exception:
                failed += 1
                print(f"FAIL  {case.__name__}")
                traceback.print_exc(file=sys.stdout)
    print(f"{len(cases)} cases, {failed} failed")
    sys.exit(1 if failed else 0)

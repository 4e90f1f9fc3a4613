# SPDX-License-Identifier: BSD-2-Clause
"""The user's terminal as the hypervisor's console."""

import os
import select
import sys
import termios
import tty

from emulator import Missed

ESCAPE = "\x1d"


def shell(machine):
    """The terminal is the machine's serial line; Ctrl-] q ends."""
    if not sys.stdin.isatty():
        raise Missed("--shell needs a terminal")
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    escaped = False
    try:
        while True:
            ready, _, _ = select.select([machine.line, sys.stdin], [], [], 1)
            if machine.line in ready:
                os.write(1, os.read(machine.line, 65536).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            if sys.stdin in ready:
                typed = os.read(0, 1024)
                for byte in typed:
                    if escaped and byte == ord("q"):
                        return
                    escaped = byte == ord(ESCAPE) and not escaped
                os.write(machine.line, typed)
            if not ready and machine.process.poll() is not None:
                return
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

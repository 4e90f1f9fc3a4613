# SPDX-License-Identifier: BSD-2-Clause
"""Reads the hypervisor's screen: pictures of the emulated display, and the text in them, by the font that
hv/core/font.c draws with. Every pixel counts: what is not exactly a character of that font is none."""

import json
import os
import re
import socket
import time

FONT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../hv/core/font.c")
WIDTH, HEIGHT, DOTS, PITCH, BAND_ROWS, PER_BAND = 8, 16, 5, 6, 8, 16


def characters():
    """The pixels of each character, one bit each, and which it is; what is no ASCII is \\x7f."""
    with open(FONT) as source:
        sheet = re.findall(rf'^ *"([ #.]{{{PITCH * PER_BAND}}})",$', source.read(), re.M)
    assert len(sheet) == 6 * BAND_ROWS
    found = {}
    for number in range(6 * PER_BAND):
        band, place = divmod(number, PER_BAND)
        rows = []
        for y in range(HEIGHT):
            dots = sheet[band * BAND_ROWS + y // 2][place * PITCH:place * PITCH + DOTS]
            rows.append(int(f" {dots}  ".replace(" ", "0").replace("#", "1"), 2))
        found[bytes(rows)] = chr(32 + number)
    assert len(found) == 96
    return found


class Monitor:
    """QEMU's, by QMP. Start QEMU with options(path)."""

    @staticmethod
    def options(path):
        return ["-qmp", f"unix:{path},server=on,wait=off"]

    def __init__(self, path):
        end = time.monotonic() + 30
        while not os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as end_point:
            end_point.connect(path)
            self.file = end_point.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def human(self, line):
        said = self.command("human-monitor-command", **{"command-line": line})
        if said.strip():
            raise RuntimeError(f"{line}: {said}")


def read_picture(path):
    """A PPM file as (width, height, rows of bytes: 1 for white, 0 for black); anything else in it is an error."""
    with open(path, "rb") as file:
        magic, size, depth = (file.readline().strip() for _ in range(3))
        width, height = map(int, size.split())
        assert magic == b"P6" and depth == b"255", (magic, depth)
        data = file.read()
    red = data[0::3]
    assert red == data[1::3] == data[2::3] and set(red) <= {0, 255}, "a colour that the console does not use"
    ones = red.translate(bytes(1 if value else 0 for value in range(256)))
    return width, height, [ones[y * width:(y + 1) * width] for y in range(height)]


def text_of(path, scale=1):
    """The lines of text on the picture, without spaces at their ends."""
    known = characters()
    width, height, rows = read_picture(path)
    lines = []
    for top in range(0, height - HEIGHT * scale + 1, HEIGHT * scale):
        line = ""
        for left in range(0, width - WIDTH * scale + 1, WIDTH * scale):
            cell = bytes(int("".join(map(str, rows[top + y * scale][left:left + WIDTH * scale:scale])), 2)
                         for y in range(HEIGHT))
            assert cell in known, f"no character at line {len(lines)}, column {len(line)}"
            line += known[cell]
        lines.append(line.rstrip())
    return lines


def wrapped(text, columns):
    """Text as a screen that wide shows it."""
    lines = []
    for line in text.split("\n"):
        lines += [line[at:at + columns].rstrip() for at in range(0, max(len(line), 1), columns)]
    return lines

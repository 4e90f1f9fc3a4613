# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor with the card, for tests: LPARs whose program is one of linux/."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, f"{HERE}/../../scripts")
import lpars  # noqa: E402
from emulator import Missed  # noqa: E402,F401
from lpars import ESCAPE, lpar  # noqa: E402,F401


class Machine(lpars.Machine):
    def __init__(self, image, card, nodes, init, **more):
        super().__init__(image, card, nodes, f"{HERE}/linux/{init}", **more)

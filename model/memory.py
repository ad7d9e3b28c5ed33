"""How much memory this process may have, and whether it is enough for a picture on the CPU.

A process that takes more than its container may have is killed, and no error comes before.
"""

import os
from contextlib import suppress
from pathlib import Path

from model import tiles

#: Where Linux tells of the limits of the process's control group: as seen in a container.
_CONTROL_GROUP = Path("/sys/fs/cgroup")

#: Of a worker that has painted a small picture, and for each pixel that is kept, in bytes: 3.6 GiB
#: at 1024 x 1024 pixels and 4.4 at most, where in float32 3.4 and 3.9 have been measured.
_WORKER, _PIXEL = 1.15 * 2**30, 2500


def allowed() -> int:
    """Bytes of the machine, or of the process's container where it may have less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2 and 1
        with suppress(OSError, ValueError):  # where there is no limit it is a word
            limits.append(int((_CONTROL_GROUP / name).read_text("ascii")))
    return min(limits)


def suffices(pixels: int) -> bool:
    """Whether a picture of so many pixels can be painted in the usual way."""
    return _WORKER + _PIXEL * min(pixels, tiles.LARGEST_KEPT) <= allowed()

"""How much memory this process may have, and whether it is enough for a painting on the CPU.

A process that takes more than its container may have is killed, and no error comes before.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from model import tiles

#: In which control groups this process is, and where their limits are told of (cgroups(7)).
_MEMBERSHIP = Path("/proc/self/cgroup")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")

#: In bytes, of a worker that has painted a small picture: TensorFlow, graphs, and the features,
#: of which Winograd's kernels are 0.4 GB. And the graphs of each further kind of painting.
_WORKER, _KIND = 1.15 * 2**30, 90 * 2**20

#: Likewise, for each pixel of what is kept at once for the way back, and of what is only seen.
_KEPT, _SEEN = 2500, 1500

#: What each region adds to that: the activations of the style's layers, weighed.
_REGION = 350

#: For each pixel of the whole picture, however it is cut: pictures, what is between two steps, and
#: the content's target. Each image of the optimiser's state, and each style picture, comes to three
#: numbers of float32.
_WHOLE, _IMAGE = 150, 12


def allowed() -> int:
    """Bytes of the machine, or of the process's control groups where it may have less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _limits():
        with suppress(OSError, ValueError):  # where there is no limit it is a word, or no file
            limits.append(int(file.read_text("ascii")))
    return min(limits)


def suffices(
    pixels: int,
    style_pixels: Sequence[int],
    images_in_state: int,
    regions: int = 0,
    kinds: int = 1,
) -> bool:
    """Whether a picture can be painted in the usual way.

    Args:
        pixels: of the picture.
        style_pixels: of each style.
        images_in_state: of its optimiser.
        regions: that have a style of their own; 0 where all is one.
        kinds: of painting, of which there are graphs.
    """
    at_once = max(
        (_KEPT + _REGION * regions) * min(pixels, tiles.LARGEST_KEPT),
        _SEEN * min(max(style_pixels), tiles.LARGEST_KEPT),
    )
    whole = pixels * (_WHOLE + _IMAGE * images_in_state) + _IMAGE * sum(style_pixels)
    return _WORKER + _KIND * (kinds - 1) + at_once + whole <= allowed()


def _limits() -> Iterator[Path]:
    """Of the process's groups and all that these are in, as far as they can be seen from here."""
    memberships = []
    with suppress(OSError):  # only Linux has them
        memberships = _MEMBERSHIP.read_text("utf-8").splitlines()
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if not controllers:  # version 2
            folder, name = _CONTROL_GROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = _CONTROL_GROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = PurePosixPath(path).relative_to("/")
        yield from (folder / one / name for one in (group, *group.parents))

"""A picture too large for its activations to be in memory at once, cut into tiles.

A tile answers for its inner box, and the network sees an outer box around it: wide enough that
the answer is the one it would give with the whole picture in sight. So tiles bound the memory and
change nothing else: sums over the tiles are those of the picture, and there are no seams to hide.
"""

from itertools import pairwise, product
from typing import NamedTuple

#: Of block5_conv1: the network extends pictures to multiples of it, and the boxes' edges are such,
#: so that the pools' grids coincide.
STRIDE = 16

#: How far beyond a cell of block5_conv1 the network looks, 70 pixels, rounded up to the stride.
_HALO = 80

#: Side of an inner box in pixels, about, where a picture has to be cut.
_SIDE = 1024

#: Pixels of which all that the network sees is kept for the way back: of a tile with its halo. Of
#: larger pictures what the shallow layers see is computed again, in bands (``model/bands.py``).
LARGEST_KEPT = (_SIDE + 2 * _HALO) ** 2

#: Pixels of a picture that is not cut: in bands it takes hardly more memory than such a tile.
LARGEST = 1536**2

#: Likewise where memory is scarce. Here tiles are in bands as well: halos would take longer.
_SMALL_SIDE = 512
_SMALL_KEPT = 416**2
_SMALL_LARGEST = (_SMALL_SIDE + 2 * _HALO) ** 2


class Box(NamedTuple):
    """A rectangle in whole pixels; bottom and right are just outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def pixels(self) -> int:
        """In there."""
        return (self.bottom - self.top) * (self.right - self.left)

    def at(self, stride: int) -> "Box":
        """The box in a layer whose positions are so many pixels apart.

        The network extends pictures to multiples of the coarsest stride.
        """
        return Box(*(-(-edge // STRIDE) * STRIDE // stride for edge in self))

    def seen_from(self, other: "Box") -> "Box":
        """The box with the other's corner as the origin."""
        top, left = other[:2]
        return Box(self.top - top, self.left - left, self.bottom - top, self.right - left)


class Tile(NamedTuple):
    """A part of a picture that the network sees at once.

    Attributes:
        outer: what it sees.
        inner: the part of that which it answers for.
        in_bands: whether its shallow layers see it in bands.
    """

    outer: Box
    inner: Box
    in_bands: bool = False


def cut(height: int, width: int, *, small: bool = False) -> tuple[Tile, ...]:
    """The tiles of a picture, whose inner boxes cover it once; one for a picture of usual size.

    Args:
        height: of the picture in pixels.
        width: likewise.
        small: whether memory is scarce.
    """
    kept = _SMALL_KEPT if small else LARGEST_KEPT
    boxes = _boxes(height, width, *((_SMALL_SIDE, _SMALL_LARGEST) if small else (_SIDE, LARGEST)))
    return tuple(Tile(outer, inner, outer.pixels > kept) for outer, inner in boxes)


def _boxes(height: int, width: int, side: int, largest: int) -> list[tuple[Box, Box]]:
    """Outer and inner ones."""
    if height * width <= largest:
        whole = Box(0, 0, height, width)
        return [(whole, whole)]
    return [
        (
            Box(
                max(top - _HALO, 0),
                max(left - _HALO, 0),
                min(bottom + _HALO, height),
                min(right + _HALO, width),
            ),
            Box(top, left, bottom, right),
        )
        for (top, bottom), (left, right) in product(_spans(height, side), _spans(width, side))
    ]


def _spans(length: int, side: int) -> list[tuple[int, int]]:
    """Nearly equal parts of a length, about ``side`` at most, cut at multiples of the stride."""
    count = -(-length // side)
    edges = [length * part // count // STRIDE * STRIDE for part in range(count)]
    return list(pairwise([*edges, length]))

"""The plane that pictures are painted on: where its pixels lie, and noise over it.

The unit of length is the long side of the picture, so that a picture composed in these units is
the same at every size. x runs to the right, y downwards, both from 0.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: One number per pixel, [height, width]; also one per point, [points].
Field = npt.NDArray[np.floating[Any]]
#: RGB in [0, 1], [height, width, 3] or [..., 3].
Colour = npt.NDArray[np.floating[Any]]
Rng = np.random.Generator

LATTICE = 64  # values a side, after which noise repeats
PRIME = 7.31  # moves each octave to another part of the lattice
WHOLE = 1.3  # of the deviation of summed octaves: most noise then lies in [-1, 1]


def extent(side: int, aspect: float) -> tuple[int, int]:
    """Height and width in pixels of a picture of this long side; aspect is width over height."""
    if aspect < 1:
        return side, round(side * aspect)
    return round(side / aspect), side


def grid(side: int, aspect: float) -> tuple[Field, Field]:
    """The centre of each pixel: x and y, each [height, width]."""
    height, width = extent(side, aspect)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return (x + 0.5) / side, (y + 0.5) / side


class Noise:
    """Smooth noise over the plane, a sum of octaves of B-splines over a lattice of chance.

    Args:
        rng: the source of chance.
        frequency: bumps per unit of length in the first octave.
        octaves: each has twice the frequency of the one before.
        gain: amplitude of an octave relative to the one before.
    """

    def __init__(
        self, rng: Rng, frequency: float = 4.0, octaves: int = 4, gain: float = 0.5
    ) -> None:
        self.lattice = rng.normal(size=(LATTICE, LATTICE)).astype(np.float32)
        self.waves = [(frequency * 2.0**k, gain**k) for k in range(octaves)]
        spread = float(ndimage.spline_filter(self.lattice, 2).std())
        self.norm = np.float32(
            1.0 / (WHOLE / spread * np.sqrt(sum(weight**2 for _, weight in self.waves)))
        )

    def __call__(self, x: Field, y: Field) -> Field:
        """The noise at points, mean 0 and mostly in [-1, 1]; x and y broadcast."""
        x, y = np.broadcast_arrays(x, y)
        total = np.zeros(x.shape, np.float32)
        for octave, (frequency, weight) in enumerate(self.waves):
            at = [y * frequency + PRIME * octave, x * frequency + PRIME * octave]
            total += np.float32(weight) * ndimage.map_coordinates(
                self.lattice, at, order=2, mode="grid-wrap", prefilter=False
            )
        return np.asarray(total * self.norm)


def smoothstep(value: Field, low: Field | float, high: Field | float) -> Field:
    """0 below low, 1 above high, smooth between; falling where high is less than low."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def sample(field: Field, x: Field, y: Field) -> Field:
    """The field at the pixels nearest to points; those outside are moved to the border.

    Args:
        field: of a whole picture, [height, width] or [height, width, channels].
        x: of the points, in units of the long side.
        y: likewise.
    """
    height, width = field.shape[:2]
    side = max(height, width)
    column = np.clip((x * side).astype(int), 0, width - 1)
    row = np.clip((y * side).astype(int), 0, height - 1)
    return np.asarray(field[row, column])


def jittered(rng: Rng, side: int, aspect: float, spacing: float) -> tuple[Field, Field]:
    """Points all over the picture about this far apart, in a random order: x and y, [points]."""
    height, width = extent(side, aspect)
    across, down = width / side, height / side
    x, y = np.meshgrid(
        np.arange(-spacing, across + spacing, spacing),
        np.arange(-spacing, down + spacing, spacing),
    )
    order = rng.permutation(x.size)
    moves = rng.uniform(0.0, spacing, (2, x.size))
    return (
        (x.ravel()[order] + moves[0]).astype(np.float32),
        (y.ravel()[order] + moves[1]).astype(np.float32),
    )

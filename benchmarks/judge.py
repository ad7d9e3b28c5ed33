"""How near is a painting to its style, and to its content, judged from outside any network?

An engine that minimises a loss of some features always looks good by that loss. These two measures
know no features: the style distance compares how small patches of colour are distributed, the
content correlation compares where the edges are.

    verdict = StyleJudge(style).verdict(painting, content)
    print(verdict.removed, content_correlation(painting, content))

Pictures are RGB in [0, 1], shape [height, width, 3], and may differ in size from the style.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Levels of the Laplacian pyramid, from the finest strokes to the largest patches of colour.
LEVELS = 4

#: Side of a patch in pixels, the same at every level.
PATCH = 7

#: Patches that are compared at each level, and directions in which they are.
PATCHES = 8192
DIRECTIONS = 512

#: The short side of a picture at least, in pixels: a patch must fit into the coarsest level.
SMALLEST = PATCH * 2 ** (LEVELS - 1)

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. ITU-R BT.601-7, section 2.5.1
_BLOCK = 4


@dataclass(frozen=True)
class Verdict:
    """Three style distances.

    Attributes:
        distance: of the painting,
        start: of the content picture,
        floor: and of the style picture to itself.
    """

    distance: float
    start: float
    floor: float

    @property
    def removed(self) -> float:
        """How much of the way to the style was gone, in percent.

        The content picture is at 0, the style itself at 100. What is further away than the content
        picture is negative.
        """
        return 100 * (self.start - self.distance) / (self.start - self.floor)


class StyleJudge:
    """Knows one style picture, and says how far others are from it.

    The distance is the sliced Wasserstein distance of Karras et al. 2018 (Progressive Growing of
    GANs, section 5 and appendix): the patches of two pictures are projected onto random directions,
    and sorted; the mean difference is how far one heap of patches must be carried to become the
    other. Channels are normalised by the style's own mean and deviation at each level.

    Args:
        style: the style picture, at the size at which the engine saw it.
        seed: of patches and directions. The same seed gives the same numbers.

    Raises:
        ValueError: the picture is smaller than ``SMALLEST``.
    """

    def __init__(self, style: Array, seed: int = 0) -> None:
        self._seed = seed
        rng = np.random.default_rng([seed, 0])
        self._levels = [_Level(level, rng) for level in laplacian_pyramid(style)]
        self.floor = self.distance(style)

    def distance(self, picture: Array) -> float:
        """The style distance: 0 for the same patches, about 3 for a photograph and a painting.

        Even the style's own is a little above 0, because its patches are drawn anew: ``floor``.

        Raises:
            ValueError: the picture is smaller than ``SMALLEST``.
        """
        rng = np.random.default_rng([self._seed, 1])
        pyramid = laplacian_pyramid(picture)
        pairs = zip(self._levels, pyramid, strict=True)
        return 10 * float(np.mean([style.distance(level, rng) for style, level in pairs]))

    def verdict(self, painting: Array, content: Array) -> Verdict:
        """How far a painting of a content picture is from this style."""
        return Verdict(self.distance(painting), self.distance(content), self.floor)


class _Level:
    """One level of the style's pyramid, its patches projected and sorted."""

    def __init__(self, level: Array, rng: np.random.Generator) -> None:
        self._mean = level.mean((0, 1))
        self._deviation = level.std((0, 1)) + 1e-8
        directions = rng.normal(size=(PATCH * PATCH * 3, DIRECTIONS)).astype(np.float32)
        self._directions = directions / np.linalg.norm(directions, axis=0)
        self._projected = self._project(level, rng)

    def distance(self, level: Array, rng: np.random.Generator) -> float:
        return float(np.abs(self._project(level, rng) - self._projected).mean())

    def _project(self, level: Array, rng: np.random.Generator) -> Array:
        patches = _patches((level - self._mean) / self._deviation, rng)
        return np.sort((patches @ self._directions).T)  # each direction's values lie together


def laplacian_pyramid(picture: Array) -> list[Array]:
    """Splits a picture into bands, fine to coarse, which sum to it when they are enlarged again.

    Burt & Adelson 1983, with a box for the way down and linear interpolation for the way up.

    Returns:
        ``LEVELS`` arrays, each half as large as the one before (rounded down).

    Raises:
        ValueError: the picture is smaller than ``SMALLEST``.
    """
    if min(picture.shape[:2]) < SMALLEST:
        height, width = picture.shape[:2]
        msg = f"a picture needs {SMALLEST} pixels a side to be judged. Received: {width}x{height}"
        raise ValueError(msg)
    bands = []
    for _ in range(LEVELS - 1):
        height, width = picture.shape[:2]
        smaller = _resample(picture, _box(height, height // 2), _box(width, width // 2))
        up = _linear(height // 2, height), _linear(width // 2, width)
        bands.append(picture - _resample(smaller, *up))
        picture = smaller
    return [*bands, picture]


def content_correlation(picture: Array, content: Array) -> float:
    """How well the edges of the content picture are kept.

    Returns:
        The correlation of the two pictures' luminance gradients after averaging blocks of 4x4
        pixels: 1 for the same edges, 0 for none of them, as in a flat picture. Brightness and
        contrast do not matter.

    Raises:
        ValueError: the pictures differ in size.
    """
    if picture.shape != content.shape:
        msg = "a painting and its content need one size"
        raise ValueError(f"{msg}. Received: {picture.shape} and {content.shape}")
    painted, wanted = _gradients(picture), _gradients(content)
    strength = float(np.linalg.norm(painted) * np.linalg.norm(wanted))
    return float(painted @ wanted) / strength if strength else 0.0


def _gradients(picture: Array) -> npt.NDArray[np.float64]:
    """Differences of neighbouring blocks' luminance, of rows and of columns, less their mean."""
    rows, columns = picture.shape[0] // _BLOCK, picture.shape[1] // _BLOCK
    luminance = (picture @ _LUMINANCE)[: rows * _BLOCK, : columns * _BLOCK]
    blocks = luminance.reshape(rows, _BLOCK, columns, _BLOCK).mean((1, 3), dtype=np.float64)
    found = np.concatenate([np.diff(blocks, axis=0).ravel(), np.diff(blocks, axis=1).ravel()])
    return np.asarray(found - found.mean())


def _patches(level: Array, rng: np.random.Generator) -> Array:
    """Patches at random places: [PATCHES, PATCH * PATCH * 3]."""
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(0, 1))
    rows = rng.integers(0, windows.shape[0], PATCHES)
    columns = rng.integers(0, windows.shape[1], PATCHES)
    return np.asarray(windows[rows, columns].reshape(PATCHES, -1), np.float32)


def _resample(picture: Array, rows: Array, columns: Array) -> Array:
    """Applies one matrix to the rows of a picture and one to its columns."""
    resampled = np.einsum("yh,hwc,xw->yxc", rows, picture, columns, optimize=True)
    return np.asarray(resampled, np.float32)


def _box(old: int, new: int) -> Array:
    """The matrix [new, old] that averages what each new pixel covers, in part or whole."""
    edges = np.arange(new + 1)[:, np.newaxis] * (old / new)
    pixels = np.arange(old)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.asarray(np.maximum(covered, 0) * (new / old), np.float32)


def _linear(old: int, new: int) -> Array:
    """The matrix [new, old] that interpolates between the centres of the old pixels."""
    centres = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    distances = np.abs(centres[:, np.newaxis] - np.arange(old))
    return np.asarray(np.maximum(1 - distances, 0), np.float32)

"""Colour profiles for samples of 16 bits, as Pillow's ImageCms converts 8 bits only.

Taken are the profiles that nearly all pictures of 16 bits have: RGB as three tone curves and a
matrix, and grey as a tone curve (ICC.1:2022, annex F). Profiles made of tables are left to
ImageCms.
"""

import functools
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import ImageCms

from model.transfer import from_linear

Curve = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]

_LEVELS: Final = 65_536
# More tags than any program writes.
_MAX_TAGS = 100
# Rows that are converted at once: a few megabytes, whatever the size of the picture.
_ROWS = 64


@dataclass(frozen=True)
class Shaper:
    """What a profile of curves says.

    Attributes:
        curves: linear light of each level of each channel, float32 [65536] from 0 to 1 each.
        matrix: [3, 3] from linear light to linear sRGB; None for grey.
    """

    curves: list[Curve]
    matrix: npt.NDArray[np.float32] | None

    def to_srgb(self, samples: npt.NDArray[np.uint16]) -> Floats:
        """Convert [height, width, 1 or 3] to sRGB colours, [height, width, 3] in [0, 1].

        Relative colorimetric with black point compensation, clipped to what sRGB has.
        """
        if self.matrix is None:
            grey = from_linear(self.curves[0])[samples]
            return np.repeat(grey, 3, axis=2)
        colours = np.empty((*samples.shape[:2], 3), np.float32)
        for top in range(0, len(samples), _ROWS):
            rows = samples[top : top + _ROWS]
            linear = np.stack([curve[rows[..., c]] for c, curve in enumerate(self.curves)], axis=-1)
            colours[top : top + _ROWS] = from_linear(linear @ self.matrix.T)
        return colours


def shaper(profile: bytes, channels: int) -> Shaper | None:
    """Read a profile of curves.

    Args:
        profile: as embedded in a picture; it may be damaged.
        channels: of the picture's colours, 1 or 3.

    Returns:
        None when the profile is of another kind, for other colours, or damaged.
    """
    try:
        tags = _tags(profile)
        if profile[20:24] != b"XYZ " or {b"A2B0", b"A2B1", b"D2B0", b"D2B1"} & set(tags):
            return None
        if (profile[16:20], channels) == (b"GRAY", 1):
            return Shaper([_curve(profile[tags[b"kTRC"]])], None)
        if (profile[16:20], channels) != (b"RGB ", 3):
            return None
        curves = [_curve(profile[tags[name]]) for name in (b"rTRC", b"gTRC", b"bTRC")]
        return Shaper(curves, (_xyz_to_srgb() @ _to_xyz(profile, tags)).astype(np.float32))
    except (struct.error, KeyError, ValueError):
        return None


def _tags(profile: bytes) -> dict[bytes, slice]:
    """Return where the elements of a profile lie, by their signatures (section 7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    if count > _MAX_TAGS:
        raise ValueError(count)
    entries = struct.iter_unpack(">4sII", profile[132 : 132 + 12 * count])
    return {name: slice(at, at + size) for name, at, size in entries}


@functools.cache
def _xyz_to_srgb() -> npt.NDArray[np.float64]:
    """Return the matrix of sRGB as ImageCms has it, so that 8 and 16 bits come out the same."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return np.asarray(np.linalg.inv(_to_xyz(srgb, _tags(srgb))), np.float64)


def _to_xyz(profile: bytes, tags: dict[bytes, slice]) -> npt.NDArray[np.float64]:
    """Return the matrix from linear light to CIE XYZ under D50."""
    return np.stack([_xyz(profile[tags[name]]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=-1)


def _xyz(element: bytes) -> npt.NDArray[np.float64]:
    """Read an XYZType (section 10)."""
    if element[:4] != b"XYZ ":
        raise ValueError(element[:4])
    return np.array(struct.unpack_from(">3i", element, 8)) / 65_536


def _curve(element: bytes) -> Curve:
    """Read a curveType or a parametricCurveType (section 10)."""
    level = np.linspace(0, 1, _LEVELS)
    if element[:4] == b"para":
        light = _parametric(element, level)
    elif element[:4] != b"curv":
        raise ValueError(element[:4])
    else:
        light = _tabulated(element, level)
    if not np.isfinite(light).all() or light[0] >= 1:
        raise ValueError("a tone curve that leaves the numbers, or begins with white")
    black = max(light[0], 0)  # compensated, as in 8 bits: the least light becomes none
    return np.asarray(np.clip((light - black) / (1 - black), 0, 1), np.float32)


def _tabulated(element: bytes, level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    (count,) = struct.unpack_from(">I", element, 8)
    if count == 0:
        return level
    table = np.frombuffer(element, ">u2", count, 12)
    if count == 1:
        return np.asarray(level ** (table[0] / 256))
    return np.interp(level, np.linspace(0, 1, count), table / (_LEVELS - 1))


def _parametric(element: bytes, level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Evaluate (a X + b)^g + e from X = d on, and c X + f below."""
    (kind,) = struct.unpack_from(">H", element, 8)
    counts = (1, 3, 4, 5, 7)
    if kind >= len(counts):
        raise ValueError(kind)
    numbers = [number / 65_536 for number in struct.unpack_from(f">{counts[kind]}i", element, 12)]
    g, a, b, c, d, e, f = numbers + [0.0] * (7 - len(numbers))
    if kind == 0:
        a = 1.0
    elif kind in (1, 2):  # a curve that is flat where the power would be of a negative number
        c, d, e, f = 0.0, -b / a if a else np.inf, c, c
    with np.errstate(all="ignore"):  # the caller looks at what comes out
        above = np.maximum(a * level + b, 0) ** g + e
    return np.asarray(np.where(level >= d, above, c * level + f), np.float64)

"""Samples of 16 bits, out of a decoder whose coloured images have 8.

Pillow decodes colours of 16 bits and keeps the high byte of each sample. Told that the two bytes
lie in the other order, it keeps the low one. A picture decoded both ways thus has all its bits,
without one more decoder that strangers could reach.

CMYK of 16 bits is left to Pillow, and comes in with 8.
"""

import re
import sys
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL.Image import Image
from PIL.ImageFile import ImageFile

Samples = npt.NDArray[np.uint16]

_FULL: Final = 65_535

# Pillow's names of what lies in a file: channels, bits, and the order of bytes in a sample.
_RAW_MODE = re.compile(r"(RGB[XAa]?|LA);16([BLN])")
# "N" is the order of this machine, in which libtiff returns samples.
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}


def is_deep(image: ImageFile) -> bool:
    """Tell whether the file of an image, which is not loaded yet, has samples of 16 bits."""
    return image.mode.startswith("I;16") or _RAW_MODE.fullmatch(_raw_mode(image)) is not None


def read(image: ImageFile, twin: ImageFile, upright: Callable[[ImageFile], Image]) -> Samples:
    """Decode a deep image.

    Args:
        image: opened, and not loaded yet.
        twin: the same file opened once more.
        upright: loads an image and turns it as it is meant to be seen.

    Returns:
        [height, width, channels] of 0 to 65,535: grey or RGB, then alpha where there is one.
    """
    if image.mode.startswith("I;16"):  # grey, which Pillow keeps whole
        return np.asarray(upright(image)).astype(np.uint16)[..., np.newaxis]
    match = _RAW_MODE.fullmatch(_raw_mode(image))
    assert match is not None, image.mode
    kind, order = match.groups()
    if kind == "LA":  # two samples of 16 bits look to Pillow like four of 8
        quarters = np.asarray(upright(_reading(image, "RGBA")))
        return quarters.view(">u2").astype(np.uint16)
    stored = kind.replace("a", "A") + ";16"  # Pillow would divide by alpha in 8 bits
    samples = np.asarray(upright(_reading(image, stored + order))).astype(np.uint16)
    samples <<= 8
    samples |= np.asarray(upright(_reading(twin, stored + _OTHER_ORDER[order])))
    return _divided_by_alpha(samples) if kind == "RGBa" else samples


def _raw_mode(image: ImageFile) -> str:
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _reading(image: ImageFile, raw_mode: str) -> ImageFile:
    """Have an image that is not loaded yet read its file in another way."""
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]
    return image


def _divided_by_alpha(samples: Samples) -> Samples:
    """Undo the multiplication by alpha ("associated alpha", TIFF 6.0, section 18), in place."""
    alpha = np.maximum(samples[..., 3], 1).astype(np.uint32)
    for channel in range(3):
        colour = samples[..., channel].astype(np.uint32) * np.uint32(_FULL) // alpha
        samples[..., channel] = np.minimum(colour, _FULL)
    return samples

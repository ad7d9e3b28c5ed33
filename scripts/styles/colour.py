"""Colours: hexadecimal names, runs of colours without mud between them, and layers."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from model.transfer import from_linear, to_linear
from scripts.styles.plane import Colour, Field

# Oklab (Ottosson 2020): equal steps look equal, and mixtures keep their hue.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
ENTRIES = 1024  # of the table of a ramp


def rgb(code: str) -> Colour:
    """A colour from its six hexadecimal digits, RGB in [0, 1], shape [3]."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / np.float32(255)


def palette(codes: str) -> Colour:
    """Colours from codes with spaces between, [colours, 3]."""
    return np.stack([rgb(code) for code in codes.split()])


def to_oklab(colour: Colour) -> Colour:
    """Oklab of sRGB, [..., 3]."""
    return np.asarray(np.cbrt(to_linear(colour) @ TO_CONES.T) @ TO_LAB.T, np.float32)


def from_oklab(lab: Colour) -> Colour:
    """The colour in sRGB of Oklab, clipped to [0, 1], [..., 3]."""
    light = (lab @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_CONES).T
    return from_linear(light).astype(np.float32)


class Ramp:
    """A run through colours, mixed in Oklab.

    Args:
        codes: at least two colours, hexadecimal, with spaces between.
        stops: where each lies in [0, 1], rising; None spreads them evenly.
    """

    def __init__(self, codes: str, stops: tuple[float, ...] | None = None) -> None:
        labs = to_oklab(palette(codes))
        places = np.linspace(0.0, 1.0, len(labs)) if stops is None else np.array(stops)
        if len(places) != len(labs) or any(b <= a for a, b in pairwise(places)):
            raise ValueError(f"A ramp needs one rising stop for each colour. Received: {stops}")
        t = np.linspace(0.0, 1.0, ENTRIES)
        run = np.stack([np.interp(t, places, channel) for channel in labs.T], axis=-1)
        self.table = from_oklab(run.astype(np.float32))

    def __call__(self, t: Field) -> Colour:
        """The colour at t, clipped to [0, 1]; one more dimension than t, of 3."""
        return np.asarray(self.table[np.clip(t * (ENTRIES - 1) + 0.5, 0, ENTRIES - 1).astype(int)])


def over(below: Colour, above: Colour, alpha: Field) -> Colour:
    """The colour above, as opaque as alpha in [0, 1], over the one below."""
    return np.asarray(below + (above - below) * alpha[..., None], np.float32)


def shifted(colours: Colour, rng: np.random.Generator, light: float, chroma: float = 0.0) -> Colour:
    """Colours moved at random in Oklab: lightness and chroma by these deviations, [..., 3]."""
    lab = to_oklab(colours)
    deviation = np.array([light, chroma, chroma], np.float32)
    moves: NDArray[np.float32] = rng.normal(size=lab.shape).astype(np.float32)
    return from_oklab(lab + moves * deviation)

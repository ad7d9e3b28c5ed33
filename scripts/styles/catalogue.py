"""The styles there are, each with the seed of its best picture."""

from collections.abc import Callable

import numpy as np

from scripts.styles import (
    aurora,
    facets,
    glass,
    impasto,
    ink,
    marbling,
    mosaic,
    papercut,
    pointillism,
    starlight,
    watercolour,
    waves,
    weave,
    woodcut,
)
from scripts.styles.plane import Colour, Rng

#: How to paint each style, and the seed of the picture that is kept.
STYLES: dict[str, tuple[Callable[[int, Rng], Colour], int]] = {
    "aurora": (aurora.paint, 1),
    "facets": (facets.paint, 1),
    "glass": (glass.paint, 1),
    "impasto": (impasto.paint, 1),
    "ink": (ink.paint, 1),
    "marbling": (marbling.paint, 5),
    "mosaic": (mosaic.paint, 1),
    "papercut": (papercut.paint, 1),
    "pointillism": (pointillism.paint, 1),
    "starlight": (starlight.paint, 1),
    "watercolour": (watercolour.paint, 4),
    "waves": (waves.paint, 1),
    "weave": (weave.paint, 1),
    "woodcut": (woodcut.paint, 4),
}


def render(name: str, side: int, seed: int | None = None) -> np.ndarray:
    """A style's picture, uint8 RGB, [height, width, 3]; the same for the same arguments.

    Args:
        name: one of STYLES.
        side: the long side in pixels.
        seed: of all chance; None is the seed of the picture that is kept.
    """
    painter, own = STYLES[name]
    pixels = painter(side, np.random.default_rng(own if seed is None else seed))
    return np.asarray(np.clip(pixels * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8))

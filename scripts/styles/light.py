"""The light that falls on a surface with relief: thick paint, stones, strips of lead."""

import numpy as np
from scipy import ndimage

from scripts.styles.colour import from_oklab, to_oklab
from scripts.styles.plane import Colour, Field


def lit(colour: Colour, height: Field, relief: float, gloss: float) -> Colour:
    """A surface in a light from above on the left.

    Args:
        colour: of the surface, sRGB in [0, 1].
        height: of the surface, in pixels.
        relief: how much slopes towards the light gain, and others lose.
        gloss: how bright the reflection of the light is.
    """
    height = ndimage.gaussian_filter(height, 0.7)
    down, right = np.gradient(height)
    slope = (right + 1.3 * down) * 0.6
    shade = slope / np.sqrt(1.0 + down**2 + right**2 + slope**2)
    shine = np.clip(shade - 0.35, 0.0, 1.0) ** 2
    lab = to_oklab(colour)
    lab[..., 0] += relief * 0.3 * shade * (0.3 + lab[..., 0]) + gloss * 3.0 * shine
    return from_oklab(lab)

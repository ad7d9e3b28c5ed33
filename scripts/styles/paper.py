"""What pictures are printed and washed on: the grain of paper."""

import numpy as np
from scipy import ndimage

from scripts.styles.plane import Colour, Field, Rng


def grain(shape: tuple[int, int], rng: Rng, size: float) -> Field:
    """The height of paper, mean 0 and deviation 1, with hollows of about size pixels."""
    fine = ndimage.gaussian_filter(rng.normal(size=shape), 0.7 * size, mode="wrap")
    broad = ndimage.gaussian_filter(rng.normal(size=shape), 2.5 * size, mode="wrap")
    height = fine / fine.std() + 0.6 * broad / broad.std()
    return np.asarray(height / height.std(), np.float32)


def fibres(shape: tuple[int, int], rng: Rng, length: float) -> Field:
    """Fibres in two directions, mean 0 and deviation 1, of about this length in pixels."""
    ways = [
        ndimage.gaussian_filter(rng.normal(size=shape), sigma, mode="wrap")
        for sigma in ((0.5, length), (length, 0.5))
    ]
    woven = sum(way / way.std() for way in ways)
    return np.asarray(woven / np.std(woven), np.float32)


def grained(picture: Colour, rng: Rng, strength: float) -> Colour:
    """The picture on paper whose grain a low light shows; a strength of 1 is rough paper."""
    side = max(picture.shape[:2])
    height = grain(picture.shape[:2], rng, max(0.8, side / 900))
    slope = np.gradient(height, axis=0) + np.gradient(height, axis=1)
    shade = 1.0 + 0.03 * strength * slope / slope.std()
    return np.asarray(np.clip(picture * shade[..., None], 0.0, 1.0), np.float32)

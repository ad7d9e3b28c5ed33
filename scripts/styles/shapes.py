"""Shapes that several styles share: trees that branch, cells, samples made finer and averaged."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import spatial

from scripts.styles.plane import Colour, Field, Rng


@dataclass(frozen=True)
class Limb:
    """A straight part of a tree: its ends and the radii there, in units of the long side."""

    x0: float
    y0: float
    x1: float
    y1: float
    r0: float
    r1: float

    @property
    def length(self) -> float:
        """From end to end."""
        return float(np.hypot(self.x1 - self.x0, self.y1 - self.y0))

    @property
    def angle(self) -> float:
        """The way it grows, in radians; upwards is -pi/2."""
        return float(np.arctan2(self.y1 - self.y0, self.x1 - self.x0))

    def grown(self, turn: float, length: float, radius: float) -> "Limb":
        """The limb that goes on from this one's end, turned, with these parts of its size."""
        return trunk(self.x1, self.y1, length * self.length, radius * self.r0, self.angle + turn)


def trunk(x: float, y: float, length: float, radius: float, angle: float) -> Limb:
    """The first limb of a tree, from its foot."""
    x1, y1 = x + length * np.cos(angle), y + length * np.sin(angle)
    return Limb(x, y, x1, y1, radius, 0.68 * radius)


def tree(rng: Rng, limb: Limb, forks: int) -> list[Limb]:
    """A limb and all that grows from it, which forks so often."""
    limbs = [limb]
    if forks:
        for side in (-1, 1):
            turn = side * rng.uniform(0.28, 0.62) + rng.normal(0.0, 0.08)
            limbs += tree(rng, limb.grown(turn, rng.uniform(0.66, 0.84), 0.66), forks - 1)
    return limbs


def away(limbs: list[Limb], x: Field, y: Field) -> tuple[Field, Field]:
    """Distance from the nearest limb's bark, negative inside, and a number that rises along it."""
    distance, along = np.full_like(x, np.inf), np.zeros_like(x)
    for number, limb in enumerate(limbs):
        dx, dy = limb.x1 - limb.x0, limb.y1 - limb.y0
        t = np.clip(((x - limb.x0) * dx + (y - limb.y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        gap = np.hypot(x - limb.x0 - t * dx, y - limb.y0 - t * dy)
        gap = gap - (limb.r0 + (limb.r1 - limb.r0) * t)
        nearer = gap < distance
        distance = np.where(nearer, gap, distance)
        along = np.where(nearer, number + 0.5 * t, along)
    return distance.astype(np.float32), along.astype(np.float32)


def cells(x: Field, y: Field, px: Field, py: Field) -> npt.NDArray[np.int64]:
    """The number of the nearest of the points (px, py) to each pixel, [height, width]."""
    nearest = spatial.cKDTree(np.stack([px, py], -1)).query(np.stack([x.ravel(), y.ravel()], -1))
    return np.asarray(nearest[1].reshape(x.shape), np.int64)


def reduced(picture: Colour, factor: int) -> Colour:
    """The picture with each square of factor x factor pixels averaged."""
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    cut = picture[: height * factor, : width * factor]
    blocks = cut.reshape(height, factor, width, factor, -1)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)

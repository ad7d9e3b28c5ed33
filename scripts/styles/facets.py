"""A town by the sea, seen from many sides at once: planes that fold, shift and overlap."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scripts.styles.colour import from_oklab, rgb, to_oklab
from scripts.styles.light import lit
from scripts.styles.paper import fibres
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, sample
from scripts.styles.shapes import reduced
from scripts.styles.town import town

ASPECT = 3 / 4
FINER = 2  # samples a pixel has along each side
# Most edges lean one of these ways, so that planes answer each other.
LEANINGS = np.radians([0.0, 14.0, 62.0, 76.0, 90.0, 104.0, 118.0, 150.0])
DARK = rgb("1d2433")


@dataclass(frozen=True)
class Facets:
    """A plane cut into cells by lines.

    Args:
        label: the number of the cell of each pixel, [height, width].
        place: 0 on one side of the cell to 1 on the opposite one, [height, width].
        angle: of the line that place is measured from, [cells].
    """

    label: npt.NDArray[np.int64]
    place: Field
    angle: Field


def paint(side: int, rng: Rng) -> Colour:
    """A town 3:4, sRGB in [0, 1]."""
    x, y = grid(side * FINER, ASPECT)
    scene = town(side * FINER, ASPECT, rng)
    small, large = cut(x, y, 0.0045, rng), cut(x, y, 0.045, rng)
    colour = _seen_from(scene, small, (x, y), rng)
    lab = to_oklab(colour)
    lab[..., 0] += _shade(small, 0.20, rng) + _shade(large, 0.15, rng)
    lab[..., 1:] *= 1.12
    lab = _brushed(lab, small, (x, y), rng)
    picture = reduced(_outlined(from_oklab(lab), small, large), FINER)
    weave = fibres(picture.shape[:2], rng, max(1.0, 2.5 * side / 1024))
    return lit(picture, 0.5 * weave * side / 1024, relief=0.35, gloss=0.0)


def cut(x: Field, y: Field, area: float, rng: Rng) -> Facets:
    """Cuts the plane in two again and again, until no cell is larger than about this area."""
    label, place = np.zeros(x.size, np.int64), np.zeros(x.size, np.float32)
    angles: list[float] = []
    pixel = (x[0, 1] - x[0, 0]) ** 2
    waiting = [(np.arange(x.size), 0.0)]
    while waiting:
        cell, last = waiting.pop()
        angle, across = _line((x.ravel()[cell], y.ravel()[cell]), last, rng)
        first = across < 0
        size = len(cell) * pixel * rng.uniform(0.5, 2.0)
        if size < area or first.all() or not first.any():
            label[cell], place[cell] = len(angles), across - across.min()
            place[cell] /= np.ptp(across) + 1e-6
            angles.append(angle)
        else:
            waiting += [(cell[first], angle), (cell[~first], angle)]
    return Facets(label.reshape(x.shape), place.reshape(x.shape), np.array(angles))


def _line(cell: tuple[Field, Field], last: float, rng: Rng) -> tuple[float, Field]:
    """A line through a cell, not along the last one: its angle, and how far pixels lie off it."""
    x, y = cell
    angle = rng.choice(LEANINGS) + rng.normal(0.0, 0.06)
    if abs(np.sin(angle - last)) < 0.35:
        angle += np.pi / 2  # no splinters
    across = np.cos(angle) * y - np.sin(angle) * x
    return angle, across - across[rng.integers(len(across), size=6)].mean()


def _seen_from(scene: Colour, facets: Facets, at: tuple[Field, Field], rng: Rng) -> Colour:
    """The scene, each facet of it seen from a little to one side, turned and nearer."""
    x, y = at
    count = len(facets.angle)
    weights = np.bincount(facets.label.ravel())
    cx = np.bincount(facets.label.ravel(), x.ravel()) / weights
    cy = np.bincount(facets.label.ravel(), y.ravel()) / weights
    turn, zoom = rng.normal(0.0, 0.16, count), rng.uniform(0.72, 1.1, count)
    shift = rng.normal(0.0, 0.014, (2, count))
    cos, sin = (zoom * np.cos(turn))[facets.label], (zoom * np.sin(turn))[facets.label]
    dx, dy = x - cx[facets.label], y - cy[facets.label]
    u = (cx + shift[0])[facets.label] + cos * dx - sin * dy
    v = (cy + shift[1])[facets.label] + sin * dx + cos * dy
    return sample(scene, u.astype(np.float32), v.astype(np.float32))


def _shade(facets: Facets, strength: float, rng: Rng) -> Field:
    """Light that falls off across each facet, from one side or the other."""
    count = len(facets.angle)
    depth = (strength * rng.choice([-1.0, 1.0], count) * rng.uniform(0.3, 1.0, count))[facets.label]
    own = rng.normal(0.0, 0.16 * strength, count)[facets.label]
    return np.asarray(depth * (facets.place**1.3 - 0.45) + own, np.float32)


def _brushed(lab: Colour, facets: Facets, at: tuple[Field, Field], rng: Rng) -> Colour:
    """Short parallel touches, in each facet along its own direction."""
    x, y = at
    angle = facets.angle[facets.label] + 0.5
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    touches = Noise(rng, 22.0, 3, gain=0.7)(u, v * 6.0)
    hue = Noise(rng, 14.0, 2)(u * 0.7 + 3.0, v * 4.0)
    lab[..., 0] += 0.045 * touches
    lab[..., 1] += 0.012 * hue
    lab[..., 2] += 0.020 * touches + 0.012 * hue
    return lab


def _outlined(picture: Colour, small: Facets, large: Facets) -> Colour:
    """Dark lines on the edges, broken where light passes from plane to plane."""
    for facets, strength in ((small, 0.55), (large, 0.8)):
        border = np.zeros(facets.label.shape, np.float32)
        for axis in (0, 1):
            differ = np.diff(facets.label, axis=axis) != 0
            place = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
            border[place] = np.maximum(border[place], differ)
        passage = np.clip(1.4 * np.abs(facets.place - 0.5) * 2.0 - 0.1, 0.0, 1.0)
        alpha = strength * border * passage
        picture = picture + (DARK - picture) * alpha[..., None]
    return picture.astype(np.float32)

"""Ebru: drops of ink on water, combed, then lifted off with paper.

Each move of the marbler displaces the ink by a formula that can be undone (Jaffer 2017,
"Oseen Flow in Ink Marbling"; Lu, Jaffer et al. 2012, "Mathematical Marbling"), so each pixel is
led back through all moves, last one first, until a drop is found that it was part of.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scripts.styles.colour import palette
from scripts.styles.paper import grained
from scripts.styles.plane import Colour, Field, Noise, Rng, grid
from scripts.styles.shapes import reduced

ASPECT = 4 / 3
FINER = 3  # samples a pixel has along each side
INKS = palette("13244f 1f4e79 2a8c8c f3e6c8 c8452f e39a3b 7a1f3d f7f0dd 0f1830 e9d9b4")
SHARES = np.array([0.18, 0.13, 0.13, 0.14, 0.13, 0.11, 0.08, 0.04, 0.06])
GROUND = len(SHARES)  # the ink where no drop is: the paper
#: x, y, radius and turn, in radians, of each whirl.
WHIRLS = (
    (0.27, 0.24, 0.12, 3.6),
    (0.72, 0.50, 0.145, -4.2),
    (0.47, 0.62, 0.075, 3.0),
    (0.86, 0.17, 0.095, 3.2),
    (0.10, 0.60, 0.09, -3.0),
    (0.54, 0.17, 0.07, -2.8),
)

Move = Callable[[Field, Field], tuple[Field, Field]]


def paint(side: int, rng: Rng) -> Colour:
    """A sheet 4:3, sRGB in [0, 1]."""
    moves, drops, pool = _moves(rng), _drops(rng), Noise(rng, 9.0, 4)
    x, y = grid(side * FINER, ASPECT)
    shape = x.shape
    # Samples off their grid: lines finer than a pixel then turn to a tone, not to stripes.
    x = x + rng.uniform(-0.5, 0.5, shape).astype(np.float32) / np.float32(side * FINER)
    y = y + rng.uniform(-0.5, 0.5, shape).astype(np.float32) / np.float32(side * FINER)
    x, y = x.ravel(), y.ravel()
    for move in reversed(moves):
        x, y = move(x, y)
    ink, age = _found(x, y, drops)
    colours = INKS[ink] * (0.94 + 0.06 * age[:, None])
    sheet = reduced(colours.reshape(*shape, 3), FINER)
    pooled = pool(*grid(side, ASPECT))
    return grained(sheet * (1.0 + 0.05 * pooled[..., None]), rng, 0.5)


def _moves(rng: Rng) -> list[Move]:
    """The combing: a wide comb to and fro, a fine one across it, then whirls with a stick."""
    wide = [
        _tine(0.0, at + rng.uniform(-0.01, 0.01), 0.28 * (-1) ** number, 0.035)
        for number, at in enumerate(np.arange(-0.05, 0.85, 0.105))
    ]
    fine = [
        _tine(np.pi / 2, -at + rng.uniform(-0.003, 0.003), 0.16, 0.0105)
        for at in np.arange(-0.05, 1.1, 0.042)
    ]
    return [*wide, *fine, *(_whirl(*whirl) for whirl in WHIRLS)]


def _tine(angle: float, at: float, pull: float, sharpness: float) -> Move:
    """A stick drawn along a line at this angle and distance from the origin; undone."""
    along = np.float32(np.cos(angle)), np.float32(np.sin(angle))

    def undo(x: Field, y: Field) -> tuple[Field, Field]:
        distance = np.abs(along[0] * y - along[1] * x - np.float32(at))
        drag = np.float32(pull) * np.exp(-distance / np.float32(sharpness))
        return x - along[0] * drag, y - along[1] * drag

    return undo


def _whirl(cx: float, cy: float, radius: float, turn: float) -> Move:
    """A stick turned around a point; undone."""

    def undo(x: Field, y: Field) -> tuple[Field, Field]:
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        angle = np.float32(-turn) * np.exp(-(dx * dx + dy * dy) / np.float32(radius**2))
        cos, sin = np.cos(angle), np.sin(angle)
        return np.float32(cx) + cos * dx - sin * dy, np.float32(cy) + sin * dx + cos * dy

    return undo


def _drops(rng: Rng, count: int = 330) -> list[tuple[float, float, float, int]]:
    """The middle, radius and ink of each drop, the last one to fall first."""
    x, y = rng.uniform(-0.2, 1.2, count), rng.uniform(-0.2, 0.95, count)
    radius = rng.choice([0.02, 0.035, 0.055, 0.08], count, p=[0.3, 0.35, 0.25, 0.1])
    ink = rng.choice(GROUND, count, p=SHARES / SHARES.sum())
    return list(zip(x.tolist(), y.tolist(), radius.tolist(), ink.tolist(), strict=True))


def _found(
    x: Field, y: Field, drops: list[tuple[float, float, float, int]]
) -> tuple[npt.NDArray[np.int64], Field]:
    """The ink at each point, and where in its drop it lies: 0 in the middle, 1 at the rim."""
    ink, age = np.full(x.shape, GROUND), np.ones(x.shape, np.float32)
    adrift = np.arange(x.size)
    for cx, cy, radius, number in drops:
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        square = (dx * dx + dy * dy) / np.float32(radius**2)
        inside = square < 1.0
        ink[adrift[inside]], age[adrift[inside]] = number, square[inside]
        outside = ~inside
        # A drop pushes what lies around it outwards, and keeps its area.
        shrink = np.sqrt(1.0 - 1.0 / square[outside])
        x = np.float32(cx) + dx[outside] * shrink
        y = np.float32(cy) + dy[outside] * shrink
        adrift = adrift[outside]
    return ink, age

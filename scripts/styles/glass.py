"""A window of coloured glass in lead: a tree in autumn between a sun and a lake."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from scripts.styles.colour import Ramp, from_oklab, over, rgb, to_oklab
from scripts.styles.light import lit
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, jittered, smoothstep
from scripts.styles.shapes import away, cells, reduced, tree, trunk
from scripts.styles.tesserae import joints

ASPECT = 3 / 4
FINER = 2  # samples a pixel has along each side
SUN, DISC = (0.175, 0.165), 0.068
SHORE = 0.735
TRUNK = (0.455, 0.90)
#: A whole number for each pixel, [height, width].
Labels = npt.NDArray[np.int64]

PIECES = 100_000  # more than any part has
LEAD = rgb("1b1a20")

SKY = Ramp("fff3a8 ffd678 f9a582 d99ac0 8fa4e6 4a86d8 2450ac", (0, 0.12, 0.28, 0.42, 0.58, 0.78, 1))
LEAVES = Ramp("6d1424 b3202a dd4a26 f0801f f8b52a f6de5e b2c43c", (0, 0.14, 0.3, 0.5, 0.7, 0.87, 1))
HILLS = Ramp("1a4a3a 2f7f55 79b04c d8d85f")
LAKE = Ramp("12306a 1f62a8 2fa0c0 9fe0d4")
BARK = Ramp("2d1813 5f3320 92602f")
SUNLIT = Ramp("fffbe0 fff0a0 ffd24a")


@dataclass
class Window:
    """What each pixel belongs to: its part, the piece in it, and its colour."""

    part: Labels
    piece: Labels
    colour: Colour

    def add(self, where: npt.NDArray[np.bool_], piece: Field, colour: Colour) -> None:
        """Puts a further part in front of the others."""
        number = int(self.part.max()) + 1
        self.part = np.where(where, number, self.part)
        self.piece = np.where(where, piece.astype(np.int64), self.piece)
        self.colour = np.where(where[..., None], colour, self.colour)


def paint(side: int, rng: Rng) -> Colour:
    """A window 3:4, sRGB in [0, 1]."""
    x, y = grid(side * FINER, ASPECT)
    made = window(x, y, rng)
    _, label = np.unique(made.part * PIECES + made.piece, return_inverse=True)
    label = label.reshape(x.shape)
    glazed = _glazed(made.colour, label, (x, y), rng)
    return _leaded(glazed, (label, made.part), side, (x, y), rng)


def window(x: Field, y: Field, rng: Rng) -> Window:
    """The design: sky in rings, sun, hills, lake, and the tree before them."""
    wander = Noise(rng, 2.5, 3)
    dx, dy = x - SUN[0], y - SUN[1]
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx) / (2 * np.pi)
    ring = np.floor((radius - DISC) / 0.066 + 0.35 * wander(x, y))
    sector = np.floor((turn + 0.5) * (12 + 3 * np.clip(ring, 0, 9)) + 0.5 * ring)
    sky = SKY((ring + 1) * 0.075 + 0.10 * np.sin(12.9 * sector + 4.1 * ring))
    made = Window(np.zeros(x.shape, np.int64), (ring * 200 + sector + 500).astype(np.int64), sky)
    petal = np.floor((turn + 0.5) * 12)
    glow = SUNLIT(np.where(radius < 0.6 * DISC, 0.15, 0.55 + 0.3 * (petal % 2)))
    made.add(radius < DISC, np.where(radius < 0.6 * DISC, 0, 1 + petal), glow)
    _land(made, x, y, wander)
    _tree(made, x, y, wander, rng)
    return made


def _land(made: Window, x: Field, y: Field, wander: Noise) -> None:
    """Three hills of long pieces, and a lake of ripples."""
    for number in range(3):
        top = 0.55 + 0.055 * number
        crest = top - 0.045 * np.sin((5.0 + 2 * number) * x + 2.1 * number + 0.6)
        band = np.floor((y - crest) / 0.05)
        cut = np.floor((x + 0.35 * (y - crest) + 0.02 * np.sin(40 * y)) / 0.13 + 0.5 * band)
        tone = 0.85 - 0.27 * number - 0.08 * band + 0.14 * np.sin(7.7 * cut + 3.0 * band)
        made.add(y > crest, 500 + 50 * band + cut, HILLS(tone))
    shore = SHORE + 0.012 * np.sin(9.0 * x + 1.0)
    wave = (y - shore) / 0.036 + 0.8 * np.sin(6.0 * x + 2.5 * wander(x, y) + 9.0 * y)
    band = np.floor(wave)
    cut = np.floor(x / 0.19 + 0.37 * band + 0.15 * np.sin(50 * y))
    gold = np.exp(-(((x - SUN[0]) / 0.13) ** 2))[..., None]
    tone = 0.72 - 0.045 * band + 0.24 * np.sin(5.3 * cut + 2.7 * band)
    warm = SUNLIT(0.5 + 0.5 * np.sin(3.0 * band + cut))
    lit_ = gold * 0.8 * (np.sin(2.6 * band + 1.9 * cut) > -0.4)[..., None]
    made.add(y > shore, 5000 + 50 * band + cut, LAKE(tone) * (1 - lit_) + warm * lit_)


def _tree(made: Window, x: Field, y: Field, wander: Noise, rng: Rng) -> None:
    """A crown of leaves, and a trunk that forks through it."""
    dx, dy = (x - 0.475) / 0.275, (y - 0.375) / 0.25
    turn = np.arctan2(dy, dx)
    crown = np.hypot(dx, dy) < 0.94 + 0.06 * np.sin(9 * turn + 1) + 0.045 * np.sin(17 * turn)
    px, py = jittered(rng, max(x.shape), ASPECT, 0.0335)
    leaf = cells(x + 0.006 * wander(x * 6, y * 6), y, px, py)
    tones = 0.47 + 0.3 * wander(px, py) + rng.normal(0.0, 0.17, len(px)) - 0.5 * (py - 0.34)
    made.add(crown, leaf.astype(np.float32), LEAVES(tones.astype(np.float32))[leaf])
    limbs = tree(rng, trunk(*TRUNK, 0.225, 0.030, -1.57), 5)
    bark, along = away(limbs, x + 0.006 * np.sin(30 * y), y)
    flare = 0.05 * np.clip((y - 0.80) / 0.11, 0.0, 1.0) ** 2
    piece = np.floor(along * 2.2)
    made.add(
        (bark < flare - 0.001) & (y < TRUNK[1]) & (crown | (y > 0.45)),
        piece,
        BARK(0.45 + 0.4 * np.sin(9.1 * piece)),
    )
    bank = TRUNK[1] - 0.012 - 0.02 * np.sin(5 * x + 0.4)
    band = np.floor((y - bank) / 0.045)
    cut = np.floor(x / 0.11 + 0.5 * band + 0.3 * np.sin(30 * y))
    made.add(y > bank, 100 * band + cut, HILLS(0.25 + 0.25 * np.sin(5.1 * cut + 2 * band)))


def _glazed(colour: Colour, label: Labels, at: tuple[Field, Field], rng: Rng) -> Colour:
    """Glass: each piece its own tone and its own direction of streaks, with light behind it."""
    x, y = at
    count = int(label.max()) + 1
    angle = rng.uniform(0.0, np.pi, count).astype(np.float32)[label]
    tone = rng.normal(0.0, 1.0, (count, 3)).astype(np.float32)[label]
    cos, sin = np.cos(angle), np.sin(angle)
    u, v = cos * x + sin * y, cos * y - sin * x
    streaks = Noise(rng, 9.0, 4, gain=0.7)(u * 0.8 + 0.05 * tone[..., 1], v * 5.0)
    mottle = Noise(rng, 16.0, 3)(x, y)
    lab = to_oklab(colour)
    lab[..., 0] += 0.035 * tone[..., 0] + 0.045 * streaks + 0.03 * mottle
    lab[..., 1:] *= (1.06 + 0.12 * streaks - 0.05 * mottle)[..., None]
    lab[..., 1:] += 0.013 * tone[..., 1:]
    return from_oklab(lab)


def _leaded(
    glass: Colour, labels: tuple[Labels, Labels], side: int, at: tuple[Field, Field], rng: Rng
) -> Colour:
    """The glass between rounded strips of lead, the light spilling over their edges."""
    fine = side * FINER
    thin, thick = (joints(label) / fine for label in labels)
    gap = np.minimum(thin - 0.0016, thick - 0.0030)
    glass = glass * (0.72 + 0.28 * smoothstep(gap, 0.0, 0.009))[..., None]
    strip = smoothstep(gap, 0.0004, -0.0004)
    round_ = np.sqrt(np.clip(-gap, 0.0, None) / 0.003) * 3.0 * FINER
    round_ = round_ + strip * 0.5 * Noise(rng, 60.0, 3)(*at)
    metal = lit(np.broadcast_to(LEAD, glass.shape).astype(np.float32), round_, 0.9, 0.35)
    picture = reduced(over(glass, metal, strip), FINER)
    glow = ndimage.gaussian_filter(picture, (0.010 * side, 0.010 * side, 0))
    return np.asarray(np.clip(1.0 - (1.0 - picture) * (1.0 - 0.16 * glow**2), 0.0, 1.0))

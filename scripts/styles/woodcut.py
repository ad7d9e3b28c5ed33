"""Moonrise over a valley, cut in wood: a black key block over three coloured ones."""

import numpy as np

from scripts.styles.colour import Ramp, over, rgb
from scripts.styles.paper import fibres, grain
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep
from scripts.styles.shapes import Limb, away, reduced, tree, trunk

ASPECT = 4 / 3
FINER = 2  # samples a pixel has along each side
MOON, DISC = (0.60, 0.225), 0.092
INK = rgb("16161d")
PAPER = rgb("f6ead0")
SKY = Ramp("fff3cf f8d98a f0a95a c9675a 5f5f8f 2f4f80", (0, 0.12, 0.26, 0.45, 0.7, 1))
LANDS = (Ramp("d99a6a b86a5f"), Ramp("d9b25a b5803f"), Ramp("a8b86a 6f8f5a"))
BANK = Ramp("8fb07a 4f7f6a")
LAKE = Ramp("fff0c0 f8cf80 e0956a 7f9fb0 4f86a8 2f6088")
#: Height of a hill's crest, its waves, how dense its cuts are and how they lean.
HILLS = (
    (0.400, 0.060, 6.0, 0.4, 72.0, 0.9),
    (0.455, 0.040, 5.0, 2.9, 64.0, -0.7),
    (0.520, 0.045, 4.2, 5.2, 52.0, 0.5),
)


def paint(side: int, rng: Rng) -> Colour:
    """A print 4:3, sRGB in [0, 1]."""
    x, y = grid(side * FINER, ASPECT)
    block = Block(x, y, rng)
    _sky(block)
    for number in range(len(HILLS)):
        _hill(block, number)
    _lake(block)
    _grass(block)
    _trees(block, rng)
    return _pulled(block, side, rng)


class Block:
    """A key block as it is cut, and the colours that lie under it.

    Args:
        x, y: the plane.
        rng: the source of chance.
    """

    def __init__(self, x: Field, y: Field, rng: Rng) -> None:
        self.x, self.y = x, y
        self.pixel = float(x[0, 1] - x[0, 0])
        self.ink: Field = np.ones_like(x)
        self.colour: Colour = np.ones((*x.shape, 3), np.float32)
        self.noise = Noise(rng, 3.0, 2)
        self.hand = Noise(rng, 26.0, 3)(x, y)

    def cut(self, where: Field, phase: Field, light: Field, colours: Colour) -> None:
        """Cuts lines into a part of the block: one for each whole number of the phase.

        Args:
            where: the part, 0 to 1.
            phase: rises across the lines.
            light: share of the wood that is cut away, in [0, 1].
            colours: printed where it is cut away.
        """
        steps = phase + 0.10 * self.hand
        wave = np.abs(2.0 * (steps - np.floor(steps)) - 1.0)
        slope = np.hypot(*np.gradient(phase)) * 2.0 + 1e-6
        jagged = light + 0.10 * self.hand
        ink = np.clip((wave - jagged) / slope + 0.5, 0.0, 1.0)
        self.ink += (ink - self.ink) * where
        self.colour = over(self.colour, colours, where)

    def below(self, edge: Field | float) -> Field:
        """1 below a line, 0 above it."""
        return smoothstep(self.y - edge + 0.0008 * self.hand, -self.pixel, self.pixel)


def _sky(block: Block) -> None:
    """Rings round the moon, dashed, that darken outwards, with rays across them."""
    x, y, noise = block.x, block.y, block.noise
    dx, dy = x - MOON[0], y - MOON[1]
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    ring = np.floor(radius * 74.0)
    rays = 0.5 + 0.5 * np.cos(26.0 * turn + 0.4 * np.sin(9.0 * radius))
    dashes = noise(1.7 * np.cos(turn) + 1.7 * ring, 1.7 * np.sin(turn) + 3.1 * ring)
    light = 0.84 - 1.15 * radius + 0.22 * rays * np.exp(-2.0 * radius) + 0.24 * dashes
    block.cut(np.ones_like(x), radius * 74.0, np.clip(light, 0.05, 0.86), SKY(radius / 0.62))
    _clouds(block, radius)
    _moon(block, radius)


def _clouds(block: Block, radius: Field) -> None:
    """Clouds in long cuts, lit along their upper edges, that leave the moon clear."""
    x, y, noise = block.x, block.y, block.noise
    clouds, under = (noise(x * 1.1 + 1.0, y * 4.2 + drop) for drop in (0.0, 0.12))
    where = smoothstep(clouds - 0.30, -0.008, 0.008) * smoothstep(radius, 0.13, 0.15)
    light = 0.40 + 0.9 * (clouds - 0.3) - 0.4 * smoothstep(under, 0.3, 0.9)
    block.cut(where, y * 110.0 + 9.0 * clouds, np.clip(light, 0.08, 0.9), SKY(radius / 0.5))


def _moon(block: Block, radius: Field) -> None:
    """A disc in slanting cuts inside a black ring."""
    x, y, noise = block.x, block.y, block.noise
    rim = smoothstep(np.abs(radius - DISC - 0.004), 0.006, 0.005)
    block.cut(rim, 0 * x, np.zeros_like(x), SKY(0 * x))
    seas = np.clip(0.88 + 0.25 * noise(x * 2.5, y * 2.5), 0.5, 1.2)
    phase = (x * 0.5 + y) * 150.0 + 3 * noise(x, y)
    disc = smoothstep(radius - DISC, block.pixel, -block.pixel)
    block.cut(disc, phase, seas, SKY(0.06 * radius / DISC))


def _crest(block: Block, number: int) -> Field:
    top, tall, waves, start, _, _ = HILLS[number]
    high = np.sin(waves * block.x + start) + 0.25 * np.sin(2.7 * waves * block.x + 2 * start)
    return np.asarray(top - tall * high)


def _hill(block: Block, number: int) -> None:
    """A hill: a lit rim, cuts that run down from it and bend, dark at the foot."""
    *_, dense, lean = HILLS[number]
    x, y, noise = block.x, block.y, block.noise
    drop = y - _crest(block, number)
    bent = x + lean * drop + 0.9 * drop**2 / 0.2 + 0.012 * noise(x * 1.5, y * 1.5)
    moonlit = np.exp(-(((x - MOON[0]) / 0.42) ** 2))
    light = 0.30 + 0.52 * moonlit - 3.6 * drop + 0.35 * noise(x * 2.0, y * 3.0)
    rim = smoothstep(drop, 0.0045, 0.0035)
    light = np.where(drop < 0.0055, 1.2 * (rim < 0.5) - 0.2, np.clip(light, 0.04, 0.85))
    colours = LANDS[number](0.2 + 5.0 * drop + 0.2 * noise(x, y))
    block.cut(block.below(y - drop), bent * dense, light.astype(np.float32), colours)


def _lake(block: Block) -> None:
    """A lake in flat cuts, with the light of the moon on it, broken by ripples."""
    x, y, noise = block.x, block.y, block.noise
    depth = np.clip((y - 0.555) / 0.19, 0.0, 1.0)
    ripple = noise(x * 4.0, y * 26.0)
    away_ = np.abs(x - MOON[0] + 0.02 * ripple) / (0.055 + 0.10 * depth)
    glitter = np.exp(-(away_**2))
    light = 0.20 + 0.62 * glitter + 0.34 * ripple - 0.10 * depth
    shore = 0.553 + 0.012 * np.sin(5.0 * x + 2.0)
    light = np.where(y < shore + 0.005, 0.0, np.clip(light, 0.0, 0.93))
    phase = 34.0 * np.log(np.maximum(y - 0.43, 0.01)) + 0.7 * noise(x * 2, y * 5)
    colours = LAKE(0.28 + 0.25 * away_ + 0.12 * ripple - 0.3 * glitter)
    block.cut(block.below(shore), phase, light.astype(np.float32), colours)


def _grass(block: Block) -> None:
    """A dark bank in front, with blades cut upwards out of it."""
    x, y, noise = block.x, block.y, block.noise
    blade = np.abs(2 * ((x * 95.0 + 2.0 * noise(x * 4, y)) % 1.0) - 1.0)
    edge = 0.688 - 0.03 * np.cos(7.0 * (x - 0.62)) + 0.022 * blade * (0.6 + noise(x * 9, 0 * y))
    drop = y - edge
    light = 0.34 - 2.6 * np.abs(drop - 0.02) + 0.35 * noise(x * 5, y * 2)
    phase = 88.0 * (x + 0.35 * drop * np.sin(9.0 * x) + 0.01 * noise(x * 6, y * 3))
    block.cut(block.below(edge), phase, np.clip(light, 0.0, 0.6), BANK(6.0 * drop))


def _trees(block: Block, rng: Rng) -> None:
    """Bare trees, black, with a lit edge on the side of the moon, and small ones far off."""
    x, y = block.x, block.y
    trunks = [(0.115, 0.74, 0.20, 0.023, -1.52, 7), (0.955, 0.73, 0.15, 0.015, -1.66, 6)]
    trunks += [(0.36, 0.50, 0.045, 0.004, -1.55, 4), (0.80, 0.475, 0.035, 0.003, -1.6, 4)]
    for px, py, length, radius, angle, depth in trunks:
        bark = _bark(tree(rng, trunk(px, py, length, radius, angle), depth), x, y)
        bark = bark + 0.0012 * block.hand
        halo = smoothstep(bark, 0.0038, 0.0030)
        block.ink *= 1.0 - halo * (bark > 0)
        solid = smoothstep(bark, block.pixel, -block.pixel)
        side = np.gradient(bark, axis=1) / block.pixel * np.sign(MOON[0] - px)
        lit_ = (
            smoothstep(side, 0.35, 0.8)
            * smoothstep(bark, -0.011, -0.004)
            * smoothstep(bark, -0.0012, -0.0025)
        )
        cuts = smoothstep(np.sin(520 * y + 90 * x + 4 * block.hand), -0.1, 0.4)
        block.ink += (1.0 - lit_ * cuts - block.ink) * solid


def _bark(limbs: list[Limb], x: Field, y: Field) -> Field:
    """Distance from the bark, found only near each limb."""
    found = np.full_like(x, 1.0)
    side = max(x.shape)
    for limb in limbs:
        ends = np.array([(limb.x0, limb.y0), (limb.x1, limb.y1)])
        low, high = ends.min(axis=0) - limb.r0 - 0.012, ends.max(axis=0) + limb.r0 + 0.012
        left, top, right, foot = np.maximum([*low, *high], 0.0) * side
        part = (slice(int(top), int(foot) + 1), slice(int(left), int(right) + 1))
        if x[part].size:
            found[part] = np.minimum(found[part], away([limb], x[part], y[part])[0])
    return found


def _pulled(block: Block, side: int, rng: Rng) -> Colour:
    """The print: colours a little off the key, ink that is thin where the wood was."""
    shift = max(1, round(0.0012 * side * FINER))
    shape = block.x.shape
    rows = np.maximum(np.arange(shape[0]) - shift, 0)
    columns = np.minimum(np.arange(shape[1]) + shift, shape[1] - 1)
    colour = block.colour[rows][:, columns]
    wood = fibres(shape, rng, 30 * side / 1024)
    rough = grain(shape, rng, max(0.8, 1.3 * side / 1024))
    thin = 0.90 + 0.05 * np.clip(rough, -2, 2) - 0.10 * smoothstep(rough, 1.7, 2.6)
    flecks = smoothstep(rough + 0.4 * wood, 2.6, 3.2)
    colour = over(
        PAPER * np.ones_like(colour),
        colour,
        0.93 - 0.10 * smoothstep(wood, 0.8, 2.5) - 0.4 * flecks,
    )
    return reduced(over(colour, INK, block.ink * thin), FINER)

"""Hills in morning mist in watercolour: washes that pool at their edges and bleed while wet."""

import numpy as np

from scripts.styles.colour import Ramp, rgb
from scripts.styles.paper import grain
from scripts.styles.plane import Colour, Field, Noise, Rng, grid, smoothstep

ASPECT = 4 / 3
PAPER = rgb("fbf6ea")


class Sheet:
    """Rough paper, and the pigment on it: washes let the light through, so they multiply.

    Args:
        side: the long side in pixels.
        rng: the source of chance.
    """

    def __init__(self, side: int, rng: Rng) -> None:
        self.x, self.y = grid(side, ASPECT)
        self.side = side
        bloom, fray = Noise(rng, 3.0, 5, gain=0.6), Noise(rng, 24.0, 3, gain=0.6)
        # Its own chance: grain takes more of it the larger the sheet is.
        self.rough = grain(self.x.shape, rng.spawn(1)[0], max(0.8, side / 640))
        self.bloom = bloom(self.x * 1.3, self.y * 1.3)
        self.fray = fray(self.x, self.y)
        self.blades = fray(self.x * 4.5 + 0.8 * self.y, self.y * 0.4)
        pooled = (
            1.0
            + 0.34 * bloom(self.x * 0.8 + 5, self.y * 0.8)
            + 0.16 * bloom(self.x * 4, self.y * 4)
        )
        self.pooled = np.clip(pooled, 0.25, 2.0) * (1.0 + 0.10 * np.clip(-self.rough, -1.5, 2.5))
        self.light = np.broadcast_to(PAPER, (*self.x.shape, 3)).astype(np.float32)

    def wash(self, away: Field, colours: Colour, strength: Field | float, wet: float) -> None:
        """Lays a wash where away is negative.

        Args:
            away: distance from the edge of the wash in units of the long side.
            colours: of the pigment at full strength.
            strength: how much pigment there is, 0 to 1 and more.
            wet: how far the edge bleeds, in units of the long side; a dry edge is dark.
        """
        edge = away + (0.004 + 0.9 * wet) * self.bloom + 0.0016 * self.fray
        inside = smoothstep(edge, 0.0008 + wet, -0.0008 - wet)
        rim = np.exp(-np.abs(edge + 0.0012) / 0.0016) * (1.0 - np.clip(wet * 90, 0, 1))
        amount = inside * strength * self.pooled + 0.30 * rim * inside
        self.light = self.light * np.clip(colours, 0.02, 1.0) ** amount[..., None]

    def spatter(self, colours: Colour, count: int, rng: Rng) -> None:
        """Drops flung from the brush, small ones many."""
        for _ in range(count):
            px, py = rng.uniform(0.0, 1.0), rng.uniform(0.0, 0.75)
            radius = 0.0012 + 0.006 * rng.random() ** 5
            half = int(2.0 * radius * self.side) + 3
            column, row = int(px * self.side), int(py * self.side)
            part = (
                slice(max(row - half, 0), row + half),
                slice(max(column - half, 0), column + half),
            )
            away = np.hypot(self.x[part] - px, self.y[part] - py) - radius
            drop = smoothstep(away, 0.0006, -0.0006) * (0.35 + 0.5 * np.exp(away / 0.0012))
            chosen = colours[rng.integers(len(colours))]
            self.light[part] *= chosen ** (0.8 * drop[..., None])

    def seen(self) -> Colour:
        """The sheet in a light from the side that shows its tooth."""
        slope = np.gradient(self.rough, axis=0) + np.gradient(self.rough, axis=1)
        shade = 1.0 + 0.022 * slope / slope.std()
        return np.asarray(np.clip(self.light * shade[..., None], 0.0, 1.0), np.float32)


SKY = Ramp("3f78b8 6aa0cc b9c4d8 f3c9a8 f7b48a")
RANGES = (
    Ramp("9aa4d0 c7b6d6 f0d0c8"),
    Ramp("6f86c4 9fa6d0 e0c8d0"),
    Ramp("3f6ea8 6f9fb8 cfd8c8"),
    Ramp("1f5a78 3f8a80 b8d09a"),
)
PINE = Ramp("0f2f45 1f5a55 3f7f55")
GREENS = Ramp("e4de78 aacb5a 5f9f4c 357a58 1f5550")
HEART = rgb("3a2438")
FLOWERS = np.stack([rgb(code) for code in ("e0403f", "f0902f", "d84f8f", "f5c23f", "7a4fb0")])


def paint(side: int, rng: Rng) -> Colour:
    """A morning 4:3, sRGB in [0, 1]."""
    sheet = Sheet(side, rng)
    wander = Noise(rng, 3.0, 5)
    _sky(sheet, wander)
    _ranges(sheet, wander)
    _lake(sheet, wander)
    _pines(sheet, rng)
    _meadow(sheet, wander, rng)
    sheet.spatter(FLOWERS[[0, 1, 3]], 60, rng)
    sheet.spatter(np.stack([rgb("3f78b8"), rgb("2f6f78")]), 60, rng)
    return sheet.seen()


def _sky(sheet: Sheet, wander: Noise) -> None:
    """Wet in wet: blue from above, the warmth of a sun from below, a few clouds left white."""
    x, y = sheet.x, sheet.y
    clouds = smoothstep(wander(x * 0.9, y * 2.0), 0.05, 0.75)
    sun = np.hypot(x - 0.66, y - 0.215)
    full = np.full_like(x, -1.0)
    sheet.wash(full, SKY(y / 0.36), (0.95 - 0.8 * clouds) * smoothstep(sun, 0.05, 0.30), 0.0)
    warm = np.exp(-((sun / 0.16) ** 2)) * smoothstep(sun, 0.032, 0.042)
    sheet.wash(full, Ramp("f6c06a f0a07a")(sun / 0.2), 0.9 * warm, 0.0)
    under = smoothstep(wander(x * 0.9, y * 2.0 - 0.10), 0.1, 0.8) * (1.0 - clouds)
    sheet.wash(full, Ramp("7a86b0 b09ab8")(y / 0.3), 0.55 * under, 0.0)


def _ranges(sheet: Sheet, wander: Noise) -> None:
    """Ranges that are bluer and paler the farther they are, each fading into mist at its foot."""
    x, y = sheet.x, sheet.y
    for number, ramp in enumerate(RANGES):
        k = float(number)
        crest = (
            0.25
            + 0.058 * k
            - (0.085 - 0.012 * k) * wander(x * (0.75 + 0.25 * k) + 3.3 * k, k + 0 * y)
        )
        below = y - crest
        strength = (0.62 + 0.16 * k) * (0.25 + 0.95 * np.exp(-below / (0.055 + 0.012 * k)))
        sheet.wash(-below, ramp(below / 0.12), strength, 0.0004 + 0.004 * (number == 0))


def _lake(sheet: Sheet, wander: Noise) -> None:
    """Still water: a pale wash, the hills upside down in it, and dry streaks left white."""
    x, y = sheet.x, sheet.y
    below, ends = y - 0.478, y - _bank(x) - 0.004
    streaks = smoothstep(wander(x * 0.8, y * 22), 0.35, 0.75)
    dry = 1.0 - 0.85 * streaks
    sheet.wash(np.maximum(-below, ends), SKY(1.0 - 4.0 * below), 0.55 * dry, 0.0006)
    mirrored = 0.545 + 0.045 * wander(x * 1.5 + 9.9, 3 + 0 * y) + 0.004 * wander(x * 2, y * 40)
    hills = np.maximum(np.maximum(0.002 - below, y - mirrored), ends)
    sheet.wash(hills, RANGES[3](6.0 * below), 0.7 * dry, 0.003)


def _bank(x: Field) -> Field:
    """The edge of the near bank."""
    return np.asarray(0.60 + 0.03 * np.sin(4 * x + 1.0) - 0.03 * np.cos(6.3 * (x - 0.5)))


def _pines(sheet: Sheet, rng: Rng) -> None:
    """Pines on the near shore, each a ragged dry wash of boughs in tiers."""
    places = [(0.29, 0.07), (0.83, 0.075), (0.245, 0.11), (0.875, 0.13), (0.19, 0.17)]
    places += [(0.93, 0.20), (0.025, 0.27), (0.135, 0.25), (0.985, 0.26), (0.075, 0.33)]
    for px, tall in places:
        foot = 0.505 + 0.03 * rng.random()
        up = (foot - sheet.y) / tall
        hand = np.sign(sheet.x - px)
        tiers = up * (5.0 + 14.0 * tall) + 0.22 * hand + rng.random()
        bough = 0.38 + 0.62 * (1.0 - (tiers - np.floor(tiers))) ** 0.8
        taper = np.clip(1.0 - up, 0.0, 1.0) ** 0.85
        half = 0.21 * tall * taper * (bough * (1.0 + 0.3 * np.sin(9.7 * np.floor(tiers))))
        half = half + 0.012 * tall * taper + 0.09 * tall * taper * sheet.fray
        away = np.maximum(np.abs(sheet.x - px) - half, -up * tall)
        away = np.where(up > 1, 1.0, away).astype(np.float32)
        sheet.wash(away, PINE(0.35 + 0.5 * (sheet.x - px) / (0.1 * tall)), 0.95, 0.0)


def _meadow(sheet: Sheet, wander: Noise, rng: Rng) -> None:
    """The near bank: greens run together, then flowers touched in while it is still damp."""
    x, y = sheet.x, sheet.y
    below = y - _bank(x) + 0.006 * sheet.fray
    sheet.wash(-below, GREENS(below / 0.20 + 0.28 * wander(x * 1.5, y * 2)), 0.8, 0.0)
    blades = smoothstep(sheet.blades, 0.3, 0.6) * smoothstep(below, 0.0, 0.06)
    sheet.wash(-below, GREENS(0.75 + 0.3 * wander(x * 2, y)), 0.75 * blades, 0.0)
    for depth in np.sort(rng.random(420) ** 0.9):
        px = rng.uniform(0.0, 1.0)
        if wander(np.array([2.0 * px]), np.array([2.0 * depth]))[0] < rng.normal(0.0, 0.4):
            continue
        py = 0.61 + 0.145 * depth + 0.02 * np.sin(4 * px + 1.0)
        size = (0.0022 + 0.0135 * depth**1.3) * rng.uniform(0.5, 1.25)
        colour = FLOWERS[rng.choice(5, p=[0.5, 0.2, 0.12, 0.08, 0.1])]
        _flower(sheet, (px, py), size, colour, rng)


def _flower(sheet: Sheet, at: tuple[float, float], size: float, colour: Colour, rng: Rng) -> None:
    """A blot that lifts the green under it, darkens at its rim, and has a dark heart."""
    half = int(2.4 * size * sheet.side) + 4
    column, row = int(at[0] * sheet.side), int(at[1] * sheet.side)
    part = (slice(max(row - half, 0), row + half), slice(max(column - half, 0), column + half))
    lean = rng.uniform(-0.5, 0.5)
    dy = (sheet.y[part] - at[1]) * rng.uniform(1.1, 1.7)
    dx = sheet.x[part] - at[0] + lean * dy
    lobes = 0.13 * np.sin(3 * np.arctan2(dy, dx) + rng.uniform(0, 6))
    away = np.hypot(dx, dy) - size * (1.0 + lobes + 0.20 * sheet.fray[part])
    blot = smoothstep(away, 0.0011, -0.0011)
    lifted = sheet.light[part] + (PAPER - sheet.light[part]) * 0.92 * blot[..., None]
    pooled = 0.45 + 0.55 * np.exp(away / 0.002) + 0.35 * sheet.bloom[part] - 0.35 * dy / size
    heart = smoothstep(np.hypot(dx, dy - 0.2 * size), 0.42 * size, 0.1 * size)
    tinted = lifted * colour ** np.clip(blot * pooled, 0.0, 1.6)[..., None]
    sheet.light[part] = tinted * HEART ** (0.8 * heart)[..., None]

"""Small stones set along a flow: centres that settle, and the square stone around each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, spatial

from scripts.styles.plane import Colour, Field, Rng, grid, jittered, sample

NEIGHBOURS = 5  # stones that may own a pixel: the nearest few, as their cells are squares
COARSE = 420  # long side at which stones settle


@dataclass(frozen=True)
class Stones:
    """Stones and the pixels they cover.

    Args:
        owner: the number of the stone at each pixel, [height, width].
        across, along: place in that stone, about [-1, 1] from edge to edge.
        x, y: the centres, [stones].
    """

    owner: npt.NDArray[np.int64]
    across: Field
    along: Field
    x: Field
    y: Field


def settle(flow: Field, edges: Field, spacing: float, rng: Rng) -> Stones:
    """Stones that settle in rows along a flow and off the edges of shapes.

    They are centres of a Voronoi diagram in a square metric turned with the flow, moved to the
    middles of their cells (Hausner 2001, "Simulating Decorative Mosaics").

    Args:
        flow: angles in radians, [height, width].
        edges: positive on edges of shapes, where stones should not lie across, [height, width].
        spacing: between stones, in units of the long side.
        rng: the source of chance.
    """
    side, aspect = max(flow.shape), flow.shape[1] / flow.shape[0]
    x, y = jittered(rng, side, aspect, spacing)
    gx, gy = grid(min(side, COARSE), aspect)
    free = sample(edges, gx, gy) <= 0
    for _ in range(14):
        owner, _, _ = _cells(gx, gy, x, y, angle=sample(flow, x, y), spacing=spacing)
        counts = np.maximum(np.bincount(owner[free], minlength=len(x)), 1)
        mean_x = np.bincount(owner[free], gx[free], len(x)) / counts
        mean_y = np.bincount(owner[free], gy[free], len(x)) / counts
        met = np.bincount(owner[free], minlength=len(x)) > 0
        x = np.where(met, mean_x, x).astype(np.float32)
        y = np.where(met, mean_y, y).astype(np.float32)
    gx, gy = grid(side, aspect)
    owner, across, along = _cells(gx, gy, x, y, angle=sample(flow, x, y), spacing=spacing)
    return Stones(owner, across, along, x, y)


def _cells(
    gx: Field, gy: Field, x: Field, y: Field, *, angle: Field, spacing: float
) -> tuple[npt.NDArray[np.int64], Field, Field]:
    """The owner of each pixel, and its place in that stone across and along the flow."""
    tree = spatial.cKDTree(np.stack([x, y], -1))
    pixels = np.stack([gx.ravel(), gy.ravel()], -1)
    near = tree.query(pixels, NEIGHBOURS)[1]
    dx, dy = pixels[:, :1] - x[near], pixels[:, 1:] - y[near]
    cos, sin = np.cos(angle)[near], np.sin(angle)[near]
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    best = np.argmin(np.maximum(np.abs(along), np.abs(across)), axis=1)
    rows = np.arange(len(best))
    half = spacing / 2
    return (
        near[rows, best].reshape(gx.shape),
        (across[rows, best] / half).reshape(gx.shape).astype(np.float32),
        (along[rows, best] / half).reshape(gx.shape).astype(np.float32),
    )


def joints(owner: npt.NDArray[np.int64]) -> Field:
    """Distance in pixels from each pixel to the nearest that another owner has."""
    border = np.zeros(owner.shape, bool)
    border[:, 1:] |= owner[:, 1:] != owner[:, :-1]
    border[1:] |= owner[1:] != owner[:-1]
    return np.asarray(ndimage.distance_transform_edt(~border), np.float32)


def mean_colour(scene: Colour, owner: npt.NDArray[np.int64], count: int) -> Colour:
    """The mean of the scene over each owner's pixels, [count, 3]."""
    weights = np.maximum(np.bincount(owner.ravel(), minlength=count), 1)
    means = [
        np.bincount(owner.ravel(), scene[..., channel].ravel(), count) / weights
        for channel in range(scene.shape[-1])
    ]
    return np.stack(means, -1).astype(np.float32)

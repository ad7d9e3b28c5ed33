"""Regions of the pictures: each part of the content takes its style from the same part of a style.

A mask is a picture painted in a few plain colours, and each colour is a label. The labels guide
the moments of the style layers (Gatys et al. 2017, section 4, "spatial control"). What is
transparent belongs to no region. Free of TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its modules are loaded when they are first asked for

from model.errors import ParameterError
from model.sizes import fit
from model.tiles import STRIDE

Array = npt.NDArray[np.float32]

MAX_LABELS = 8

#: Colours nearer than this in RGB are one label: masks come as JPEG, too.
_SAME_COLOUR = 0.25

#: Colours that differ by less than this between neighbours are one plain colour.
_FLAT = 0.1

#: A colour on less of a mask than this is no label but a blot.
_LEAST_SHARE = 0.005

#: Width of the soft edges between regions, relative to the long side.
_FEATHER = 0.004

#: Long side at most, in pixels. The soft edges are some pixels wide even so, and eight regions of
#: nine large pictures would take more memory than all else.
_LARGEST = 1024

#: A region without a pixel of more weight than this is but the soft edge of another.
LEAST_WEIGHT = 0.01

#: Where erosion leaves less than this of a region, it is too thin to be eroded.
_LEAST_LEFT = 0.1


@dataclass(frozen=True)
class Regions:
    """How much each place of the pictures belongs to each region.

    Attributes:
        names: of the regions, for people: their colours in the masks.
        content: float32 [regions, height, width] in [0, 1], of the picture's proportions and no
            larger than need be (``size``); sums over the regions are at most 1.
        styles: likewise, one for each style picture; a style need not have every region.
    """

    names: tuple[str, ...]
    content: Array
    styles: tuple[Array, ...]

    @classmethod
    def of_masks(cls, content: Array, styles: Sequence[Array]) -> "Regions":
        """The regions that masks show.

        Args:
            content: mask of the content picture, RGB in [0, 1], [height, width, 3].
            styles: masks of the style pictures.

        Raises:
            ParameterError: there are too many labels.
        """
        wanted = _labels(content, "content_mask")
        found = tuple(_matched(style, wanted) for style in styles)
        return cls(tuple(_hex(label) for label in wanted), _weights(content, wanted), found)

    @classmethod
    def everywhere(cls, sizes: Sequence[tuple[int, ...]]) -> "Regions":
        """One region that is all of each picture, the content's (height, width) first."""
        content, *styles = (np.ones((1, *size), np.float32) for size in sizes)
        return cls(("all",), content, tuple(styles))

    def seen_through(self, alphas: Sequence[Array | None]) -> "Regions":
        """The regions of which something is to be seen, without what is transparent.

        Args:
            alphas: [height, width] in [0, 1], the content's first; None where all is opaque.
        """
        content, *styles = (
            weights if alpha is None else weights * alpha
            for weights, alpha in zip((self.content, *self.styles), alphas, strict=True)
        )
        seen = np.flatnonzero((content > LEAST_WEIGHT).any(axis=(1, 2)))
        names = tuple(self.names[number] for number in seen)
        return Regions(names, content[seen], tuple(style[seen] for style in styles))


def guides(weights: Array, stride: int, reach: int) -> tuple[Array, Array]:
    """How much each position of a layer counts for each region.

    Args:
        weights: of the pixels, float32 [regions, height, width] in [0, 1].
        stride: distance of the layer's positions, in pixels.
        reach: how many positions away others still matter much to a position: so far the regions
            are eroded, lest one paints with what lies beyond its edge.

    Returns:
        Guides, float32 [regions, height', width'] as the layer's activations have them, those of a
        region summing to 1, and the regions' shares of the picture, float32 [regions], summing to
        1. A region that is not in the picture has zeros.
    """
    margins = [(0, -length % STRIDE) for length in weights.shape[1:]]
    extended = np.pad(weights, [(0, 0), *margins], "symmetric")
    count, height, width = np.array(extended.shape) // (1, stride, stride)
    pooled = extended.reshape(count, height, stride, width, stride).mean(axis=(2, 4))
    window = (1, 2 * reach + 1, 2 * reach + 1)
    inside = scipy.ndimage.minimum_filter(pooled, window, mode="nearest")
    areas, left = pooled.sum(axis=(1, 2)), inside.sum(axis=(1, 2))
    is_thin = left < _LEAST_LEFT * areas
    inside[is_thin], left[is_thin] = pooled[is_thin], areas[is_thin]
    scale = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0)
    guides = np.asarray(inside * scale[:, np.newaxis, np.newaxis], np.float32)
    return guides, np.asarray(areas / max(areas.sum(), 1e-12), np.float32)


def size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the regions of a picture of this size."""
    width, height = fit(width, height, min(max(height, width), _LARGEST))
    return height, width


def sampled(mask: Array, height: int, width: int) -> Array:
    """A mask at another size: each pixel from one place, as colours in between are no labels."""
    rows = (np.arange(height) + 0.5) * (mask.shape[0] / height)
    columns = (np.arange(width) + 0.5) * (mask.shape[1] / width)
    return np.asarray(mask[rows.astype(np.int64)][:, columns.astype(np.int64), :3])


def _labels(mask: Array, field: str) -> Array:
    """The colours of a mask that are labels, the most frequent first, [labels, 3]."""
    levels = np.rint(mask * 15).astype(np.int64) @ (256, 16, 1)
    counts = np.bincount(levels[_is_flat(mask)], minlength=16**3)
    colours = np.stack(np.unravel_index(np.arange(16**3), (16, 16, 16)), axis=-1) / 15
    found: list[int] = []
    for level in np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]:
        distances = np.linalg.norm(colours[found] - colours[level], axis=-1)
        if distances.min(initial=np.inf) > _SAME_COLOUR:
            found.append(int(level))
    nearest = _nearest(colours[counts > 0], colours[found])
    shares = np.bincount(nearest, counts[counts > 0], len(found)) / counts.sum()
    kept = colours[found][shares >= _LEAST_SHARE]
    if len(kept) > MAX_LABELS:
        raise ParameterError(
            f"A mask has at most {MAX_LABELS} colours. Received: {len(kept)}.", field=field
        )
    return np.asarray(kept, np.float32)


def _is_flat(mask: Array) -> npt.NDArray[np.bool_]:
    """Where a mask is of one colour around, unlike in the smooth edges between its labels."""
    largest, smallest = (
        filter_(mask, (3, 3, 1), mode="nearest")
        for filter_ in (scipy.ndimage.maximum_filter, scipy.ndimage.minimum_filter)
    )
    flat = (largest - smallest).max(axis=-1) < _FLAT
    return flat if flat.any() else np.ones_like(flat)


def _weights(mask: Array, labels: Array) -> Array:
    """How much each pixel belongs to each label, with soft edges; [labels, height, width]."""
    nearest = _nearest(mask.reshape(-1, 3), labels).reshape(mask.shape[:2])
    sigma = _FEATHER * max(mask.shape[:2])
    return np.stack(
        [
            scipy.ndimage.gaussian_filter((nearest == number).astype(np.float32), sigma)
            for number in range(len(labels))
        ]
    )


def _matched(mask: Array, wanted: Array) -> Array:
    """The weights of a style's own labels in the order of the wanted; zeros for those missing."""
    own = _labels(mask, "style_mask")
    weights = _weights(mask, own)
    found = np.zeros((len(wanted), *mask.shape[:2]), np.float32)
    for number, colour in enumerate(own):
        distances = np.linalg.norm(wanted - colour, axis=-1)
        if distances.min() <= _SAME_COLOUR:
            found[distances.argmin()] += weights[number]  # two shades of one colour are one region
    return found


def _nearest(
    colours: npt.NDArray[np.floating], labels: npt.NDArray[np.floating]
) -> npt.NDArray[np.int64]:
    """For each colour [n, 3] the index of the nearest label."""
    # |c - l|^2 without |c|^2, which is the same for all labels: no [n, labels, 3] in memory.
    distances = np.sum(labels**2, axis=1) - 2 * colours @ labels.T
    return np.asarray(np.argmin(distances, axis=1))


def _hex(colour: Array) -> str:
    return "#" + "".join(f"{round(255 * float(value)):02x}" for value in colour)

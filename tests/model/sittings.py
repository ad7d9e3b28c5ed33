"""Sittings for tests: pictures, masks and what is hidden in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model.images import resize
from model.params import StyleTransferParams
from model.sitting import Array, Sitting

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
Colour = tuple[float, float, float]


def prepared(
    content: Array,
    styles: list[Array],
    *,
    content_mask: Array | None = None,
    style_masks: Sequence[Array] = (),
    **params: Any,
) -> Sitting:
    asked = StyleTransferParams(**{"size": 64, **params})
    masks: dict[str, Any] = {"content_mask": content_mask, "style_masks": style_masks}
    return Sitting.prepare(content, styles, asked, **masks)


def bars(width: int, height: int, *colours: Colour) -> Array:
    """A mask of upright bars, equally wide."""
    number = np.arange(width) * len(colours) // width
    return np.broadcast_to(np.array(colours, np.float32)[number], (height, width, 3))


def with_alpha(picture: Array, alpha: Array | float) -> Array:
    size = picture.shape[:2]
    return np.dstack([picture, np.broadcast_to(np.float32(alpha), size)])


def half(height: int, width: int) -> Array:
    """Opaque on the left, transparent on the right."""
    return np.repeat((np.arange(width) < width // 2)[np.newaxis], height, axis=0).astype(np.float32)


def mean_colour(picture: Array) -> Array:
    return np.asarray(picture.mean(axis=(0, 1)))


def cut_out(picture: Array, hidden: Array) -> Array:
    """The left half of a picture, and colours that are hidden on the right."""
    height, width = picture.shape[:2]
    shown = half(height, width)
    beside = resize(hidden, width, height)
    return with_alpha(np.where(shown[..., np.newaxis] > 0, picture, beside), shown)

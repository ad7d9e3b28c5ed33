"""What is to be seen of a picture: its colours, its alpha, and its regions. Free of TensorFlow."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy  # its modules are loaded when they are first asked for

from model.images import fit, resize
from model.masks import check_proportions, check_together
from model.regions import Regions, sampled, size

Array = npt.NDArray[np.float32]


class Seen(NamedTuple):
    """A picture at the size it is needed in, and its own (width, height) before.

    Attributes:
        rgb: float32 in [0, 1], [height, width, 3]; what is hidden has the nearest visible colour.
        alpha: [height, width]; None where all is opaque.
        own_size: in pixels.
    """

    rgb: Array
    alpha: Array | None
    own_size: tuple[int, int]


def look(picture: Array, long_side: int) -> Seen:
    """A picture at another size, its colours and its alpha apart.

    Args:
        picture: RGB, or RGB and alpha, in [0, 1], [height, width, 3 or 4].
        long_side: of the result, in pixels.
    """
    height, width = picture.shape[:2]
    resized = resize(picture, *fit(width, height, long_side))
    if resized.shape[2] == 3 or resized[..., 3].min() == 1.0:  # noqa: PLR2004
        return Seen(resized[..., :3], None, (width, height))
    alpha = resized[..., 3]
    return Seen(_filled(resized[..., :3], alpha), alpha, (width, height))


def _filled(rgb: Array, alpha: Array) -> Array:
    """With the nearest colours that can be seen where none can: the network looks across edges."""
    hidden = alpha < 1 / 255
    if hidden.all():
        return rgb
    rows, columns = scipy.ndimage.distance_transform_edt(
        hidden, return_distances=False, return_indices=True
    )
    return np.asarray(rgb[rows, columns])


def regions_of(
    pictures: Sequence[Seen], content_mask: Array | None, style_masks: Sequence[Array]
) -> Regions | None:
    """The regions of content and styles: what the masks say, of what can be seen.

    Args:
        pictures: the content, and each style.
        content_mask: RGB, [height, width, 3]; None where there are no masks.
        style_masks: one for each style, where there are masks.

    Returns:
        None where all is one region and opaque.

    Raises:
        ParameterError: masks are missing or do not fit.
    """
    masks = _masks(len(pictures) - 1, content_mask, style_masks)
    alphas = [picture.alpha for picture in pictures]
    if masks is None and all(alpha is None for alpha in alphas):
        return None
    sizes = [size(*picture.rgb.shape[:2]) for picture in pictures]
    alphas = [
        None if alpha is None else resize(alpha, width, height)
        for alpha, (height, width) in zip(alphas, sizes, strict=True)
    ]
    if masks is None:
        return Regions.everywhere(sizes).seen_through(alphas)
    for number, (mask, picture) in enumerate(zip(masks, pictures, strict=True)):
        field = "style_mask" if number else "content_mask"
        check_proportions((mask.shape[1], mask.shape[0]), picture.own_size, field)
    content, *styles = (sampled(mask, *sides) for mask, sides in zip(masks, sizes, strict=True))
    return Regions.of_masks(content, styles).seen_through(alphas)


def _masks(
    styles: int, content_mask: Array | None, style_masks: Sequence[Array]
) -> tuple[Array, ...] | None:
    check_together(int(content_mask is not None), len(style_masks), styles)
    return None if content_mask is None else (content_mask, *style_masks)

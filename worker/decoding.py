"""From a request's files to arrays: the same in a worker and on the command line."""

import numpy as np
import numpy.typing as npt

from model import images
from model.door import PictureLimits
from model.regions import sampled

Array = npt.NDArray[np.float32]

#: Long side of a mask in pixels, at most: the soft edges of its regions are wider than its pixels
#: then, and masks are in memory all at once.
_LARGEST_MASK = 2048


def picture(data: bytes, limits: PictureLimits) -> Array:
    """A content or style picture: float32 in [0, 1], [height, width, 3], or 4 with alpha.

    Raises:
        InputError: it cannot be decoded.
    """
    return images.decode(data, limits).pixels


def mask(data: bytes, limits: PictureLimits) -> Array:
    """A mask: float32 RGB in [0, 1], [height, width, 3], at most 2048 pixels long.

    Raises:
        InputError: it cannot be decoded.
    """
    colours = images.decode(data, limits).rgb
    height, width = colours.shape[:2]
    width, height = images.fit(width, height, min(_LARGEST_MASK, max(width, height)))
    return sampled(colours, height, width)

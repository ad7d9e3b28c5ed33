"""Pictures at other sizes."""

import numpy as np
from PIL import Image

from model.srgb import Floats

# Where less than this shows of a picture, its colours are what they would be without alpha:
# dividing by next to nothing would make them noise.
_LEAST_ALPHA = 1 / 255


def resize(pixels: Floats, width: int, height: int) -> Floats:
    """Resample to another size with Lanczos, against aliasing when it gets smaller.

    sRGB-encoded values are resampled as they are, which is how the network sees them. Colours
    count as much as their alpha lets them show, so that what is hidden leaves no fringe around
    what is not.

    Args:
        pixels: [height, width, 3], or 4 with alpha last, or one channel [height, width]; all
            in [0, 1].
        width: of the result, in pixels.
        height: likewise.

    Returns:
        float32 with as many channels. Clipped to [0, 1], as Lanczos overshoots.
    """
    if pixels.ndim == 2:  # noqa: PLR2004 - one channel
        result = _resampled(pixels, width, height)
    else:
        result = np.empty((height, width, pixels.shape[2]), np.float32)
        for channel in range(pixels.shape[2]):
            result[..., channel] = _resampled(pixels[..., channel], width, height)
        if pixels.shape[2] == 4:  # noqa: PLR2004 - with alpha
            _weigh_by_alpha(result, pixels)
    return np.clip(result, 0, 1, out=result)


def _weigh_by_alpha(result: Floats, pixels: Floats) -> None:
    """Replace colours by those of the premultiplied picture, wherever anything shows."""
    height, width = result.shape[:2]
    alpha = result[..., 3]
    shows = alpha >= _LEAST_ALPHA
    for channel in range(3):
        premultiplied = _resampled(pixels[..., channel] * pixels[..., 3], width, height)
        np.divide(premultiplied, alpha, out=result[..., channel], where=shows)


def _resampled(channel: Floats, width: int, height: int) -> Floats:
    # Pillow resamples floats one channel at a time.
    image = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    return np.array(image.resize((width, height), Image.Resampling.LANCZOS))

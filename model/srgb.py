"""From any kind of decoded picture to sRGB colours and an alpha channel, as arrays of floats."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from model import icc
from model.deep import Samples

Floats = npt.NDArray[np.float32]

_GREYS = frozenset({"1", "L", "LA", "La"})
_WITH_ALPHA = frozenset({2, 4})  # channels


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        rgb: float32 [height, width, 3], sRGB-encoded, in [0, 1]; where alpha hides some of it,
            composited over the mean colour of what can be seen.
        alpha: float32 [height, width] in [0, 1], or None when the picture is fully opaque.
    """

    rgb: Floats
    alpha: Floats | None

    @property
    def pixels(self) -> Floats:
        """All there is: [height, width, 3], or 4 with alpha last when the picture has one."""
        return self.rgb if self.alpha is None else np.dstack((self.rgb, self.alpha))


def to_picture(image: Image.Image) -> Picture:
    """Convert an image of up to 8 bits per sample, in a mode the door lets in, to sRGB."""
    profile, alpha = image.info.get("icc_profile"), None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in _GREYS else "RGBA")
        alpha = _unit(image.getchannel("A"))
        image = image.convert(image.mode.removesuffix("A"))
    return _visible(_unit(_converted(image, profile) or image.convert("RGB")), alpha)


def deep_to_picture(samples: Samples, info: dict[str | tuple[int, int], Any]) -> Picture:
    """Convert samples of 16 bits to sRGB.

    Args:
        samples: [height, width, channels]: grey or RGB, then alpha where there is one.
        info: Pillow's, of the image: `icc_profile`, and of a PNG without alpha `transparency`,
            the one colour that is transparent.
    """
    colours, key = samples, info.get("transparency")
    alpha: Floats | None = None
    if samples.shape[2] in _WITH_ALPHA:
        colours, alpha = samples[..., :-1], np.divide(samples[..., -1], 65_535, dtype=np.float32)
    elif key is not None:
        alpha = (samples != np.array(key)).any(axis=2).astype(np.float32)
    return _visible(_deep_colours(colours, info.get("icc_profile")), alpha)


def _visible(colours: Floats, alpha: Floats | None) -> Picture:
    if alpha is None or alpha.min() == 1:
        return Picture(colours, None)
    return Picture(_composited(colours, alpha), alpha)


def _deep_colours(samples: Samples, profile: bytes | None) -> Floats:
    """Convert opaque samples by their profile: in 16 bits by curves, in 8 by tables."""
    channels = samples.shape[2]
    shaper = icc.shaper(profile, channels) if profile else None
    if shaper:
        return shaper.to_srgb(samples)
    if profile:
        rounded = (samples - (samples >> 8) + 128 >> 8).astype(np.uint8)  # divided by 257
        converted = _converted(Image.fromarray(rounded.squeeze()), profile)
        if converted:
            return _unit(converted)
    return np.repeat(np.divide(samples, 65_535, dtype=np.float32), 3 // channels, axis=2)


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Convert an opaque image to RGB by its colour profile, if it has one that is of use.

    Relative colorimetric with black point compensation: colours that sRGB has stay as they are,
    and shadows stay distinct.
    """
    if image.mode in ("1", "P", "YCbCr"):  # a profile describes what these stand for
        image = image.convert("L" if image.mode == "1" else "RGB")
    try:
        if profile:
            return ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        pass  # unreadable, or of other colours than the picture: RGB in a grey JPEG is common
    return None


def _unit(image: Image.Image) -> Floats:
    """Return the 8-bit samples of an image as floats in [0, 1]."""
    samples = np.asarray(image).astype(np.float32)
    samples /= 255
    return samples


def _composited(colours: Floats, alpha: Floats) -> Floats:
    """Composite over the mean visible colour, in place.

    What lies under transparent pixels is whatever a program left there, and must not reach the
    Gram matrices. A white ground would, where there is much of it, make white a part of the
    style, and would draw an edge around every cut-out; the mean does neither. A picture that
    is transparent everywhere has no mean and becomes white.
    """
    weight = alpha.sum(dtype=np.float64)
    mean = np.ones(3, np.float32)
    if weight:
        mean[:] = [(colours[..., c] * alpha).sum(dtype=np.float64) / weight for c in range(3)]
    colours -= mean
    colours *= alpha[..., np.newaxis]
    colours += mean
    return np.clip(colours, 0, 1, out=colours)

"""Colours of one picture given to another, and kept from it. NumPy only.

Pictures are float32 RGB in [0, 1] with sRGB's transfer function, shape [height, width, 3].
"""

import numpy as np
import numpy.typing as npt

from model.transfer import from_linear, to_linear

Array = npt.NDArray[np.float32]

#: sRGB to CIE XYZ, D65 (IEC 61966-2-1), rows scaled so that white is (1, 1, 1).
_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_RGB_TO_XYZ /= _RGB_TO_XYZ.sum(axis=1, keepdims=True)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)

#: That are converted at a time.
_ROWS = 256

#: CIE 15:2004, section 8.2.1: below this the cube root is replaced by a straight line.
_DELTA = 6 / 29


def match_colours(
    picture: Array,
    reference: Array,
    weights: Array | None = None,
    reference_weights: Array | None = None,
) -> Array:
    """The picture with the mean and covariance of the reference's colours.

    The linear map of Gatys et al. 2017 (appendix, "linear colour transfer"), in its symmetric
    form (Pitie & Kokaram 2007, Monge-Kantorovitch): of all that match, it moves colours least.

    Args:
        picture: any size.
        reference: any size.
        weights: how much each pixel of the picture counts, [height, width]; None for all alike.
        reference_weights: likewise, of the reference.

    Returns:
        Like ``picture``, clipped to [0, 1].
    """
    mean, covariance = _statistics(picture, weights)
    wanted_mean, wanted = _statistics(reference, reference_weights)
    root = _square_root(covariance)
    inverse = np.linalg.inv(root)
    map_ = inverse @ _square_root(root @ wanted @ root) @ inverse
    moved = (picture.reshape(-1, 3) - mean) @ map_ + wanted_mean
    return np.asarray(np.clip(moved, 0.0, 1.0).reshape(picture.shape), np.float32)


def with_lightness_of(picture: Array, painted: Array) -> Array:
    """The picture's hues and saturations under the painted lightness, in CIELAB.

    Gatys et al. 2017 ("luminance-only transfer") in a space where lightness is what people see.

    Args:
        picture: where the colours come from.
        painted: where the lightness comes from, same shape.
    """
    mixed = np.empty_like(painted)
    for first in range(0, len(picture), _ROWS):  # all at once it would be eight times the picture
        rows = slice(first, first + _ROWS)
        lab = _to_lab(picture[rows])
        lab[..., 0] = _to_lab(painted[rows])[..., 0]
        mixed[rows] = _from_lab(lab)
    return mixed


def _statistics(
    picture: Array, weights: Array | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and covariance of the colours."""
    pixels = picture.reshape(-1, 3)
    ridge = 1e-5 * np.eye(3)  # a grey picture has no covariance to divide by
    if weights is None:
        mean = pixels.mean(axis=0, dtype=np.float64)  # millions of float32 drift
        return mean, np.cov(pixels.T, bias=True) + ridge
    counts = weights.ravel().astype(np.float64)
    mean = np.average(pixels, axis=0, weights=counts)
    return mean, np.cov(pixels.T, aweights=counts, bias=True) + ridge


def _square_root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _to_lab(rgb: Array) -> npt.NDArray[np.float64]:
    xyz = to_linear(rgb) @ _RGB_TO_XYZ.T
    x, y, z = np.moveaxis(
        np.where(xyz > _DELTA**3, np.cbrt(xyz), xyz / (3 * _DELTA**2) + 4 / 29), -1, 0
    )
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _from_lab(lab: npt.NDArray[np.float64]) -> Array:
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(roots > _DELTA, roots**3, 3 * _DELTA**2 * (roots - 4 / 29))
    return from_linear(xyz @ _XYZ_TO_RGB.T).astype(np.float32)

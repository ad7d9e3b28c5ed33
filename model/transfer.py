"""sRGB's transfer function (IEC 61966-2-1, section 5.2). NumPy only; the dtype is kept."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floating = TypeVar("Floating", bound=np.floating[Any])

#: Below these the curve is a straight line: of encoded values, and of linear light.
_LINE_ENCODED = 0.04045
_LINE_LINEAR = 0.0031308


def to_linear(encoded: npt.NDArray[Floating]) -> npt.NDArray[Floating]:
    """Linear light of sRGB's values, both in [0, 1], any shape."""
    curved = ((encoded + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= _LINE_ENCODED, encoded / 12.92, curved)


def from_linear(linear: npt.NDArray[Floating]) -> npt.NDArray[Floating]:
    """SRGB's values of linear light, both clipped to [0, 1], any shape."""
    linear = np.clip(linear, 0.0, 1.0)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.where(linear <= _LINE_LINEAR, 12.92 * linear, curved)

"""What a file of weights holds, in the words that all formats are translated into."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Parsed:
    """The arrays of a file, not yet checked, and what its network sees.

    It sees ``scale * (colour - mean)`` for RGB colours in [0, 1].

    Attributes:
        arrays: ``LAYER/kernel`` [height, width, inputs, outputs], ``LAYER/bias`` [outputs] and
            ``mean`` [3], RGB in [0, 1]; those that the file has.
        scale: of the colours, for red, green and blue.
        bgr: whether the inputs of the first kernel are blue, green and red.
    """

    arrays: Arrays
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False

    def fold(self, kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The first kernel, [3, 3, 3, outputs], for a network that sees ``colour - mean``."""
        rgb = kernel[:, :, ::-1] if self.bgr else kernel
        return np.ascontiguousarray(rgb * np.array(self.scale, np.float32)[:, np.newaxis])

"""The pictures of one painting, prepared: what sits in front of the painter. Free of TensorFlow."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from model import colour, recipes
from model.images import fit, resize
from model.params import StyleTransferParams

Array = npt.NDArray[np.float32]

#: Long side of a style picture in pixels, at most: its activations are in memory all at once.
_LARGEST_STYLE = 4096


@dataclass(frozen=True)
class Sitting:
    """Content and styles at the size of the result, and how they are to be painted.

    Attributes:
        content: float32 RGB in [0, 1], shape [height, width, 3]: the size of the result.
        styles: likewise, each of a size of its own.
        params: what was asked for.
    """

    content: Array
    styles: tuple[Array, ...]
    params: StyleTransferParams

    @classmethod
    def prepare(
        cls, content: Array, styles: Iterable[Array], params: StyleTransferParams
    ) -> "Sitting":
        """Brings decoded pictures of any size to the sizes they are needed in.

        The styles are taken one at a time, so that no two need be in memory at their full size.

        Raises:
            ParameterError: there are too few or too many styles, or not as many as weights.
        """
        height, width = content.shape[:2]
        content = resize(content, *fit(width, height, params.size))
        style_side = min(round(params.size * params.style_scale), _LARGEST_STYLE)
        prepared = tuple(
            resize(style, *fit(style.shape[1], style.shape[0], style_side)) for style in styles
        )
        params.shares(len(prepared))
        if params.preserve_color == "histogram":
            prepared = tuple(colour.match_colours(style, content) for style in prepared)
        return cls(content, prepared, params)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """The share of each style, summing to 1."""
        return self.params.shares(len(self.styles))

    @cached_property
    def scales(self) -> tuple[recipes.Scale, ...]:
        """The sizes at which the picture is painted, coarse to fine."""
        height, width = self.content.shape[:2]
        return recipes.scales(self.params, width, height)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that determines the painting but for features and device."""
        digest = hashlib.sha256(self.params.model_dump_json().encode())
        for picture in (self.content, *self.styles):
            digest.update(repr(picture.shape).encode())
            digest.update(np.ascontiguousarray(picture).tobytes())
        return digest.hexdigest()

    def content_at(self, scale: recipes.Scale) -> Array:
        """The content picture at a scale."""
        return resize(self.content, scale.width, scale.height)

    def styles_at(self, scale: recipes.Scale) -> list[Array]:
        """The style pictures as large as they are to be seen at a scale."""
        share = max(scale.width, scale.height) / max(self.content.shape[:2])
        return [
            resize(style, *fit(style.shape[1], style.shape[0], round(max(style.shape[:2]) * share)))
            for style in self.styles
        ]

    def first_image(self) -> Array:
        """The picture that the optimisation starts from, at the first scale."""
        scale = self.scales[0]
        match self.params.init:
            case "noise":
                rng = np.random.default_rng(self.params.seed)
                noise = rng.random((scale.height, scale.width, 3), np.float32)
                return self._in_the_styles_colours(noise)
            case "style":
                heaviest = self.styles[int(np.argmax(self.shares))]
                return resize(heaviest, scale.width, scale.height)
            case _:
                return self._in_the_styles_colours(self.content_at(scale))

    def finished(self, painted: Array) -> Array:
        """The painted picture as it is handed out: with the content's colours, if so asked."""
        if self.params.preserve_color != "luminance":
            return painted
        height, width = painted.shape[:2]
        return colour.with_lightness_of(resize(self.content, width, height), painted)

    def _in_the_styles_colours(self, picture: Array) -> Array:
        """Starting from the right colours leaves the optimisation the strokes to find."""
        matched = [
            share * colour.match_colours(picture, style)
            for share, style in zip(self.shares, self.styles, strict=True)
        ]
        return np.asarray(np.sum(matched, axis=0), np.float32)

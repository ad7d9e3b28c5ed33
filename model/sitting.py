"""The pictures of one painting, prepared: what sits in front of the painter. Free of TensorFlow."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from model import colour, recipes
from model.errors import ParameterError
from model.images import fit, resize
from model.params import StyleTransferParams
from model.regions import LEAST_WEIGHT, Regions
from model.visible import look, regions_of

Array = npt.NDArray[np.float32]

#: Long side of a style picture in pixels, at most: that of the largest result.
_LARGEST_STYLE = 4096


@dataclass(frozen=True)
class Sitting:
    """Content and styles at the size of the result, and how they are to be painted.

    Attributes:
        content: float32 RGB in [0, 1], shape [height, width, 3]: the size of the result.
        styles: likewise, each of a size of its own.
        params: what was asked for.
        alpha: of the content, float32 [height, width] in [0, 1]; None where all of it is opaque.
        regions: where the styles apply; None for everywhere.
    """

    content: Array
    styles: tuple[Array, ...]
    params: StyleTransferParams
    alpha: Array | None = None
    regions: Regions | None = None

    @classmethod
    def prepare(
        cls,
        content: Array,
        styles: Iterable[Array],
        params: StyleTransferParams,
        *,
        content_mask: Array | None = None,
        style_masks: Sequence[Array] = (),
    ) -> "Sitting":
        """Brings decoded pictures of any size to the sizes they are needed in.

        Args:
            content: RGB, or RGB and alpha, in [0, 1], [height, width, 3 or 4].
            styles: likewise. They are taken one at a time, so that no two need be in memory at
                their full size.
            params: how to paint.
            content_mask: RGB, a colour for each region; None where all is one region.
            style_masks: likewise, one for each style.

        Raises:
            ParameterError: there are too few or too many styles, weights or masks, a mask does
                not fit, or a region has no style.
        """
        seen = look(content, params.size)
        style_side = min(round(params.size * params.style_scale), _LARGEST_STYLE)
        others = [look(style, style_side) for style in styles]
        params.shares(len(others))
        regions = regions_of((seen, *others), content_mask, style_masks)
        pictures = tuple(style.rgb for style in others)
        if params.preserve_color == "histogram":
            pictures = tuple(
                colour.match_colours(style.rgb, seen.rgb, style.alpha, seen.alpha)
                for style in others
            )
        sitting = cls(seen.rgb, pictures, params, seen.alpha, regions)
        sitting._check_that_each_region_has_a_style()
        return sitting

    @cached_property
    def shares(self) -> tuple[float, ...]:
        """The share of each style, summing to 1."""
        return self.params.shares(len(self.styles))

    @cached_property
    def style_shares(self) -> Array:
        """The share of each style in each region, [styles, regions]; summing to 1 in a region."""
        if self.regions is None:
            return np.array(self.shares, np.float32)[:, np.newaxis]
        has = [(style > LEAST_WEIGHT).any(axis=(1, 2)) for style in self.regions.styles]
        shares = np.array(self.shares)[:, np.newaxis] * np.array(has)
        return np.asarray(shares / np.maximum(shares.sum(axis=0), 1e-12), np.float32)

    @property
    def region_count(self) -> int:
        """How many regions have a style of their own; 0 where nothing is masked or transparent."""
        return 0 if self.regions is None else len(self.regions.content)

    @cached_property
    def scales(self) -> tuple[recipes.Scale, ...]:
        """The sizes at which the picture is painted, coarse to fine."""
        height, width = self.content.shape[:2]
        return recipes.scales(self.params, width, height)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that determines the painting but for features and device."""
        masks = () if self.regions is None else (self.regions.content, *self.regions.styles)
        alpha = () if self.alpha is None else (self.alpha,)
        pictures = (self.content, *self.styles, *alpha, *masks)
        return _digest(pictures, self.params.model_dump_json())

    def content_at(self, scale: recipes.Scale) -> Array:
        """The content picture at a scale."""
        return resize(self.content, scale.width, scale.height)

    def content_target_at(self, scale: recipes.Scale) -> Array:
        """The picture whose content the painting is to have: the content in the style's colours.

        So content and style do not fight over colours, only over forms. The presets are after
        papers that hold the painting against the content as it is.
        """
        content = self.content_at(scale)
        return content if self.params.preset else self._in_the_styles_colours(content)

    def content_regions_at(self, scale: recipes.Scale) -> Array | None:
        """The content's regions at a scale, [regions, height, width]."""
        if self.regions is None:
            return None
        return _resize_each(self.regions.content, scale.width, scale.height)

    @cached_property
    def style_digests(self) -> tuple[str, ...]:
        """Of each style picture, with its regions."""
        regions = [None] * len(self.styles) if self.regions is None else self.regions.styles
        return tuple(
            _digest((style,) if weights is None else (style, weights))
            for style, weights in zip(self.styles, regions, strict=True)
        )

    def style_size_at(self, index: int, scale: recipes.Scale) -> tuple[int, int]:
        """Width and height of a style picture, as large as it is to be seen at a scale."""
        share = max(scale.width, scale.height) / max(self.content.shape[:2])
        height, width = self.styles[index].shape[:2]
        return fit(width, height, round(max(width, height) * share))

    def style_at(self, index: int, scale: recipes.Scale) -> Array:
        """A style picture in that size."""
        return resize(self.styles[index], *self.style_size_at(index, scale))

    def style_regions_at(self, index: int, scale: recipes.Scale) -> Array | None:
        """A style's regions, likewise, [regions, height, width]."""
        if self.regions is None:
            return None
        return _resize_each(self.regions.styles[index], *self.style_size_at(index, scale))

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
        """The painted picture as it is handed out: with the content's alpha, if it has one.

        And with the content's colours, if so asked.
        """
        height, width = painted.shape[:2]
        if self.params.preserve_color == "luminance":
            painted = colour.with_lightness_of(resize(self.content, width, height), painted)
        if self.alpha is None:
            return painted
        return np.dstack([painted, resize(self.alpha, width, height)])

    def _check_that_each_region_has_a_style(self) -> None:
        if self.regions is None:
            return
        if not self.regions.names:
            raise ParameterError("Nothing of the content picture can be seen.", field="content")
        for name, shares in zip(self.regions.names, self.style_shares.T, strict=True):
            if not shares.any():
                raise ParameterError(
                    "Each region of the content needs some of a style: the same colour in a "
                    "style_mask, where the style is not transparent and has weight. "
                    f"Received: none for {name}.",
                    field="style_mask",
                )

    def _in_the_styles_colours(self, picture: Array) -> Array:
        """Starting from the right colours leaves the optimisation the strokes to find."""
        if self.regions is None:
            mixed = np.zeros_like(picture)
            for share, style in zip(self.shares, self.styles, strict=True):
                mixed += np.float32(share) * colour.match_colours(picture, style)
            return mixed
        return self._in_each_regions_colours(picture, self.regions)

    def _in_each_regions_colours(self, picture: Array, regions: Regions) -> Array:
        height, width = picture.shape[:2]
        content = _resize_each(regions.content, width, height)
        mixed = (1.0 - content.sum(axis=0))[..., np.newaxis] * picture
        for style, weights, shares in zip(
            self.styles, regions.styles, self.style_shares, strict=True
        ):
            for there, here, share in zip(weights, content, shares, strict=True):
                if share:
                    seen = resize(there, style.shape[1], style.shape[0])
                    matched = colour.match_colours(picture, style, here, seen)
                    mixed += share * here[..., np.newaxis] * matched
        return np.asarray(np.clip(mixed, 0.0, 1.0), np.float32)


def _resize_each(weights: Array, width: int, height: int) -> Array:
    return np.stack([resize(one, width, height) for one in weights])


def _digest(pictures: Iterable[Array], text: str = "") -> str:
    digest = hashlib.sha256(text.encode())
    for picture in pictures:
        digest.update(repr(picture.shape).encode())
        digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()

"""The loss of pictures and its gradient: at once, or tile by tile where they are large."""

from collections.abc import Hashable, Iterable, Sequence
from copy import copy
from functools import partial

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model import afar, losses, regions, vgg
from model.afar import View
from model.graphs import Graphs, Kind
from model.params import StyleTransferParams
from model.recent import Recent
from model.recipes import EDGES_STRIDE, STYLE_STRIDE, Scale
from model.sitting import Sitting
from model.targets import AfarTargets, ByLayer, ContentTarget, StyleAfar, StyleSeen, Targets
from model.tiles import STRIDE, Box, Tile, cut

Array = npt.NDArray[np.float32]

#: What makes a weight of 1 the balance that Atelier was tuned for, by looking at pictures:
#: of content, style and total variation, for each style loss.
_BALANCE = {"gram": (1.0, 100.0, 0.5), "wasserstein": (1.0, 10.0, 0.5)}

#: In bytes, of what is remembered of styles: 2.6 million each in a size, in each of its regions.
_REMEMBERED = 128 * 2**20


def remembered_styles() -> Recent[StyleSeen]:
    """Room for what is seen of styles, to be shared by all objectives of a network."""
    return Recent(_REMEMBERED, lambda style: style.bytes)


class Objective:
    """What a picture is to become, for one kind of painting.

    Args:
        network: that looks at pictures.
        kind: of painting.
        remembered: what other objectives of the network have seen of styles.

    Attributes:
        parts: names of the parts of the loss: ``content/<layer>``, ``style/<layer>`` and ``tv``;
            what is seen from afar ends with ``_afar``.
        targets_spec: what graphs say of the targets.
    """

    def __init__(
        self,
        network: vgg.Network,
        kind: Kind,
        remembered: Recent[StyleSeen] | None = None,
    ) -> None:
        self._network = network
        self._kind = kind
        self._small_tiles = False
        self._graphs = Graphs(network, kind)
        self._graphs_in_bands = Graphs(network, kind, in_bands=True)
        self._remembered = remembered or remembered_styles()
        self.parts = kind.parts
        self.targets_spec = self._graphs.targets_spec

    def in_small_tiles(self) -> "Objective":
        """The same in less memory, and a bit slower; it shares the graphs."""
        other = copy(self)
        other._small_tiles = True  # noqa: SLF001 - our own
        return other

    @property
    def identity(self) -> str:
        """What, besides the sitting, determines the picture: features, numbers, and the recipe."""
        network = self._network
        return f"{network.features.sha256} {network.dtype.name} {self._kind} {_BALANCE}"

    def targets(self, sitting: Sitting, scale: Scale) -> Targets:
        """What a sitting is to become at one scale."""
        size, regions = (scale.height, scale.width), sitting.content_regions_at(scale)
        content = sitting.content_target_at(scale)
        styles = self._styles_seen(sitting, scale)
        from_afar = [style.afar for style in styles if style.afar]
        return Targets(
            self._content_targets(content),
            self._style_targets(_mixed(sitting, [style.moments for style in styles])),
            *_guides(size, regions, self._kind.layers.style),
            self._afar_targets(sitting, content, regions, from_afar),
        )

    def loss_and_gradient(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss of each image and how it changes with each of its pixels.

        Args:
            image: float32 [pictures, height, width, 3] in [0, 1].
            targets: of the same size.
            weights: of content, style and total variation; float32 [pictures, 3].

        Returns:
            The weighted ``parts`` of the loss, float32 [pictures, parts], and the gradient of their
            sum per pixel *density*: multiplied by the number of pixels, so that its size, and with
            it an optimiser's constants, do not depend on the picture's.
        """
        tiles = self._tiles(image.shape)
        judge = self._graphs_for(tiles[0]).judge if len(tiles) == 1 else self._judge_by_tiles
        parts, gradient = judge(image, targets, weights)
        return parts, gradient * tf.cast(tf.reduce_prod(tf.shape(image)[1:]), tf.float32)

    def sees_whole(self, image: tf.Tensor) -> bool:
        """Whether pictures of this size are cut neither into tiles nor into bands."""
        tiles = self._tiles(image.shape)
        return len(tiles) == 1 and not tiles[0].in_bands

    def _graphs_for(self, tile: Tile) -> Graphs:
        return self._graphs_in_bands if tile.in_bands else self._graphs

    def _tiles(self, shape: tf.TensorShape) -> tuple[Tile, ...]:
        height, width = shape[1:3]
        if None in (height, width):  # in a graph, whose pictures are not cut
            height = width = 0
        return cut(height, width, small=self._small_tiles)

    def _judge_by_tiles(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Twice over the tiles: for the moments of all, then for what each pixel has to change."""
        found = self._moments(image, targets.guides)
        style, upstream = self._graphs.judge_moments(found, targets.style, targets.shares, weights)
        whole, gradient = self._graphs.judge_whole(image, targets.afar, weights)
        content = 0.0
        for tile in self._tiles(image.shape):
            parts, pulled = self._graphs_for(tile).judge_tile(
                *_view(image, tile),
                {name: _content_inside(t, name, tile) for name, t in targets.content.items()},
                _guides_inside(targets.guides, tile),
                upstream,
                weights,
            )
            content += parts
            gradient += _placed(pulled, tile, image.shape)
        return tf.concat([content, style, whole], 1), gradient

    def _moments(self, image: tf.Tensor, guides: ByLayer) -> ByLayer:
        """Moments of a whole picture: the sums of those of its tiles."""
        found: ByLayer = {}
        for tile in self._tiles(image.shape):
            inside = _guides_inside(guides, tile)
            _add(found, self._graphs_for(tile).moments(*_view(image, tile), inside))
        return found

    def _content_targets(self, content: Array) -> ByLayer:
        image = tf.constant(content[np.newaxis])
        rows: dict[int, list[ByLayer]] = {}
        for tile in self._tiles(image.shape):
            seen = self._graphs_for(tile).content(*_view(image, tile))
            rows.setdefault(tile.inner.top, []).append(seen)
        whole = {
            name: tf.concat(
                [tf.concat([tile[name] for tile in row], 2) for row in rows.values()], 1
            )
            for name in self._kind.layers.content
        }
        return {name: ContentTarget(x, losses.content_scale(x)) for name, x in whole.items()}

    def _style_targets(self, mixed: ByLayer) -> ByLayer:
        loss = losses.STYLE_LOSSES[self._kind.style_loss]
        return {name: loss.target(moments) for name, moments in mixed.items()}

    def _styles_seen(self, sitting: Sitting, scale: Scale) -> list[StyleSeen]:
        """One of which many photographs are painted is looked at once."""
        return [
            self._remembered.get(
                self._key(digest, *sitting.style_size_at(index, scale)),
                partial(self._look, sitting, index, scale),
            )
            for index, digest in enumerate(sitting.style_digests)
        ]

    def _key(self, digest: str, width: int, height: int) -> Hashable:
        """Of what is seen of a style; sums of other tiles are rounded otherwise."""
        return repr(self._kind), digest, cut(height, width, small=self._small_tiles)

    def _look(self, sitting: Sitting, index: int, scale: Scale) -> StyleSeen:
        style = sitting.style_at(index, scale)
        weights = sitting.style_regions_at(index, scale)
        moments = self._style_moments(style, weights)
        if not self._kind.layers.style_afar:
            return StyleSeen(moments, None)
        edges = losses.edges_strength(_luminance_afar(style)[1])
        return StyleSeen(moments, StyleAfar(self._style_moments_afar(style, weights), edges))

    def _style_moments(self, style: Array, weights: Array | None) -> ByLayer:
        guides, _ = _guides(style.shape[:2], weights, self._kind.layers.style)
        return self._moments(tf.constant(style[np.newaxis]), guides)

    def _style_moments_afar(self, style: Array, regions: Array | None) -> ByLayer:
        view, guides, _ = self._style_view(style.shape[:2], regions)
        found: ByLayer = self._graphs.moments_afar(tf.constant(style[np.newaxis]), view, guides)
        return found

    def _afar_targets(
        self,
        sitting: Sitting,
        content: Array,
        regions: Array | None,
        styles: Sequence[StyleAfar],
    ) -> AfarTargets | tuple[()]:
        if not styles:
            return ()
        edges_view, luminance = _luminance_afar(content)
        shares = zip(sitting.shares, styles, strict=True)
        strength = tf.add_n([share * style.edges for share, style in shares])
        luminance *= losses.edges_gain(luminance, strength)
        edges = ContentTarget(luminance, losses.edges_scale(luminance))
        view, guides, of_regions = self._style_view(content.shape[:2], regions)
        style = self._style_targets(_mixed(sitting, [style.moments for style in styles]))
        return AfarTargets(edges_view, edges, view, style, guides, of_regions)

    def _style_view(
        self, size: tuple[int, int], regions: Array | None
    ) -> tuple[View, ByLayer, ByLayer]:
        """How the style layers see a picture of (height, width) from afar, guides, and shares."""
        there = afar.size(*size, STYLE_STRIDE)
        if regions is not None:
            pixels = afar.view(*size, STYLE_STRIDE).of(tf.constant(regions[..., np.newaxis]))
            regions = np.asarray(pixels[..., 0])
        guides, shares = _guides(there, regions, self._kind.layers.style_afar)
        return afar.view(*size, STYLE_STRIDE, multiple=STRIDE), guides, shares


def _luminance_afar(picture: Array) -> tuple[View, tf.Tensor]:
    """From where the edges of a picture are seen, and its luminance from there."""
    height, width = picture.shape[:2]
    view = afar.view(height, width, EDGES_STRIDE)
    return view, view.of(losses.luminance(tf.constant(picture[np.newaxis])))


def _mixed(sitting: Sitting, styles: Sequence[ByLayer]) -> ByLayer:
    """The styles' moments, mixed by their shares in each region."""
    mixed: ByLayer = {}
    for found, shares in zip(styles, sitting.style_shares, strict=True):
        _add(mixed, {name: one.scaled(shares) for name, one in found.items()})
    return mixed


def _guides(
    size: tuple[int, int], weights: Array | None, layers: Iterable[str]
) -> tuple[ByLayer, ByLayer]:
    """Guides of layers and the regions' shares, for a picture of (height, width)."""
    guides: ByLayer = {}
    shares: ByLayer = {}
    for name in layers:
        if weights is None:
            whole = Box(0, 0, *size).at(vgg.STRIDES[name])
            positions = whole.bottom * whole.right
            guide, share = np.full((1, 1, 1), 1 / positions, np.float32), np.ones(1, np.float32)
        else:
            guide, share = regions.guides(weights, vgg.STRIDES[name], vgg.REACHES[name])
        guides[name], shares[name] = tf.constant(guide[np.newaxis]), tf.constant(share[np.newaxis])
    return guides, shares


def _add(sums: ByLayer, more: ByLayer) -> None:
    """Adds moments to those of the same layers."""
    for name, moments in more.items():
        sums[name] = sums[name].plus(moments) if name in sums else moments


def _view(image: tf.Tensor, tile: Tile) -> tuple[tf.Tensor, tf.Tensor]:
    """What the network sees of an image, and the inner box in there."""
    top, left, bottom, right = tile.outer
    return image[:, top:bottom, left:right], tf.constant(tile.inner.seen_from(tile.outer), tf.int32)


def _content_inside(target: ContentTarget, layer: str, tile: Tile) -> ContentTarget:
    top, left, bottom, right = tile.inner.at(vgg.STRIDES[layer])
    return ContentTarget(target.activations[:, top:bottom, left:right], target.scale)


def _guides_inside(guides: ByLayer, tile: Tile) -> ByLayer:
    inside: ByLayer = {}
    for name, guide in guides.items():
        top, left, bottom, right = tile.inner.at(vgg.STRIDES[name])
        everywhere = guide.shape[2:] == (1, 1)
        inside[name] = guide if everywhere else guide[:, :, top:bottom, left:right]
    return inside


def _placed(gradient: tf.Tensor, tile: Tile, shape: tf.TensorShape) -> tf.Tensor:
    """A tile's gradient in a picture of zeros; outer boxes overlap, and there they add up."""
    top, left, bottom, right = tile.outer
    return tf.pad(gradient, [[0, 0], [top, shape[1] - bottom], [left, shape[2] - right], [0, 0]])


def loss_weights(params: StyleTransferParams) -> tf.Tensor:
    """The weights of content, style and total variation in the loss; float32 [1, 3]."""
    asked = (params.content_weight, params.style_weight, params.tv_weight)
    balance = _BALANCE[params.style_loss]
    return tf.constant([[weight * scale for weight, scale in zip(asked, balance, strict=True)]])

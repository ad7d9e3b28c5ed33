"""What is traced: how pictures, or tiles of them, are judged. One graph serves every size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from model import losses, vgg
from model.afar import View
from model.bands import Bands
from model.boxes import extended, inside, whole
from model.losses import STYLE_LOSSES, StyleTarget
from model.moments import Moments, moments
from model.recipes import Layers
from model.targets import AfarTargets, ByLayer, ContentTarget, Targets
from model.traced import graph


@dataclass(frozen=True)
class Kind:
    """What graphs are traced for.

    Attributes:
        layers: where content and style are read.
        pooling: of the network.
        style_loss: ``gram`` or ``wasserstein``.
        regions: how many regions have a style of their own; 0 where nothing is masked.
    """

    layers: Layers
    pooling: vgg.Pooling
    style_loss: str
    regions: int

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the loss, in their order."""
        afar = ("content/edges_afar",) if self.layers.style_afar else ()
        return (
            *(f"content/{name}" for name in self.layers.content),
            *(f"style/{name}" for name in self.layers.style),
            *afar,
            *(f"style/{name}_afar" for name in self.layers.style_afar),
            "tv",
        )


#: float32 RGB in [0, 1], [pictures, height, width, 3].
IMAGES = tf.TensorSpec([None, None, None, 3])

#: Of content, style and total variation; float32 [pictures, 3].
WEIGHTS = tf.TensorSpec([None, 3])


class Graphs:
    """The functions that a painting of one kind needs, traced when they are first called.

    Parts of the loss are weighted, float32 [pictures, parts]; ``inner`` is a tile's inner box as
    seen from its outer one.

    Args:
        network: that looks at pictures.
        kind: of painting.
        in_bands: whether the shallow layers are to take less memory, and more time.

    Attributes:
        targets_spec: of the targets.
        judge: (image, targets, weights) -> the parts of the loss, and their gradient.
        content: (tile, inner) -> activations of the content layers.
        moments: (tile, inner, guides) -> moments of the style layers.
        judge_moments: (moments, style targets, shares, weights) -> style parts, and the gradient
            by the moments.
        judge_whole: (image, targets from afar, weights) -> the parts of what is judged of a
            picture as a whole, however large, and their gradient.
        moments_afar: (image, view, guides) -> moments of the style layers from afar.
        judge_tile: (tile, inner, content targets, guides, gradient by the moments, weights) ->
            content parts, and the gradient of these and of the moments by the tile.
    """

    def __init__(self, network: vgg.Network, kind: Kind, *, in_bands: bool = False) -> None:
        self._network = network
        self._kind = kind
        self._bands = Bands(network, kind.pooling) if in_bands else None
        self._style_loss = STYLE_LOSSES[kind.style_loss]
        box = tf.TensorSpec([4], tf.int32)
        content, style, guides, shares, afar = self.targets_spec = self._targets_spec()
        found = {name: Moments(*target) for name, target in style.items()}
        self.judge = graph(self._judge, IMAGES, self.targets_spec, WEIGHTS)
        self.content = graph(self._content, IMAGES, box)
        self.moments = graph(self._tile_moments, IMAGES, box, guides)
        self.judge_moments = graph(self._judge_moments, found, style, shares, WEIGHTS)
        self.judge_whole = graph(self._judge_whole, IMAGES, afar, WEIGHTS)
        if afar:
            self.moments_afar = graph(self._moments_afar, IMAGES, afar.style_view, afar.guides)
        self.judge_tile = graph(self._judge_tile, IMAGES, box, content, guides, found, WEIGHTS)

    def _targets_spec(self) -> Targets:
        content = {}
        for name in self._kind.layers.content:
            shape = [None, None, None, vgg.CONVOLUTIONS[name].outputs]
            content[name] = ContentTarget(
                tf.TensorSpec(shape, self._network.dtype), tf.TensorSpec([None])
            )
        return Targets(content, *self._style_spec(self._kind.layers.style), self._afar_spec())

    def _afar_spec(self) -> AfarTargets | tuple[()]:
        if not self._kind.layers.style_afar:
            return ()
        view = View(tf.TensorSpec([None, None, None]), tf.TensorSpec([None, None, None]))
        edges = ContentTarget(tf.TensorSpec([None, None, None, 1]), tf.TensorSpec([None]))
        return AfarTargets(view, edges, view, *self._style_spec(self._kind.layers.style_afar))

    def _style_spec(self, layers: Iterable[str]) -> tuple[ByLayer, ByLayer, ByLayer]:
        """Of the style targets, guides and shares."""
        count, extent = (self._kind.regions, None) if self._kind.regions else (1, 1)
        style = {}
        for name in layers:
            n = vgg.CONVOLUTIONS[name].outputs
            means, matrices = tf.TensorSpec([None, count, n]), tf.TensorSpec([None, count, n, n])
            style[name] = StyleTarget(means, matrices)
        guides = dict.fromkeys(style, tf.TensorSpec([None, count, extent, extent]))
        return style, guides, dict.fromkeys(style, tf.TensorSpec([None, count]))

    def _judge(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            seen, found = self._look(image, self._kind.layers.content, targets.guides)
            content = self._content_parts(seen, targets.content, weights)
            style = self._style_parts(
                self._kind.layers.style, found, targets.style, targets.shares, weights
            )
            whole = self._whole_parts(image, targets.afar, weights)
            parts = tf.concat([content, style, whole], 1)
        return parts, tape.gradient(parts, image)

    def _content(self, tile: tf.Tensor, inner: tf.Tensor) -> ByLayer:
        seen, _ = self._look(tile, self._kind.layers.content, {}, inner)
        return {name: seen[name] for name in self._kind.layers.content}

    def _tile_moments(self, tile: tf.Tensor, inner: tf.Tensor, guides: ByLayer) -> ByLayer:
        return self._look(tile, (), guides, inner)[1]

    def _moments_afar(self, image: tf.Tensor, view: View, guides: ByLayer) -> ByLayer:
        return _moments(self._activations(view.of(image), guides), guides)

    def _judge_moments(
        self, found: ByLayer, style: ByLayer, shares: ByLayer, weights: tf.Tensor
    ) -> tuple[tf.Tensor, ByLayer]:
        with tf.GradientTape() as tape:
            tape.watch(found)
            parts = self._style_parts(self._kind.layers.style, found, style, shares, weights)
        return parts, tape.gradient(parts, found, unconnected_gradients="zero")

    def _judge_whole(
        self, image: tf.Tensor, afar: AfarTargets | tuple[()], weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            parts = self._whole_parts(image, afar, weights)
        return parts, tape.gradient(parts, image)

    def _judge_tile(  # noqa: PLR0917 - the graph's inputs, in the order of its signature
        self,
        tile: tf.Tensor,
        inner: tf.Tensor,
        content: ByLayer,
        guides: ByLayer,
        upstream: ByLayer,
        weights: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(tile)
            seen, found = self._look(tile, content, guides, inner)
            parts = self._content_parts(seen, content, weights)
        return parts, tape.gradient([parts, found], tile, [tf.ones_like(parts), upstream])

    def _content_parts(self, seen: ByLayer, targets: ByLayer, weights: tf.Tensor) -> tf.Tensor:
        layers = self._kind.layers.content
        errors = [losses.content_loss(seen[name], *targets[name]) for name in layers]
        return weights[:, :1] * [*layers.values()] * tf.stack(errors, 1)

    def _style_parts(
        self,
        layers: Mapping[str, float],
        found: ByLayer,
        style: ByLayer,
        shares: ByLayer,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        distances = [self._style_loss.distance(found[name], style[name]) for name in layers]
        by_region = tf.stack([shares[name] for name in layers], 1) * tf.stack(distances, 1)
        return weights[:, 1:2] * [*layers.values()] * losses.total(by_region, 2)

    def _whole_parts(
        self, image: tf.Tensor, afar: AfarTargets | tuple[()], weights: tf.Tensor
    ) -> tf.Tensor:
        smoothness = weights[:, 2:] * tf.expand_dims(losses.total_variation(image), 1)
        if not afar:
            return smoothness
        layers = self._kind.layers
        seen = afar.edges_view.of(losses.luminance(image))
        edges = tf.expand_dims(losses.edges_loss(seen, *afar.edges), 1)
        edges = weights[:, :1] * layers.edges_afar * edges
        found = self._moments_afar(image, afar.style_view, afar.guides)
        style = self._style_parts(layers.style_afar, found, afar.style, afar.shares, weights)
        return tf.concat([edges, style, smoothness], 1)

    def _look(
        self,
        image: tf.Tensor,
        layers: Iterable[str],
        guides: ByLayer,
        inner: tf.Tensor | None = None,
    ) -> tuple[ByLayer, ByLayer]:
        """Activations of some layers, and moments of those that have guides; in the inner box."""
        found: ByLayer = {}
        if self._bands is None:
            seen = self._activations(image, {*layers, *guides})
        else:
            shallow = {name: guides[name] for name in guides if name in vgg.SHALLOW_NAMES}
            guides = {name: guides[name] for name in guides if name not in shallow}
            box = whole(image) if inner is None else inner
            found, x = self._bands.look(image, box, shallow)
            seen = self._network.deep(x, {*layers, *guides}, self._kind.pooling)
        if inner is not None:
            seen = inside(seen, extended(inner))
        return seen, found | _moments(seen, guides)

    def _activations(self, image: tf.Tensor, layers: Iterable[str]) -> ByLayer:
        return self._network.activations(image, layers, self._kind.pooling)


def _moments(seen: ByLayer, guides: ByLayer) -> ByLayer:
    """Of the layers that have guides."""
    return {name: moments(seen[name], guide) for name, guide in guides.items()}

"""The loss of a picture and its gradient, traced once for pictures of every size."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from model import losses, vgg
from model.params import StyleTransferParams
from model.recipes import Layers, Scale
from model.sitting import Sitting

_IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)
_WEIGHTS = tf.TensorSpec([3], tf.float32)

#: What makes a weight of 1 the balance that Atelier was tuned for, by looking at pictures.
_BALANCE = (1.0, 30.0, 0.5)  # content, style, total variation


class Targets(NamedTuple):
    """What a picture is held against.

    Attributes:
        content: activations by content layer, each [1, height, width, channels].
        grams: Gram matrices by style layer, each [channels, channels].
    """

    content: dict[str, tf.Tensor]
    grams: dict[str, tf.Tensor]


class Losses(NamedTuple):
    """The weighted parts of the loss and their sum; float32 scalars."""

    content: tf.Tensor
    style: tf.Tensor
    tv: tf.Tensor
    total: tf.Tensor


class Objective:
    """What a picture is to become, for one choice of layers and pooling.

    The traced graphs take pictures of any size, so a new size costs no compilation, and the
    weights of the losses are arguments, so a new weight does not either.
    """

    def __init__(self, network: vgg.Network, layers: Layers, pooling: vgg.Pooling) -> None:
        self._network = network
        self._layers = layers
        self._pooling = pooling
        self._content_targets = _graph(self._see_content, [_IMAGE])
        self._style_targets = _graph(self._see_style, [_IMAGE])
        self.loss_and_gradient = _graph(
            self._loss_and_gradient, [_IMAGE, self._targets_spec(), _WEIGHTS]
        )

    @property
    def identity(self) -> str:
        """What, besides the sitting, determines the picture: the weights and the numbers."""
        return f"{self._network.features.sha256} {self._network.dtype.name}"

    def targets(self, sitting: Sitting, scale: Scale) -> Targets:
        """What a sitting is to become at one scale; several styles have their Grams averaged."""
        grams = [self._style_targets(style[tf.newaxis]) for style in sitting.styles_at(scale)]
        mixed = {
            name: tf.add_n([s * gram[name] for s, gram in zip(sitting.shares, grams, strict=True)])
            for name in self._layers.style
        }
        return Targets(self._content_targets(sitting.content_at(scale)[tf.newaxis]), mixed)

    def _targets_spec(self) -> Targets:
        channels = {name: layer.outputs for name, layer in vgg.CONVOLUTIONS.items()}
        return Targets(
            {
                name: tf.TensorSpec([1, None, None, channels[name]], self._network.dtype)
                for name in self._layers.content
            },
            {
                name: tf.TensorSpec([channels[name], channels[name]], tf.float32)
                for name in self._layers.style
            },
        )

    def _see_content(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._activations(image, self._layers.content)

    def _see_style(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        seen = self._activations(image, self._layers.style)
        return {name: losses.gram_matrix(x) for name, x in seen.items()}

    def _loss_and_gradient(
        self, image: tf.Tensor, targets: Targets, weights: tf.Tensor
    ) -> tuple[Losses, tf.Tensor]:
        """The loss of an image and how it changes with each pixel.

        Args:
            image: float32 [1, height, width, 3] in [0, 1].
            targets: of the same size.
            weights: of content, style and total variation; float32 [3].

        Returns:
            The losses, and the gradient per pixel *density*: multiplied by the number of pixels,
            so that its size, and with it an optimiser's constants, do not depend on the picture's.
        """
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = self._losses(image, targets, weights)
        gradient = tape.gradient(found.total, image)
        return found, gradient * tf.cast(tf.size(image), tf.float32)

    def _losses(self, image: tf.Tensor, targets: Targets, weights: tf.Tensor) -> Losses:
        seen = self._activations(image, (*self._layers.content, *self._layers.style))
        content = tf.add_n(
            [
                weight * losses.content_loss(seen[name], targets.content[name])
                for name, weight in self._layers.content.items()
            ]
        )
        style = tf.add_n(
            [
                weight * losses.style_loss(losses.gram_matrix(seen[name]), targets.grams[name])
                for name, weight in self._layers.style.items()
            ]
        )
        parts = weights * tf.stack([content, style, losses.total_variation(image)])
        return Losses(parts[0], parts[1], parts[2], tf.reduce_sum(parts))

    def _activations(self, image: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
        return self._network.activations(image, layers, self._pooling)


def _graph(function: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
    """Traced once. Without AutoGraph: there is no control flow to find, and it leaves files."""
    traced: Callable[..., Any] = tf.function(function, input_signature=signature, autograph=False)
    return traced


def loss_weights(params: StyleTransferParams) -> tf.Tensor:
    """The weights of content, style and total variation in the loss; float32 [3]."""
    asked = (params.content_weight, params.style_weight, params.tv_weight)
    return tf.constant([weight * scale for weight, scale in zip(asked, _BALANCE, strict=True)])

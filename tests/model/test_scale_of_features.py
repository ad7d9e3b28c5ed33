"""One set of loss weights serves all features: every loss is relative, so their scale cancels."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import tensorflow as tf

from model import losses
from model.moments import Moments, moments
from model.sitting import Array
from model.vgg import CONVOLUTIONS, Features, Network, Pooling


@pytest.fixture(scope="module")
def factors() -> dict[str, float]:
    """By how much each layer's activations are to grow or shrink: from a 20th to twentyfold."""
    random = np.random.default_rng(0)
    return {layer: float(np.exp(random.uniform(-3, 3))) for layer in CONVOLUTIONS}


@pytest.fixture(scope="module")
def rescaled(features: Features, factors: dict[str, float]) -> Features:
    """The same features in another scale: each layer makes up for that of the one below it."""
    kernels, biases = {}, {}
    below = 1.0
    for layer, factor in factors.items():
        kernels[layer] = features.kernels[layer] * np.float32(factor / below)
        biases[layer] = features.biases[layer] * np.float32(factor)
        below = factor
    return replace(features, kernels=kernels, biases=biases)


@dataclass(frozen=True)
class Seen:
    """What features make of two pictures: one being painted, and its target."""

    painted: dict[str, tf.Tensor]
    target: dict[str, tf.Tensor]

    def content_loss(self, layer: str) -> float:
        target = self.target[layer]
        scale = losses.content_scale(target)
        return float(losses.content_loss(self.painted[layer], target, scale)[0])

    def style_loss(self, layer: str, name: str) -> float:
        found, target = (_moments(x[layer]) for x in (self.painted, self.target))
        loss = losses.STYLE_LOSSES[name]
        return float(loss.distance(found, loss.target(target))[0, 0])


def _moments(activations: tf.Tensor) -> Moments:
    _, height, width, _ = activations.shape
    return moments(activations, tf.fill([1, 1, 1, 1], 1 / (height * width)))


@pytest.fixture(scope="module")
def pictures(photo: Array) -> tuple[Array, Array]:
    return np.random.default_rng(2).random(photo.shape, np.float32), photo


def seen(features: Features, pictures: tuple[Array, Array], pooling: Pooling) -> Seen:
    network = Network(features)
    images = (tf.constant(picture[np.newaxis]) for picture in pictures)
    return Seen(*(network.activations(image, CONVOLUTIONS, pooling) for image in images))


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_losses_are_the_same_whatever_the_scale_of_each_layer(
    features: Features,
    rescaled: Features,
    factors: dict[str, float],
    pictures: tuple[Array, Array],
    pooling: Pooling,
) -> None:
    one, other = (seen(x, pictures, pooling) for x in (features, rescaled))
    for layer, factor in factors.items():
        np.testing.assert_allclose(
            other.painted[layer], factor * one.painted[layer], rtol=1e-3, atol=1e-4 * factor
        )
        assert one.content_loss(layer) > 0.01
        assert other.content_loss(layer) == pytest.approx(one.content_loss(layer), rel=1e-4), layer
        for name in losses.STYLE_LOSSES:
            expected = one.style_loss(layer, name)
            assert expected > 0.01
            assert other.style_loss(layer, name) == pytest.approx(expected, rel=1e-3), layer

"""A picture whose shallow layers are seen in bands is judged and painted as the whole one is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model import bands, tiles, vgg
from model.objective import loss_weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Array
from model.vgg import Features, Network
from tests.model.sittings import prepared
from tests.model.test_tiles import quarters, texture
from tests.networks import a_thin_network, thin_features

HEIGHT, WIDTH = 150, 118


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """One whose graphs in bands are traced with small ones."""
    with a_thin_network():
        yield Studio(thin_features(), precision="float32")


@pytest.fixture(autouse=True)
def _small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 32 rows; the last one has fewer."""
    monkeypatch.setattr(bands, "_PIXELS", 128 * 40)


@pytest.fixture
def in_bands(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Whatever has more than 64 x 64 pixels."""
    with monkeypatch.context() as patch:
        patch.setattr(tiles, "LARGEST_KEPT", 64 * 64)
        yield patch


@pytest.mark.parametrize("style_loss", ["gram", "wasserstein"])
@pytest.mark.parametrize("preset", [None, "gatys"])
@pytest.mark.parametrize("masked", [False, True])
def test_bands_give_the_loss_and_the_gradient_of_the_whole_picture(
    studio: Studio,
    in_bands: pytest.MonkeyPatch,
    style_loss: str,
    preset: str | None,
    masked: bool,  # noqa: FBT001
) -> None:
    masks: dict[str, Any] = {}
    if masked:
        masks = {"content_mask": quarters(HEIGHT, WIDTH), "style_masks": [quarters(90, 130)]}
    sitting = prepared(
        texture(HEIGHT, WIDTH, 1),
        [texture(90, 130, 2)],
        size=HEIGHT,
        style_loss=style_loss,
        preset=preset,
        **masks,
    )
    objective = studio._objective(sitting.params, sitting.region_count)
    image = tf.constant(texture(HEIGHT, WIDTH, 3)[np.newaxis])

    def judged() -> tuple[Array, Array]:
        targets = objective.targets(sitting, Scale(WIDTH, HEIGHT, 1))
        found = objective.loss_and_gradient(image, targets, loss_weights(sitting.params))
        return np.asarray(found[0]), np.asarray(found[1])

    assert not objective.sees_whole(image)
    parts, gradient = judged()
    in_bands.undo()
    assert objective.sees_whole(image)
    expected_parts, expected_gradient = judged()
    np.testing.assert_allclose(parts, expected_parts, rtol=1e-4, atol=5e-5)
    error = np.abs(gradient - expected_gradient)
    assert error.max() < 1e-3 * np.abs(expected_gradient).max()
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(expected_gradient**2))


@pytest.mark.usefixtures("in_bands")
def test_two_pictures_in_bands_are_judged_in_one_go_as_each_alone(studio: Studio) -> None:
    sittings = [
        prepared(texture(HEIGHT, WIDTH, seed), [texture(90, 130, seed + 2)], size=HEIGHT)
        for seed in (1, 2)
    ]
    objective = studio._objective(sittings[0].params)
    asked = [
        (
            tf.constant(texture(HEIGHT, WIDTH, 5 + number)[np.newaxis]),
            objective.targets(sitting, Scale(WIDTH, HEIGHT, 1)),
            loss_weights(sitting.params),
        )
        for number, sitting in enumerate(sittings)
    ]
    alone = [objective.loss_and_gradient(*one) for one in asked]
    both = tf.nest.map_structure(lambda *x: tf.concat(x, 0), *asked)
    parts, gradient = objective.loss_and_gradient(*both)
    for number, (expected, slope) in enumerate(alone):
        np.testing.assert_allclose(parts[number], expected[0], rtol=1e-5)
        np.testing.assert_allclose(gradient[number], slope[0], atol=3e-5 * np.abs(slope).max())
    assert not np.allclose(parts[0], parts[1], rtol=0.1)


def test_a_band_looks_as_far_as_the_shallow_layers_do(features: Features) -> None:
    network, row = Network(features), 20
    framed = tf.constant(texture(162, 66)[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(framed)
        seen = network.shallow(framed, "average")[vgg.SHALLOW[-1].name]
        cells = tf.reduce_sum(seen[:, row])
    looked_at = np.flatnonzero(np.asarray(tape.gradient(cells, framed)).any(axis=(0, 2, 3)))
    stride = vgg.STRIDES[vgg.DEEP[0].name]
    # The framed picture begins a row above.
    looks = stride * row - (looked_at[0] - 1), looked_at[-1] - stride * (row + 1)
    assert looks == (6, 6)
    assert max(looks) <= bands._HALO


@pytest.mark.usefixtures("in_bands")
def test_a_picture_is_painted_in_bands_as_it_is_whole(
    studio: Studio, in_bands: pytest.MonkeyPatch
) -> None:
    params = StyleTransferParams(size=112, steps=12)
    pictures = texture(112, 96, 1), texture(90, 130, 2)
    painted = studio.paint(pictures[0], [pictures[1]], params).pixels
    in_bands.undo()
    whole = studio.paint(pictures[0], [pictures[1]], params).pixels
    assert np.abs(painted - whole).max() < 0.01

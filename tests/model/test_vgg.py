"""The network, against the published one, Keras's and plain NumPy."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import vgg
from model.precision import Arithmetic
from model.vgg import CONVOLUTIONS, VGG19, Conv, Features

Array = npt.NDArray[np.float32]

#: Simonyan & Zisserman 2015, table 1, configuration E, up to the first convolution of block 5.
CONFIGURATION_E = "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512"


def image(height: int = 32, width: int = 32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((1, height, width, 3), np.float32)


def seen(features: Features, picture: Array, layer: str, pooling: vgg.Pooling = "average") -> Array:
    return np.asarray(
        vgg.Network(features).activations(tf.constant(picture), [layer], pooling)[layer]
    )


def convolved(padded: Array, kernel: Array, bias: Array) -> Array:
    """Cross-correlation, bias and ReLU of an array that is padded already: nine sums."""
    height, width = padded.shape[1] - 2, padded.shape[2] - 2
    sums = sum(
        padded[:, y : y + height, x : x + width] @ kernel[y, x] for y in range(3) for x in range(3)
    )
    return np.maximum(np.asarray(sums) + bias, 0.0)


@pytest.fixture(scope="module")
def kerass() -> keras.Model:
    """Keras's VGG-19, with random weights and nothing downloaded."""
    return keras.applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))


def test_the_layers_are_those_of_the_paper() -> None:
    written = " ".join(str(x.outputs) if isinstance(x, Conv) else "M" for x in VGG19)
    assert written == CONFIGURATION_E


def test_each_layer_takes_what_the_one_before_it_gives() -> None:
    convolutions = list(CONVOLUTIONS.values())
    assert convolutions[0].inputs == 3
    for before, after in pairwise(convolutions):
        assert after.inputs == before.outputs


def test_names_and_shapes_are_kerass(kerass: keras.Model) -> None:
    assert [layer.name for layer in VGG19] == [layer.name for layer in kerass.layers[1 : 1 + 17]]
    for name, layer in CONVOLUTIONS.items():
        assert kerass.get_layer(name).kernel.shape == (3, 3, layer.inputs, layer.outputs)


def test_what_is_seen_is_what_keras_sees_where_the_border_is_far(
    features: Features, kerass: keras.Model
) -> None:
    for name in CONVOLUTIONS:
        kerass.get_layer(name).set_weights([features.kernels[name], features.biases[name]])
    layer = "block2_conv2"
    part = keras.Model(kerass.input, kerass.get_layer(layer).output)
    expected = np.asarray(part(image() - features.mean))
    found = seen(features, image(), layer, pooling="max")
    inside = np.s_[:, 4:-4, 4:-4]
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-3, atol=1e-4)
    assert not np.allclose(found, expected, rtol=1e-3, atol=1e-4)  # the border is our own


def test_the_first_layers_are_cross_correlations_with_the_edge_repeated(
    features: Features,
) -> None:
    picture = image(16, 32)
    around = ((0, 0), (1, 1), (1, 1), (0, 0))
    first = convolved(
        np.pad(picture - features.mean, around, mode="edge"),
        features.kernels["block1_conv1"],
        features.biases["block1_conv1"],
    )
    np.testing.assert_allclose(seen(features, picture, "block1_conv1"), first, rtol=1e-3, atol=1e-5)
    second = convolved(
        np.pad(first, around), features.kernels["block1_conv2"], features.biases["block1_conv2"]
    )
    np.testing.assert_allclose(
        seen(features, picture, "block1_conv2"), second, rtol=1e-3, atol=1e-5
    )


def test_a_picture_of_one_colour_has_no_border(features: Features) -> None:
    flat = np.broadcast_to(np.array([0.9, 0.1, 0.3], np.float32), (1, 20, 30, 3))
    found = seen(features, flat, "block1_conv1")
    np.testing.assert_allclose(found, np.broadcast_to(found[:, 5:6, 5:6], found.shape), rtol=1e-4)


#: By how much the largest of four activations is above their mean, about (Crowson).
FACTORS = {
    ("average", "average"): 1.0,
    ("average", "max"): 2.0,
    ("max", "average"): 0.5,
    ("max", "max"): 1.0,
}


@pytest.mark.parametrize(("pooling", "learned"), FACTORS)
def test_pooling_takes_the_mean_or_the_largest_of_four_in_the_scale_of_the_one_learned_with(
    features: Features, pooling: vgg.Pooling, learned: vgg.Pooling
) -> None:
    reduce: Callable[..., Any] = np.mean if pooling == "average" else np.max
    features, picture = replace(features, pooling=learned), image(16, 32)
    below = seen(features, picture, "block1_conv2")
    pooled = FACTORS[pooling, learned] * reduce(below.reshape(1, 8, 2, 16, 2, 64), axis=(2, 4))
    expected = convolved(
        np.pad(pooled, ((0, 0), (1, 1), (1, 1), (0, 0))),
        features.kernels["block2_conv1"],
        features.biases["block2_conv1"],
    )
    found = seen(features, picture, "block2_conv1", pooling=pooling)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 48), (17, 31), (33, 16), (35, 47)])
def test_each_block_halves_the_picture_extended_to_whole_cells_of_the_last(
    features: Features, height: int, width: int
) -> None:
    names = [f"block{block}_conv1" for block in range(1, 6)]
    found = vgg.Network(features).activations(tf.constant(image(height, width)), names)
    rows, columns = -(-height // 16), -(-width // 16)
    for block, name in enumerate(names):
        cells = 16 >> block
        assert found[name].shape == (1, rows * cells, columns * cells, CONVOLUTIONS[name].outputs)
        assert vgg.STRIDES[name] == 1 << block


@pytest.mark.parametrize(("height", "width"), [(17, 31), (47, 32), (16, 33)])
def test_what_is_beyond_the_last_rows_and_columns_is_their_reflection(
    features: Features, height: int, width: int
) -> None:
    picture = image(height, width)
    beyond = ((0, 0), (0, -height % 16), (0, -width % 16), (0, 0))
    extended = np.pad(picture, beyond, mode="symmetric")
    np.testing.assert_array_equal(
        seen(features, picture, "block3_conv1"), seen(features, extended, "block3_conv1")
    )


def test_deep_layers_see_the_last_row_and_column_of_any_picture(features: Features) -> None:
    picture = tf.constant(image(35, 47))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        layer = vgg.Network(features).activations(picture, ["block5_conv1"])["block5_conv1"]
        total = tf.reduce_sum(layer**2)
    strength = np.abs(tape.gradient(total, picture)).mean(axis=(0, 3))
    assert strength[-1].mean() > 0.1 * strength.mean()
    assert strength[:, -1].mean() > 0.1 * strength.mean()


@pytest.mark.parametrize("layer", ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1"])
def test_the_reach_of_a_layer_is_half_the_radius_of_what_it_sees(
    features: Features, layer: str
) -> None:
    picture = tf.constant(image(128, 128))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        found = vgg.Network(features).activations(picture, [layer])[layer]
        middle = 64 // vgg.STRIDES[layer]
        one = tf.reduce_sum(found[:, middle, middle])
    looked_at = np.flatnonzero(np.asarray(tape.gradient(one, picture)).any(axis=(0, 1, 3)))
    radius = (looked_at[-1] - looked_at[0]) / 2
    assert vgg.REACHES[layer] == math.ceil(radius / 2 / vgg.STRIDES[layer])


def test_the_activations_asked_for_are_returned_and_no_others(features: Features) -> None:
    names = ["block3_conv2", "block1_conv2"]
    assert set(vgg.Network(features).activations(tf.constant(image()), names)) == set(names)


def test_the_network_is_run_no_deeper_than_the_last_layer_asked_for(features: Features) -> None:
    shallow = replace(
        features,
        kernels={n: k for n, k in features.kernels.items() if n.startswith("block1")},
        biases={n: b for n, b in features.biases.items() if n.startswith("block1")},
    )
    assert seen(shallow, image(), "block1_conv2").shape == (1, 32, 32, 64)
    with pytest.raises(KeyError, match="block2_conv1"):
        seen(shallow, image(), "block2_conv1")


@pytest.mark.parametrize("layer", ["block5_conv2", "conv1_1", "block1_pool", ""])
def test_a_layer_that_is_not_there_is_named(features: Features, layer: str) -> None:
    with pytest.raises(ValueError, match=rf"Received: \['{layer}'\]$"):
        seen(features, image(16, 16), layer)


def test_pictures_in_a_batch_do_not_see_each_other(features: Features) -> None:
    both = np.concatenate([image(seed=1), image(seed=2)])
    together = seen(features, both, "block3_conv1")
    np.testing.assert_allclose(
        together[1:], seen(features, image(seed=2), "block3_conv1"), rtol=1e-3, atol=1e-4
    )


def test_a_picture_moved_by_two_pixels_moves_what_is_seen_by_one_after_a_pooling(
    features: Features,
) -> None:
    picture = image(48, 48)
    still = seen(features, picture, "block2_conv1")
    moved = seen(features, np.roll(picture, 2, axis=2), "block2_conv1")
    inside = np.s_[:, 4:-4, 4:-4]
    np.testing.assert_allclose(
        moved[inside], np.roll(still, 1, axis=2)[inside], rtol=1e-3, atol=1e-4
    )


def test_bfloat16_sees_nearly_the_same(features: Features) -> None:
    name = "block4_conv2"
    exact = seen(features, image(), name)
    network = vgg.Network(features, Arithmetic(tf.bfloat16))
    rough = network.activations(tf.constant(image()), [name])[name]
    assert rough.dtype == tf.bfloat16
    error = np.asarray(tf.cast(rough, tf.float32)) - exact
    assert np.sqrt(np.mean(error**2)) < 0.02 * np.sqrt(np.mean(exact**2))

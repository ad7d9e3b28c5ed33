"""Convolutions by other ways, against TensorFlow's own."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from model import winograd
from model.convolutions import Array, Convolution, transposed
from model.precision import Arithmetic
from model.vgg import CONVOLUTIONS, Features, Network
from model.winograd import in_tiles_of_four, in_tiles_of_two

Way = Callable[[Array, tf.DType], Convolution]


def fours(kernel: Array, _: tf.DType) -> Convolution:
    return in_tiles_of_four(kernel)


def tolerance(way: Way) -> float:
    """The constants of tiles of four reach to 8, and its errors with them."""
    return 3e-5 if way is fours else 1e-5


each_way = pytest.mark.parametrize("way", [fours, in_tiles_of_two, transposed])

SHAPES = [(1, 4, 6), (1, 1, 1), (2, 5, 8), (3, 2, 7), (1, 9, 3), (2, 10, 11)]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


KERNEL = normal(3, 3, 24, 16) / np.float32(np.sqrt(9 * 24))


def direct(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, KERNEL, strides=1, padding="SAME")


def pulled_back(
    convolve: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, upstream: Array
) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = convolve(x)
    return tape.gradient(y, x, output_gradients=upstream)


def relative_error(found: tf.Tensor, exact: tf.Tensor) -> float:
    """Root mean square of the error, over that of what is exact."""
    error = np.asarray(tf.cast(found, tf.float32) - exact)
    return float(np.sqrt(np.mean(error**2) / np.mean(np.square(exact))))


@each_way
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_direct_convolution_of_any_size_and_number_of_pictures(
    way: Way, shape: tuple[int, int, int]
) -> None:
    x = tf.constant(normal(*shape, 24))
    found = way(KERNEL, tf.float32)(x)
    np.testing.assert_allclose(found, direct(x), rtol=0, atol=tolerance(way))


@each_way
@pytest.mark.parametrize("shape", SHAPES)
def test_its_gradient_is_that_of_the_direct_convolution(
    way: Way, shape: tuple[int, int, int]
) -> None:
    x, upstream = tf.constant(normal(*shape, 24)), normal(*shape, 16, seed=1)
    found = pulled_back(way(KERNEL, tf.float32), x, upstream)
    np.testing.assert_allclose(found, pulled_back(direct, x, upstream), rtol=0, atol=tolerance(way))


@each_way
def test_one_graph_serves_every_size(way: Way) -> None:
    convolution = way(KERNEL, tf.float32)

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec([1, None, None, 24])], autograph=False
    )
    def graph(x: tf.Tensor) -> tf.Tensor:
        return convolution(x)

    for size in (4, 5, 8):
        x = tf.constant(normal(1, size, size + 3, 24))
        np.testing.assert_allclose(graph(x), direct(x), rtol=0, atol=tolerance(way))


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_some_rows_of_tiles_at_a_time_give_the_same(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Of 3 pictures whose rows are 5 tiles and whose columns are 2, with 24 channels at most."""
    kernels, x = in_tiles_of_four(KERNEL).there, normal(3, 18, 7, 24)
    monkeypatch.setattr(winograd, "_AT_ONCE", at_once * 36 * 3 * 2 * 24)
    assert relative_error(winograd._by_fours(kernels, x), direct(x)) < tolerance(fours)


def test_tiles_of_two_in_bfloat16_err_by_less_than_a_hundredth() -> None:
    x = tf.constant(normal(1, 16, 16, 24))
    found = in_tiles_of_two(KERNEL, tf.bfloat16)(tf.cast(x, tf.bfloat16))
    assert found.dtype == tf.bfloat16
    assert relative_error(found, direct(x)) < 1e-2


@pytest.mark.parametrize(
    ("way", "dtype"),
    [
        (fours, tf.float32),
        (in_tiles_of_two, tf.bfloat16),
        (in_tiles_of_two, tf.float32),
        (transposed, tf.float32),
    ],
)
def test_the_same_comes_out_bit_for_bit(way: Way, dtype: tf.DType) -> None:
    x = tf.cast(normal(1, 16, 16, 24), dtype)
    first, second = (way(KERNEL, dtype)(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("arithmetic", "from_layer"),
    [
        (Arithmetic(winograd=True), "block2_conv2"),
        (Arithmetic(transposed=True), "block1_conv2"),
        (Arithmetic(winograd=True, transposed=True), "block1_conv2"),
    ],
)
def test_a_network_sees_the_same_with_them_in_every_layer(
    features: Features, arithmetic: Arithmetic, from_layer: str
) -> None:
    picture = tf.constant(np.random.default_rng(0).random((1, 40, 56, 3), np.float32))
    expected = Network(features).activations(picture, CONVOLUTIONS)
    found = Network(features, arithmetic).activations(picture, CONVOLUTIONS)
    for name in CONVOLUTIONS:
        assert relative_error(found[name], expected[name]) < 1e-5, name
    first = next(n for n in CONVOLUTIONS if not np.array_equal(found[n], expected[n]))
    assert first == from_layer  # they were in use

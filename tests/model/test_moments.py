"""What a layer's activations have in common, against plain NumPy and TensorFlow's own gradient."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model.moments import Moments, moments

Array = npt.NDArray[np.float32]


def activations(seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((1, 5, 7, 4), np.float32)


def guides(regions: int = 3, seed: int = 5) -> Array:
    """At random, those of a region summing to 1, and a tenth of the positions in no region."""
    rng = np.random.default_rng(seed)
    weights = rng.random((1, regions, 5, 7), np.float32) * (rng.random((5, 7)) > 0.1)
    return np.asarray(weights / weights.sum(axis=(2, 3), keepdims=True), np.float32)


def everywhere(positions: int = 35) -> Array:
    return np.full((1, 1, 1, 1), 1 / positions, np.float32)


def found(seen: Array, where: Array) -> Moments:
    return moments(tf.constant(seen), tf.constant(where))


def plain(seen: tf.Tensor, where: tf.Tensor) -> Moments:
    """The definition, with the gradient that TensorFlow finds by itself."""
    where = tf.broadcast_to(where, [*where.shape[:2], *seen.shape[1:3]])
    return Moments(
        tf.einsum("brhw,bhwi->bri", where, seen),
        tf.einsum("brhw,bhwi,bhwj->brij", where, seen, seen),
    )


def assert_same(one: Moments, other: Moments) -> None:
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-5)
    np.testing.assert_allclose(one.second, other.second, rtol=1e-5)


def test_unguided_moments_are_the_means_of_activations_and_of_their_outer_products() -> None:
    seen = activations()
    mean, second = found(seen, everywhere())
    np.testing.assert_allclose(mean[0], seen.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(second[0, 0], np.einsum("bhwi,bhwj->ij", seen, seen) / 35, rtol=1e-5)


def test_guided_moments_count_each_position_as_much_as_its_guide_says() -> None:
    seen, where = activations(), guides()
    mean, second = found(seen, where)
    for region in range(3):
        pairs = zip(where[0, region].ravel(), seen.reshape(-1, 4), strict=True)
        terms = [(weight * x, weight * np.outer(x, x)) for weight, x in pairs]
        np.testing.assert_allclose(mean[0, region], sum(term[0] for term in terms), rtol=1e-5)
        np.testing.assert_allclose(second[0, region], sum(term[1] for term in terms), rtol=1e-5)


def test_a_guide_that_is_the_same_everywhere_is_no_guide() -> None:
    seen = activations()
    assert_same(found(seen, np.full((1, 1, 5, 7), 1 / 35, np.float32)), found(seen, everywhere()))


def test_a_region_that_is_nowhere_has_moments_of_zero() -> None:
    mean, second = found(activations(), np.zeros((1, 2, 5, 7), np.float32))
    assert not np.asarray(mean).any()
    assert not np.asarray(second).any()


def test_moments_are_the_same_for_the_picture_four_times_side_by_side() -> None:
    seen = activations()
    assert_same(found(np.tile(seen, (1, 2, 2, 1)), everywhere(140)), found(seen, everywhere()))


def test_moments_do_not_know_where_things_are() -> None:
    seen = activations()
    shuffled = np.random.default_rng(1).permutation(seen.reshape(-1, 4)).reshape(seen.shape)
    assert_same(found(shuffled, everywhere()), found(seen, everywhere()))


def test_moments_of_the_parts_of_a_picture_add_up_to_its_own() -> None:
    seen, where = activations(), guides()
    left, right = (found(seen[:, :, x], where[..., x]) for x in (np.s_[:3], np.s_[3:]))
    assert_same(left.plus(right), found(seen, where))
    left, right = (found(seen[:, :, x], everywhere()) for x in (np.s_[:3], np.s_[3:]))
    assert_same(left.plus(right), found(seen, everywhere()))


def test_scaled_moments_are_those_of_each_region_times_its_factor() -> None:
    all_three = found(activations(), guides())
    scaled = all_three.scaled(tf.constant([2.0, 0.0, 0.5]))
    for region, factor in enumerate((2.0, 0.0, 0.5)):
        for one, other in zip(scaled, all_three, strict=True):
            np.testing.assert_allclose(one[0, region], factor * other[0, region], rtol=1e-6)


@pytest.mark.parametrize(
    "where", [everywhere(2**16), np.full((1, 1, 256, 256), 2.0**-16, np.float32)]
)
def test_moments_of_bfloat16_are_summed_in_float32(where: Array) -> None:
    # 65536 ones: bfloat16 has 8 bits of mantissa, and a sum in it would stop at 256.
    ones = tf.ones([1, 256, 256, 2], tf.bfloat16)
    for found in moments(ones, tf.constant(where)):
        assert found.dtype == tf.float32
        np.testing.assert_array_equal(found, np.ones(found.shape))


@pytest.mark.parametrize("where", [everywhere(), guides(1), guides(3)])
def test_the_gradient_is_that_of_the_definition(where: Array) -> None:
    seen = tf.constant(activations())
    rng, regions = np.random.default_rng(9), where.shape[1]
    # A matrix that is not symmetric: a loss may treat both halves of the second moment unlike.
    ways = [rng.standard_normal(size) for size in ((regions, 4), (regions, 4, 4))]

    def gradient(define: Callable[[tf.Tensor, tf.Tensor], Moments]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(seen)
            mean, second = define(seen, tf.constant(where))
            loss = tf.reduce_sum(ways[0] * mean**2) + tf.reduce_sum(ways[1] * second**2)
        return tape.gradient(loss, seen)

    np.testing.assert_allclose(gradient(moments), gradient(plain), rtol=1e-4, atol=1e-7)


def test_the_gradient_has_the_type_of_the_activations() -> None:
    seen = tf.cast(activations(), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(seen)
        loss = tf.reduce_sum(moments(seen, tf.constant(guides())).second)
    assert tape.gradient(loss, seen).dtype == tf.bfloat16


@pytest.mark.parametrize("where", [(everywhere(), 2 * everywhere()), (guides(), guides(seed=6))])
def test_of_two_pictures_in_one_go_the_moments_and_the_gradient_are_those_of_each_alone(
    where: tuple[Array, Array],
) -> None:
    def with_slope(seen: Array, where: Array) -> list[Array]:
        pictures = tf.constant(seen)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            mean, second = moments(pictures, tf.constant(where))
            squares = tf.reduce_sum(mean**2) + tf.reduce_sum(second**2)
        return [np.asarray(x) for x in (mean, second, tape.gradient(squares, pictures))]

    seen = activations(1), 3 * activations(2)
    alone = [with_slope(*pair) for pair in zip(seen, where, strict=True)]
    found = with_slope(np.concatenate(seen), np.concatenate(where))
    for together, parts in zip(found, zip(*alone, strict=True), strict=True):
        assert not np.allclose(parts[0], parts[1], rtol=0.1)
        np.testing.assert_allclose(together, np.concatenate(parts), rtol=1e-5)

"""What a picture is judged by, against plain NumPy, closed forms and finite differences."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
import tensorflow as tf

from model import losses
from model.losses import STYLE_LOSSES, GramLoss, WassersteinLoss
from model.moments import Moments, moments
from model.traced import graph

Array = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def activations(height: int = 5, width: int = 7, channels: int = 4, seed: int = 0) -> Array:
    """Positive and correlated, as what ReLUs let through; each seed with a mean of its own."""
    rng = np.random.default_rng(seed)
    seen = rng.random((1, height, width, channels), np.float32)
    mix = rng.random((channels, channels), np.float32)
    return np.asarray(seen @ mix + rng.random(channels, np.float32), np.float32)


def tiled(array: Array) -> Array:
    return np.tile(array, (1, 2, 2, 1))


def contents(seen: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    return losses.content_loss(seen, targets, losses.content_scale(targets))


def content(seen: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    return contents(seen, target)[0]


def variations(images: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    return losses.total_variation(images)


def variation(image: Array) -> float:
    return float(losses.total_variation(tf.constant(image))[0])


def everything(seen: tf.Tensor) -> Moments:
    """The moments of all positions alike."""
    pictures, height, width, _ = seen.shape
    return moments(seen, tf.fill([pictures, 1, 1, 1], 1 / (height * width)))


def distances(loss: str, seen: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    judge = STYLE_LOSSES[loss]
    return judge.distance(everything(seen), judge.target(everything(targets)))


def distance(loss: str, seen: Array, target: Array) -> float:
    return float(distances(loss, tf.constant(seen), tf.constant(target))[0, 0])


def both(one: Moments, other: Moments) -> Moments:
    """Two regions of what was one each."""
    return Moments(*(tf.concat(pair, 1) for pair in zip(one, other, strict=True)))


# --- content and total variation


def test_the_content_loss_is_the_squared_error_over_the_variance_of_the_target() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    variance = np.mean([target[..., c].var() for c in range(4)])
    expected = np.mean((seen - target) ** 2) / variance
    np.testing.assert_allclose(content(tf.constant(seen), tf.constant(target)), expected, rtol=1e-5)


def test_content_losses_of_the_parts_of_a_picture_add_up_to_its_own() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    scale = losses.content_scale(tf.constant(target))
    parts = [losses.content_loss(seen[:, :, x], target[:, :, x], scale) for x in (0, 1)]
    rest = losses.content_loss(seen[:, :, 2:], target[:, :, 2:], scale)
    np.testing.assert_allclose(sum(parts) + rest, contents(seen, target), rtol=1e-5)


def test_an_almost_flat_photograph_does_not_outweigh_everything() -> None:
    flat = np.full((1, 4, 4, 2), 3.0, np.float32)
    np.testing.assert_allclose(content(tf.zeros_like(flat), tf.constant(flat)), 100.0, rtol=1e-4)


def test_total_variation_is_the_mean_squared_difference_of_neighbours() -> None:
    image = activations(channels=3)
    expected = np.mean(np.diff(image, axis=1) ** 2) + np.mean(np.diff(image, axis=2) ** 2)
    assert variation(image) == pytest.approx(expected, rel=1e-5)


def test_total_variation_of_a_ramp_is_the_square_of_its_slope() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 11, dtype=np.float32)[:, None, None], (1, 11, 5, 3))
    assert variation(ramp) == pytest.approx(0.1**2, rel=1e-5)


def test_content_and_variation_are_the_same_for_the_picture_four_times_side_by_side() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    np.testing.assert_allclose(
        content(tf.constant(tiled(seen)), tf.constant(tiled(target))),
        content(tf.constant(seen), tf.constant(target)),
        rtol=1e-5,
    )
    board = np.indices((8, 6)).sum(axis=0) % 2  # its seams are like its inside
    checkers = np.repeat(board[np.newaxis, ..., np.newaxis], 3, axis=3).astype(np.float32)
    assert variation(checkers) == 2.0
    assert variation(tiled(checkers)) == 2.0


def test_a_featureless_picture_has_a_content_loss_of_one_and_the_target_none() -> None:
    target = activations()
    featureless = np.broadcast_to(target.mean(axis=(1, 2), keepdims=True), target.shape)
    assert float(content(tf.constant(featureless), tf.constant(target))) == pytest.approx(1.0)
    assert float(content(tf.constant(target), tf.constant(target))) == 0.0


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_losses_are_float32_whatever_the_convolutions_are(dtype: tf.DType) -> None:
    seen = tf.cast(activations(seed=1), dtype)
    target = tf.cast(activations(seed=2), dtype)
    found = content(seen, target)
    assert found.dtype == tf.float32
    widened = content(tf.cast(seen, tf.float32), tf.cast(target, tf.float32))
    np.testing.assert_allclose(found, widened, rtol=1e-6)


def test_a_black_content_does_not_divide_by_zero() -> None:
    black = tf.zeros([1, 4, 4, 2])
    assert float(content(black, black)) == 0.0
    assert np.isfinite(content(black + 1.0, black))


# --- edges


def all_edges(pictures: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    return losses.edges_loss(pictures, targets, losses.edges_scale(targets))


def edges(picture: Array, target: Array) -> float:
    return float(all_edges(tf.constant(picture), tf.constant(target))[0])


def gain(picture: tf.Tensor, wanted: tf.Tensor) -> float:
    """By how much the edges of a picture are made as strong as those of another."""
    return float(losses.edges_gain(picture, losses.edges_strength(wanted))[0, 0, 0, 0])


def test_the_same_edges_have_no_loss_whatever_the_brightness() -> None:
    target = activations(9, 11, 1)
    assert edges(target + 0.3, target) == pytest.approx(0.0, abs=1e-9)


def test_the_loss_of_edges_is_the_squared_error_of_the_differences_over_the_targets_own() -> None:
    picture, target = activations(9, 11, 1, seed=1), activations(9, 11, 1, seed=2)

    def squares(x: Array) -> float:
        return float(sum(np.sum(np.diff(x, axis=axis).astype(np.float64) ** 2) for axis in (1, 2)))

    expected = squares(picture - target) / squares(target)
    assert edges(picture, target) == pytest.approx(expected, rel=1e-5)
    assert edges(np.zeros_like(target), target) == pytest.approx(1.0, rel=1e-5)


def test_edges_in_front_of_a_flat_photograph_weigh_in_proportion_to_what_is_faint() -> None:
    flat = np.full((1, 9, 11, 1), 0.5, np.float32)
    assert edges(flat, flat) == 0.0
    ramp = flat + 0.01 * np.arange(9, dtype=np.float32)[:, np.newaxis, np.newaxis]
    down, right = 8 * 11, 9 * 10
    assert edges(ramp, flat) == pytest.approx(down / (down + right), rel=1e-3)


@pytest.mark.parametrize(("wanted", "expected"), [(0.25, 0.25), (1.6, 1.6), (5.0, 2.0)])
def test_edges_are_made_as_strong_as_those_of_the_style_within_reason(
    wanted: float, expected: float
) -> None:
    target = tf.constant(activations(9, 11, 1))
    assert gain(target, wanted * target) == pytest.approx(expected, rel=1e-5)


def test_a_flat_style_leaves_no_edges_and_a_flat_photograph_has_none() -> None:
    flat, target = tf.fill([1, 9, 11, 1], 0.5), tf.constant(activations(9, 11, 1))
    assert gain(target, flat) < 1e-3
    assert gain(flat, target) == pytest.approx(2.0)


def test_luminance_is_that_of_video() -> None:
    colours = np.eye(3, dtype=np.float32)[np.newaxis, np.newaxis]
    found = np.asarray(losses.luminance(tf.constant(colours)))
    np.testing.assert_allclose(found.ravel(), [0.2126, 0.7152, 0.0722], rtol=1e-6)


# --- style


def test_the_gram_loss_is_the_squared_error_over_the_square_of_the_target() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    gram, wanted = (np.einsum("bhwi,bhwj->ij", x, x) / 35 for x in (seen, target))
    expected = np.sum((gram - wanted) ** 2) / np.sum(wanted**2)
    assert distance("gram", seen, target) == pytest.approx(expected, rel=1e-5)


def gaussian(seen: Array) -> tuple[Doubles, Doubles]:
    pixels = seen.reshape(-1, seen.shape[-1]).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels.T, bias=True)


def wasserstein(mean: Doubles, covariance: Doubles, wanted_mean: Doubles, wanted: Doubles) -> float:
    """The closed form in float64, relative to the target's distance from nothing."""
    ridge = losses._RIDGE * np.trace(wanted) / len(wanted) * np.eye(len(wanted))
    covariance, wanted = covariance + ridge, wanted + ridge
    root = scipy.linalg.sqrtm(wanted)
    fidelity = np.trace(scipy.linalg.sqrtm(root @ covariance @ root)).real
    apart = np.sum((mean - wanted_mean) ** 2) + np.trace(covariance + wanted) - 2 * fidelity
    return float(apart / (np.sum(wanted_mean**2) + np.trace(wanted)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_wasserstein_loss_has_the_closed_form_of_gaussians(seed: int) -> None:
    seen, target = activations(seed=seed), activations(seed=seed + 10)
    expected = wasserstein(*gaussian(seen), *gaussian(target))
    assert expected > 0.01
    assert distance("wasserstein", seen, target) == pytest.approx(expected, rel=2e-3, abs=1e-4)


def test_the_wasserstein_loss_of_gaussians_that_differ_in_their_means_is_how_far_these_are() -> (
    None
):
    target = activations()
    mean, covariance = gaussian(target)
    expected = 4 * 0.3**2 / (np.sum(mean**2) + np.trace(covariance))
    found = distance("wasserstein", target + np.float32(0.3), target)
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_a_style_loss_is_zero_at_the_target_and_about_one_for_a_black_picture(loss: str) -> None:
    target = activations()
    assert distance(loss, target, target) == pytest.approx(0.0, abs=1e-5)
    assert distance(loss, np.zeros_like(target), target) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("loss", STYLE_LOSSES)
@pytest.mark.parametrize("strength", [0.03, 10.0, 1e4])
def test_losses_do_not_depend_on_how_strongly_the_features_answer(
    loss: str, strength: float
) -> None:
    seen, target = activations(seed=1), activations(seed=2)
    strong = np.float32(strength) * seen, np.float32(strength) * target
    assert distance(loss, *strong) == pytest.approx(distance(loss, seen, target), rel=1e-3)
    np.testing.assert_allclose(content(*strong), content(seen, target), rtol=1e-4)


@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_each_region_is_held_against_its_own_target(loss: str) -> None:
    judge = STYLE_LOSSES[loss]
    seen, targets = ([activations(seed=seed) for seed in seeds] for seeds in ((1, 2), (3, 4)))
    target = judge.target(both(*(everything(x) for x in targets)))
    found = judge.distance(both(*(everything(x) for x in seen)), target)
    expected = [distance(loss, *pair) for pair in zip(seen, targets, strict=True)]
    np.testing.assert_allclose(found, [expected], rtol=1e-4)
    assert expected[0] != pytest.approx(expected[1], rel=0.1)


@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_a_black_style_does_not_divide_by_zero(loss: str) -> None:
    black = np.zeros((1, 4, 4, 3), np.float32)
    assert distance(loss, black, black) == pytest.approx(0.0, abs=1e-3)
    assert np.isfinite(distance(loss, black + np.float32(0.1), black))


@pytest.mark.parametrize("loss", STYLE_LOSSES)
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_picture_that_is_not_finite_has_a_distance_that_is_not_and_others_have_theirs(
    loss: str, broken: float
) -> None:
    judge = STYLE_LOSSES[loss]
    seen, target = activations(seed=1), everything(activations(seed=2))
    expected = float(judge.distance(everything(seen), judge.target(target))[0, 0])
    exploded = seen.copy()
    exploded[0, 1, 1, 1] = broken
    found = everything(np.concatenate([exploded, seen]))

    def judged(mean: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(second)
            apart = judge.distance(Moments(mean, second), judge.target(target))
        return apart, tape.gradient(apart, second)

    # As in a painting: while a graph is made ready, constants are multiplied out.
    apart, gradient = graph(judged, *map(tf.TensorSpec.from_tensor, found))(*found)
    assert not np.isfinite(apart[0, 0])
    assert float(apart[1, 0]) == pytest.approx(expected, rel=1e-4)
    assert not np.isfinite(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()


def test_the_gradient_of_the_wasserstein_loss_is_that_of_the_closed_form() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    loss = WassersteinLoss()
    found = everything(seen)
    with tf.GradientTape() as tape:
        tape.watch(found)
        apart = loss.distance(found, loss.target(everything(target)))
    gradient = tape.gradient(apart, found)

    (mean, covariance), wanted = gaussian(seen), gaussian(target)
    second = covariance + np.outer(mean, mean)
    rng = np.random.default_rng(4)
    for _ in range(3):
        way, turn = rng.standard_normal(4), rng.standard_normal((4, 4))
        turn += turn.T

        def at(move: float, way: Doubles = way, turn: Doubles = turn) -> float:
            m, s = mean + move * way, second + move * turn
            return wasserstein(m, s - np.outer(m, m), *wanted)

        slope = (at(1e-5) - at(-1e-5)) / 2e-5
        expected = np.sum(gradient.mean[0, 0] * way) + np.sum(gradient.second[0, 0] * turn)
        assert expected == pytest.approx(slope, rel=0.01, abs=1e-3)


@pytest.mark.parametrize(
    "target", [np.ones((1, 2, 2, 8), np.float32), activations(2, 2, 8), activations(9, 9, 8)]
)
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0])
def test_the_wasserstein_loss_has_a_finite_gradient_where_variances_coincide_or_vanish(
    target: Array, scale: float
) -> None:
    # Fewer positions than channels, all alike, or none that differ: eigenvalues that coincide.
    loss = WassersteinLoss()
    seen = tf.constant(np.float32(scale) * activations(2, 3, 8, seed=6))
    with tf.GradientTape() as tape:
        tape.watch(seen)
        apart = loss.distance(everything(seen), loss.target(everything(target)))
    gradient = tape.gradient(apart, seen)
    assert np.isfinite(apart).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("judge", [GramLoss(), WassersteinLoss()])
def test_down_the_gradient_of_a_style_loss_the_style_comes_nearer(
    judge: GramLoss | WassersteinLoss,
) -> None:
    # Sixteen channels and twelve positions, as deep layers of small pictures have it.
    target = judge.target(everything(activations(3, 4, 16, seed=1)))
    seen = tf.constant(activations(3, 4, 16, seed=2))
    apart = []
    for _ in range(80):
        with tf.GradientTape() as tape:
            tape.watch(seen)
            found = judge.distance(everything(seen), target)
        apart.append(float(found[0, 0]))
        slope = tape.gradient(found, seen)
        seen -= 0.02 * slope / tf.norm(slope) * np.sqrt(12 * 16)
    assert min(apart) < 0.2 * apart[0]


# --- several pictures

Judge = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

JUDGES: dict[str, Judge] = {
    "content": contents,
    "edges": all_edges,
    "total variation": variations,
    **{loss: partial(distances, loss) for loss in STYLE_LOSSES},
}


def with_slope(judge: Judge, seen: Array, targets: Array) -> tuple[Array, Array]:
    """The losses of pictures, and the gradient of their sum."""
    pictures = tf.constant(seen)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        found = judge(pictures, tf.constant(targets))
    return np.asarray(found), np.asarray(tape.gradient(found, pictures))


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_of_two_pictures_in_one_go_each_has_the_loss_and_the_gradient_that_it_has_alone(
    judge: Judge,
) -> None:
    seen = activations(seed=1), np.float32(3.0) * activations(seed=2)
    targets = activations(seed=3), np.float32(20.0) * activations(seed=4)
    alone = [with_slope(judge, *pair) for pair in zip(seen, targets, strict=True)]
    found = with_slope(judge, np.concatenate(seen), np.concatenate(targets))
    for together, parts in zip(found, zip(*alone, strict=True), strict=True):
        assert not np.allclose(parts[0], parts[1], rtol=0.1)
        np.testing.assert_allclose(together, np.concatenate(parts), rtol=1e-5)


def test_of_two_pictures_in_one_go_the_edges_are_made_as_strong_as_those_of_each_alone() -> None:
    pictures = [tf.constant(activations(9, 11, 1, seed=seed)) for seed in (1, 2)]
    wanted = [0.25 * pictures[0], 1.6 * pictures[1]]
    strength = losses.edges_strength(tf.concat(wanted, 0))
    found = losses.edges_gain(tf.concat(pictures, 0), strength)
    np.testing.assert_allclose(found[:, 0, 0, 0], [0.25, 1.6], rtol=1e-5)
    assert found.shape == (2, 1, 1, 1)

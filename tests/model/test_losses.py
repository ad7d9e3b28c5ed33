"""What a picture is judged by, against plain NumPy, closed forms and finite differences."""

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from model import losses, recipes
from model.objective import Losses, Targets, loss_weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Sitting

Array = npt.NDArray[np.float32]

WEIGHTS = (1.0, 30.0, 0.5)
WEIGHT_FIELDS = ("content_weight", "style_weight", "tv_weight")


def activations(height: int = 5, width: int = 7, channels: int = 4, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.random((1, height, width, channels), np.float32)


def tiled(array: Array) -> Array:
    return np.tile(array, (1, 2, 2, 1))


def judged(studio: Studio, sitting: Sitting, image: Array) -> tuple[Losses, Array]:
    objective = studio._objective(sitting.params)
    height, width = image.shape[:2]
    targets = objective.targets(sitting, Scale(width, height, 1))
    found, gradient = objective.loss_and_gradient(
        tf.constant(image[np.newaxis]), targets, loss_weights(sitting.params)
    )
    return found, np.asarray(gradient[0])


# --- the Gram matrix


def test_a_gram_matrix_is_the_mean_outer_product_over_the_positions() -> None:
    seen = activations()
    expected = np.einsum("bhwi,bhwj->ij", seen, seen) / 35
    np.testing.assert_allclose(losses.gram_matrix(tf.constant(seen)), expected, rtol=1e-5)


def test_a_gram_matrix_is_the_same_for_the_picture_four_times_side_by_side() -> None:
    seen = activations()
    np.testing.assert_allclose(
        losses.gram_matrix(tf.constant(tiled(seen))),
        losses.gram_matrix(tf.constant(seen)),
        rtol=1e-5,
    )


def test_a_gram_matrix_does_not_know_where_things_are() -> None:
    seen = activations()
    shuffled = np.random.default_rng(1).permutation(seen.reshape(-1, 4)).reshape(seen.shape)
    np.testing.assert_allclose(
        losses.gram_matrix(tf.constant(shuffled)), losses.gram_matrix(tf.constant(seen)), rtol=1e-5
    )


def test_a_gram_matrix_of_bfloat16_is_summed_in_float32() -> None:
    # 65536 ones: bfloat16 has 8 bits of mantissa, and a sum in it would stop at 256.
    ones = tf.ones([1, 256, 256, 2], tf.bfloat16)
    gram = losses.gram_matrix(ones)
    assert gram.dtype == tf.float32
    np.testing.assert_array_equal(gram, np.ones((2, 2)))


# --- the losses


def test_the_content_loss_is_the_squared_error_over_the_variance_of_the_target() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    variance = np.mean([target[..., c].var() for c in range(4)])
    expected = np.mean((seen - target) ** 2) / variance
    found = losses.content_loss(tf.constant(seen), tf.constant(target))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_style_loss_is_the_squared_error_over_the_square_of_the_target() -> None:
    gram, target = activations(3, 3, 1, seed=1)[0, ..., 0], activations(3, 3, 1)[0, ..., 0]
    expected = np.sum((gram - target) ** 2) / np.sum(target**2)
    found = losses.style_loss(tf.constant(gram), tf.constant(target))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_total_variation_is_the_mean_squared_difference_of_neighbours() -> None:
    image = activations(channels=3)
    expected = np.mean(np.diff(image, axis=1) ** 2) + np.mean(np.diff(image, axis=2) ** 2)
    np.testing.assert_allclose(losses.total_variation(tf.constant(image)), expected, rtol=1e-5)


def test_at_the_target_content_and_style_losses_are_zero() -> None:
    target = tf.constant(activations())
    gram = losses.gram_matrix(target)
    assert float(losses.content_loss(target, target)) == 0.0
    assert float(losses.style_loss(gram, gram)) == 0.0


def test_a_picture_with_nothing_of_the_target_has_a_loss_of_one() -> None:
    target = activations()
    featureless = np.broadcast_to(target.mean(axis=(1, 2), keepdims=True), target.shape)
    content = losses.content_loss(tf.constant(featureless), tf.constant(target))
    assert float(content) == pytest.approx(1.0)
    gram = losses.gram_matrix(tf.constant(target))
    assert float(losses.style_loss(tf.zeros_like(gram), gram)) == pytest.approx(1.0)


@pytest.mark.parametrize("strength", [0.1, 10.0, 1e4])
def test_losses_do_not_depend_on_how_strongly_the_features_answer(strength: float) -> None:
    seen, target = tf.constant(activations(seed=1)), tf.constant(activations(seed=2))
    plain = losses.style_loss(losses.gram_matrix(seen), losses.gram_matrix(target))
    strong = losses.style_loss(
        losses.gram_matrix(strength * seen), losses.gram_matrix(strength * target)
    )
    np.testing.assert_allclose(strong, plain, rtol=1e-4)
    np.testing.assert_allclose(
        losses.content_loss(strength * seen, strength * target),
        losses.content_loss(seen, target),
        rtol=1e-4,
    )


def test_losses_are_the_same_for_the_picture_four_times_side_by_side() -> None:
    seen, target = activations(seed=1), activations(seed=2)
    np.testing.assert_allclose(
        losses.content_loss(tf.constant(tiled(seen)), tf.constant(tiled(target))),
        losses.content_loss(tf.constant(seen), tf.constant(target)),
        rtol=1e-5,
    )
    board = np.indices((8, 6)).sum(axis=0) % 2  # its seams are like its inside
    checkers = np.repeat(board[np.newaxis, ..., np.newaxis], 3, axis=3).astype(np.float32)
    assert float(losses.total_variation(tf.constant(checkers))) == 2.0
    assert float(losses.total_variation(tf.constant(tiled(checkers)))) == 2.0


def test_total_variation_of_a_ramp_is_the_square_of_its_slope() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 11, dtype=np.float32)[:, None, None], (1, 11, 5, 3))
    np.testing.assert_allclose(losses.total_variation(tf.constant(ramp)), 0.1**2, rtol=1e-5)


def test_black_targets_do_not_divide_by_zero() -> None:
    black = tf.zeros([1, 4, 4, 2])
    gram = losses.gram_matrix(black)
    assert float(losses.content_loss(black, black)) == 0.0
    assert float(losses.style_loss(gram, gram)) == 0.0
    assert np.isfinite(losses.content_loss(black + 1.0, black))


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_losses_are_float32_whatever_the_convolutions_are(dtype: tf.DType) -> None:
    seen = tf.cast(activations(seed=1), dtype)
    target = tf.cast(activations(seed=2), dtype)
    found = losses.content_loss(seen, target)
    assert found.dtype == tf.float32
    widened = losses.content_loss(tf.cast(seen, tf.float32), tf.cast(target, tf.float32))
    np.testing.assert_allclose(found, widened, rtol=1e-6)


# --- the objective


def test_the_loss_is_the_weighted_sum_of_its_parts_over_the_layers(
    studio: Studio, photo: Array, strokes: Array, stripes: Array
) -> None:
    params = StyleTransferParams(
        size=64, content_weight=2.0, style_weight=0.5, tv_weight=3.0, style_weights=(3.0, 1.0)
    )
    sitting = Sitting.prepare(photo, [strokes, stripes], params)
    image = activations(48, 64, 3)[0]
    found, _ = judged(studio, sitting, image)

    objective, scale = studio._objective(params), Scale(64, 48, 1)
    seen, wanted = (
        objective._see_content(tf.constant(picture[np.newaxis]))["block4_conv2"]
        for picture in (image, sitting.content_at(scale))
    )
    grams, first, second = (
        objective._see_style(tf.constant(picture[np.newaxis]))
        for picture in (image, *sitting.styles_at(scale))
    )
    content = losses.content_loss(seen, wanted)
    style = np.mean(
        [losses.style_loss(grams[n], 0.75 * first[n] + 0.25 * second[n]) for n in grams]
    )
    variation = losses.total_variation(tf.constant(image[np.newaxis]))
    balance = dict(zip(("content", "style", "tv"), WEIGHTS, strict=True))
    assert float(found.content) == pytest.approx(2.0 * balance["content"] * float(content), 1e-4)
    assert float(found.style) == pytest.approx(0.5 * balance["style"] * float(style), 1e-4)
    assert float(found.tv) == pytest.approx(3.0 * balance["tv"] * float(variation), 1e-4)
    assert float(found.total) == pytest.approx(
        float(found.content) + float(found.style) + float(found.tv), 1e-6
    )


@pytest.mark.parametrize("alone", WEIGHT_FIELDS)
def test_the_gradient_is_that_of_the_loss(
    studio: Studio, photo: Array, strokes: Array, alone: str
) -> None:
    weights = {field: float(field == alone) for field in WEIGHT_FIELDS}
    params = StyleTransferParams(size=64, **weights)
    sitting = Sitting.prepare(photo, [strokes], params)
    image = activations(24, 32, 3)[0]
    _, gradient = judged(studio, sitting, image)
    rng = np.random.default_rng(3)
    for _ in range(3):
        # Along a direction in which the loss changes, or the float32 would round it away.
        way = gradient / np.abs(gradient).max() + 0.5 * rng.standard_normal(gradient.shape)
        ahead, behind = (
            judged(studio, sitting, (image + sign * 1e-3 * way).astype(np.float32))[0].total
            for sign in (1, -1)
        )
        slope = (float(ahead) - float(behind)) / 2e-3
        assert np.mean(gradient * way) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize("field", WEIGHT_FIELDS)
def test_a_weight_of_zero_takes_its_loss_out(
    studio: Studio, photo: Array, strokes: Array, field: str
) -> None:
    params = StyleTransferParams(size=64, **{field: 0.0})
    found, _ = judged(studio, Sitting.prepare(photo, [strokes], params), strokes[:48])
    parts = dict(zip(WEIGHT_FIELDS, found[:3], strict=True))
    assert float(parts.pop(field)) == 0.0
    assert all(float(part) > 0.0 for part in parts.values())


def test_a_weight_means_the_same_at_every_size(
    studio: Studio, photo: Array, strokes: Array
) -> None:
    # Sums in place of means would be 4 times as large for the content, and 16 times for the style.
    params = StyleTransferParams(size=128, tv_weight=0.0)
    sitting = Sitting.prepare(photo, [strokes], params)
    scales = Scale(64, 48, 1), Scale(128, 96, 1)
    small, large = (judged(studio, sitting, 0.7 * sitting.content_at(scale)) for scale in scales)
    for part in ("content", "style"):
        ratio = float(getattr(large[0], part)) / float(getattr(small[0], part))
        assert 0.5 < ratio < 2.0, part
    lengths = [float(np.sqrt(np.mean(gradient**2))) for _, gradient in (small, large)]
    assert 0.5 < lengths[1] / lengths[0] < 2.0


def test_the_loss_of_a_picture_that_is_both_content_and_style_is_its_variation(
    studio: Studio, photo: Array
) -> None:
    sitting = Sitting.prepare(photo, [photo], StyleTransferParams(size=64))
    found, _ = judged(studio, sitting, sitting.content)
    assert float(found.content) == 0.0
    assert float(found.style) == 0.0
    variation = float(losses.total_variation(tf.constant(sitting.content[np.newaxis])))
    assert float(found.total) == pytest.approx(0.5 * variation)


def test_targets_of_several_styles_are_their_grams_averaged_by_share(
    studio: Studio, photo: Array, strokes: Array, stripes: Array
) -> None:
    scale = Scale(64, 48, 1)

    def targets(styles: list[Array], weights: tuple[float, ...]) -> Targets:
        params = StyleTransferParams(size=64, style_weights=weights)
        sitting = Sitting.prepare(photo, styles, params)
        return studio._objective(params).targets(sitting, scale)

    mixed = targets([strokes, stripes], (3.0, 1.0)).grams
    first, second = targets([strokes], (1.0,)).grams, targets([stripes], (1.0,)).grams
    assert set(mixed) == set(recipes.layers(StyleTransferParams()).style)
    for name, gram in mixed.items():
        np.testing.assert_allclose(gram, 0.75 * first[name] + 0.25 * second[name], rtol=1e-4)

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("skimage", reason="the dependency group `features` is not installed")
pytest.importorskip("sklearn", reason="the dependency group `features` is not installed")

from benchmarks import subjects
from model import pretrain, scenes, vgg

BUNDLED = Path(pretrain.__file__).parent / "features" / "bundled.npz"

TINY = pretrain.Recipe(crops=6, side=64, patches=2000, rounds=2)


@pytest.fixture(scope="module")
def bundled() -> vgg.Features:
    with np.load(BUNDLED) as arrays:
        return vgg.Features(
            name="bundled",
            sha256="",
            mean=arrays["mean"],
            kernels={n: arrays[f"{n}/kernel"].astype(np.float32) for n in vgg.CONVOLUTIONS},
            biases={n: arrays[f"{n}/bias"].astype(np.float32) for n in vgg.CONVOLUTIONS},
            pooling="average",
        )


@pytest.fixture(scope="module")
def few_pictures() -> list[pretrain.Array]:
    rng = np.random.default_rng(5)
    kinds = (scenes.coloured_noise, scenes.dead_leaves, scenes.brush_strokes, scenes.ripples)
    return [kind(rng) for kind in kinds]


def rms(values: pretrain.Array) -> float:
    return float(np.sqrt(np.mean(np.square(values), dtype=np.float64)))


def layers_up_to(
    last: str, pictures: list[pretrain.Array], recipe: pretrain.Recipe
) -> list[pretrain.Learned]:
    rng = np.random.default_rng(recipe.seed)
    learned = []
    for layer in pretrain.layers(pretrain.crops(pictures, recipe, rng), recipe, rng):
        learned.append(layer)
        if layer.name == last:
            break
    return learned


def test_the_same_seed_learns_the_same_bytes_and_another_seed_does_not(
    few_pictures: list[pretrain.Array],
) -> None:
    def as_bytes(seed: int) -> bytes:
        layers = layers_up_to("block1_conv2", few_pictures, replace(TINY, seed=seed))
        return b"".join(layer.kernel.tobytes() + layer.bias.tobytes() for layer in layers)

    assert as_bytes(1) == as_bytes(1)
    assert as_bytes(1) != as_bytes(2)


@pytest.mark.parametrize("name", ["block3_conv1", "block4_conv1"])
def test_every_channel_of_a_learned_layer_has_unit_size_and_depends_on_the_seed_alone(
    name: str,
) -> None:
    rng = np.random.default_rng(0)
    patches = (rng.normal(size=(4000, 72)) @ rng.normal(size=(72, 72))).astype(np.float32) + 3
    layer = vgg.Conv(name, inputs=8, outputs=16)
    one, again, other = (
        pretrain.learn_layer(layer, patches, TINY, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.kernel, again.kernel)
    np.testing.assert_array_equal(one.bias, again.bias)
    assert not np.allclose(one.kernel, other.kernel, rtol=0.5)
    weights = one.kernel.astype(np.float32).reshape(72, 16)
    answers = np.maximum(patches @ weights + one.bias.astype(np.float32), 0)
    np.testing.assert_allclose(np.sqrt(np.mean(answers**2, axis=0)), 1.0, rtol=0.02)


def test_the_same_seed_renders_the_same_pictures_and_another_seed_does_not() -> None:
    first, again, other = (scenes.pictures(seed, scenes_per_kind=1) for seed in (3, 3, 4))
    photographs = len(scenes.SCIKIT_IMAGE + scenes.SCIKIT_LEARN)
    rendered = slice(photographs, photographs + 4)
    assert len(first) == photographs + 4 + 2 * len(scenes.PAINTINGS)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(first[rendered], other[rendered], strict=True):
        assert not np.array_equal(one, two)


def test_nothing_is_learned_from_the_styles_that_the_benchmark_judges_by() -> None:
    assert not set(scenes.PAINTINGS) & set(subjects.STYLES)


def test_every_picture_is_rgb_between_zero_and_one_and_large_enough_to_crop() -> None:
    for picture in scenes.pictures(0, scenes_per_kind=1):
        assert picture.dtype == np.float32
        assert picture.shape[2] == 3
        assert min(picture.shape[:2]) >= pretrain.Recipe.side
        assert picture.min() >= 0.0
        assert picture.max() <= 1.0
        assert picture.std() > 0.03


def test_learned_layers_answer_other_pictures_with_activations_of_unit_size(
    few_pictures: list[pretrain.Array],
) -> None:
    learned = layers_up_to("block2_conv1", few_pictures, TINY)
    maps = pretrain.crops(few_pictures, replace(TINY, crops=4), np.random.default_rng(77))
    first, second, third = (learned[0], learned[1], learned[2])
    for layer in (first, second):
        maps = pretrain.convolve(maps, layer).numpy()
        assert rms(maps) == pytest.approx(1.0, abs=0.25)
    maps = tf.nn.avg_pool2d(maps, 2, 2, "VALID").numpy()
    assert rms(pretrain.convolve(maps, third).numpy()) == pytest.approx(1.0, abs=0.25)


def test_whitened_patches_are_uncorrelated_with_equal_leading_deviations() -> None:
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(5000, 12)) @ rng.normal(size=(12, 12))
    centred = (patches - patches.mean(axis=0)).astype(np.float32)
    whitened = centred @ pretrain.whitener(centred, 5, evenness=0.0)
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(5), atol=2e-3)
    uneven = centred @ pretrain.whitener(centred, 5, evenness=0.2)
    assert np.all(uneven.std(axis=0) < 1.0)


def test_kmeans_finds_the_directions_that_points_were_drawn_around() -> None:
    rng = np.random.default_rng(0)
    truth = np.eye(6)[:, :4]
    drawn = truth[:, rng.integers(0, 4, 4000)].T * rng.uniform(1.0, 3.0, (4000, 1))
    points = (drawn + rng.normal(0.0, 0.05, drawn.shape)).astype(np.float32)
    found = pretrain.spherical_kmeans(points, 12, 10, rng)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1.0, rtol=1e-5)
    assert (truth.T @ found).max(axis=1).min() > 0.99


def test_a_sampled_patch_meets_a_kernel_as_the_convolution_does() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(1, 3, 3, 5)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 5, 7)).astype(np.float32)
    patch = pretrain.sample(maps, 1, rng)
    convolved = tf.nn.conv2d(maps, kernel, 1, "VALID").numpy()
    np.testing.assert_allclose(patch @ kernel.reshape(45, 7), convolved[0, 0], rtol=1e-4)


def test_the_shipped_file_is_a_whole_vgg19_in_finite_float16() -> None:
    with np.load(BUNDLED, allow_pickle=False) as arrays:
        expected = {f"{name}/{part}" for name in vgg.CONVOLUTIONS for part in ("kernel", "bias")}
        assert set(arrays) == expected | {"mean", "pooling"}
        assert arrays["pooling"] == "average"  # learned with it, so never rescaled
        assert arrays["mean"].shape == (3,)
        assert arrays["mean"].dtype == np.float32
        for name, layer in vgg.CONVOLUTIONS.items():
            kernel, bias = arrays[f"{name}/kernel"], arrays[f"{name}/bias"]
            assert kernel.shape == (3, 3, layer.inputs, layer.outputs)
            assert bias.shape == (layer.outputs,)
            assert kernel.dtype == bias.dtype == np.float16
            assert np.isfinite(kernel).all()
            assert np.isfinite(bias).all()
            # Far from both ends of float16: 6e-5, below which it loses digits, and 65504.
            assert rms(kernel.astype(np.float32)) > 5e-3
            assert max(np.abs(kernel).max(), np.abs(bias).max()) < 100
    assert BUNDLED.stat().st_size < 30e6


def test_the_shipped_file_keeps_every_layer_at_unit_size_on_pictures_it_never_saw(
    bundled: vgg.Features, few_pictures: list[pretrain.Array]
) -> None:
    images = tf.constant(np.stack(few_pictures)[:, :192, :192])
    found = vgg.Network(bundled).activations(images, vgg.CONVOLUTIONS)
    for name, maps in found.items():
        assert rms(maps.numpy()) == pytest.approx(1.0, abs=0.4), name
        alive = np.any(maps.numpy() > 0, axis=(0, 1, 2))
        assert alive.mean() > 0.99, name

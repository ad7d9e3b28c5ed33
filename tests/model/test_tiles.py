"""A picture cut into tiles is judged and painted as the whole picture is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import tensorflow as tf

from model import bands, recipes, tiles, vgg
from model.objective import loss_weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.recipes import Scale
from model.sitting import Sitting
from model.tiles import Box, Tile, cut
from model.vgg import Network
from tests.model.sittings import prepared
from tests.networks import a_thin_network, thin_features

Array = npt.NDArray[np.float32]

#: Usual, at the limit, just above it, odd, and with an aspect of 1 to 8.
SIZES = [(1536, 1536), (1536, 1537), (3072, 4096), (2047, 3071), (4095, 1531), (4096, 512), (37, 5)]


@pytest.fixture(scope="module")
def thin_studio() -> Iterator[Studio]:
    with a_thin_network():
        yield Studio(thin_features("average"), precision="float32")


@pytest.fixture
def _small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts whatever is larger than 100 x 100 into tiles of 112 pixels."""
    monkeypatch.setattr(tiles, "_SIDE", 112)
    monkeypatch.setattr(tiles, "LARGEST", 100**2)


def texture(height: int, width: int, seed: int = 0) -> Array:
    """Smooth waves and fine grain, different everywhere."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / 9.0
    waves = [np.sin(rows * a + columns * b) for a, b in rng.uniform(-1, 1, (3, 2))]
    grain = rng.random((height, width, 3))
    return np.asarray(0.5 + 0.25 * np.stack(waves, axis=-1) + 0.25 * (grain - 0.5), np.float32)


def clouds(side: int, seed: int) -> Array:
    """Blots of all colours, a few pixels wide."""
    noise = np.random.default_rng(seed).standard_normal((side, side, 3))
    blots = scipy.ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.asarray(np.clip(0.5 + 0.2 * blots / blots.std(), 0, 1), np.float32)


def quarters(height: int, width: int) -> Array:
    """A mask of three colours whose edges are no tile's."""
    mask = np.zeros((height, width, 3), np.float32)
    mask[..., 0] = 1.0
    mask[height // 3 :, : width // 2] = (0.0, 1.0, 0.0)
    mask[: height // 2, 2 * width // 3 :] = (0.0, 0.0, 1.0)
    return mask


# --- cutting


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_inner_boxes_cover_each_pixel_once(height: int, width: int) -> None:
    covered = np.zeros((height, width), np.uint8)
    for _, (top, left, bottom, right), _ in cut(height, width):
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_network_sees_a_halo_around_each_inner_box_that_ends_with_the_picture(
    height: int, width: int
) -> None:
    halo = tiles._HALO
    for outer, inner, _ in cut(height, width):
        assert outer.top == max(inner.top - halo, 0)
        assert outer.left == max(inner.left - halo, 0)
        assert outer.bottom == min(inner.bottom + halo, height)
        assert outer.right == min(inner.right + halo, width)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_edges_lie_on_the_coarsest_grid_except_at_the_end_of_the_picture(
    height: int, width: int
) -> None:
    coarsest = max(vgg.STRIDES.values())
    for box in (box for tile in cut(height, width) for box in tile[:2]):
        assert box.top % coarsest == 0
        assert box.left % coarsest == 0
        assert box.bottom % coarsest == 0 or box.bottom == height
        assert box.right % coarsest == 0 or box.right == width


@pytest.mark.parametrize("height", [16, 512, 1000, 1536, 1537, 2047, 3072, 4095, 4096])
def test_the_network_never_sees_more_than_so_many_pixels_at_once(height: int) -> None:
    for width in (512, 1185, 2048, 2049, 3071, 3583, 4095, 4096):
        for (top, left, bottom, right), _, _ in cut(height, width):
            assert (bottom - top) * (right - left) <= tiles.LARGEST


def test_a_picture_of_usual_size_is_one_tile_and_one_just_above_it_four() -> None:
    whole = Box(0, 0, 1536, 1536)
    assert cut(1536, 1536) == (Tile(whole, whole, in_bands=True),)
    assert len(cut(1536, 1537)) == 4
    assert len(cut(600, 4096)) == 4
    assert not any(tile.in_bands for tile in cut(4096, 4096))


def test_more_pixels_than_can_be_kept_are_seen_in_bands_and_where_memory_is_scarce_fewer() -> None:
    assert [cut(1184, width)[0].in_bands for width in (1184, 1185)] == [False, True]
    assert [cut(416, width, small=True)[0].in_bands for width in (416, 417)] == [False, True]
    assert len(cut(672, 672, small=True)) == 1
    assert len(cut(1024, 1024, small=True)) == 4


def test_a_box_in_a_layer_and_as_seen_from_another() -> None:
    assert Box(16, 32, 48, 64).at(8) == Box(2, 4, 6, 8)
    assert Box(16, 32, 41, 55).at(4) == Box(4, 8, 12, 16)  # to the end of the extended picture
    assert Box(16, 32, 48, 55).seen_from(Box(10, 20, 60, 70)) == Box(6, 12, 38, 35)


def test_the_halo_is_as_wide_as_the_network_looks(thin_studio: Studio) -> None:
    image = tf.constant(texture(240, 240)[np.newaxis])
    network = Network(thin_studio.features)
    with tf.GradientTape() as tape:
        tape.watch(image)
        seen = network.activations(image, ["block5_conv1"])["block5_conv1"]
        cell = tf.reduce_sum(seen[:, 7, 7])
    looked_at = np.flatnonzero(np.asarray(tape.gradient(cell, image)).any(axis=(0, 1, 3)))
    looks = (7 * 16 - looked_at[0], looked_at[-1] - (8 * 16 - 1))
    assert looks == (70, 70)
    assert looks[0] <= tiles._HALO


# --- judging


@pytest.mark.usefixtures("_small_tiles")
@pytest.mark.parametrize("kept", [10**9, 50**2])
@pytest.mark.parametrize(
    ("height", "width", "style_loss", "masked"),
    [
        (309, 235, "gram", True),
        (300, 400, "wasserstein", False),
    ],
)
def test_tiles_in_bands_or_not_give_the_loss_and_the_gradient_of_the_whole_picture(  # noqa: PLR0917
    thin_studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    height: int,
    width: int,
    style_loss: str,
    masked: bool,  # noqa: FBT001
    kept: int,
) -> None:
    masks: dict[str, Any] = {}
    if masked:
        masks = {"content_mask": quarters(height, width), "style_masks": [quarters(250, 330)]}
    params = StyleTransferParams(size=max(height, width), style_loss=style_loss)
    content, style = texture(height, width, 1), texture(250, 330, 2)
    sitting = Sitting.prepare(content, [style], params, **masks)
    image = tf.constant(texture(height, width, 3)[np.newaxis])
    objective = thin_studio._objective(params, sitting.region_count)

    def judged() -> tuple[Array, Array]:
        targets = objective.targets(sitting, Scale(width, height, 1))
        found = objective.loss_and_gradient(image, targets, loss_weights(params))
        return np.asarray(found[0]), np.asarray(found[1])

    assert len(cut(height, width)) > 5
    monkeypatch.setattr(bands, "_PIXELS", 200 * 50)
    monkeypatch.setattr(tiles, "LARGEST_KEPT", kept)
    assert all(tile.in_bands == (kept < 10**9) for tile in cut(height, width))
    parts, gradient = judged()
    monkeypatch.setattr(tiles, "LARGEST_KEPT", 10**9)
    monkeypatch.setattr(tiles, "LARGEST", 10**9)
    assert len(cut(height, width)) == 1
    expected_parts, expected_gradient = judged()
    np.testing.assert_allclose(parts, expected_parts, rtol=1e-4, atol=5e-5)
    error = np.abs(gradient - expected_gradient)
    assert error.max() < 1e-3 * np.abs(expected_gradient).max()
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(expected_gradient**2))


@pytest.mark.usefixtures("_small_tiles")
def test_two_pictures_in_tiles_are_judged_in_one_go_as_each_alone(thin_studio: Studio) -> None:
    height, width = 190, 235
    masks = quarters(height, width), quarters(height, width)[::-1]
    sittings = [
        prepared(
            texture(height, width, seed),
            [texture(150, 130, seed + 2)],
            content_mask=mask,
            style_masks=[quarters(150, 130)],
            size=235,
            style_weight=seed,
        )
        for seed, mask in enumerate(masks, 1)
    ]
    objective = thin_studio._objective(sittings[0].params, sittings[0].region_count)
    scale = Scale(width, height, 1)
    asked = [
        (
            tf.constant(texture(height, width, 5 + number)[np.newaxis]),
            objective.targets(sitting, scale),
            loss_weights(sitting.params),
        )
        for number, sitting in enumerate(sittings)
    ]
    assert len(cut(height, width)) > 1
    alone = [objective.loss_and_gradient(*one) for one in asked]
    both = tf.nest.map_structure(lambda *x: tf.concat(x, 0), *asked)
    parts, gradient = objective.loss_and_gradient(*both)
    for number, (expected, slope) in enumerate(alone):
        np.testing.assert_allclose(parts[number], expected[0], rtol=1e-5)
        largest = np.abs(slope).max()
        np.testing.assert_allclose(gradient[number], slope[0], atol=3e-5 * largest)
    assert not np.allclose(parts[0], parts[1], rtol=0.1)


# --- painting


@pytest.mark.usefixtures("_small_tiles")
def test_a_picture_painted_in_tiles_has_no_seams(
    thin_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # At one scale: the resizing from one to the next has a rhythm of its own.
    monkeypatch.setattr(recipes, "_COARSEST", 1000)
    side = 192
    pictures = [clouds(side, seed) for seed in (1, 2)]
    params = StyleTransferParams(
        size=side, steps=30, init="noise", content_weight=0.0, tv_weight=0.0, optimizer="lbfgs"
    )
    run = thin_studio.begin(Sitting.prepare(pictures[0], pictures[1:], params))
    run.advance(30)
    assert run.done
    for axis in (0, 1):
        energy = np.mean(np.diff(run.picture(), axis=axis) ** 2, axis=(1 - axis, 2))
        borders = {inner[axis] - 1 for _, inner, _ in cut(side, side)} - {-1}
        # Among the edges of the pools' cells, which have more energy than what is within them.
        edges = set(range(tiles.STRIDE - 1, len(energy), tiles.STRIDE))
        assert borders
        assert borders < edges
        on, off = energy[list(borders)], energy[list(edges - borders)]
        assert np.abs(on - off.mean()).max() < 4 * off.std()

"""What comes out of a run: of one style or several, in whose colours, in which precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model import colour
from model.errors import CheckpointError
from model.painting import Studio
from model.params import StyleTransferParams
from model.sitting import Array
from model.vgg import Features
from tests.model.runs import Begin, Whole, finish
from tests.networks import random_features


@pytest.fixture(scope="module")
def features() -> Features:
    """Of a network as large as it is."""
    return random_features()


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_style_loss_goes_down_substantially(begin: Begin, optimizer: str) -> None:
    run = begin(optimizer=optimizer, steps=30, content_weight=0.1)
    first = run.advance(1).losses
    finish(run)
    last = run.progress().losses
    assert last["style"] < 0.5 * first["style"]
    assert last["total"] < 0.5 * first["total"]


def test_without_style_the_photograph_comes_back(begin: Begin, photo: Array) -> None:
    run = begin(init="noise", style_weight=0.0, tv_weight=0.0, optimizer="lbfgs", steps=30)
    first = run.advance(1).losses["content"]
    finish(run)
    assert run.progress().losses["content"] < 0.5 * first
    painted = run.picture()
    assert np.corrcoef(painted.mean(axis=2).ravel(), photo.mean(axis=2).ravel())[0, 1] > 0.5


def test_a_heavy_total_variation_makes_a_smooth_picture(begin: Begin) -> None:
    def roughness(weight: float) -> float:
        picture = finish(begin(init="noise", steps=15, tv_weight=weight))
        return float(np.mean(np.diff(picture, axis=0) ** 2))

    assert roughness(1000.0) < 0.5 * roughness(0.0)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_nothing_leaves_the_range_of_what_can_be_shown(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str
) -> None:
    harsh = begin(
        optimizer=optimizer,
        content=np.round(np.random.default_rng(1).random((48, 64, 3), np.float32)),
        style_weight=1000.0,
    )
    while not harsh.done:
        harsh.advance(1)
        for picture in (harsh.picture(), np.asarray(harsh._now.share.state.image)):
            assert picture.min() >= 0.0
            assert picture.max() <= 1.0
    assert whole(optimizer).picture.dtype == np.float32
    assert whole(optimizer).picture.shape == (48, 64, 3)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_pictures_of_one_colour_can_be_painted(begin: Begin, optimizer: str, level: float) -> None:
    flat = np.full((48, 64, 3), level, np.float32)
    run = begin(content=flat, styles=(flat,), optimizer=optimizer, steps=4)
    assert np.isfinite(finish(run)).all()
    assert run.progress().restarts == 0


def test_a_picture_is_the_average_of_its_scales_iterates(begin: Begin) -> None:
    run, decay = begin(), 0.95
    images = []
    for _ in range(4):
        run.advance(1)
        images.append(np.asarray(run._now.share.state.image[0]))
    weights = [decay**age for age in reversed(range(4))]
    expected = sum(w * image for w, image in zip(weights, images, strict=True)) / sum(weights)
    np.testing.assert_allclose(run.picture(), expected, atol=1e-5)


def test_a_scale_starts_from_the_average_of_the_one_before(begin: Begin) -> None:
    run = begin()
    run.advance(4)
    before = run.picture()
    run.advance(0)  # takes no step, but goes to the next scale
    assert run.picture().shape == (34, 45, 3)
    assert abs(run.picture().mean() - before.mean()) < 0.01


# --- colours


def test_with_luminance_kept_the_picture_has_the_colours_of_the_photograph(
    begin: Begin, photo: Array
) -> None:
    pale = 0.3 + 0.4 * photo  # no colours that cannot be had in another lightness
    luminance, none = (finish(begin(content=pale, preserve_color=p)) for p in ("luminance", "none"))
    kept, plain, given = (colour._to_lab(picture) for picture in (luminance, none, pale))
    assert np.median(np.abs(kept - plain)[..., 0]) < 0.01
    assert np.median(np.abs(kept - given)[..., 1:]) < 0.01
    assert np.median(np.abs(plain - given)[..., 1:]) > 5.0


def test_with_the_histogram_kept_the_picture_has_about_the_colours_of_the_photograph(
    begin: Begin, photo: Array
) -> None:
    mean = photo.mean(axis=(0, 1))
    kept, plain = (
        np.abs(finish(begin(preserve_color=mode)).mean(axis=(0, 1)) - mean).max()
        for mode in ("histogram", "none")
    )
    assert kept < 0.1 < plain


# --- several styles


def test_a_style_of_no_weight_is_as_if_it_were_not_there(
    begin: Begin, whole: Callable[[str], Whole], strokes: Array, stripes: Array
) -> None:
    picture = finish(begin(styles=(strokes, stripes), style_weights=(2.0, 0.0)))
    assert picture.tobytes() == whole("adam").picture.tobytes()


def test_the_same_style_twice_is_as_good_as_once(
    begin: Begin, whole: Callable[[str], Whole], strokes: Array
) -> None:
    picture = finish(begin(styles=(strokes, strokes)))
    assert picture.tobytes() == whole("adam").picture.tobytes()


def test_weights_of_styles_matter_by_their_proportion_and_follow_their_pictures(
    begin: Begin, strokes: Array, stripes: Array
) -> None:
    def painted(styles: tuple[Array, ...], weights: tuple[float, ...]) -> bytes:
        return finish(begin(styles=styles, style_weights=weights, steps=3)).tobytes()

    mixed = painted((strokes, stripes), (3.0, 1.0))
    assert painted((strokes, stripes), (750.0, 250.0)) == mixed
    assert painted((stripes, strokes), (1.0, 3.0)) == mixed
    assert painted((strokes, stripes), (1.0, 3.0)) != mixed


# --- compilation and precision


def test_a_new_size_a_new_weight_and_a_new_style_trace_nothing_again(
    studio: Studio, begin: Begin, stripes: Array
) -> None:
    run = begin(steps=3)
    finish(run)
    objective: Any = studio._objective(StyleTransferParams())
    adam: Any = run._steps._move
    graphs = (adam, *(getattr(objective._graphs, x) for x in ("judge", "content", "moments")))
    traced = [graph.experimental_get_tracing_count() for graph in graphs]
    assert traced == [1, 1, 1, 1]
    for size in (65, 80, 97):
        finish(begin(size=size, styles=(stripes,), tv_weight=0.1 * size, steps=3))
    assert [graph.experimental_get_tracing_count() for graph in graphs] == traced


def test_in_bfloat16_nearly_the_same_picture_is_painted_and_resumed_bit_for_bit(
    begin: Begin, whole: Callable[[str], Whole], features: Features
) -> None:
    studio = Studio(features, precision="bfloat16")
    run = begin(within=studio)
    run.advance(3)
    resumed = begin(within=studio)
    resumed.restore(run.checkpoint())
    rough, exact = finish(run), whole("adam")
    assert finish(resumed).tobytes() == rough.tobytes()
    assert run._now.share.state.image.dtype == tf.float32
    assert 0.0 < np.abs(rough - exact.picture).mean() < 0.02
    total = exact.reports[-1].losses["total"]
    assert run.progress().losses["total"] == pytest.approx(total, rel=0.05)


# --- the Wasserstein loss


def test_with_the_wasserstein_loss_the_style_comes_nearer_and_a_resumed_run_is_the_same(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run, resumed = (begin(style_loss="wasserstein", optimizer="lbfgs") for _ in range(2))
    losses = [run.advance(1).losses["style"] for _ in range(4)]
    assert losses[-1] < 0.8 * losses[0]
    run.advance(2)
    resumed.restore(run.checkpoint())
    assert finish(resumed).tobytes() == finish(run).tobytes()
    assert run.picture().tobytes() != whole("lbfgs").picture.tobytes()
    with pytest.raises(CheckpointError, match="another painting"):
        begin(optimizer="lbfgs").restore(run.checkpoint())

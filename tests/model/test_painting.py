"""From pictures to a painting, in one call."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from model import weights
from model.errors import CheckpointError, ParameterError
from model.painting import Studio, paint
from model.params import StyleTransferParams
from model.precision import fastest
from model.progress import Progress
from model.run import Run
from model.sitting import Array
from model.vgg import Features

PARAMS = StyleTransferParams(size=64, steps=3)


def test_a_painting_has_the_size_asked_and_says_how_it_came_about(
    photo: Array, strokes: Array, features: Features
) -> None:
    painted = paint(photo, [strokes], PARAMS, features)
    assert painted.pixels.shape == (48, 64, 3)
    assert painted.pixels.dtype == np.float32
    assert painted.features is features
    assert (painted.progress.step, painted.progress.fraction) == (PARAMS.steps, 1.0)


def test_whoever_asks_is_told_after_each_step_and_may_look(
    photo: Array, strokes: Array, features: Features
) -> None:
    told: list[Progress] = []
    looks: list[Array] = []

    def on_progress(run: Run, progress: Progress) -> None:
        told.append(progress)
        looks.append(run.picture())

    painted = paint(photo, [strokes], PARAMS, features, on_progress=on_progress)
    assert [progress.step for progress in told] == [1, 2, 3]
    assert told[-1] == painted.progress
    np.testing.assert_array_equal(looks[-1], painted.pixels)


def test_a_painting_that_was_interrupted_is_resumed_to_the_same_picture(
    photo: Array, strokes: Array, features: Features
) -> None:
    saved: list[bytes] = []

    def interrupt(run: Run, progress: Progress) -> None:
        if progress.step == 2:
            saved.append(run.checkpoint())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint(photo, [strokes], PARAMS, features, on_progress=interrupt)
    told: list[int] = []
    resumed = paint(
        photo,
        [strokes],
        PARAMS,
        features,
        on_progress=lambda _run, progress: told.append(progress.step),
        resume=saved[0],
    )
    assert told == [2, 3]  # the last step is taken once more
    undisturbed = paint(photo, [strokes], PARAMS, features)
    assert resumed.pixels.tobytes() == undisturbed.pixels.tobytes()


def test_a_finished_checkpoint_is_a_finished_painting(
    photo: Array, strokes: Array, features: Features
) -> None:
    saved: list[bytes] = []
    params = StyleTransferParams(size=64, steps=1)
    painted = paint(
        photo,
        [strokes],
        params,
        features,
        on_progress=lambda run, _progress: saved.append(run.checkpoint()),
    )
    again = paint(photo, [strokes], params, features, resume=saved[-1])
    assert again.pixels.tobytes() == painted.pixels.tobytes()


def test_what_does_not_fit_is_refused_before_anything_is_painted(
    photo: Array, strokes: Array, features: Features
) -> None:
    with pytest.raises(ParameterError, match="Received: 0"):
        paint(photo, [], PARAMS, features)
    with pytest.raises(CheckpointError, match="damaged"):
        paint(photo, [strokes], PARAMS, features, resume=b"no checkpoint")


def test_a_studio_takes_the_precision_of_its_device(features: Features) -> None:
    assert Studio(features).dtype == fastest("auto", "cpu").dtype
    assert Studio(features, precision="bfloat16").dtype == tf.bfloat16


@pytest.mark.parametrize(
    ("params", "same"),
    [
        ({"size": 100, "steps": 3, "seed": 4}, True),
        ({"style_weight": 3.0, "tv_weight": 0.0, "optimizer": "lbfgs"}, True),
        ({"pooling": "max"}, False),
        ({"preset": "gatys"}, False),
        ({"style_loss": "wasserstein"}, False),
    ],
)
def test_a_studio_keeps_its_graphs_for_requests_of_the_same_kind(
    studio: Studio, params: dict[str, Any], *, same: bool
) -> None:
    usual = studio._objective(StyleTransferParams())
    objective = studio._objective(StyleTransferParams(**params))
    assert (objective is usual) == same
    assert objective._kind.pooling == params.get("pooling", "average")


def test_the_features_that_come_with_atelier_paint(
    photo: Array, strokes: Array, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundled = weights.load("bundled", tmp_path_factory.mktemp("cache"))
    losses: list[dict[str, float]] = []
    params = StyleTransferParams(size=64, steps=24, optimizer="lbfgs")
    painted = paint(
        photo,
        [strokes],
        params,
        bundled,
        on_progress=lambda _run, progress: losses.append(progress.losses),
    )
    assert painted.features.name == "bundled"
    assert losses[-1]["style"] < 0.6 * losses[0]["style"]
    assert np.isfinite(painted.pixels).all()


# --- regions and alpha


def test_each_region_is_painted_in_the_colours_of_its_own_style(
    photo: Array, strokes: Array, stripes: Array, features: Features
) -> None:
    left = (np.arange(64) < 32)[np.newaxis, :, np.newaxis]
    red, green = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    # It starts from the strokes everywhere: that the right half changes is the loss's doing.
    params = StyleTransferParams(
        size=64, steps=20, optimizer="lbfgs", init="style", content_weight=0.0, tv_weight=0.0
    )
    painted = paint(
        photo,
        [strokes, stripes],
        params,
        features,
        content_mask=np.broadcast_to(np.where(left, red, green), (48, 64, 3)).astype(np.float32),
        style_masks=[
            np.full((64, 64, 3), red, np.float32),
            np.full((64, 48, 3), green, np.float32),
        ],
    ).pixels
    for part, own, other in (
        (painted[:, :28], strokes, stripes),
        (painted[:, 36:], stripes, strokes),
    ):
        away = [np.linalg.norm(part.mean(axis=(0, 1)) - x.mean(axis=(0, 1))) for x in (own, other)]
        assert away[0] < 0.25 * away[1]


def test_a_cut_out_photograph_gives_a_cut_out_painting(
    photo: Array, strokes: Array, features: Features
) -> None:
    alpha = np.linspace(0, 1, 64, dtype=np.float32) * np.ones((48, 1), np.float32)
    painted = paint(np.dstack([photo, alpha]), [strokes], PARAMS, features).pixels
    assert painted.shape == (48, 64, 4)
    np.testing.assert_allclose(painted[..., 3], alpha, atol=1e-6)


def test_what_is_hidden_in_a_style_does_not_show_in_the_painting(
    photo: Array, strokes: Array, stripes: Array, features: Features
) -> None:
    shown = np.zeros((64, 64, 1), np.float32)
    shown[10:50, 5:40] = 1.0
    pictures = [
        paint(photo, [np.dstack([np.where(shown > 0, strokes, hidden), shown])], PARAMS, features)
        for hidden in (np.float32(0), np.float32(1), np.tile(stripes, (1, 2, 1))[:, :64])
    ]
    assert len({picture.pixels.tobytes() for picture in pictures}) == 1
    plain = paint(photo, [strokes], PARAMS, features)
    assert plain.pixels.tobytes() != pictures[0].pixels.tobytes()

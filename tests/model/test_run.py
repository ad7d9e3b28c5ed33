"""A painting under way: interrupted, resumed, diverged and finished."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from model import checkpoint, colour, recipes
from model.errors import CheckpointError, DivergedError
from model.objective import Losses
from model.painting import Studio
from model.params import StyleTransferParams
from model.run import Progress, Run
from model.sitting import Array, Sitting
from model.vgg import Features

#: Nine steps over three scales: four, three and two.
STEPS = 9
SIZES = [(32, 24), (45, 34), (64, 48)]

Begin = Callable[..., Run]


@pytest.fixture(scope="module", autouse=True)
def _small_scales() -> Iterator[None]:
    """Lets a picture of 64 pixels have three scales."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "_COARSEST", 32)
        yield


@pytest.fixture(scope="session")
def begin(studio: Studio, photo: Array, strokes: Array) -> Begin:
    """Begins a run of nine steps, or of other parameters or pictures."""

    def begin_run(
        content: Array = photo,
        styles: tuple[Array, ...] = (strokes,),
        within: Studio = studio,
        **params: Any,
    ) -> Run:
        asked = {"size": 64, "quality": "draft", "steps": STEPS, **params}
        return within.begin(Sitting.prepare(content, styles, StyleTransferParams(**asked)))

    return begin_run


def finish(run: Run, chunk: int = 1000) -> Array:
    while not run.done:
        run.advance(chunk)
    return run.picture()


class Whole(NamedTuple):
    """A run that nothing disturbed: a checkpoint before each step and after the last."""

    checkpoints: list[bytes]
    reports: list[Progress]
    picture: Array


@pytest.fixture(scope="module")
def whole(begin: Begin) -> Callable[[str], Whole]:
    """The undisturbed run of each optimiser, painted once."""
    painted: dict[str, Whole] = {}

    def paint(optimizer: str) -> Whole:
        if optimizer not in painted:
            run = begin(optimizer=optimizer)
            checkpoints, reports = [run.checkpoint()], [run.progress()]
            while not run.done:
                reports.append(run.advance(1))
                checkpoints.append(run.checkpoint())
            painted[optimizer] = Whole(checkpoints, reports, run.picture())
        return painted[optimizer]

    return paint


def spoil(
    monkeypatch: pytest.MonkeyPatch, run: Run, when: Callable[[int], bool]
) -> list[tf.Tensor]:
    """Makes the calls of the objective for which ``when`` holds, counted from 1, give NaN.

    Returns:
        The images that the objective was asked about, as they come.
    """
    judge, asked = run._objective.loss_and_gradient, []

    def loss_and_gradient(image: tf.Tensor, *rest: Any) -> tuple[Losses, tf.Tensor]:
        asked.append(image)
        found, gradient = judge(image, *rest)
        if when(len(asked)):
            return Losses(*(part * math.nan for part in found)), gradient * math.nan
        return found, gradient

    monkeypatch.setattr(run._objective, "loss_and_gradient", loss_and_gradient)
    return asked


# --- the same picture again


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_inputs_give_the_same_bytes(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str
) -> None:
    assert finish(begin(optimizer=optimizer)).tobytes() == whole(optimizer).picture.tobytes()


@pytest.mark.parametrize("chunk", [1, 2, 5])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_picture_does_not_depend_on_how_the_steps_are_cut_into_chunks(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, chunk: int
) -> None:
    picture = finish(begin(optimizer=optimizer), chunk)
    assert picture.tobytes() == whole(optimizer).picture.tobytes()


# Before the first step, after it, within a scale, at its end, at the start of the next one,
# before the last step and after it.
@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_restored_run_goes_on_to_the_same_picture_bit_for_bit(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, step: int
) -> None:
    undisturbed = whole(optimizer)
    run = begin(optimizer=optimizer)
    run.restore(undisturbed.checkpoints[step])
    assert replace(run.progress(), losses={}) == replace(undisturbed.reports[step], losses={})
    assert run.checkpoint() == undisturbed.checkpoints[step]
    assert finish(run, 2).tobytes() == undisturbed.picture.tobytes()
    assert run.checkpoint() == undisturbed.checkpoints[-1]


def test_a_run_that_is_restored_again_and_again_paints_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run = begin()
    while not run.done:
        run.advance(1)
        run, data = begin(), run.checkpoint()
        run.restore(data)
    assert run.picture().tobytes() == whole("adam").picture.tobytes()


def test_a_run_that_went_on_can_be_taken_back(begin: Begin, whole: Callable[[str], Whole]) -> None:
    run = begin()
    finish(run)
    run.restore(whole("adam").checkpoints[3])
    assert not run.done
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_another_worker_goes_on_to_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole], features: Features
) -> None:
    run = begin(within=Studio(features, precision="float32"))
    run.restore(whole("adam").checkpoints[6])
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_looking_at_a_run_does_not_change_it(begin: Begin, whole: Callable[[str], Whole]) -> None:
    run = begin()
    while not run.done:
        run.advance(1)
        assert run.picture().tobytes() == run.picture().tobytes()
        assert run.checkpoint() == run.checkpoint()
        run.advance(0)
    assert run.picture().tobytes() == whole("adam").picture.tobytes()


def test_runs_that_take_turns_in_a_studio_do_not_disturb_each_other(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    runs = [begin(), begin(optimizer="lbfgs")]
    while not all(run.done for run in runs):
        for run in runs:
            run.advance(2)
    for run, optimizer in zip(runs, ("adam", "lbfgs"), strict=True):
        assert run.picture().tobytes() == whole(optimizer).picture.tobytes()


def test_another_seed_gives_another_picture_where_it_starts_from_noise(begin: Begin) -> None:
    one, same, other = (finish(begin(init="noise", seed=seed, steps=3)) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert np.abs(one - other).mean() > 0.01


# --- what is painted


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
        for picture in (harsh.picture(), np.asarray(harsh._state.image)):
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
    run, decay = begin(), 0.99
    images = []
    for _ in range(4):
        run.advance(1)
        images.append(np.asarray(run._state.image[0]))
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


# --- progress


def test_progress_goes_from_nothing_to_all_in_the_proportion_of_the_work(
    whole: Callable[[str], Whole],
) -> None:
    reports = whole("adam").reports
    assert [report.step for report in reports] == list(range(STEPS + 1))
    assert {report.steps for report in reports} == {STEPS}
    fractions = [report.fraction for report in reports]
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    pixels = [math.prod(SIZES[scale]) for scale in (0, 0, 0, 0, 1, 1, 1, 2, 2)]
    np.testing.assert_allclose(np.diff(fractions), np.array(pixels) / sum(pixels))


def test_progress_says_the_size_of_the_present_scale(whole: Callable[[str], Whole]) -> None:
    sizes = [(report.width, report.height) for report in whole("adam").reports]
    assert sizes == [SIZES[0]] * 5 + [SIZES[1]] * 3 + [SIZES[2]] * 2


def test_progress_tells_the_losses_of_the_last_step_and_none_before_the_first(
    whole: Callable[[str], Whole],
) -> None:
    first, *others = whole("adam").reports
    assert first.losses == {}
    for report in others:
        assert set(report.losses) == {"content", "style", "tv", "total"}
        parts = report.losses["content"] + report.losses["style"] + report.losses["tv"]
        assert report.losses["total"] == pytest.approx(parts, rel=1e-5)
    assert {report.restarts for report in (first, *others)} == {0}


def test_a_chunk_ends_where_its_scale_ends(begin: Begin) -> None:
    run = begin()
    assert [run.advance(1000).step for _ in SIZES] == [4, 7, 9]
    assert run.done


def test_a_finished_run_takes_no_more_steps(begin: Begin) -> None:
    run = begin(steps=2)
    picture = finish(run)
    assert run.advance(5) == run.progress()
    assert run.progress().step == 2
    assert run.picture().tobytes() == picture.tobytes()


def test_a_run_can_be_looked_at_before_its_first_step(begin: Begin) -> None:
    run = begin()
    assert run.picture().tobytes() == run._sitting.first_image().tobytes()
    assert not run.done


# --- checkpoints that do not fit


@pytest.mark.parametrize(
    "other",
    [
        {"content": np.zeros((48, 64, 3), np.float32)},
        {"styles": (np.zeros((64, 64, 3), np.float32),)},
        {"steps": STEPS + 1},
        {"optimizer": "lbfgs"},
        {"style_weight": 1.01},
        {"pooling": "max"},
        {"seed": 1},
    ],
)
def test_a_checkpoint_of_another_painting_is_refused(
    begin: Begin, whole: Callable[[str], Whole], other: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match="another painting"):
        begin(**other).restore(whole("adam").checkpoints[2])


def test_a_checkpoint_of_other_features_or_numbers_is_refused(
    begin: Begin, whole: Callable[[str], Whole], features: Features
) -> None:
    learned = replace(features, sha256="1ea4" * 16)
    for other in (
        Studio(learned, precision="float32"),
        Studio(features, precision="bfloat16"),
    ):
        with pytest.raises(CheckpointError, match="another painting"):
            begin(within=other).restore(whole("adam").checkpoints[2])


def test_a_run_that_refused_a_checkpoint_can_still_be_painted(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run = begin()
    damaged = whole("adam").checkpoints[2][:-40]
    for bad in (damaged, whole("lbfgs").checkpoints[2], b""):
        with pytest.raises(CheckpointError):
            run.restore(bad)
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


def test_a_checkpoint_holds_the_state_and_whose_it_is_and_no_picture_of_the_sitting(
    whole: Callable[[str], Whole],
) -> None:
    header, arrays = checkpoint.load(whole("adam").checkpoints[6])
    assert (header["scale"], header["step"], header["restarts"]) == (1, 2, 0)
    moments = {"optimizer.first", "optimizer.second", "optimizer.step"}
    assert set(arrays) == {"image", "average", *moments}


# --- divergence


def test_features_that_are_not_finite_fail_after_one_careful_restart(
    begin: Begin, features: Features
) -> None:
    kernels = features.kernels | {
        "block3_conv1": np.full_like(features.kernels["block3_conv1"], np.nan)
    }
    run = begin(within=Studio(replace(features, kernels=kernels), precision="float32"))
    report = run.advance(3)
    assert (report.restarts, report.step, report.fraction) == (1, 0, 0.0)
    assert np.isfinite(run.picture()).all()
    with pytest.raises(DivergedError, match="twice"):
        run.advance(3)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize("call", [1, 3, 4, 6, 9])
def test_a_run_that_is_not_finite_once_recovers_and_says_so(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, optimizer: str, call: int
) -> None:
    run = begin(optimizer=optimizer)
    spoil(monkeypatch, run, lambda count: count == call)
    picture = finish(run)
    assert np.isfinite(picture).all()
    report = run.progress()
    assert (report.restarts, report.step, report.fraction) == (1, STEPS, 1.0)
    assert all(math.isfinite(loss) for loss in report.losses.values())


def test_a_careful_run_is_the_same_wherever_the_numbers_failed_and_the_chunks_ended(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, whole: Callable[[str], Whole]
) -> None:
    pictures = set()
    for call, chunk in ((1, 1), (3, 1), (3, 1000), (7, 2)):
        run = begin()
        with monkeypatch.context() as patch:
            spoil(patch, run, call.__eq__)
            pictures.add(finish(run, chunk).tobytes())
    assert len(pictures) == 1
    assert whole("adam").picture.tobytes() not in pictures


def test_after_the_restart_adams_steps_are_a_quarter_as_long(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(init="noise")
    asked = spoil(monkeypatch, run, lambda count: count == 3)
    finish(run, 1)
    usual, careful = (np.abs(asked[i + 1] - asked[i]).max() for i in (0, 3))
    np.testing.assert_array_equal(asked[3], asked[0])  # from the beginning
    assert careful == pytest.approx(0.25 * usual, rel=1e-3)


def test_a_careful_run_stays_careful_when_it_is_resumed(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin()
    spoil(monkeypatch, run, lambda count: count == 2)
    run.advance(2)
    run.advance(3)
    resumed = begin()
    resumed.restore(run.checkpoint())
    assert resumed.progress().restarts == 1
    monkeypatch.undo()
    assert finish(resumed).tobytes() == finish(run).tobytes()


def test_a_run_that_diverges_again_after_it_was_resumed_fails(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin()
    spoil(monkeypatch, run, lambda _count: True)
    assert run.advance(1).restarts == 1
    resumed = begin()
    resumed.restore(run.checkpoint())
    with pytest.raises(DivergedError):
        resumed.advance(1)


# --- compilation and precision


def test_a_new_size_a_new_weight_and_a_new_style_trace_nothing_again(
    studio: Studio, begin: Begin, stripes: Array
) -> None:
    finish(begin(steps=3))
    objective: Any = studio._objective(StyleTransferParams())
    graphs = (
        objective.loss_and_gradient,
        objective._content_targets,
        objective._style_targets,
    )
    traced = [graph.experimental_get_tracing_count() for graph in graphs]
    assert traced == [1, 1, 1]
    for size in (65, 80, 97):
        run = begin(size=size, styles=(stripes,), tv_weight=0.1 * size, steps=3)
        finish(run)
        adam: Any = run._optimizer
        assert adam.step.experimental_get_tracing_count() == 1
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
    assert run._state.image.dtype == tf.float32
    assert 0.0 < np.abs(rough - exact.picture).mean() < 0.02
    total = exact.reports[-1].losses["total"]
    assert run.progress().losses["total"] == pytest.approx(total, rel=0.05)


def test_a_restarted_run_tells_no_losses_of_the_first_try(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin()
    judge = run._objective.loss_and_gradient

    def not_finite(*arguments: Any) -> Any:
        losses, gradient = judge(*arguments)
        return losses, gradient * math.nan

    monkeypatch.setattr(run._objective, "loss_and_gradient", not_finite)
    report = run.advance(1)
    assert (report.step, report.losses, report.restarts) == (0, {}, 1)

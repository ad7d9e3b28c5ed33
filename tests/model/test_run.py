"""A painting under way: interrupted, resumed, diverged and finished."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from model import checkpoint, colour, recipes
from model import run as running
from model.errors import CheckpointError, DivergedError
from model.objective import loss_weights
from model.painting import Studio
from model.params import StyleTransferParams
from model.progress import Progress
from model.recipes import Quality
from model.run import Run
from model.sitting import Array, Sitting
from model.vgg import Features

#: Nine steps over three scales: four, three and two.
STEPS = 9
SIZES = [(32, 24), (45, 34), (64, 48)]

Begin = Callable[..., Run]


@pytest.fixture(scope="module", autouse=True)
def _small_scales() -> Iterator[None]:
    """Lets a picture of 64 pixels have three scales, however the recipes are tuned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "_COARSEST", 32)
        patch.setattr(recipes, "QUALITIES", {"draft": Quality(first_steps=80, steps=40)})
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
    for _ in range(100):
        if run.done:
            return run.picture()
        run.advance(chunk)
    raise AssertionError("The run does not end.")


class Whole(NamedTuple):
    """A run that nothing disturbed: checkpoints and reports before each step and after the last.

    A checkpoint is of the position one step before, or of the beginning.
    """

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


class Spoiled:
    """An objective that gives wrong numbers wherever it is told to.

    Attributes:
        asked: the images that it was asked about, as they came.
    """

    def __init__(
        self, run: Run, when: Callable[[int], bool], *, parts: float, gradient: float
    ) -> None:
        self._right = run._objective
        self._when = when
        self._factors = (parts, gradient)
        self.asked: list[tf.Tensor] = []

    def loss_and_gradient(self, image: tf.Tensor, *rest: Any) -> tuple[tf.Tensor, tf.Tensor]:
        self.asked.append(image)
        found = self._right.loss_and_gradient(image, *rest)
        wrong = self._factors if self._when(len(self.asked)) else (1.0, 1.0)
        return found[0] * wrong[0], found[1] * wrong[1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def spoil(
    run: Run, when: Callable[[int], bool], *, parts: float = math.nan, gradient: float = math.nan
) -> list[tf.Tensor]:
    """Multiplies loss and gradient of the calls for which ``when`` holds, counted from 1.

    Returns:
        The images that the objective will have been asked about, as they come.
    """
    spoiled: Any = Spoiled(run, when, parts=parts, gradient=gradient)
    run._objective = spoiled
    return spoiled.asked  # type: ignore[no-any-return]


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
def test_a_restored_run_repeats_a_step_and_goes_on_to_the_same_picture_bit_for_bit(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str, step: int
) -> None:
    undisturbed = whole(optimizer)
    run = begin(optimizer=optimizer)
    run.restore(undisturbed.checkpoints[step])
    found, expected = run.progress(), undisturbed.reports[max(step - 1, 0)]
    assert (found.step, found.fraction) == (expected.step, expected.fraction)
    assert (found.curve, found.losses, found.by_layer) == (expected.curve, {}, {})
    assert run.checkpoint() == undisturbed.checkpoints[step]
    assert finish(run, 2).tobytes() == undisturbed.picture.tobytes()
    assert run.checkpoint() == undisturbed.checkpoints[-1]
    assert run.progress() == undisturbed.reports[-1]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_interrupted_right_after_a_change_of_scale_goes_on_to_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole], optimizer: str
) -> None:
    run, resumed = begin(optimizer=optimizer), begin(optimizer=optimizer)
    run.advance(4)
    assert run.advance(0).width == SIZES[1][0]
    resumed.restore(run.checkpoint())
    assert resumed.progress().width == SIZES[0][0]
    assert finish(resumed).tobytes() == whole(optimizer).picture.tobytes()


def test_a_run_that_is_restored_again_and_again_paints_the_same_picture(
    begin: Begin, whole: Callable[[str], Whole]
) -> None:
    run = begin()
    for step in range(1, STEPS):
        run.advance(2)  # the one that is repeated, and one more
        while run.progress().step < step:  # a chunk ends with its scale
            run.advance(1)
        data, run = run.checkpoint(), begin()
        run.restore(data)
    assert finish(run).tobytes() == whole("adam").picture.tobytes()


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
        for picture in (harsh.picture(), np.asarray(harsh._now.state.image)):
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
        images.append(np.asarray(run._now.state.image[0]))
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


def test_progress_tells_the_losses_layer_by_layer(whole: Callable[[str], Whole]) -> None:
    first, *others = whole("adam").reports
    assert first.by_layer == {}
    layers = recipes.layers(StyleTransferParams())
    for report in others:
        for kind, names in (("content", layers.content), ("style", layers.style)):
            found = [report.by_layer[f"{kind}/{name}"] for name in names]
            assert sum(found) == pytest.approx(report.losses[kind], rel=1e-6)
            assert min(found) > 0.0 or kind == "content"  # which a painting may start with
        assert len(report.by_layer) == len(layers.content) + len(layers.style)


def test_the_curve_has_the_losses_before_each_step(whole: Callable[[str], Whole]) -> None:
    reports = whole("adam").reports
    told = [
        (step, report.losses["content"], report.losses["style"], report.losses["tv"])
        for step, report in enumerate(reports[1:])
    ]
    for report in reports:
        assert list(report.curve) == told[: report.step]


@pytest.mark.parametrize(
    ("steps", "points"), [(1, 1), (199, 199), (200, 200), (201, 101), (401, 134), (5000, 200)]
)
def test_a_curve_has_at_most_two_hundred_points_evenly_spaced_over_all_scales(
    begin: Begin, steps: int, points: int
) -> None:
    run = begin(steps=steps)
    run._parts = {"tv": 1.0}
    for number, scale in enumerate(run._sitting.scales):
        for step in range(scale.steps):
            run._now = run._now._replace(scale=number, step=step)
            run._now = run._now._replace(curve=run._curve())
    at = [point.step for point in run.progress().curve]
    assert len(at) == points
    assert at == list(range(0, steps, at[1] if points > 1 else 1))


def test_a_curve_with_gaps_is_the_same_after_an_interruption(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_CURVE_POINTS", 5)
    run = begin()
    saved = []
    while not run.done:
        run.advance(1)
        saved.append(run.checkpoint())
    curve = run.progress().curve
    assert [point.step for point in curve] == [0, 2, 4, 6, 8]
    for data in saved[3:6]:
        run.restore(data)
        finish(run)
        assert run.progress().curve == curve


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
    assert (header["scale"], header["step"], header["restarts"]) == (1, 1, 0)
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
    report = run.advance(1)
    assert (report.restarts, report.step, report.fraction) == (1, 0, 0.0)
    assert (report.losses, report.by_layer, report.curve) == ({}, {}, ())
    assert np.isfinite(run.picture()).all()
    with pytest.raises(DivergedError, match="twice"):
        run.advance(1)


# The first step, within a scale, its last step, the first one of the next, and the last of all.
@pytest.mark.parametrize("call", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_that_is_not_finite_once_recovers_and_says_so(
    begin: Begin, optimizer: str, call: int
) -> None:
    run = begin(optimizer=optimizer)
    spoil(run, call.__eq__)
    picture = finish(run)
    assert np.isfinite(picture).all()
    assert picture.shape == (48, 64, 3)
    report = run.progress()
    assert (report.restarts, report.step, report.fraction) == (1, STEPS, 1.0)
    assert all(math.isfinite(loss) for loss in report.losses.values())
    assert [point.step for point in report.curve] == list(range(STEPS))


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": math.nan, "gradient": 1.0},
        {"parts": math.inf, "gradient": 1.0},
        {"parts": 1.0, "gradient": math.nan},
        {"parts": 1000.0, "gradient": 1.0},
    ],
)
def test_losses_and_pictures_that_are_not_finite_and_exploded_losses_are_divergence(
    begin: Begin, wrong: dict[str, float]
) -> None:
    run = begin()
    spoil(run, lambda call: call in {3, 6}, **wrong)
    assert run.advance(2).restarts == 0
    assert run.advance(1).restarts == 1
    assert np.isfinite(run.picture()).all()
    with pytest.raises(DivergedError, match="twice"):
        finish(run)


@pytest.mark.parametrize(("call", "earlier"), [(1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (6, 4)])
def test_a_run_that_diverged_goes_back_to_the_last_picture_whose_loss_was_sound(
    begin: Begin, call: int, earlier: int
) -> None:
    run = begin()
    asked = spoil(run, call.__eq__)
    finish(run, 1)
    np.testing.assert_array_equal(asked[call], asked[earlier])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_step_is_a_quarter_as_long_after_a_divergence(begin: Begin, optimizer: str) -> None:
    run = begin(init="noise", optimizer=optimizer)
    asked = spoil(run, lambda call: call == 2)
    run.advance(4)
    usual, careful = (np.asarray(asked[i + 1] - asked[i]) for i in (0, 2))
    np.testing.assert_array_equal(asked[2], asked[0])
    free = (asked[1] > 0.0) & (asked[1] < 1.0)  # elsewhere the range cut the usual step short
    np.testing.assert_allclose(careful[free], 0.25 * usual[free], atol=1e-6)
    assert np.abs(usual[free]).max() > 0.01


@pytest.mark.parametrize(("optimizer", "first"), [("adam", 0.02), ("lbfgs", 0.01)])
def test_after_a_divergence_the_optimiser_begins_anew(
    begin: Begin, optimizer: str, first: float
) -> None:
    run = begin(init="noise", optimizer=optimizer)
    asked = spoil(run, lambda call: call == 4)
    run.advance(6)
    move = np.asarray(asked[5] - asked[4])
    assert np.sqrt(np.mean(move**2)) == pytest.approx(0.25 * first, rel=0.05)


@pytest.mark.parametrize("call", [3, 5])
def test_a_careful_run_does_not_depend_on_how_its_steps_are_cut_into_chunks(
    begin: Begin, whole: Callable[[str], Whole], call: int
) -> None:
    pictures = set()
    for chunk in (1, 2, 1000):
        run = begin()
        spoil(run, call.__eq__)
        pictures.add(finish(run, chunk).tobytes())
    assert len(pictures) == 1
    assert whole("adam").picture.tobytes() not in pictures


@pytest.mark.parametrize("place", [(0, 0), (1, 0), (2, 1)])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_run_that_diverges_paints_the_same_picture_wherever_it_is_interrupted(
    begin: Begin, optimizer: str, place: tuple[int, int]
) -> None:
    def diverging() -> Run:
        run = begin(optimizer=optimizer)
        # Wherever it comes from, it diverges when it comes to this place, unless it is careful.
        spoil(run, lambda _: (run._now.scale, run._now.step) == place and not run._restarts)
        return run

    run = diverging()
    saved = [run.checkpoint()]
    while not run.progress().restarts:
        run.advance(1)
        saved.append(run.checkpoint())
    run.advance(1)
    saved.append(run.checkpoint())
    finish(run)
    for data in saved[-3:]:  # before it diverged, right afterwards, and a step later
        resumed = diverging()
        resumed.restore(data)
        assert finish(resumed).tobytes() == run.picture().tobytes()
        assert resumed.progress() == run.progress()


def test_a_run_that_diverges_again_after_it_was_resumed_fails(begin: Begin) -> None:
    run = begin()
    spoil(run, lambda _call: True)
    assert run.advance(1).restarts == 1
    resumed = begin()
    resumed.restore(run.checkpoint())
    assert resumed.progress().restarts == 1
    spoil(resumed, lambda _call: True)
    with pytest.raises(DivergedError):
        resumed.advance(1)


class Told:
    """An objective whose loss is what one says, and whose gradient is none."""

    def __init__(self, run: Run, *totals: float) -> None:
        self._right = run._objective
        self._totals = iter(totals)

    def loss_and_gradient(self, image: tf.Tensor, *_: Any) -> tuple[tf.Tensor, tf.Tensor]:
        parts = np.zeros(len(self._right.parts), np.float32)
        parts[0] = next(self._totals)
        return tf.constant(parts), tf.zeros_like(image)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


def tell(run: Run, *totals: float) -> None:
    told: Any = Told(run, *totals)
    run._objective = told


#: What a picture that has nothing of its targets has for a loss.
_NOTHING = float(np.sum(loss_weights(StyleTransferParams())))


def test_a_loss_has_exploded_that_is_ten_times_what_its_scale_began_with(begin: Begin) -> None:
    limit = 10 * (100 + _NOTHING)
    run = begin()
    tell(run, 100.0, 1.0, limit - 1, limit + 1)
    assert run.advance(3).restarts == 0
    assert run.advance(1).restarts == 1


def test_a_scale_that_begins_near_its_targets_may_come_as_far_as_ten_times_from_nothing(
    begin: Begin,
) -> None:
    run = begin(init="style")
    tell(run, 0.0, 10 * _NOTHING - 1, 10 * _NOTHING + 1)
    assert run.advance(2).restarts == 0
    assert run.advance(1).restarts == 1


def test_each_scale_has_a_limit_of_its_own(begin: Begin) -> None:
    run = begin()
    tell(run, 1.0, 1.0, 1.0, 1.0, 1000.0, 9000.0, 1.0, 1.0, 1000.0)
    assert run.advance(4).restarts == 0
    assert run.advance(3).restarts == 0
    assert run.advance(2).restarts == 1


def test_a_resumed_run_has_the_limit_of_its_scale_still(begin: Begin) -> None:
    run = begin()
    tell(run, 1.0, 1.0, 1.0)
    run.advance(3)
    resumed = begin()
    resumed.restore(run.checkpoint())
    tell(resumed, 1000.0)
    assert resumed.advance(1).restarts == 1


# --- compilation and precision


def test_a_new_size_a_new_weight_and_a_new_style_trace_nothing_again(
    studio: Studio, begin: Begin, stripes: Array
) -> None:
    finish(begin(steps=3))
    objective: Any = studio._objective(StyleTransferParams())
    graphs = (objective._graphs.judge, objective._graphs.content, objective._graphs.moments)
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
    assert run._now.state.image.dtype == tf.float32
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
